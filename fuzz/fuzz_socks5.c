/* SPDX-License-Identifier: MIT */
/*
 * What a SOCKS proxy answers: however it is cut, the same is said to it, the same comes of it, and no byte
 * behind its answer is taken. The first byte says what it is asked for and in what pieces it answers.
 */
#include "fuzz.h"
#include "protocol/socks5.h"
#include <gather/error.h>
#include <string.h>

typedef struct outcome {
    int code;
    size_t consumed;
    const char *problem;
    ga__buffer said;
} outcome;

static ga__slice host_of(unsigned plan)
{
    static const ga__slice hosts[] = {GA__SLICE("a.example"), GA__SLICE("192.0.2.1"),
                                      GA__SLICE("2001:db8::1"), GA__SLICE("")};

    return hosts[plan & 3];
}

static outcome talk(unsigned plan, const uint8_t *data, size_t size, size_t piece)
{
    ga__slice user = plan & 4 ? GA__SLICE("user") : (ga__slice){"", 0};
    outcome outcome = {.code = GA__SOCKS5_MORE};
    ga__socks5 socks;

    REQUIRE(ga__socks5_begin(&socks, host_of(plan), 443, user, GA__SLICE("pw"), &outcome.said) == 0);
    for (size_t there = 0; there < size && outcome.code == GA__SOCKS5_MORE;) {
        size_t consumed;

        there += piece < size - there ? piece : size - there;
        outcome.code = ga__socks5_receive(&socks, data + outcome.consumed, there - outcome.consumed,
                                          &consumed, &outcome.said);
        REQUIRE(consumed <= there - outcome.consumed);
        outcome.consumed += consumed;
    }
    REQUIRE(outcome.code == GA__SOCKS5_MORE || outcome.code == GA__SOCKS5_DONE ||
            (outcome.code == GA_EPROXY && socks.problem));
    outcome.problem = outcome.code < 0 ? socks.problem : "";
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    outcome whole = talk(data[0], data + 1, size - 1, size);
    outcome cut = talk(data[0], data + 1, size - 1, 1 + (data[0] >> 3));

    REQUIRE(whole.code == cut.code && strcmp(whole.problem, cut.problem) == 0);
    REQUIRE(whole.code < 0 || whole.consumed == cut.consumed);
    REQUIRE(whole.said.size == cut.said.size && memcmp(whole.said.data, cut.said.data, cut.said.size) == 0);
    ga__buffer_free(&whole.said);
    ga__buffer_free(&cut.said);
    return 0;
}
