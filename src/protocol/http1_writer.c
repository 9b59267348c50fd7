/* SPDX-License-Identifier: MIT */
/*
 * Heads on their way out. Every byte of the caller's is looked at before it is written, so no method, target,
 * name or value can end its line early and begin another request; and the fields that frame the body are
 * written here alone, from what the body is. Called by src/client for requests and by the embedded API for
 * responses.
 */
#include "protocol/http1_writer.h"

#include "base/ascii.h"
#include "base/number.h"
#include "protocol/token.h"
#include <gather/error.h>
#include <string.h>

static void refuse(ga__http1_writer *writer, const char *problem)
{
    if (writer->code)
        return;
    writer->code = GA_EHEADER;
    writer->problem = problem;
}

static void begin(ga__http1_writer *writer, ga__buffer *buffer, bool response)
{
    *writer = (ga__http1_writer){.buffer = buffer, .start = buffer->size, .response = response};
}

/* What is wrong with a field; NULL where nothing is. */
static const char *field_problem(const char *name, size_t name_size, const char *value, size_t value_size)
{
    if (!name_size)
        return "a header name is empty";
    if (!ga__is_token(name, name_size))
        return "a header name has a character that is not allowed";
    size_t good = ga__span_value(value, value_size);

    if (good == value_size)
        return NULL;
    switch (value[good]) {
    case '\r':
        return "a header value has a carriage return";
    case '\n':
        return "a header value has a line feed";
    case '\0':
        return "a header value has a NUL";
    default:
        return "a header value has a control character";
    }
}

int ga__http1_check_field(const char *name, const char *value, const char **problem)
{
    *problem = field_problem(name, strlen(name), value, strlen(value));
    return *problem ? GA_EHEADER : GA_OK;
}

