/* SPDX-License-Identifier: MIT */
/*
 * CSV (RFC 4180) and TSV, a record at a time from bytes that come in pieces: quoted fields with separators,
 * quotes and line ends in them, LF or CRLF, a byte order mark.
 */
#ifndef GA__CSV_H
#define GA__CSV_H

#include "base/buffer.h"
#include "base/slice.h"
#include <stdbool.h>

typedef struct ga__csv {
    char separator;
    ga__buffer text;   /* of the fields */
    ga__slice *fields; /* of the record read last; they lie in `text` */
    size_t count, room;
    uint64_t lines; /* how many lines the record took */
    bool begun;     /* private: a byte order mark can no longer come */
} ga__csv;

/* ',' or '\t'. */
void ga__csv_init(ga__csv *csv, char separator);
void ga__csv_free(ga__csv *csv);

typedef enum ga__csv_result {
    GA__CSV_MORE,   /* the record does not end in these bytes */
    GA__CSV_RECORD, /* fields and count are there, until the next call */
    GA__CSV_BROKEN, /* a quoted field does not end, or does not end its field; `consumed` is the first line */
    GA__CSV_NOMEM
} ga__csv_result;

/* Reads a record from the beginning of the bytes. `last`: nothing comes after them.
 * @param consumed the bytes that it took */
ga__csv_result ga__csv_read(ga__csv *csv, const char *bytes, size_t size, bool last, size_t *consumed);

/* Appends a field, in quotes where it needs them. */
void ga__csv_append(ga__buffer *out, ga__slice field, char separator);

#endif
