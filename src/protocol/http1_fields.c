/* SPDX-License-Identifier: MIT */
/*
 * Lines of a head. Reading goes in two steps: ga__head_find_end looks for the empty line while bytes arrive,
 * and judges nothing but size; when the section is whole, ga__headers_parse takes it apart in one pass. So
 * whatever the cuts between the bytes were, the result is the same. Called by http1_response.c,
 * http1_request.c and http1_chunked.c.
 */
#include "protocol/http1_fields.h"

#include "protocol/token.h"
#include <gather/error.h>
#include <string.h>

static const char too_large[] = "the head is larger than allowed";
static const char line_too_long[] = "a header line is longer than allowed";

/* The bytes of a line whose LF stands at `end`, without its end. */
static uint32_t line_size(const char *data, uint32_t line, uint32_t end)
{
    return end > line && data[end - 1] == '\r' ? end - 1 - line : end - line;
}

/* A line feed stands at `at`: what that means for the section. As ga__head_find_end returns. */
static int64_t end_line(ga__head_scan *scan, const char *data, uint32_t at, const ga__headers_limits *limits,
                        const char **problem)
{
    uint32_t length = line_size(data, scan->line, at);

    if (length > limits->max_line) {
        *problem = line_too_long;
        return GA_EHEADTOOBIG;
    }
    scan->line = at + 1;
    if (length > 0)
        scan->first_done = true;
    else if (scan->skip_empty && !scan->first_done && !scan->start)
        scan->start = at + 1;
    else
        return at + 1;
    return 0;
}

/* Looks at the bytes up to `end`, line feed by line feed. As ga__head_find_end returns. */
static int64_t scan_lines(ga__head_scan *scan, const char *data, uint32_t end,
                          const ga__headers_limits *limits, const char **problem)
{
    uint32_t at = scan->scanned;
    int64_t result = 0;

    scan->scanned = end;
#ifdef __SSE2__
    for (; end - at >= 16; at += 16) {
        for (unsigned feeds = ga__line_feeds16(data + at); feeds; feeds &= feeds - 1) {
            result = end_line(scan, data, at + (uint32_t)__builtin_ctz(feeds), limits, problem);
            if (result)
                return result;
        }
    }
#endif
    for (; !result && at < end; at++)
        if (data[at] == '\n')
            result = end_line(scan, data, at, limits, problem);
    return result;
}

int64_t ga__head_find_end(ga__head_scan *scan, const char *data, size_t size,
                          const ga__headers_limits *limits, const char **problem)
{
    uint32_t end = size < limits->max_size ? (uint32_t)size : limits->max_size;
    int64_t result = scan_lines(scan, data, end, limits, problem);

    if (result)
        return result;
    /* One more than max_line, since the last byte may be the CR of the line's end. */
    if (end - scan->line > (uint64_t)limits->max_line + 1) {
        *problem = line_too_long;
        return GA_EHEADTOOBIG;
    }
    if (end == limits->max_size) {
        *problem = too_large;
        return GA_EHEADTOOBIG;
    }
    return 0;
}

static const char *bad_character(char c)
{
    switch (c) {
    case '\r':
        return "a carriage return stands without a line feed";
    case '\0':
        return "a NUL is in a head line";
    default:
        return "a control character is in a head line";
    }
}

int64_t ga__line_end(const char *bytes, uint32_t at, uint32_t size, bool strict, uint32_t *next,
                     const char **problem)
{
    uint32_t end = at + (uint32_t)ga__span_value(bytes + at, size - at);

    if (end + 1 < size && bytes[end] == '\r' && bytes[end + 1] == '\n') {
        *next = end + 2;
        return end;
    }
    if (end < size && bytes[end] == '\n' && !strict) {
        *next = end + 1;
        return end;
    }
    if (end == size)
        *problem = "a head line does not end";
    else if (bytes[end] == '\n')
        *problem = "a line feed stands without a carriage return";
    else
        *problem = bad_character(bytes[end]);
    return GA_EPROTOCOL;
}

/* A section while it is parsed. */
struct section {
    char *bytes;
    uint32_t at, size;
    const ga__headers_limits *limits;
    const char *problem;
};

static int refuse(struct section *section, int code, const char *problem)
{
    section->problem = problem;
    return code;
}

