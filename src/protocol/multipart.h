/* SPDX-License-Identifier: MIT */
/*
 * The text of multipart/form-data (RFC 7578) around the contents of its parts. Names and filenames are
 * written as browsers do (HTML, 4.10.21.8): a quote is %22, CR %0D and LF %0A, so none can end its line.
 */
#ifndef GA__MULTIPART_H
#define GA__MULTIPART_H

#include "base/buffer.h"

/* What stands before one part's content. */
typedef struct ga__multipart_part {
    const char *name;
    const char *filename;     /* NULL: none */
    const char *content_type; /* NULL: none */
    const ga_pair *headers;   /* further ones, ended by a NULL name; or NULL */
} ga__multipart_part;

/* Appends the boundary's line and the part's head. `first`: nothing of the body stands before it.
 * @return 0; GA_EHEADER with *problem, a static string: a name, filename, type or header has a character
 *         that is not allowed; a Content-Disposition, which is written here, or a second Content-Type */
int ga__multipart_begin(ga__buffer *out, const char *boundary, const ga__multipart_part *part, bool first,
                        const char **problem);

/* Appends what ends the body. `empty`: it had no part. */
void ga__multipart_end(ga__buffer *out, const char *boundary, bool empty);

#endif
