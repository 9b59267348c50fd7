/* SPDX-License-Identifier: MIT */
/*
 * The lines of a head or trailer section (RFC 9112 section 5): where the section ends, and its fields.
 */
#ifndef GA__HTTP1_FIELDS_H
#define GA__HTTP1_FIELDS_H

#include "protocol/headers.h"

/* How much of a head or trailer section is accepted, and how strictly. */
typedef struct ga__headers_limits {
    uint32_t max_size; /* bytes of the whole section, line ends included */
    uint32_t max_line; /* bytes of a line without its end; a folded line counts as a whole */
    uint32_t max_fields;
    bool strict; /* refuse a bare LF as line end, and folded lines */
} ga__headers_limits;

/* Looks for the end of a section; remembers how far it looked, so that feeding byte by byte is linear. Zeroed
 * at the beginning. */
typedef struct ga__head_scan {
    uint32_t scanned; /* bytes looked at */
    uint32_t line;    /* where the current line begins */
    uint32_t start;   /* where the first line begins: behind the empty line that was skipped */
    bool first_done;  /* the first line is complete */
    bool skip_empty;  /* set by the caller: one empty line at the beginning does not count */
} ga__head_scan;

/* `data` are the section's bytes from the beginning, with more behind them than at the last call, at any
 * address.
 * @return the section's size with its empty line; 0 while it is not complete; GA_EHEADTOOBIG with *problem */
int64_t ga__head_find_end(ga__head_scan *scan, const char *data, size_t size,
                          const ga__headers_limits *limits, const char **problem);

/* Where the text of a line that begins at `at` ends: blanks are part of it, its CR LF (or LF, unless strict)
 * is not. *next is the beginning of the next line. Bytes before `size` only.
 * @return the offset; GA_EPROTOCOL with *problem where a control character or a lone CR is in the line */
int64_t ga__line_end(const char *bytes, uint32_t at, uint32_t size, bool strict, uint32_t *next,
                     const char **problem);

/* Parses the field lines of a complete section, from `from` up to its empty line, in place: `bytes` are
 * rewritten (a NUL after each name and value; folded lines joined with one SP), also where it fails. What was
 * in the table before is forgotten.
 * @return GA_OK; GA_EPROTOCOL, GA_EHEADTOOBIG or GA_ENOMEM with *problem */
int ga__headers_parse(ga__headers_table *table, char *bytes, uint32_t from, uint32_t size,
                      const ga__headers_limits *limits, const char **problem);

#endif
