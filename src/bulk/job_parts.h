/* SPDX-License-Identifier: MIT */
/*
 * The job's insides, shared by the files that open it, run its loops, make its calls and look at it.
 *
 * Three locks: `input_lock` for the input and the keys; `lock` for the journal, the counts and why the job
 * ends; `output_lock` for whoever writes to a slow reader, taken before `lock`. The first is held together
 * with none of the others, and nobody suspends while holding one.
 */
#ifndef GA__JOB_PARTS_H
#define GA__JOB_PARTS_H

#include "base/list.h"
#include "bulk/input.h"
#include "bulk/job.h"
#include "bulk/plan.h"
#include <gather/pace.h>
#include <gather/session.h>
#include <gather/sync.h>
#include <gather/task.h>
#include <gather/thread.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { GA__LAST_ROWS = 100, GA__SCRAP_SIZE = 64 << 10, GA__IDEMPOTENCY_KEY_SIZE = 64 };

struct ga__job {
    ga__job_options options;
    ga__plan *plan;
    ga_pace *pace;
    uint64_t salt; /* what the keys of idempotent requests have in common in this job */
    bool kept;     /* there is a journal */
    FILE *log, *failed_out;

    pthread_mutex_t input_lock;
    ga__input *input;
    ga__keys *keys;
    _Atomic uint64_t pulled; /* rows of this job's share */
    atomic_bool input_ended; /* there are no further ones */

    pthread_mutex_t output_lock; /* of threads that write to whoever may be slow; before `lock` */
    pthread_mutex_t lock;
    ga__journal *journal;
    ga__stats stats;
    bool last_failed[GA__LAST_ROWS];                         /* of the rows that were called last, in turn */
    uint64_t called, failed_of_last, failed_in_all, refused; /* refused: 401 or 403, all from the first on */
    atomic_int
        code; /* the exit status of a job that ends before its input; 0: it does not. Set under `lock` */
    char *reason;
    atomic_bool dirty;           /* something was written since the last sync */
    _Atomic size_t places_taken; /* of `concurrency`: by calls from the first byte until they are written */

    atomic_int asked_to_stop; /* how often, by ga__job_stop */
    atomic_bool stopping;     /* no new rows are begun */
    atomic_bool unwritable;   /* output or journal could not be written: nothing counts as written any more */
    double began_at;          /* of the run; monotonic, in seconds */
    double ended_at;          /* 0: it has not */
    struct ga__lane *lanes;
    size_t lane_count;
    _Atomic size_t lanes_running;
    double watch_each; /* seconds */
    void (*watch)(void *arg, ga__job *job);
    void *watch_arg;
};

/* One loop, on a thread of its own but for the first. */
typedef struct ga__lane {
    ga__job *job;
    size_t index;
    pthread_t thread;
    ga_session *session;
    ga_group group;     /* of rows */
    ga_semaphore slots; /* for their tasks */
    ga__list rows; /* that have tasks, in the order of the input: with `ordered` it is the first one's turn */
    size_t row_count;
    ga__list unwritten; /* rows that wait until what they have come to is written */
    size_t unwritten_count;
    ga_event to_write; /* what they wait for is to be done now */
    bool wrote;        /* since the watcher's last look */
    bool begun;        /* the lane's task has run */
    bool ended;        /* nothing more will be added */
    char *scrap;       /* where bodies are read to that nobody wants */
} ga__lane;

/* A row that has a task. */
typedef struct ga__row_call {
    ga__link link;         /* lane->rows */
    ga__link written_link; /* lane->unwritten */
    ga_event written, turn;
    const ga__entry *entry; /* that is to be written; NULL: what is, is in the journal's group */
    ga__lane *lane;
    ga_task *task;
    ga__row row;
    ga__kind refusal; /* it is not called, but has this record; GA__KIND_OK: it is called */
    bool idempotent;
    bool begun;                             /* it is noted in the journal */
    bool unwritable;                        /* its body's file is, through no fault of its own */
    bool has_place;                         /* it is counted in job->places_taken */
    bool under_way;                         /* what is under way is given time where the job is stopped; what
                                               waits for another attempt is not */
    double called_at, sent_at, answered_at; /* of the present page; monotonic; 0: not yet */
    int64_t first_sent_ms;                  /* since 1970 */
    uint32_t pages;                         /* of this run, so far */
    ga__key milestone;                      /* the URL of one of them */
} ga__row_call;

/* --- job.c --- */
/* Monotonic, in seconds. */
double ga__job_now(void);
/* Ends the job before its input does; the first code and reason count. Takes the reason. */
void ga__job_end(ga__job *job, int code, char *reason);
/* The same where output or journal cannot be written. @return a negative code, recorded */
int ga__job_cannot_write(ga__job *job, char *problem);
/* Counts a row's record, under `lock`, and ends the job where too many fail. */
void ga__job_count(ga__job *job, const ga__entry *entry, bool called);

/* --- job_watch.c --- */
/* The task beside a lane's rows: sees to it that the lane stops, and on the first lane keeps disk and eyes up
 * to date. */
int ga__lane_watch_main(void *lane);
/* Writes the file of --metrics anew. */
void ga__job_write_metrics(ga__job *job);

