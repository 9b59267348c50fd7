/* SPDX-License-Identifier: MIT */
/*
 * Reading Digest challenges. A WWW-Authenticate field may hold several challenges of any schemes, separated
 * by the same commas as their parameters (RFC 9110, 11.6.1): a token that no "=" follows begins the next one.
 * A challenge that says something twice, or that lacks what an answer needs, is passed over, and so is one of
 * an algorithm that is not known. The answer is made in protocol/digest_answer.c.
 */
#include "protocol/digest.h"

#include "base/ascii.h"
#include "protocol/token.h"
#include <gather/error.h>
#include <stdlib.h>

/* What a parameter says, as it stands in the field; without the quotes. */
typedef struct parameter {
    ga__slice raw; /* data is NULL where it is not there */
    bool quoted;
} parameter;

enum { REALM, NONCE, OPAQUE, ALGORITHM, QOP, STALE, USERHASH, PARAMETERS };

typedef struct challenge {
    bool digest; /* its scheme */
    bool broken;
    parameter given[PARAMETERS];
} challenge;

/* --- judging a challenge ---------------------------------------------------------------------------- */

static bool says_true(const parameter *given)
{
    return given->raw.data && ga__ascii_is(given->raw, "true");
}

static bool read_algorithm(const challenge *from, ga__digest *to)
{
    static const struct {
        const char *name;
        ga__digest_hash hash;
        bool session;
    } known[] = {
        {"MD5", GA__DIGEST_MD5, false},
        {"MD5-sess", GA__DIGEST_MD5, true},
        {"SHA-256", GA__DIGEST_SHA256, false},
        {"SHA-256-sess", GA__DIGEST_SHA256, true},
    };
    ga__slice name = from->given[ALGORITHM].raw;

    to->names_hash = name.data != NULL;
    to->hash = GA__DIGEST_MD5;
    for (size_t i = 0; i < sizeof known / sizeof *known && name.data; i++) {
        if (ga__ascii_is(name, known[i].name)) {
            to->hash = known[i].hash;
            to->session = known[i].session;
            return true;
        }
    }
    return name.data == NULL;
}

static bool read_qop(const challenge *from, ga__digest *to)
{
    ga__slice list = from->given[QOP].raw;

    if (!list.data) {
        to->qop = GA__DIGEST_QOP_NONE;
        return !to->session; /* -sess needs a cnonce, which came with qop */
    }
    bool plain = ga__list_has(list.data, list.size, "auth");

    to->qop = plain ? GA__DIGEST_QOP_AUTH : GA__DIGEST_QOP_AUTH_INT;
    return plain || ga__list_has(list.data, list.size, "auth-int");
}

/* What the parameter says, without its quotes and backslashes. NULL where there is none, or no memory. */
static char *text_of(const parameter *given)
{
    ga__buffer text = GA__BUFFER_INIT;

    if (!given->raw.data)
        return NULL;
    for (size_t i = 0; i < given->raw.size; i++) {
        if (given->quoted && given->raw.data[i] == '\\' && i + 1 < given->raw.size)
            i++;
        ga__buffer_add_char(&text, given->raw.data[i]);
    }
    return ga__buffer_take(&text);
}

/* Takes the challenge where it can be answered, and is better than what was found before. */
static int judge(const challenge *from, ga__digest *best)
{
    ga__digest found = {.user_hash = says_true(&from->given[USERHASH]),
                        .stale = says_true(&from->given[STALE])};

    if (!from->digest || from->broken || !from->given[REALM].raw.data || !from->given[NONCE].raw.data ||
        from->given[NONCE].raw.size == 0 || !read_algorithm(from, &found) || !read_qop(from, &found))
        return 0;
    if (best->nonce && best->hash >= found.hash)
        return 0;
    found.realm = text_of(&from->given[REALM]);
    found.nonce = text_of(&from->given[NONCE]);
    found.opaque = text_of(&from->given[OPAQUE]);
    if (!found.realm || !found.nonce || (from->given[OPAQUE].raw.data && !found.opaque)) {
        ga__digest_free(&found);
        return GA_ENOMEM;
    }
    ga__digest_free(best);
    *best = found;
    return 0;
}

/* --- reading ---------------------------------------------------------------------------------------- */

/* Skips blanks, and commas where `commas`. */
static void skip(ga__slice *rest, bool commas)
{
    while (rest->size > 0 && (ga__is_blank(rest->data[0]) || (commas && rest->data[0] == ',')))
        ga__slice_take(rest, 1);
}

/* Takes a quoted string's content; false where it does not end. */
static bool take_quoted(ga__slice *rest, ga__slice *content)
{
    size_t at = 1;

    while (at < rest->size && rest->data[at] != '"')
        at += rest->data[at] == '\\' ? 2 : 1;
    if (at >= rest->size)
        return false;
    *content = (ga__slice){rest->data + 1, at - 1};
    ga__slice_take(rest, at + 1);
    return true;
}

static void keep(challenge *into, ga__slice name, const parameter *given)
{
    static const char *const names[] = {"realm", "nonce", "opaque", "algorithm", "qop", "stale", "userhash"};

    for (size_t i = 0; i < PARAMETERS; i++) {
        if (!ga__ascii_is(name, names[i]))
            continue;
        into->broken |= into->given[i].raw.data != NULL || given->raw.size > GA__DIGEST_TEXT_MAX;
        into->given[i] = *given;
    }
}

/* Takes a parameter's value, behind its "=". False where the field cannot be read further. */
static bool take_value(ga__slice *rest, parameter *given)
{
    while (rest->size > 0 && rest->data[0] == '=') /* more than one: the padding of a token68 */
        ga__slice_take(rest, 1);
    skip(rest, false);
    given->quoted = rest->size > 0 && rest->data[0] == '"';
    if (given->quoted)
        return take_quoted(rest, &given->raw);
    given->raw = ga__slice_take(rest, ga__span_token(rest->data, rest->size));
    return true;
}

int ga__digest_read(ga__digest *digest, ga__slice field)
{
    challenge present = {0};
    int code = 0;

    while (code == 0) {
        skip(&field, true);
        ga__slice name = ga__slice_take(&field, ga__span_token(field.data, field.size));

        if (name.size == 0 && field.size > 0) { /* a byte that stands in no token, in a token68 for one */
            ga__slice_take(&field, 1);
            present.broken = true;
            continue;
        }
        skip(&field, false);
        if (name.size > 0 && field.size > 0 && field.data[0] == '=') {
            parameter given = {0};

            if (!take_value(&field, &given))
                return 0;
            keep(&present, name, &given);
            continue;
        }
        code = judge(&present, digest);
        if (name.size == 0)
            break;
        present = (challenge){.digest = ga__ascii_is(name, "digest")};
    }
    return code;
}

void ga__digest_free(ga__digest *digest)
{
    free(digest->nonce);
    free(digest->realm);
    free(digest->opaque);
    *digest = (ga__digest){0};
}
