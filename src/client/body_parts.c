/* SPDX-License-Identifier: MIT */
/*
 * A body of multipart/form-data, as a row of segments: the text before each part, its content, and the text
 * at the end. The contents stay where they are. Called by client/body.c.
 */
#include "client/body.h"

#include "base/ascii.h"
#include "protocol/multipart.h"
#include "task/loop.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { BOUNDARY_SIZE = 48 };

/* "gather-" and 128 random bits, which no content has by chance, and none can have by intent. */
static int make_boundary(char boundary[BOUNDARY_SIZE])
{
    unsigned char random[16];
    char *at = boundary + strlen("gather-");

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        ga__fail(GA_ESYSTEM, "no random bytes for the boundary of .multipart: %s", strerror(errno));
        ga__error_edit()->os_error = errno;
        return GA_ESYSTEM;
    }
    memcpy(boundary, "gather-", strlen("gather-"));
    for (size_t i = 0; i < sizeof random; i++, at += 2)
        snprintf(at, 3, "%02x", random[i]);
    return 0;
}

/* The type, "multipart/form-data" or the caller's, with the boundary. */
static int set_type(ga__body_source *source, const char *type, const char *boundary)
{
    static const char prefix[] = "multipart/";

    if (!type)
        type = "multipart/form-data";
    if (strlen(type) < strlen(prefix) ||
        !ga__ascii_equal((ga__slice){type, strlen(prefix)}, (ga__slice){prefix, strlen(prefix)}))
        return ga__fail(GA_EUSAGE, ".content_type of .multipart is \"multipart/...\", without its boundary");
    ga__buffer_printf(&source->type, "%s; boundary=%s", type, boundary);
    return 0;
}

static int refuse(const ga_part *part, const char *problem)
{
    return ga__fail(GA_EUSAGE, ".multipart: the part \"%s\" %s", part->name, problem);
}

/* Files have a name and a type unless they are told: the last part of the path, and bytes. */
static ga__multipart_part describe(const ga_part *part)
{
    const char *slash = part->file ? strrchr(part->file, '/') : NULL;
    ga__multipart_part described = {part->name, part->filename, part->content_type, part->headers};
    bool typed = part->content_type != NULL;

    if (part->file && !part->filename)
        described.filename = slash ? slash + 1 : part->file;
    for (const ga_pair *header = part->headers; header && header->name; header++)
        typed |= ga__ascii_is(ga__slice_of(header->name), "content-type");
    if (described.filename && !typed)
        described.content_type = "application/octet-stream";
    return described;
}

static int add_text(ga__body_source *source, size_t before)
{
    if (source->text.failed)
        return ga__fail(GA_ENOMEM, "no memory for the body");
    return ga__body_source_add(source, (ga__body_segment){.kind = GA__SEGMENT_TEXT,
                                                          .size = (int64_t)(source->text.size - before),
                                                          .from.at = before});
}

static int add_content(ga__body_source *source, const ga_part *part)
{
    if (part->file)
        return ga__body_source_add_file(source, part->file);
    if (part->source)
        return ga__body_source_add_callback(source, part->source);
    const char *bytes = part->value ? part->value : part->data;
    size_t size = part->value ? strlen(part->value) : part->size;

    return ga__body_source_add(
        source, (ga__body_segment){.kind = GA__SEGMENT_BYTES, .size = (int64_t)size, .from.bytes = bytes});
}

static int add_part(ga__body_source *source, const ga_part *part, const char *boundary)
{
    int kinds = (part->value != NULL) + (part->data != NULL) + (part->file != NULL) + (part->source != NULL);
    const char *problem;

    if (kinds != 1)
        return refuse(part, "needs one of .value, .data, .file and .source");
    if (part->size > 0 && !part->data)
        return refuse(part, "has a .size, which is that of .data");
    if (part->size > INT64_MAX)
        return refuse(part, "is larger than 2^63 bytes");
    size_t before = source->text.size;
    ga__multipart_part described = describe(part);

    if (ga__multipart_begin(&source->text, boundary, &described, before == 0, &problem) < 0)
        return ga__fail(GA_EHEADER, ".multipart: %s", problem);
    int code = add_text(source, before);

    return code < 0 ? code : add_content(source, part);
}

int ga__body_source_add_parts(ga__body_source *source, const ga_part *parts, const char *type)
{
    char boundary[BOUNDARY_SIZE];
    int code = make_boundary(boundary);

    if (code == 0)
        code = set_type(source, type, boundary);
    for (; code == 0 && parts->name; parts++)
        code = add_part(source, parts, boundary);
    if (code < 0)
        return code;
    size_t before = source->text.size;

    ga__multipart_end(&source->text, boundary, before == 0);
    code = add_text(source, before);
    if (code == 0 && source->type.failed)
        code = ga__fail(GA_ENOMEM, "no memory for the body");
    return code;
}
