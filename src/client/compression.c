/* SPDX-License-Identifier: MIT */
/*
 * Compressing a request's body, in memory, before a connection is asked for, so that its length is known and
 * it can be sent again. Called by client/request_body.c.
 */
#include "client/compression.h"

#include "protocol/encoder.h"
#include <gather/thread.h>
#include <stdlib.h>

/* A larger body would hold the loop for more than some milliseconds. */
enum { IN_LOOP = 128 << 10 };

int ga__compression_find(const char *name, const char **coding)
{
    ga__coding found;

    *coding = NULL;
    if (!name || ga__slice_equal(ga__slice_of(name), GA__SLICE("identity")))
        return 0;
    if (!ga__coding_find(ga__slice_of(name), &found))
        return ga__fail(GA_EUSAGE,
                        ".compress names no coding: gzip, deflate, br, zstd or identity is expected");
    *coding = ga__coding_name(found);
    return 0;
}

typedef struct compression {
    ga__buffer out;
    const char *coding;
    const char *body;
    size_t size;
} compression;

static int compress_body(void *arg)
{
    compression *self = arg;
    ga__coding coding = GA__CODING_GZIP;

    ga__coding_find(ga__slice_of(self->coding), &coding);
    ga__encode(&self->out, coding, self->body, self->size);
    return 0;
}

GA_NOINLINE int ga__compression_apply(ga__call *call)
{
    const ga_request_options *options = call->options;
    compression self = {
        .coding = call->session->compress, .body = call->body, .size = (size_t)call->body_size};
    int code = options->compress ? ga__compression_find(options->compress, &self.coding) : 0;

    if (code < 0)
        return ga__progress_failed(&call->progress, code);
    if (!self.coding || self.size == 0 || ga__names_header(options->headers, "Content-Encoding") ||
        ga__names_header(call->session->headers, "Content-Encoding"))
        return 0;
    code = self.size > IN_LOOP ? ga_to_thread(compress_body, &self) : compress_body(&self);
    if (code == 0 && self.out.failed)
        code = ga__fail(GA_ENOMEM, "no memory for the compressed body");
    if (code < 0) {
        ga__buffer_free(&self.out);
        return ga__progress_failed(&call->progress, code);
    }
    free(call->owned_body);
    call->body_size = self.out.size;
    call->owned_body = ga__buffer_take(&self.out);
    call->body = call->owned_body;
    call->content_encoding = self.coding;
    return 0;
}
