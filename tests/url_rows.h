/* SPDX-License-Identifier: MIT */
/* Tables of inputs and their serialisations. Each accepted URL is parsed again and must come out the same. */
#ifndef URL_ROWS_H
#define URL_ROWS_H

#include "check.h"

#include "protocol/url.h"
#include <stdlib.h>
#include <string.h>

struct row {
    const char *input;
    const char *href;
};

/* Parses; the test fails when the input is refused, or the result breaks what every URL keeps. */
static inline ga__url parsed(const char *input, const ga__url *base)
{
    const char *reason = NULL;
    ga__url url;
    ga__url again;

    if (ga__url_parse(&url, input, strlen(input), base, &reason))
        fail_msg("%s: refused: %s", input, reason);
    if (ga__url_parse(&again, ga__url_href(&url), url.size, NULL, &reason))
        fail_msg("%s: refused when parsed again, as %s: %s", input, ga__url_href(&url), reason);
    assert_string_equal(ga__url_href(&again), ga__url_href(&url));
    assert_string_equal(ga__url_host(&again), ga__url_host(&url));
    assert_string_equal(ga__url_printable(&again), ga__url_printable(&url));
    assert_int_equal(strlen(ga__url_href(&url)), url.size);
    assert_int_equal(strlen(ga__url_host(&url)), ga__url_host_size(&url));
    for (const char *at = ga__url_href(&url); *at; at++)
        assert_true(*at > ' ' && *at < 0x7f);
    assert_true(ga__url_same_origin(&url, &again));
    ga__url_free(&again);
    if (ga__url_parse_like(&again, input, strlen(input), &url)) {
        assert_string_equal(ga__url_href(&again), ga__url_href(&url));
        assert_string_equal(ga__url_host(&again), ga__url_host(&url));
        assert_memory_equal(&again.size, &url.size, offsetof(ga__url, near) - offsetof(ga__url, size));
    }
    return url;
}

static inline void check_rows(const struct row *rows, size_t count, const ga__url *base)
{
    for (size_t i = 0; i < count; i++) {
        ga__url url = parsed(rows[i].input, base);

        if (strcmp(ga__url_href(&url), rows[i].href) != 0)
            fail_msg("%s: gave %s, not %s", rows[i].input, ga__url_href(&url), rows[i].href);
        ga__url_free(&url);
    }
}

#define CHECK_ROWS(rows, base) check_rows(rows, sizeof rows / sizeof *rows, base)

/* The code and the reason of a refusal; what is refused leaves nothing behind. */
static inline int refused(const char *input, size_t size, const ga__url *base, const char **reason)
{
    ga__url url;
    int code;

    memset(&url, 0x55, sizeof url);
    *reason = NULL;
    code = ga__url_parse(&url, input, size, base, reason);
    if (code == 0)
        fail_msg("%s was taken for %s", input, ga__url_href(&url));
    assert_null(url.far);
    assert_int_equal(url.size, 0);
    assert_string_equal(ga__url_href(&url), "");
    assert_non_null(*reason);
    return code;
}

/* A URL of that many bytes. */
static inline char *long_url(size_t size, const char *prefix)
{
    char *text = malloc(size + 1);

    assert_non_null(text);
    memset(text, 'a', size);
    memcpy(text, prefix, strlen(prefix));
    text[size] = '\0';
    return text;
}

#endif
