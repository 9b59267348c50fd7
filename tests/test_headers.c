/* SPDX-License-Identifier: MIT */
/* The field table: lookup, repeated fields, known names, packing, growth; and the lists and tokens under it.
 */
#include "check.h"

#include "protocol/http1_fields.h"
#include "protocol/token.h"

#include <gather/error.h>
#include <stdio.h>
#include <string.h>

static const ga__headers_limits limits = {.max_size = 65536, .max_line = 16384, .max_fields = 10000};

/* Parses lines that the caller keeps, since the table points into them. */
static void parse(ga__headers_table *table, char *lines)
{
    const char *problem;

    assert_int_equal(ga__headers_parse(table, lines, 0, (uint32_t)strlen(lines), &limits, &problem), 0);
}

static void looks_up_without_regard_to_case(void **state)
{
    char lines[] = "Content-TYPE: text/html\r\nX-Own: 1\r\nx-empty:\r\n\r\n";
    ga__headers_table table;

    (void)state;
    ga__headers_table_init(&table);
    parse(&table, lines);
    assert_string_equal(ga__headers_get(&table.headers, "content-type"), "text/html");
    assert_string_equal(ga__headers_get(&table.headers, "CONTENT-type"), "text/html");
    assert_string_equal(ga__headers_known(&table.headers, GA__FIELD_CONTENT_TYPE), "text/html");
    assert_string_equal(ga__headers_get(&table.headers, "x-own"), "1");
    assert_string_equal(ga__headers_get(&table.headers, "X-EMPTY"), "");
    assert_null(ga__headers_get(&table.headers, "X-Ow"));
    assert_null(ga__headers_get(&table.headers, "X-Owns"));
    assert_null(ga__headers_get(&table.headers, ""));
    assert_null(ga__headers_get(&table.headers, "content\rtype"));
    assert_null(ga__headers_known(&table.headers, GA__FIELD_LOCATION));
    assert_true(ga__headers_has(&table.headers, GA__FIELD_CONTENT_TYPE));
    assert_false(ga__headers_has(&table.headers, GA__FIELD_DATE));
    ga__headers_table_free(&table);
}

static void walks_over_repeated_fields_in_order(void **state)
{
    char lines[] = "Set-Cookie: a\r\nX: 1\r\nset-cookie: b\r\nx: 2\r\nDate: now\r\nSET-COOKIE: c\r\n\r\n";
    static const char *const cookies[] = {"a", "b", "c"}, *const others[] = {"1", "2"};
    ga__headers_table table;
    const ga__field *field = NULL;

    (void)state;
    ga__headers_table_init(&table);
    parse(&table, lines);
    for (int i = 0; i < 3; i++) {
        field = ga__headers_next(&table.headers, GA__FIELD_SET_COOKIE, field);
        assert_string_equal(ga__field_value(&table.headers, field), cookies[i]);
    }
    assert_null(ga__headers_next(&table.headers, GA__FIELD_SET_COOKIE, field));
    field = NULL;
    for (int i = 0; i < 2; i++) {
        field = ga__headers_find(&table.headers, "X", field);
        assert_string_equal(ga__field_value(&table.headers, field), others[i]);
    }
    assert_null(ga__headers_find(&table.headers, "X", field));
    ga__headers_table_free(&table);
}

