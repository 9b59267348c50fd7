/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as what says who may come in: a WWW-Authenticate field, a Strict-Transport-Security field, a
 * .netrc. An answer to a challenge must be a field that a request may carry.
 */
#include "fuzz.h"
#include "protocol/digest.h"
#include "protocol/hsts_policy.h"
#include "protocol/netrc.h"
#include "protocol/token.h"
#include <gather/error.h>

static void check_digest(ga__slice field)
{
    ga__buffer out = GA__BUFFER_INIT;
    ga__digest digest = {0};
    ga__digest_request request = {
        .user = GA__SLICE("us\"er"),
        .password = GA__SLICE("pass"),
        .method = "GET",
        .target = GA__SLICE("/"),
        .body = GA__SLICE("body"),
        .cnonce = "c",
        .count = UINT32_MAX,
    };

    REQUIRE(ga__digest_read(&digest, field) == 0);
    REQUIRE(!digest.nonce == !digest.realm && (digest.nonce || !digest.opaque));
    /* A field that came has no control characters; then an answer has none. */
    if (digest.nonce && ga__span_value(field.data, field.size) == field.size) {
        REQUIRE(ga__digest_answer(&out, &digest, &request) == 0);
        REQUIRE(ga__span_value(out.data, out.size) == out.size);
        REQUIRE(out.size < 7 * (size_t)GA__DIGEST_TEXT_MAX);
    }
    ga__buffer_free(&out);
    ga__digest_free(&digest);
}

static void check_netrc(ga__slice text)
{
    ga__netrc found;
    unsigned line, lines = 1;

    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    int judged = ga__netrc_find(&found, text, (ga__slice){"", 0}, &line);

    REQUIRE((judged == 0 || judged == GA_EUSAGE) && line >= 1 && line <= lines);
    int code = ga__netrc_find(&found, text, GA__SLICE("a.com"), &line);

    REQUIRE(judged == 0 ? code >= 0 : code == judged);
    REQUIRE(code > 0 || !found.login.data);
    ga__netrc_free(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ga__slice text = {size ? (const char *)data : "", size};
    ga__hsts_policy policy;

    if (ga__hsts_policy_parse(&policy, text))
        REQUIRE(policy.max_age >= 0 && policy.max_age <= (int64_t)10 * 365 * 24 * 60 * 60);
    check_digest(text);
    check_netrc(text);
    return 0;
}
