/* SPDX-License-Identifier: MIT */
/*
 * What the API answers: a request in, a reply out, without a socket or a wait.
 */
#ifndef TODO_API_ROUTES_H
#define TODO_API_ROUTES_H

#include "base/buffer.h"
#include "protocol/headers.h"
#include "todo_api/todo_list.h"

/* Everything is borrowed. */
typedef struct api_request {
    const char *method;
    const char *target; /* in origin form: "/todos?userId=1" */
    const ga__headers *headers;
    ga__slice body;
    const char *scheme; /* "http" or "https" */
    uint64_t *requests; /* how many there were so far, but for those to /requests */
} api_request;

/* {0} is to be freed, too. */
typedef struct api_reply {
    int status;
    const char *content_type;
    ga__slice body; /* the list's, static, or that of `made` */
    ga__buffer made;
    char *location; /* NULL: no Location */
    int total;      /* X-Total-Count; -1: none */
    double delay;   /* seconds to wait before answering */
    uint64_t lines; /* lines to stream, in place of the body */
} api_reply;

/* Answers; sets all of *answer. Where there is no memory, the reply is a 500. */
void routes_answer(const todo_list *todos, const api_request *asked, api_reply *answer);

/* A reply that says what is wrong, {"error": "..."}. */
void reply_error(api_reply *answer, int status, const char *error);

void reply_free(api_reply *answer);

/* Appends line `number`, 1 the first, of /stream. */
void routes_stream_line(ga__buffer *out, uint64_t number);

/* The reason phrase of a status, "" where none is known. */
const char *routes_phrase(int status);

#endif
