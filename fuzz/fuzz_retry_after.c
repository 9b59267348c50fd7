/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the fields of an answer that may ask to wait: no wait is longer than the longest, none is no
 * number, and each single value is read within the same bounds.
 */
#include "fuzz.h"
#include "protocol/http1_fields.h"
#include "protocol/retry_after.h"
#include <stdlib.h>
#include <string.h>

static void check_wait(double seconds)
{
    REQUIRE(seconds >= -1 && seconds <= GA__RETRY_AFTER_MOST);
    REQUIRE(seconds >= 0 || seconds <= -1);
}

static void check_fields(const char *bytes, size_t size)
{
    static const ga__headers_limits limits = {65536, 8192, 100, false};
    const char *problem = NULL;
    ga__headers_table table;
    ga__advice advice;
    char *lines = malloc(size + 4);

    REQUIRE(lines);
    memcpy(lines, bytes, size);
    memcpy(lines + size, "\r\n\r\n", 4);
    ga__headers_table_init(&table);
    if (ga__headers_parse(&table, lines, 0, (uint32_t)(size + 4), &limits, &problem) == 0) {
        ga__advice_read(&advice, &table.headers, 1795345482);
        check_wait(advice.retry_after);
        check_wait(advice.reset);
        REQUIRE(advice.remaining >= -1 && advice.limit >= -1);
    }
    ga__headers_table_free(&table);
    free(lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ga__slice value = {(const char *)data, size};

    check_wait(ga__retry_after(value, 1795345482));
    check_wait(ga__retry_after_ms(value));
    check_wait(ga__ratelimit_reset(value, 1795345482));
    if (size < 60000)
        check_fields((const char *)data, size);
    return 0;
}
