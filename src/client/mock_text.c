/* SPDX-License-Identifier: MIT */
/*
 * A request as text, for dry runs: what a person reads before anything is sent. It is not what secrets are
 * kept in, and it is shown on terminals, so no control character leaves but those of text.
 */
#include "client/mock.h"

#include "base/ascii.h"
#include "base/utf8.h"
#include "client/redact.h"
#include <inttypes.h>

enum { MOST_SHOWN = 64 << 10 }; /* of a body */

static bool is_text(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((ga__ascii_is_control(bytes[i]) && bytes[i] != '\t' && bytes[i] != '\n' && bytes[i] != '\r') ||
            ga__utf8_is_c1(bytes + i, bytes + size))
            return false;
    return ga__utf8_valid(bytes, size);
}

static void describe_body(ga__buffer *text, const ga_call *call, const char *why)
{
    if (call->body_size < 0)
        ga__buffer_printf(text, "[a body%s]\n", why);
    else
        ga__buffer_printf(text, "[%" PRId64 " bytes%s]\n", call->body_size, why);
}

static int show_body(ga__buffer *text, ga__mock *mock)
{
    const ga__body_source *source = mock->call->source;

    if (!mock->taken && source && !source->replayable) {
        describe_body(text, &mock->shown, ", which can be read only once");
        return 0;
    }
    int code = ga__mock_take_body(mock, MOST_SHOWN);

    if (code == GA_ETOOLARGE) {
        describe_body(text, &mock->shown, mock->shown.body_size < 0 ? " of more than 64 KiB" : "");
        return 0;
    }
    if (code < 0)
        return code;
    if (!is_text(mock->body.data, mock->body.size))
        describe_body(text, &mock->shown, ", not text");
    else
        ga__buffer_append(text, mock->body.data, mock->body.size);
    return 0;
}

static void show_field(ga__buffer *text, const ga_pair *field, bool secrets)
{
    ga__buffer value = GA__BUFFER_INIT;

    if (secrets)
        ga__buffer_add(&value, field->value);
    else
        ga__redact_field(&value, field->name, field->value);
    ga__buffer_printf(text, "%s: ", field->name);
    ga__utf8_append_clean(text, (ga__slice){value.data, value.size});
    ga__buffer_add_char(text, '\n');
    text->failed |= value.failed;
    ga__buffer_free(&value);
}

char *ga_call_text(ga_call *call, unsigned show)
{
    ga__buffer text = GA__BUFFER_INIT;
    ga__mock *mock = ga__mock_of(call);
    int code = 0;

    if (!call) {
        ga__fail(GA_EUSAGE, "ga_call_text: there is no call");
        return NULL;
    }
    if (show & GA_CALL_SECRETS)
        ga__buffer_add(&text, mock->head.bytes.data);
    else
        ga__redact_url(&text, ga__slice_of(mock->head.bytes.data));
    ga__buffer_add_char(&text, '\n');
    for (const ga_pair *field = call->headers; field->name; field++)
        show_field(&text, field, show & GA_CALL_SECRETS);
    ga__buffer_add(&text, "\n");
    if (call->body_size != 0 && !(show & GA_CALL_NO_BODY))
        code = show_body(&text, mock);
    char *taken = code < 0 ? NULL : ga__buffer_take(&text);

    if (code == 0 && !taken)
        ga__fail(GA_ENOMEM, "ga_call_text: no memory for the text");
    ga__buffer_free(&text);
    return taken;
}
