/* SPDX-License-Identifier: MIT */
/* SOCKS 5: what is said, and what each answer leads to, whole and cut at every place. */
#include "check.h"

#include "protocol/socks5.h"
#include <gather/error.h>
#include <stdlib.h>
#include <string.h>

typedef struct dialogue {
    const char *name;
    ga__slice host, username, password;
    ga__slice proxy;     /* all that the proxy says */
    ga__slice said;      /* all that it is told */
    int code;            /* GA__SOCKS5_DONE, GA__SOCKS5_MORE, GA_EPROXY */
    const char *problem; /* a part of it */
    size_t left;         /* bytes that are the target's */
} dialogue;

/* GA__SLICE is no constant. */
#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }
#define HELLO "\5\1\0"
#define HELLO_BOTH "\5\2\0\2"
#define ASK_NAME "\5\1\0\3\11shop.test\1\273"
#define GRANTED "\5\0\0\1\0\0\0\0\0\0"

static const dialogue dialogues[] = {
    {.name = "a name, without credentials",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\0" GRANTED),
     .said = TEXT(HELLO ASK_NAME),
     .code = GA__SOCKS5_DONE},
    {.name = "an IPv4 address",
     .host = TEXT("192.0.2.7"),
     .proxy = TEXT("\5\0" GRANTED),
     .said = TEXT(HELLO "\5\1\0\1\300\0\2\7\1\273"),
     .code = GA__SOCKS5_DONE},
    {.name = "an IPv6 address",
     .host = TEXT("2001:db8::7"),
     .proxy = TEXT("\5\0\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
     .said = TEXT(HELLO "\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\7\1\273"),
     .code = GA__SOCKS5_DONE},
    {.name = "a reply with a name",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\0\5\0\0\3\4test\0\120"),
     .said = TEXT(HELLO ASK_NAME),
     .code = GA__SOCKS5_DONE},
    {.name = "a reply with an empty name",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\0\5\0\0\3\0\0\120"),
     .said = TEXT(HELLO ASK_NAME),
     .code = GA__SOCKS5_DONE},
    {.name = "credentials that are asked for",
     .host = TEXT("shop.test"),
     .username = TEXT("me"),
     .password = TEXT("s:c"),
     .proxy = TEXT("\5\2\1\0" GRANTED),
     .said = TEXT(HELLO_BOTH "\1\2me\3s:c" ASK_NAME),
     .code = GA__SOCKS5_DONE},
    {.name = "credentials that are not asked for",
     .host = TEXT("shop.test"),
     .username = TEXT("me"),
     .password = TEXT("s:c"),
     .proxy = TEXT("\5\0" GRANTED),
     .said = TEXT(HELLO_BOTH ASK_NAME),
     .code = GA__SOCKS5_DONE},
    {.name = "bytes behind the reply are the target's",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\0" GRANTED "SSH"),
     .said = TEXT(HELLO ASK_NAME),
     .code = GA__SOCKS5_DONE,
     .left = 3},
    {.name = "credentials that are wrong",
     .host = TEXT("shop.test"),
     .username = TEXT("me"),
     .password = TEXT("x"),
     .proxy = TEXT("\5\2\1\1"),
     .said = TEXT(HELLO_BOTH "\1\2me\1x"),
     .code = GA_EPROXY,
     .problem = "refused the user name"},
    {.name = "credentials that are missing",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\377"),
     .said = TEXT(HELLO),
     .code = GA_EPROXY,
     .problem = "wants credentials"},
    {.name = "no method is acceptable",
     .host = TEXT("shop.test"),
     .username = TEXT("me"),
     .proxy = TEXT("\5\377"),
     .said = TEXT(HELLO_BOTH),
     .code = GA_EPROXY,
     .problem = "neither"},
    {.name = "a password is asked for that was not offered",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\2"),
     .said = TEXT(HELLO),
     .code = GA_EPROXY,
     .problem = "not offered"},
    {.name = "GSSAPI was not offered",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\1"),
     .said = TEXT(HELLO),
     .code = GA_EPROXY,
     .problem = "not offered"},
    {.name = "SOCKS 4",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\4\0"),
     .said = TEXT(HELLO),
     .code = GA_EPROXY,
     .problem = "does not speak SOCKS 5"},
    {.name = "HTTP",
     .host = TEXT("shop.test"),
     .proxy = TEXT("HTTP/1.1 400 Bad Request\r\n\r\n"),
     .said = TEXT(HELLO),
     .code = GA_EPROXY,
     .problem = "HTTP proxy"},
    {.name = "the password's answer has the wrong version",
     .host = TEXT("shop.test"),
     .username = TEXT("me"),
     .proxy = TEXT("\5\2\5\0"),
     .said = TEXT(HELLO_BOTH "\1\2me\0"),
     .code = GA_EPROXY,
     .problem = "does not speak SOCKS 5"},
    {.name = "the reply has the wrong version",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\0\4\0\0\1\0\0\0\0\0\0"),
     .said = TEXT(HELLO ASK_NAME),
     .code = GA_EPROXY,
     .problem = "not one of SOCKS 5"},
    {.name = "refused by rule, and cut short",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\0\5\2"),
     .said = TEXT(HELLO ASK_NAME),
     .code = GA_EPROXY,
     .problem = "rules"},
    {.name = "the target refused",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\0\5\5\0\1\0\0\0\0\0\0"),
     .said = TEXT(HELLO ASK_NAME),
     .code = GA_EPROXY,
     .problem = "connection was refused"},
    {.name = "a reason that does not exist",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\0\5\11\0\1\0\0\0\0\0\0"),
     .said = TEXT(HELLO ASK_NAME),
     .code = GA_EPROXY,
     .problem = "not known"},
    {.name = "a type of address that does not exist",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\0\5\0\0\2\0\0\0\0\0\0"),
     .said = TEXT(HELLO ASK_NAME),
     .code = GA_EPROXY,
     .problem = "type of address"},
    {.name = "a reply that is not whole",
     .host = TEXT("shop.test"),
     .proxy = TEXT("\5\0\5\0\0\3\4tes"),
     .said = TEXT(HELLO ASK_NAME),
     .code = GA__SOCKS5_MORE},
    {.name = "silence",
     .host = TEXT("shop.test"),
     .proxy = TEXT(""),
     .said = TEXT(HELLO),
     .code = GA__SOCKS5_MORE},
};

/* Feeds the proxy's bytes, `piece` at a time, with what was not consumed before them. */
static void play(const dialogue *one, size_t first, size_t piece)
{
    ga__buffer said = GA__BUFFER_INIT;
    ga__socks5 socks;
    size_t begin = 0, end = 0, consumed;
    int code = ga__socks5_begin(&socks, one->host, 443, one->username, one->password, &said);

    assert_int_equal(code, 0);
    do {
        size_t more = end == 0 && first > 0 ? first : piece;

        end = end + more < one->proxy.size ? end + more : one->proxy.size;
        char *copy = malloc(end - begin + 1); /* of its own, so that reading beyond it shows */

        assert_non_null(copy);
        memcpy(copy, one->proxy.data + begin, end - begin);
        copy = realloc(copy, end - begin ? end - begin : 1);
        code = ga__socks5_receive(&socks, copy, end - begin, &consumed, &said);
        free(copy);
        begin += consumed;
    } while (code == GA__SOCKS5_MORE && end < one->proxy.size);
    if (code != one->code || (one->problem && (!socks.problem || !strstr(socks.problem, one->problem))))
        fail_msg("%s: %d, %s", one->name, code, socks.problem ? socks.problem : "no problem");
    if (code == GA__SOCKS5_DONE)
        assert_int_equal(one->proxy.size - begin, one->left);
    assert_int_equal(said.size, one->said.size);
    assert_memory_equal(said.data, one->said.data, said.size);
    ga__buffer_free(&said);
}

static void each_dialogue_goes_as_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dialogues / sizeof *dialogues; i++) {
        size_t size = dialogues[i].proxy.size;

        play(&dialogues[i], 0, size ? size : 1);
        play(&dialogues[i], 0, 1);
        for (size_t cut = 1; cut < size; cut++)
            play(&dialogues[i], cut, size);
    }
}

static void texts_that_do_not_fit_are_refused(void **state)
{
    char text[256];
    ga__buffer said = GA__BUFFER_INIT;
    ga__socks5 socks;
    ga__slice fits = {text, 255}, longer = {text, 256}, none = {NULL, 0};

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(ga__socks5_begin(&socks, longer, 80, none, none, &said), GA_EUSAGE);
    assert_non_null(strstr(socks.problem, "name"));
    assert_int_equal(ga__socks5_begin(&socks, fits, 80, longer, none, &said), GA_EUSAGE);
    assert_int_equal(ga__socks5_begin(&socks, fits, 80, fits, longer, &said), GA_EUSAGE);
    assert_int_equal(said.size, 0);
    assert_int_equal(ga__socks5_begin(&socks, fits, 80, fits, fits, &said), 0);
    ga__buffer_free(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_dialogue_goes_as_expected),
        cmocka_unit_test(texts_that_do_not_fit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
