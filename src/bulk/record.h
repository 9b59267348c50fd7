/* SPDX-License-Identifier: MIT */
/*
 * What became of a row: exactly one record a row, in JSON Lines, CSV, or a table. docs/record.schema.json
 * describes the first.
 */
#ifndef GA__RECORD_H
#define GA__RECORD_H

#include "base/buffer.h"
#include "base/slice.h"
#include <gather/error.h>
#include <stdbool.h>

/* What kind of failure: a closed list. The numbers stand in journals and do not change. */
typedef enum ga__kind {
    GA__KIND_OK = 0,
    GA__KIND_DNS = 1,
    GA__KIND_CONNECT = 2,
    GA__KIND_TLS = 3,
    GA__KIND_TIMEOUT = 4,
    GA__KIND_RESET = 5,
    GA__KIND_PROTOCOL = 6,
    GA__KIND_TOO_LARGE = 7,
    GA__KIND_DECODE = 8,
    GA__KIND_RATE_LIMITED = 9,
    GA__KIND_HTTP = 10,
    GA__KIND_EXPECT = 11,
    GA__KIND_REDIRECT = 12,
    GA__KIND_TOO_BIG = 13,
    GA__KIND_UNKNOWN_OUTCOME = 14,
    GA__KIND_INPUT = 15,
    GA__KIND_CANCELLED = 16,
    GA__KINDS
} ga__kind;

const char *ga__kind_name(ga__kind kind);
/* The kind of a failed call. */
ga__kind ga__kind_of_error(const ga_error_detail *error);
/* Whether the row may well succeed when it is tried again later. */
bool ga__kind_is_retryable(ga__kind kind, int status);

typedef enum ga__body_form {
    GA__BODY_NONE,   /* not asked for, or none came */
    GA__BODY_JSON,   /* checked, as it came */
    GA__BODY_TEXT,   /* UTF-8 */
    GA__BODY_BINARY, /* written in base64 */
    GA__BODY_FILE    /* it is in the file that `body` names */
} ga__body_form;

/* A column that a record has besides the fixed ones. */
typedef struct ga__record_value {
    const char *name;
    ga__slice json; /* a JSON value; empty: null */
} ga__record_value;

typedef struct ga__record {
    ga__slice id;  /* JSON: a string or number; empty: the row has none */
    uint64_t n;    /* from 1 */
    uint32_t page; /* of a row that is paged, from 1; 0: it is not */
    bool ok;
    int status; /* 0: there was no answer */
    ga__slice method, url;
    int attempts;
    int64_t at;                        /* when the first attempt began, in ms since 1970 */
    double wait_ms, ttfb_ms, total_ms; /* in line for the pace; sent to first byte; sent to end. Of the last
                                          attempt, negative: not reached */
    uint64_t bytes;                    /* of the body, as received */
    const ga_pair *headers;            /* of the answer, with --headers; ends with a NULL name; or NULL */
    ga__body_form body_form;
    ga__slice body;
    const ga__record_value *extract; /* as many as the job has */
    size_t extract_count;
    const ga__record_value *keep;
    size_t keep_count;
    ga__slice meta; /* JSON, or empty */
    ga__kind kind;
    const char *stage; /* of a failure: where, as ga_phase_name has it, "response", "input"; "" */
    const char *message;
    bool retryable;
    const char *file; /* the input's, of an `input` failure; else NULL */
    uint64_t line;
} ga__record;

/* Appends a time, given in ms since 1970, as RFC 3339 has it: "2026-11-22T11:04:42.123Z". */
void ga__record_append_time(ga__buffer *out, int64_t ms);

/* Appends the values as an object, a member of that name; nothing where there are none. */
void ga__record_append_values(ga__buffer *out, const char *name, const ga__record_value *values,
                              size_t count);

/* Appends the record as one line of JSON, its LF too. */
void ga__record_append_json(ga__buffer *out, const ga__record *record);

/* Appends the head of a CSV file, or a record: id, n, page, ok, status, url, attempts, at, wait_ms, ttfb_ms,
 * total_ms, error, message, then what is kept, extracted, and the body where bodies are wanted. */
void ga__record_append_csv_head(ga__buffer *out, const ga__record *like, bool with_body, char separator);
void ga__record_append_csv(ga__buffer *out, const ga__record *record, bool with_body, char separator);

#endif
