/* SPDX-License-Identifier: MIT */
/*
 * What body a request has: the options name one at most. Those in memory are noted as they are, or made here;
 * the others get a source (client/body.h) from which the sender takes them. Called by client/request.c before
 * a connection is asked for, so that what is refused costs none.
 */
#include "client/call.h"

#include "client/compression.h"
#include "protocol/percent.h"
#include <jansson.h>
#include <string.h>

static int dump_json(ga__call *call)
{
    call->owned_body = json_dumps(call->options->json, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!call->owned_body)
        return ga__progress_fail(&call->progress, GA_EUSAGE,
                                 "the JSON value cannot be written: it holds itself, or text "
                                 "that is not UTF-8");
    call->body = call->owned_body;
    call->body_size = strlen(call->body);
    return 0;
}

static int make_form(ga__call *call)
{
    ga__buffer form = GA__BUFFER_INIT;

    ga__percent_encode_pairs(&form, call->options->form, GA__PERCENT_FORM);
    call->body_size = form.size;
    call->body = call->owned_body = ga__buffer_take(&form);
    return call->body ? 0 : ga__progress_fail(&call->progress, GA_ENOMEM, "no memory for the form");
}

/* *type: what the source's kind of body has, unless it says so itself. */
static int make_source(ga__call *call, const char **type)
{
    call->source = ga__body_source_new(call->options);
    if (!call->source)
        return ga__progress_failed(&call->progress, ga_error()->code);
    *type = call->source->type.size > 0 ? call->source->type.data : "application/octet-stream";
    call->body_size = call->source->size > 0 ? (uint64_t)call->source->size : 0;
    return 0;
}

/* The boundary is known here alone. */
static int check_type(const ga__call *call)
{
    for (const ga_pair *header = call->options->headers; header && header->name; header++)
        if (header->value && ga__field_identify(header->name, strlen(header->name)) == GA__FIELD_CONTENT_TYPE)
            return ga__progress_fail(&call->progress, GA_EUSAGE,
                                     "the header Content-Type is given beside .multipart, whose boundary it "
                                     "lacks: use .content_type");
    return 0;
}

/* The kinds that are neither plain bytes nor text. */
static GA_NOINLINE int make_body(ga__call *call, const char **type)
{
    const ga_request_options *options = call->options;

    if (options->json) {
        *type = "application/json";
        return dump_json(call);
    }
    if (options->form) {
        *type = "application/x-www-form-urlencoded";
        return make_form(call);
    }
    int code = options->multipart ? check_type(call) : 0;

    return code < 0 ? code : make_source(call, type);
}

/* A body with a source is sent as it is taken. */
static GA_NOINLINE int compress(ga__call *call)
{
    if (!call->source)
        return ga__compression_apply(call);
    if (call->options->compress && strcmp(call->options->compress, "identity") != 0)
        return ga__progress_fail(&call->progress, GA_EUSAGE,
                                 ".compress is for bodies in memory, not for .multipart, .body_file and "
                                 ".body_source");
    return 0;
}

int ga__call_set_body(ga__call *call)
{
    const ga_request_options *options = call->options;
    int kinds = (options->body != NULL) + (options->text != NULL) + (options->json_text != NULL) +
                (options->json != NULL) + (options->form != NULL) + (options->multipart != NULL) +
                (options->body_file != NULL) + (options->body_source != NULL);
    const char *type = NULL;
    int code = 0;

    if (kinds > 1)
        return ga__progress_fail(&call->progress, GA_EUSAGE,
                                 "more than one of .body, .text, .json_text, .json, .form, .multipart, "
                                 ".body_file and .body_source is given");
    if (!options->body && options->body_size > 0)
        return ga__progress_fail(&call->progress, GA_EUSAGE, ".body_size is given without .body");
    call->has_body = kinds > 0;
    if (options->body) {
        call->body = options->body;
        call->body_size = options->body_size;
        type = "application/octet-stream";
    } else if (options->text || options->json_text) {
        call->body = options->text ? options->text : options->json_text;
        call->body_size = strlen(call->body);
        type = options->text ? "text/plain; charset=utf-8" : "application/json";
    } else if (kinds > 0) {
        code = make_body(call, &type);
    }
    call->content_type = options->content_type && !options->multipart ? options->content_type : type;
    if (code == 0 && (options->compress || call->session->compress))
        code = compress(call);
    call->expect =
        options->expect_continue && (call->body_size > 0 || (call->source && call->source->size < 0));
    return code;
}

void ga__call_drop_body(ga__call *call)
{
    call->has_body = call->expect = false;
    call->body_size = 0;
    if (!call->source)
        return;
    if (call->content_type == call->source->type.data)
        call->content_type = NULL;
    ga__body_source_free(call->source);
    call->source = NULL;
}

int ga__call_rewind_body(ga__call *call)
{
    int code = ga__body_source_rewind(call->source);

    return code < 0 ? ga__progress_failed(&call->progress, code) : 0;
}
