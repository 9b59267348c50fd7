/* SPDX-License-Identifier: MIT */
/*
 * Writing the framing of multipart/form-data. What comes from the caller either cannot end a line, since it
 * is escaped, or is refused. That the boundary stands in no content is the caller's to see to: a random one
 * of 128 bits does not. Called by client/body_parts.c.
 */
#include "protocol/multipart.h"

#include "base/ascii.h"
#include "protocol/headers.h"
#include "protocol/http1_writer.h"
#include <gather/error.h>
#include <string.h>

/* Appends `; parameter="text"`. */
static void add_parameter(ga__buffer *out, const char *parameter, const char *text)
{
    ga__buffer_printf(out, "; %s=\"", parameter);
    for (; *text; text++) {
        if (*text == '"')
            ga__buffer_add(out, "%22");
        else if (*text == '\r')
            ga__buffer_add(out, "%0D");
        else if (*text == '\n')
            ga__buffer_add(out, "%0A");
        else
            ga__buffer_add_char(out, *text);
    }
    ga__buffer_add_char(out, '"');
}

/* Control characters for which there is no escape. */
static bool has_control(const char *text)
{
    for (; *text; text++)
        if (ga__ascii_is_control(*text) && *text != '\r' && *text != '\n' && *text != '\t')
            return true;
    return false;
}

/* What is wrong with a header of the part's; NULL where nothing is. */
static const char *header_problem(const ga__multipart_part *part, const ga_pair *header)
{
    const char *problem = NULL;
    ga__slice name = ga__slice_of(header->name);

    if (!header->value)
        return "a header of a part has no value";
    if (ga__http1_check_field(header->name, header->value, &problem) < 0)
        return problem;
    if (ga__ascii_is(name, "content-disposition"))
        return "Content-Disposition of a part is made of its name and filename";
    if (part->content_type && ga__ascii_is(name, "content-type"))
        return "Content-Type of a part is given twice";
    return NULL;
}

static const char *part_problem(const ga__multipart_part *part)
{
    const char *problem = NULL;

    if (has_control(part->name))
        return "a part's name has a control character";
    if (part->filename && has_control(part->filename))
        return "a part's filename has a control character";
    if (part->content_type && ga__http1_check_field("Content-Type", part->content_type, &problem) < 0)
        return problem;
    for (const ga_pair *header = part->headers; !problem && header && header->name; header++)
        problem = header_problem(part, header);
    return problem;
}

int ga__multipart_begin(ga__buffer *out, const char *boundary, const ga__multipart_part *part, bool first,
                        const char **problem)
{
    *problem = part_problem(part);
    if (*problem)
        return GA_EHEADER;
    ga__buffer_printf(out, "%s--%s\r\nContent-Disposition: form-data", first ? "" : "\r\n", boundary);
    add_parameter(out, "name", part->name);
    if (part->filename)
        add_parameter(out, "filename", part->filename);
    if (part->content_type)
        ga__buffer_printf(out, "\r\nContent-Type: %s", part->content_type);
    for (const ga_pair *header = part->headers; header && header->name; header++)
        ga__buffer_printf(out, "\r\n%s: %s", header->name, header->value);
    ga__buffer_add(out, "\r\n\r\n");
    return 0;
}

void ga__multipart_end(ga__buffer *out, const char *boundary, bool empty)
{
    ga__buffer_printf(out, "%s--%s--\r\n", empty ? "" : "\r\n", boundary);
}