static void every_known_name_is_known(void **state)
{
    static const struct {
        const char *name;
        ga__field_id id;
    } names[] = {
        {"Accept", GA__FIELD_ACCEPT},
        {"Accept-Encoding", GA__FIELD_ACCEPT_ENCODING},
        {"Age", GA__FIELD_AGE},
        {"Authorization", GA__FIELD_AUTHORIZATION},
        {"Cache-Control", GA__FIELD_CACHE_CONTROL},
        {"Connection", GA__FIELD_CONNECTION},
        {"Content-Encoding", GA__FIELD_CONTENT_ENCODING},
        {"Content-Length", GA__FIELD_CONTENT_LENGTH},
        {"Content-Range", GA__FIELD_CONTENT_RANGE},
        {"Content-Type", GA__FIELD_CONTENT_TYPE},
        {"Cookie", GA__FIELD_COOKIE},
        {"Date", GA__FIELD_DATE},
        {"ETag", GA__FIELD_ETAG},
        {"Expect", GA__FIELD_EXPECT},
        {"Host", GA__FIELD_HOST},
        {"Keep-Alive", GA__FIELD_KEEP_ALIVE},
        {"Last-Modified", GA__FIELD_LAST_MODIFIED},
        {"Link", GA__FIELD_LINK},
        {"Location", GA__FIELD_LOCATION},
        {"Proxy-Authenticate", GA__FIELD_PROXY_AUTHENTICATE},
        {"Proxy-Authorization", GA__FIELD_PROXY_AUTHORIZATION},
        {"Retry-After", GA__FIELD_RETRY_AFTER},
        {"Server", GA__FIELD_SERVER},
        {"Set-Cookie", GA__FIELD_SET_COOKIE},
        {"TE", GA__FIELD_TE},
        {"Trailer", GA__FIELD_TRAILER},
        {"Transfer-Encoding", GA__FIELD_TRANSFER_ENCODING},
        {"Upgrade", GA__FIELD_UPGRADE},
        {"User-Agent", GA__FIELD_USER_AGENT},
        {"Vary", GA__FIELD_VARY},
        {"WWW-Authenticate", GA__FIELD_WWW_AUTHENTICATE},
    };

    (void)state;
    assert_int_equal(sizeof names / sizeof names[0], GA__FIELD_COUNT - 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[32];
        size_t size = strlen(names[i].name);

        assert_int_equal(ga__field_identify(names[i].name, size), names[i].id);
        /* One letter more, less, or other is another name. */
        memcpy(name, names[i].name, size + 1);
        name[size] = 'x';
        assert_int_equal(ga__field_identify(name, size + 1), GA__FIELD_OTHER);
        assert_int_equal(ga__field_identify(name, size - 1), GA__FIELD_OTHER);
        for (size_t at = 0; at < size; at++) {
            memcpy(name, names[i].name, size);
            name[at] = '_';
            assert_int_equal(ga__field_identify(name, size), GA__FIELD_OTHER);
        }
        for (size_t at = 0; at < size; at++)
            name[at] = names[i].name[at] == '-' ? '-' : (char)(names[i].name[at] ^ 0x20);
        assert_int_equal(ga__field_identify(name, size), names[i].id);
    }
}

static void a_packed_copy_stands_alone(void **state)
{
    char lines[] = "A: 1\r\nLocation: /there\r\n\r\n";
    ga__headers_table table;
    ga__headers copy;

    (void)state;
    ga__headers_table_init(&table);
    parse(&table, lines);
    void *block = malloc(ga__headers_pack_size(&table.headers));

    assert_non_null(block);
    ga__headers_pack(&table.headers, block, &copy);
    ga__headers_table_free(&table);
    memset(lines, '!', sizeof lines);
    memset(&table, '!', sizeof table);
    assert_int_equal(copy.count, 2);
    assert_string_equal(ga__headers_get(&copy, "a"), "1");
    assert_string_equal(ga__headers_known(&copy, GA__FIELD_LOCATION), "/there");
    assert_string_equal(ga__field_name(&copy, &copy.fields[1]), "Location");
    free(block);
}

static void an_empty_table_can_be_packed(void **state)
{
    ga__headers_table table;
    ga__headers copy;
    char block[1];

    (void)state;
    ga__headers_table_init(&table);
    assert_int_equal(ga__headers_pack_size(&table.headers), 0);
    ga__headers_pack(&table.headers, block, &copy);
    assert_int_equal(copy.count, 0);
    assert_null(ga__headers_get(&copy, "a"));
    ga__headers_table_free(&table);
}

static void grows_and_is_used_again(void **state)
{
    static char lines[65536];
    ga__headers_table table;

    (void)state;
    ga__headers_table_init(&table);
    for (int count = 1; count <= 1000; count = count * 3 / 2 + 1) {
        size_t size = 0;

        for (int i = 0; i < count; i++)
            size += (size_t)sprintf(lines + size, "X-%d: %d\r\n", i, i * i);
        strcpy(lines + size, "\r\n");
        parse(&table, lines);
        assert_int_equal(table.headers.count, count);
        for (int i = 0; i < count; i += 1 + i / 10) {
            char name[16], value[16];

            sprintf(name, "x-%d", i);
            sprintf(value, "%d", i * i);
            assert_string_equal(ga__headers_get(&table.headers, name), value);
        }
    }
    ga__headers_table_free(&table);
}

static void drops_fields(void **state)
{
    char lines[] = "A: 1\r\nHost: x\r\nB: 2\r\nHost: y\r\nAge: 3\r\n\r\n";
    ga__headers_table table;

    (void)state;
    ga__headers_table_init(&table);
    parse(&table, lines);
    ga__headers_table_drop(&table, UINT64_C(1) << GA__FIELD_HOST);
    assert_int_equal(table.headers.count, 3);
    assert_null(ga__headers_get(&table.headers, "host"));
    assert_string_equal(ga__headers_get(&table.headers, "a"), "1");
    assert_string_equal(ga__headers_get(&table.headers, "b"), "2");
    assert_string_equal(ga__headers_get(&table.headers, "age"), "3");
    ga__headers_table_free(&table);
}

/* Lines that the caller said are a whole section, and are not: an error, and no byte behind them is looked
 * at. */