static int refuse_name(struct section *section, uint32_t end)
{
    switch (section->bytes[end]) {
    case ' ':
    case '\t':
        return refuse(section, GA_EPROTOCOL,
                      end == section->at ? "the first header line is folded"
                                         : "a blank is in a header name or behind it");
    case ':':
        return refuse(section, GA_EPROTOCOL, "a header has no name");
    case '\r':
    case '\n':
        return refuse(section, GA_EPROTOCOL, "a header line has no colon");
    default:
        return refuse(section, GA_EPROTOCOL, "a header name has a character that is not allowed");
    }
}

static int parse_name(struct section *section, ga__field *field)
{
    char *name = section->bytes + section->at;
    size_t size = ga__span_token(name, section->size - section->at);
    uint32_t end = section->at + (uint32_t)size;

    if (end == section->size)
        return refuse(section, GA_EPROTOCOL, "a head line does not end");
    if (!size || section->bytes[end] != ':')
        return refuse_name(section, end);
    if (size > UINT16_MAX)
        return refuse(section, GA_EHEADTOOBIG, line_too_long);
    field->name = section->at;
    field->name_size = (uint16_t)size;
    field->id = (uint16_t)ga__field_identify(name, size);
    section->bytes[end] = '\0';
    section->at = end + 1;
    return GA_OK;
}

static void trim(const char *bytes, uint32_t *begin, uint32_t *end)
{
    while (*begin < *end && ga__is_blank(bytes[*begin]))
        (*begin)++;
    while (*begin < *end && ga__is_blank(bytes[*end - 1]))
        (*end)--;
}

/* Joins the lines that continue a value (RFC 9112 section 5.2) to what ends at `end`. The value moves over
 * the line ends, so it only ever gets shorter. */
static int unfold(struct section *section, uint32_t begin, uint32_t *end)
{
    while (section->at < section->size && ga__is_blank(section->bytes[section->at])) {
        uint32_t from = section->at;
        int64_t to = ga__line_end(section->bytes, from, section->size, section->limits->strict, &section->at,
                                  &section->problem);

        if (to < 0)
            return (int)to;
        if (section->limits->strict)
            return refuse(section, GA_EPROTOCOL, "a header line is folded");
        uint32_t until = (uint32_t)to;

        trim(section->bytes, &from, &until);
        if (from == until)
            continue;
        if (*end > begin)
            section->bytes[(*end)++] = ' ';
        memmove(section->bytes + *end, section->bytes + from, until - from);
        *end += until - from;
    }
    return GA_OK;
}

static int parse_value(struct section *section, ga__field *field)
{
    uint32_t begin = section->at;
    int64_t to = ga__line_end(section->bytes, begin, section->size, section->limits->strict, &section->at,
                              &section->problem);

    if (to < 0)
        return (int)to;
    uint32_t end = (uint32_t)to;

    trim(section->bytes, &begin, &end);
    int code = unfold(section, begin, &end);

    if (code)
        return code;
    if (end - field->name > section->limits->max_line)
        return refuse(section, GA_EHEADTOOBIG, line_too_long);
    section->bytes[end] = '\0';
    field->value = begin;
    field->value_size = end - begin;
    return GA_OK;
}

static int parse_field(struct section *section, ga__headers_table *table)
{
    if (table->headers.count == section->limits->max_fields)
        return refuse(section, GA_EHEADTOOBIG, "there are more header fields than allowed");
    ga__field *field = ga__headers_table_add(table);

    if (!field)
        return refuse(section, GA_ENOMEM, "there is no memory for the header fields");
    int code = parse_name(section, field);

    if (!code)
        code = parse_value(section, field);
    if (!code)
        table->headers.present |= UINT64_C(1) << field->id;
    return code;
}

int ga__headers_parse(ga__headers_table *table, char *bytes, uint32_t from, uint32_t size,
                      const ga__headers_limits *limits, const char **problem)
{
    struct section section = {.bytes = bytes, .at = from, .size = size, .limits = limits};
    int code = GA_OK;

    ga__headers_table_reset(table, bytes, size);
    while (!code && section.at < size && bytes[section.at] != '\r' && bytes[section.at] != '\n')
        code = parse_field(&section, table);
    if (!code) {
        int64_t end = ga__line_end(bytes, section.at, size, limits->strict, &section.at, &section.problem);

        code = end < 0 ? (int)end : GA_OK;
    }
    *problem = code ? section.problem : NULL;
    return code;
}
