/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a NO_PROXY list, a NUL, and a host; the first two bytes are the port. What must hold: an entry
 * that covers the host does so whatever stands before and after it in the list; case and a final dot of the
 * host do not matter; "*" covers everything; and no single entry covers both a name and the name with a
 * letter before it.
 */
#include "fuzz.h"

#include "base/ascii.h"
#include "base/buffer.h"
#include "protocol/no_proxy.h"

static char *copy_of(const char *text, size_t size, char last)
{
    ga__buffer copy = GA__BUFFER_INIT;

    ga__buffer_append(&copy, text, size);
    if (last)
        ga__buffer_add_char(&copy, last);
    return ga__buffer_take(&copy);
}

static void check_places(const char *list, const char *host, uint16_t port, bool covered)
{
    ga__buffer longer = GA__BUFFER_INIT;

    ga__buffer_printf(&longer, "a.invalid, %s,,b.invalid:1", list);
    REQUIRE(!covered || ga__no_proxy_covers(longer.data, host, port));
    ga__buffer_add(&longer, ",*");
    REQUIRE(!*host || *host == '[' || ga__no_proxy_covers(longer.data, host, port));
    ga__buffer_free(&longer);
}

static void check_case(const char *list, const char *host, uint16_t port, bool covered)
{
    char *upper = copy_of(host, strlen(host), '\0');

    for (char *at = upper; *at; at++)
        *at = ga__ascii_upper(*at);
    REQUIRE(ga__no_proxy_covers(list, upper, port) == covered);
    free(upper);
}

static void check_border(const char *list, const char *host, uint16_t port)
{
    ga__buffer longer = GA__BUFFER_INIT;

    /* a list of one entry, which is a plain name */
    if (strpbrk(list, ",*:[]/ \t") || !strchr(list, '.') || *list == '.' || !ga__ascii_is_alpha(*host) ||
        strlen(list) > strlen(host))
        return;
    ga__buffer_printf(&longer, "x%s", list);
    REQUIRE(!ga__no_proxy_covers(list, longer.data, port));
    ga__buffer_free(&longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint16_t port = (uint16_t)(data[0] << 8 | data[1]);
    const char *text = (const char *)data + 2;
    const char *nul = memchr(text, '\0', size - 2);
    size_t list_size = nul ? (size_t)(nul - text) : size - 2;
    char *list = copy_of(text, list_size, '\0');
    char *host = nul ? copy_of(nul + 1, strnlen(nul + 1, size - 3 - list_size), '\0') : copy_of("h", 1, '\0');
    bool covered = ga__no_proxy_covers(list, host, port);

    check_places(list, host, port, covered);
    check_case(list, host, port, covered);
    check_border(list, host, port);
    free(list);
    free(host);
    return 0;
}
