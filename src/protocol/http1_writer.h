/* SPDX-License-Identifier: MIT */
/*
 * Writing message heads. Nothing that breaks the syntax leaves: CR, LF, NUL and control characters are
 * refused, and so is what would contradict the framing. Steps append to the buffer; the first failure is
 * kept, later steps do nothing, and the last step tells:
 *
 *     ga__http1_writer writer;
 *     ga__http1_write_request(&writer, buffer, "GET", GA__SLICE("/todos"), GA__SLICE("example.com"));
 *     ga__http1_write_field(&writer, "Accept", "application/json");
 *     int code = ga__http1_write_end(&writer, GA__BODY_NONE, 0);
 *
 * When ga__http1_write_end has failed, the buffer's content is as it was before.
 */
#ifndef GA__HTTP1_WRITER_H
#define GA__HTTP1_WRITER_H

#include "base/buffer.h"
#include "base/slice.h"
#include "protocol/http1_message.h"

typedef struct ga__http1_writer {
    ga__buffer *buffer;
    size_t start;        /* the buffer's size before this head */
    int code;            /* GA_OK, or the first failure */
    const char *problem; /* what is wrong, a static string: "a header value has a line feed" */
    const char *culprit; /* the name of the header at fault, as it was passed: any bytes; or NULL */
    size_t culprit_size;
    uint64_t present; /* bit n: a field with the ga__field_id n was passed */
    uint64_t length;  /* of Content-Length, where one was passed */
    bool response;
} ga__http1_writer;

/* Begins a request: request line and Host. `host` is the Host field's value; its data is NULL where
 * ga__http1_write_field passes it.
 * Fails with GA_EHEADER (method not a token; target empty, or with a space, control or non-ASCII character;
 * host with one of these, or "@", "/"). */
void ga__http1_write_request(ga__http1_writer *writer, ga__buffer *buffer, const char *method,
                             ga__slice target, ga__slice host);

/* Begins a response: 100 to 999; `phrase` may be empty. */
void ga__http1_write_response(ga__http1_writer *writer, ga__buffer *buffer, int status, const char *phrase);

/* Begins lines of fields alone, for ga__http1_write_lines; writer->code tells in the end, and the buffer
 * whether there was memory. */
void ga__http1_write_fields(ga__http1_writer *writer, ga__buffer *buffer);

/* Adds a field. The value may be empty; blanks around it are left out.
 * Content-Length and Transfer-Encoding are compared with what ga__http1_write_end says, and not written here.
 * Fails with GA_EHEADER: name not a token; value with a character that is not allowed; a second Host,
 * Content-Length or Transfer-Encoding. */
void ga__http1_write_field(ga__http1_writer *writer, const char *name, const char *value);
/* As above, with sizes instead of NULs: for names and values of other origin. */
void ga__http1_write_field_sized(ga__http1_writer *writer, const char *name, size_t name_size,
                                 const char *value, size_t value_size);

/* Adds complete lines that were made after ga__http1_write_fields, CR LF at each end, without a look at them.
 * `present` says what is among them. For fields that are the same in every request of a session. */
void ga__http1_write_lines(ga__http1_writer *writer, const char *lines, size_t size, uint64_t present);

/* Ends the head: Content-Length with GA__BODY_LENGTH, Transfer-Encoding: chunked with GA__BODY_CHUNKED,
 * neither with the other kinds (but a response without a body may pass a Content-Length: it answers HEAD);
 * and the empty line.
 * @return GA_OK; the first failure; GA_EHEADER where a Content-Length or Transfer-Encoding that was passed
 *         contradicts the body, or a request has no Host; GA_ENOMEM. */
int ga__http1_write_end(ga__http1_writer *writer, ga__body_kind kind, uint64_t length) GA_MUST_USE;

enum { GA__HTTP1_CULPRIT_SIZE = 64 };

/* The name of the header at fault, for a message: its beginning where it is long, with "?" for control
 * characters; "" where no header is. @return name */
const char *ga__http1_writer_culprit(const ga__http1_writer *writer,
                                     char name[static GA__HTTP1_CULPRIT_SIZE]);

/* Judges a name and value as ga__http1_write_field does.
 * @return GA_OK, or GA_EHEADER with *problem */
int ga__http1_check_field(const char *name, const char *value, const char **problem);

#endif