static char *put(char *at, const char *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static void append_field(ga__buffer *buffer, const char *name, size_t name_size, const char *value,
                         size_t value_size)
{
    size_t size = name_size + value_size + strlen(": \r\n");
    char *at = ga__buffer_reserve(buffer, size);

    if (!at)
        return;
    at = put(at, name, name_size);
    *at++ = ':';
    *at++ = ' ';
    at = put(at, value, value_size);
    put(at, "\r\n", 3);
    buffer->size += size;
}

static void append_length(ga__buffer *buffer, uint64_t length)
{
    char digits[GA__DECIMAL_MAX];
    const char *end = ga__put_decimal(digits, length);

    append_field(buffer, "Content-Length", strlen("Content-Length"), digits, (size_t)(end - digits));
}

static void append_request_line(ga__buffer *buffer, const char *method, ga__slice target)
{
    static const char version[] = " HTTP/1.1\r\n";
    size_t method_size = strlen(method), size = method_size + 1 + target.size + strlen(version);
    char *at = ga__buffer_reserve(buffer, size);

    if (!at)
        return;
    at = put(at, method, method_size);
    *at++ = ' ';
    at = put(at, target.data, target.size);
    put(at, version, sizeof version);
    buffer->size += size;
}

static void append_host(ga__http1_writer *writer, ga__slice host)
{
    if (!ga__all_of(host.data, host.size, GA__CHAR_HOST))
        refuse(writer, "the host has a character that is not allowed");
    else
        append_field(writer->buffer, "Host", strlen("Host"), host.data, host.size);
    writer->present |= UINT64_C(1) << GA__FIELD_HOST;
}

void ga__http1_write_request(ga__http1_writer *writer, ga__buffer *buffer, const char *method,
                             ga__slice target, ga__slice host)
{
    begin(writer, buffer, false);
    if (!ga__is_token(method, strlen(method)))
        refuse(writer, "the method has a character that is not allowed, or is empty");
    else if (!target.size || !ga__all_of(target.data, target.size, GA__CHAR_TARGET))
        refuse(writer, "the request target has a character that is not allowed, or is empty");
    if (writer->code)
        return;
    append_request_line(buffer, method, target);
    if (host.data)
        append_host(writer, host);
}

void ga__http1_write_response(ga__http1_writer *writer, ga__buffer *buffer, int status, const char *phrase)
{
    begin(writer, buffer, true);
    if (status < 100 || status > 999)
        refuse(writer, "the status is not a number from 100 to 999");
    else if (ga__span_value(phrase, strlen(phrase)) != strlen(phrase))
        refuse(writer, "the reason phrase has a control character");
    else
        ga__buffer_printf(buffer, "HTTP/1.1 %d %s\r\n", status, phrase);
}

void ga__http1_write_fields(ga__http1_writer *writer, ga__buffer *buffer)
{
    begin(writer, buffer, false);
}

static void refuse_field(ga__http1_writer *writer, const char *name, size_t size, const char *problem)
{
    refuse(writer, problem);
    writer->culprit = name;
    writer->culprit_size = size;
}

/* Fields that may stand once only, and those that ga__http1_write_end writes.
 * @return whether the field is to be written now */
static bool admit(ga__http1_writer *writer, ga__field_id id, const char *name, size_t name_size,
                  const char *value, size_t value_size)
{
    bool again = writer->present >> id & 1;

    writer->present |= UINT64_C(1) << id;
    switch (id) {
    case GA__FIELD_HOST:
        if (again)
            refuse_field(writer, name, name_size, "Host is given twice");
        else if (!writer->response && !ga__all_of(value, value_size, GA__CHAR_HOST))
            refuse_field(writer, name, name_size, "the host has a character that is not allowed");
        return !writer->code;
    case GA__FIELD_CONTENT_LENGTH:
        if (again)
            refuse_field(writer, name, name_size, "Content-Length is given twice");
        else if (!ga__parse_decimal(value, value_size, &writer->length))
            refuse_field(writer, name, name_size, "Content-Length is not a number");
        return false;
    case GA__FIELD_TRANSFER_ENCODING:
        if (again)
            refuse_field(writer, name, name_size, "Transfer-Encoding is given twice");
        else if (!ga__ascii_is((ga__slice){value, value_size}, "chunked"))
            refuse_field(writer, name, name_size, "Transfer-Encoding is not \"chunked\"");
        return false;
    default:
        return true;
    }
}

void ga__http1_write_field_sized(ga__http1_writer *writer, const char *name, size_t name_size,
                                 const char *value, size_t value_size)
{
    if (writer->code)
        return;
    const char *problem = field_problem(name, name_size, value, value_size);

    if (problem) {
        refuse_field(writer, name, name_size, problem);
        return;
    }
    ga__slice trimmed = ga__trim_blanks((ga__slice){value, value_size});

    if (admit(writer, ga__field_identify(name, name_size), name, name_size, trimmed.data, trimmed.size))
        append_field(writer->buffer, name, name_size, trimmed.data, trimmed.size);
}

void ga__http1_write_field(ga__http1_writer *writer, const char *name, const char *value)
{
    ga__http1_write_field_sized(writer, name, strlen(name), value, strlen(value));
}

void ga__http1_write_lines(ga__http1_writer *writer, const char *lines, size_t size, uint64_t present)
{
    if (writer->code)
        return;
    ga__buffer_append(writer->buffer, lines, size);
    writer->present |= present;
}

static bool passed(const ga__http1_writer *writer, ga__field_id id)
{
    return writer->present >> id & 1;
}

/* Compares what the caller said about the framing with what the body is. */
static void check_framing(ga__http1_writer *writer, ga__body_kind kind, uint64_t length)
{
    bool has_length = passed(writer, GA__FIELD_CONTENT_LENGTH);
    bool has_transfer = passed(writer, GA__FIELD_TRANSFER_ENCODING);

    if (!writer->response && !passed(writer, GA__FIELD_HOST))
        refuse(writer, "there is no Host");
    if (has_length && has_transfer)
        refuse(writer, "Content-Length and Transfer-Encoding are both there");
    if (has_transfer && kind != GA__BODY_CHUNKED)
        refuse(writer, "Transfer-Encoding is given, but the body's length is known");
    if (has_length && kind == GA__BODY_CHUNKED)
        refuse(writer, "Content-Length is given, but the body's length is not known");
    if (has_length && kind == GA__BODY_LENGTH && writer->length != length)
        refuse(writer, "Content-Length is not the body's length");
    if (has_length && kind == GA__BODY_NONE && !writer->response && writer->length)
        refuse(writer, "Content-Length is given, but there is no body");
}

int ga__http1_write_end(ga__http1_writer *writer, ga__body_kind kind, uint64_t length)
{
    ga__buffer *buffer = writer->buffer;

    if (!writer->code)
        check_framing(writer, kind, length);
    if (kind == GA__BODY_NONE && passed(writer, GA__FIELD_CONTENT_LENGTH)) {
        kind = GA__BODY_LENGTH;
        length = writer->length;
    }
    if (!writer->code && kind == GA__BODY_LENGTH)
        append_length(buffer, length);
    if (!writer->code && kind == GA__BODY_CHUNKED)
        ga__buffer_add(buffer, "Transfer-Encoding: chunked\r\n");
    ga__buffer_add(buffer, "\r\n");
    if (!writer->code && buffer->failed) {
        writer->code = GA_ENOMEM;
        writer->problem = "there is no memory for the head";
    }
    if (writer->code) {
        buffer->size = writer->start;
        if (buffer->data)
            buffer->data[buffer->size] = '\0';
    }
    return writer->code;
}

const char *ga__http1_writer_culprit(const ga__http1_writer *writer, char name[static GA__HTTP1_CULPRIT_SIZE])
{
    size_t size = 0;

    for (; size < writer->culprit_size && size < GA__HTTP1_CULPRIT_SIZE - 1; size++)
        name[size] = ga__ascii_is_control(writer->culprit[size]) ? '?' : writer->culprit[size];
    name[size] = '\0';
    return name;
}
