/* SPDX-License-Identifier: MIT */
/*
 * A call's options, kept beyond the call: the caller's strings are borrowed only until it returns. Everything
 * is put into one block, which is first measured and then filled by the same walk. Called by client/resume.c.
 */
#include "client/resume.h"

#include <stdlib.h>
#include <string.h>

typedef struct block {
    char *at; /* NULL while it is measured */
    size_t used;
} block;

/* Room in the block; NULL while it is measured. */
static void *take(block *self, size_t size)
{
    size_t from = self->used;

    self->used += (size + 15) & ~(size_t)15;
    return self->at ? self->at + from : NULL;
}

static const char *put_string(block *self, const char *string)
{
    if (!string)
        return NULL;
    size_t size = strlen(string) + 1;
    char *copy = take(self, size);

    return copy ? memcpy(copy, string, size) : NULL;
}

static const ga_pair *put_pairs(block *self, const ga_pair *pairs)
{
    size_t count = 0;

    if (!pairs)
        return NULL;
    while (pairs[count].name)
        count++;
    ga_pair *copy = take(self, (count + 1) * sizeof *copy);

    for (size_t i = 0; i < count; i++) {
        const char *name = put_string(self, pairs[i].name), *value = put_string(self, pairs[i].value);

        if (copy)
            copy[i] = (ga_pair){name, value};
    }
    if (copy)
        copy[count] = (ga_pair){NULL, NULL};
    return copy;
}

/* The options, at the block's beginning. */
static ga_request_options *put_options(block *self, const ga__call *call)
{
    const ga_request_options *from = call->options;
    ga_request_options *copy = take(self, sizeof *copy);
    ga_request_options made = {
        .size_ = sizeof made,
        .url = put_string(self, ga__url_href(&call->url)),
        .headers = put_pairs(self, from->headers),
        .cookies = put_pairs(self, from->cookies),
        .user = put_string(self, from->user),
        .password = put_string(self, from->password),
        .bearer = put_string(self, from->bearer),
        .digest = from->digest,
        .proxy = put_string(self, from->proxy),
        .proxy_headers = put_pairs(self, from->proxy_headers),
        .no_decompress = from->no_decompress,
        .no_cookies = from->no_cookies,
        .user_agent = put_string(self, from->user_agent),
        .idempotency_key = put_string(self, from->idempotency_key),
        .retry_max_time = from->retry_max_time,
        .max_wait = from->max_wait,
        .http = from->http,
        .insecure = from->insecure,
        .tls_version_min = from->tls_version_min,
        .ca_file = put_string(self, from->ca_file),
        .ca_path = put_string(self, from->ca_path),
        .cert_file = put_string(self, from->cert_file),
        .key_file = put_string(self, from->key_file),
        .tls_pin = put_string(self, from->tls_pin),
        .server_name = put_string(self, from->server_name),
        .retries = -1, /* a resumption that fails is followed by another */
        .max_redirects = -1,
        .resume = -1,
    };

    if (copy)
        *copy = made;
    return copy;
}

ga_request_options *ga__resume_copy(const ga__call *call)
{
    block self = {0};

    put_options(&self, call);
    self.at = malloc(self.used);
    self.used = 0;
    return self.at ? put_options(&self, call) : NULL;
}