static void sections_that_do_not_end(void **state)
{
    static const char *const sections[] = {"",         "A",          "A:",        "A: b",       "A: b\r",
                                           "A: b\r\n", "A: b\r\n\r", "A: b\r\nC", "A: b\r\n c", "A: b\n \r"};
    ga__headers_table table;

    (void)state;
    ga__headers_table_init(&table);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        size_t size = strlen(sections[i]);
        char *block = malloc(size + !size); /* of just that size, for the sanitizer to see */
        const char *problem = NULL;

        assert_non_null(block);
        memcpy(block, sections[i], size);
        assert_int_equal(ga__headers_parse(&table, block, 0, (uint32_t)size, &limits, &problem),
                         GA_EPROTOCOL);
        assert_non_null(problem);
        free(block);
    }
    ga__headers_table_free(&table);
}

static void names_are_shorter_than_64_kib(void **state)
{
    static const ga__headers_limits wide = {.max_size = 1 << 20, .max_line = 1 << 20, .max_fields = 1};
    ga__headers_table table;

    (void)state;
    ga__headers_table_init(&table);
    for (size_t size = UINT16_MAX; size <= UINT16_MAX + 1; size++) {
        char *block = malloc(size + 6);
        const char *problem;

        assert_non_null(block);
        memset(block, 'x', size);
        memcpy(block + size, ":y\r\n\r\n", 6);
        int code = ga__headers_parse(&table, block, 0, (uint32_t)size + 6, &wide, &problem);

        assert_int_equal(code, size > UINT16_MAX ? GA_EHEADTOOBIG : GA_OK);
        free(block);
    }
    ga__headers_table_free(&table);
}

static void lists(void **state)
{
    static const struct {
        const char *text, *elements; /* the elements, each in brackets */
    } rows[] = {
        {"", "[]"},
        {"a", "[a]"},
        {"a,b", "[a][b]"},
        {" a ,\tb\t", "[a][b]"},
        {",a,,b,", "[][a][][b][]"},
        {"a;q=\"1,2\", b", "[a;q=\"1,2\"][b]"},
        {"\"a\\\",b\",c", "[\"a\\\",b\"][c]"},
        {"\"a,b", "[\"a,b]"},
        {"\"a\\", "[\"a\\]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char seen[64] = "";
        const char *element;
        size_t at = 0, size;

        while (ga__list_next(rows[i].text, strlen(rows[i].text), &at, &element, &size)) {
            strcat(seen, "[");
            strncat(seen, element, size);
            strcat(seen, "]");
        }
        assert_string_equal(seen, rows[i].elements);
    }
    assert_true(ga__list_has("a, CLOSE", 8, "close"));
    assert_false(ga__list_has("a, closed", 9, "close"));
    assert_false(ga__list_has("", 0, "close"));
}

/* The definitions of RFC 9110, in another way than the tables have them. */
static void character_classes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool token = letter || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
        bool value = c == '\t' || (c >= 0x20 && c != 0x7f);

        assert_int_equal(ga__is_token(&byte, 1), token);
        assert_int_equal(ga__token_lower[c], token ? (c >= 'A' && c <= 'Z' ? c + 32 : c) : 0);
        assert_int_equal(ga__all_of(&byte, 1, GA__CHAR_VALUE), value);
        assert_int_equal(ga__all_of(&byte, 1, GA__CHAR_TARGET), c > 0x20 && c < 0x7f);
        assert_int_equal(ga__all_of(&byte, 1, GA__CHAR_HOST),
                         c > 0x20 && c < 0x7f && !strchr("@/\\?#,\"<>", c));
        /* Alone, and at each place among others: the wide loop and the narrow one. */
        for (size_t at = 0; at < 40; at++) {
            char text[40];

            memset(text, 'x', sizeof text);
            text[at] = byte;
            assert_int_equal(ga__span_value(text, sizeof text), value ? sizeof text : at);
            assert_int_equal(ga__span_value(text, at), at);
        }
    }
    assert_false(ga__is_token("", 0));
    assert_true(ga__all_of("", 0, GA__CHAR_HOST));
    assert_true(ga__all_of("[::1]:80", 8, GA__CHAR_HOST));
    assert_false(ga__all_of("a b", 3, GA__CHAR_HOST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_up_without_regard_to_case),
        cmocka_unit_test(walks_over_repeated_fields_in_order),
        cmocka_unit_test(every_known_name_is_known),
        cmocka_unit_test(a_packed_copy_stands_alone),
        cmocka_unit_test(an_empty_table_can_be_packed),
        cmocka_unit_test(grows_and_is_used_again),
        cmocka_unit_test(drops_fields),
        cmocka_unit_test(sections_that_do_not_end),
        cmocka_unit_test(names_are_shorter_than_64_kib),
        cmocka_unit_test(lists),
        cmocka_unit_test(character_classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