/* --- job_session.c --- */
/* 0: no limit. */
double ga__rate_per_second(const ga__rate *rate);
ga_pace *ga__job_new_pace(const ga__job_options *options);
/* In a loop. `answer`: of a dry run, or NULL. NULL with the error recorded. */
ga_session *ga__job_new_session(const ga__job *job, int (*answer)(void *arg, struct ga_call *call),
                                void *arg);

/* --- job_pull.c --- */
typedef enum ga__verdict {
    GA__VERDICT_CALL,
    GA__VERDICT_SKIP,    /* it is done */
    GA__VERDICT_REFUSE,  /* row.problem says why */
    GA__VERDICT_UNKNOWN, /* the last run sent it, and it must not be sent twice */
    GA__VERDICT_CHANGED, /* it is done, and is not what it was */
    GA__VERDICT_NO_MEMORY
} ga__verdict;

/* A row that is taken from the input. */
typedef struct ga__pulled {
    ga__job *job;
    ga__row row;
    ga__verdict verdict;
    int code; /* 1: there is one; 0: there are no more; -1 with problem */
    char *problem;
} ga__pulled;

/* Takes the next row of the job's share: `arg` is a ga__pulled. May wait for whoever writes the input. */
int ga__job_pull(void *arg);

/* --- job_lane.c --- */
/* The lane's work, the function of a task: all rows that it can get. */
int ga__lane_main(void *lane);
/* Writes what the row has come to, also where it is being cancelled: at once, or at the watcher's second look
 * at the latest where nobody waits for that, so that one write serves many. @return 0 or a negative code,
 * recorded */
int ga__lane_write(ga__row_call *call, const ga__entry *entry);
/* Writes at once what the row has noted in the journal's group. @return as above, GA_ECANCELED */
int ga__lane_write_note(ga__row_call *call);
/* Waits for the row's turn to be written. */
int ga__lane_await_turn(ga__row_call *call);
/* The row has ended; it is freed. */
void ga__lane_end_row(ga__row_call *call);
/* Ends the tasks of rows that are not under way; `all`: of the others, too. */
void ga__lane_stop(ga__lane *lane, bool all);

/* --- job_call.c --- */
/* Whether no server can have acted on a request of which this is known. */
static inline bool ga__is_undone(ga_sent sent)
{
    return sent == GA_SENT_NO || sent == GA_SENT_REFUSED;
}

/* The task of a row; frees it. */
int ga__row_call_main(void *call);
/* The options of the row's request; `key` is room for its Idempotency-Key. */
void ga__row_request(const ga__job *job, const ga__row *row, bool idempotent, const char *url,
                     char key[GA__IDEMPOTENCY_KEY_SIZE], ga_request_options *options);

/* --- job_record.c --- */
/* A record with what is known before the call. */
ga__record ga__record_begin(const ga__row_call *call);
/* How long the last attempt took, and how long it was in line before; `response` or NULL. */
void ga__record_tell_times(ga__record *record, const ga__row_call *call, const ga_response *response);
/* That the call, or the reading of its body, failed: as ga_error says. */
void ga__record_tell_failure(ga__record *record, ga__row_call *call);
/* The text with the secrets of the row's URL by their names; it lasts as long as the row. "" without memory.
 */
const char *ga__record_hide(ga__row_call *call, const char *text);
/* Where the row stands that is no request. */
void ga__record_tell_place(ga__record *record, const ga__row *row);
/* That the answer has another status than is expected. */
void ga__record_tell_status(ga__record *record, ga__row_call *call, const ga_response *response);
/* What the body is: JSON, text, or neither. `text` is what had to be made for it, the caller's to free. */
void ga__record_tell_body(ga__record *record, ga_response *response, ga__slice body, char **text);
void ga__record_tell_headers(ga__record *record, ga__row_call *call, const ga_response *response);
/* What the job extracts of the record's body. */
void ga__record_extract(ga__record *record, ga__row_call *call);

/* --- job_page.c --- */
/* Where the next page of a paged row is; `called` is the URL of this one, as it was called. @return 1 with
 * *url, the caller's to free; 0: there is none; negative, recorded */
int ga__page_next(const ga__plan *plan, ga_response *response, ga__slice body, const char *called,
                  char **url);

/* --- body_file.c --- */
/* The answer's body into a file, whose directories are made; *unwritable becomes true where there is no room,
 * or no right, and false is left where it is the row's own name that cannot be. @return its size, or
 * negative, recorded */
int64_t ga__body_file_save(ga_response *response, const char *path, bool *unwritable);
/* The same of a body that was read already. */
int ga__body_file_write(const char *path, ga__slice body, bool *unwritable);
/* What a killed run may have left of the file is removed: no run will write it. */
void ga__body_file_forget(const char *path);
/* Makes the directories that the path is in. @return 0 or errno */
int ga__body_file_make_directories(const char *path);

/* --- job_log.c --- */
struct ga_trace_event;
/* For the session's trace. */
void ga__job_log_event(void *job, const struct ga_trace_event *event);
/* Under the job's lock. */
void ga__job_log_record(ga__job *job, const ga__record *record);

#endif
