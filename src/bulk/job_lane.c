/* SPDX-License-Identifier: MIT */
/*
 * One loop of a job. Its feeder takes rows from the input while there are slots, and starts a task for each;
 * its flusher writes what they have come to, once a turn of the loop or, where nobody waits for that, when
 * the watcher finds that nothing was written since its last look, and has them go on. A row keeps its answer,
 * and so counts as under way, until its record is written: what a kill can have called for nothing is what
 * was under way.
 */
#include "bulk/job_parts.h"

#include "bulk/json.h"
#include <stdlib.h>
#include <string.h>

enum { LOOK_AHEAD = 16, MOST_AHEAD = 1000, PASSED_AT_ONCE = 256 };

/* --- writing -------------------------------------------------------------------------------------- */

/* An item as a line. */
static int add_raw_item(ga__job *job, const ga__record *record)
{
    ga__buffer line = GA__BUFFER_INIT;

    if (record->body_form == GA__BODY_NONE) /* the page has none */
        return 0;
    ga__json_append_compact(&line, record->body);
    ga__buffer_add_char(&line, '\n');
    int code = line.failed ? 4 : ga__journal_add_raw(job->journal, (ga__slice){line.data, line.size});

    ga__buffer_free(&line);
    return code;
}

/* With --raw the output is bodies, of what succeeded; or items, a line each. */
static int add_raw(ga__job *job, const ga__entry *entry)
{
    int code = 0;

    for (size_t i = 0; code == 0 && i < entry->count; i++)
        if (entry->record[i].ok)
            code = job->plan->items ? add_raw_item(job, &entry->record[i])
                                    : ga__journal_add_raw(job->journal, entry->record[i].body);
    return code;
}

static void keep_failed(const ga__job *job, const ga__entry *entry)
{
    if (job->failed_out && !job->kept && entry->row.size > 0)
        fprintf(job->failed_out, "%.*s\n", (int)entry->row.size, entry->row.data);
}

/* Adds what a row has come to, under the job's lock. */
static int add_entry(ga__row_call *call, char **problem)
{
    ga__job *job = call->lane->job;
    int code =
        job->options.raw ? add_raw(job, call->entry) : ga__journal_add(job->journal, call->entry, problem);

    if (code == 0) {
        ga__job_count(job, call->entry, call->refusal == GA__KIND_OK);
        keep_failed(job, call->entry);
    }
    return code;
}

/* Adds what the rows have come to, and writes it where that takes no time. */
static int add_and_flush(ga__job *job, const ga__list *rows, bool may_block)
{
    char *problem = NULL;
    int code = 0;

    pthread_mutex_lock(&job->lock);
    for (const ga__link *link = rows->next; code == 0 && link != rows; link = link->next) {
        ga__row_call *call = GA__OF(link, ga__row_call, written_link);

        if (call->entry)
            code = add_entry(call, &problem);
    }
    if (code == 0 && !may_block)
        code = ga__journal_flush(job->journal, &problem);
    job->dirty = true;
    pthread_mutex_unlock(&job->lock);
    return code == 0 ? 0 : ga__job_cannot_write(job, problem);
}

/* Where whoever reads the output may be slow, what was added is written by a thread that holds no lock. */
static int write_out(void *arg)
{
    ga__job *job = arg;
    ga__buffer pending = GA__BUFFER_INIT;
    char *problem = NULL;

    pthread_mutex_lock(&job->output_lock);
    pthread_mutex_lock(&job->lock);
    ga__journal_take(job->journal, &pending);
    pthread_mutex_unlock(&job->lock);
    int code = ga__journal_write_out(&pending, &problem);

    pthread_mutex_unlock(&job->output_lock);
    ga__buffer_free(&pending);
    return code == 0 ? 0 : ga__job_cannot_write(job, problem);
}

/* Writes what the rows have come to that wait for it by now, and has them go on. */
static void write_group(ga__lane *lane)
{
    bool may_block = ga__journal_may_block(lane->job->journal);
    ga__list writing;
    ga__link *link;

    lane->wrote = true;
    ga__list_init(&writing);
    while ((link = ga__list_pop_front(&lane->unwritten)))
        ga__list_push_back(&writing, link);
    if (add_and_flush(lane->job, &writing, may_block) == 0 && may_block)
        ga_to_thread(write_out, lane->job);
    while ((link = ga__list_pop_front(&writing)))
        ga_event_set(&GA__OF(link, ga__row_call, written_link)->written);
}

/* Whether the row may wait for others or the watcher, so that one write serves many. Not one that must not
 * be sent twice, nor where its place may be wanted meanwhile, or nothing else is going on. */
static bool may_wait(const ga__row_call *call)
{
    const ga__lane *lane = call->lane;
    const ga__job_options *options = &lane->job->options;

    return lane->job->kept && !call->begun && lane->unwritten_count < lane->row_count && !options->ordered &&
           options->per_host == 0 && lane->job->places_taken <= (size_t)options->concurrency / 2;
}

static int wait_written(ga__row_call *call, bool at_once)
{
    ga__lane *lane = call->lane;

    ga_event_clear(&call->written);
    ga__list_push_back(&lane->unwritten, &call->written_link);
    lane->unwritten_count++;
    if (at_once || !may_wait(call))
        ga_event_set(&lane->to_write);
    int code = ga_event_wait(&call->written);

    ga__unlink(&call->written_link);
    lane->unwritten_count--;
    if (code == 0 && lane->job->unwritable)
        code = ga_fail(GA_ESYSTEM, "what was added could not be written");
    return code;
}

int ga__lane_write(ga__row_call *call, const ga__entry *entry)
{
    ga_scope scope;

    ga_scope_open_shielded(&scope, GA_FOREVER);
    call->entry = entry;
    int code = wait_written(call, entry->next.size > 0);

    call->entry = NULL;
    ga_scope_close(&scope);
    return code;
}

int ga__lane_write_note(ga__row_call *call)
{
    return wait_written(call, true);
}

static int flusher_main(void *arg)
{
    ga__lane *lane = arg;
    bool ended = false;

    while (!ended) {
        if (ga_event_wait(&lane->to_write) < 0)
            break;
        ended = lane->ended;
        ga_event_clear(&lane->to_write);
        write_group(lane);
    }
    return 0;
}

/* --- turns ---------------------------------------------------------------------------------------- */

int ga__lane_await_turn(ga__row_call *call)
{
    const ga__lane *lane = call->lane;
    int code = 0;

    while (code == 0 && lane->job->options.ordered && ga__list_first(&lane->rows) != &call->link)
        code = ga_event_wait(&call->turn);
    return code;
}

/* The turn is that of the first row which is there, also where one before it has ended out of turn: it was
 * stopped. */
static void pass_turn(const ga__lane *lane)
{
    ga__link *first = ga__list_first(&lane->rows);

    if (first)
        ga_event_set(&GA__OF(first, ga__row_call, link)->turn);
}

void ga__lane_end_row(ga__row_call *call)
{
    ga__lane *lane = call->lane;

    ga__unlink(&call->link);
    lane->row_count--;
    if (lane->job->options.ordered)
        pass_turn(lane);
    ga__row_free(&call->row);
    free(call);
    ga_semaphore_release(&lane->slots);
}

/* --- taking rows ---------------------------------------------------------------------------------- */

/* The input is not what it was when the job began. */
static void tell_changed(ga__job *job, const ga__row *row)
{
    ga__job_end(
        job, 2,
        ga_format(
            "row %llu (id %.*s%s%s) was called by a run before, and now asks for something else. Put it "
            "back as it was, give it another id, or begin anew with --fresh",
            (unsigned long long)row->n, (int)row->id.size, row->id.data, row->file ? ", in " : "",
            row->file ? row->file : ""));
}

static ga__kind refusal_of(ga__verdict verdict)
{
    if (verdict == GA__VERDICT_REFUSE)
        return GA__KIND_INPUT;
    return verdict == GA__VERDICT_UNKNOWN ? GA__KIND_UNKNOWN_OUTCOME : GA__KIND_OK;
}

/* @return false without memory */
static bool start_row(ga__lane *lane, const ga__row *row, ga__kind refusal)
{
    ga__row_call *call = calloc(1, sizeof *call);

    if (!call)
        return false;
    call->lane = lane;
    call->row = *row;
    call->refusal = refusal;
    call->idempotent = refusal == GA__KIND_OK && ga__plan_is_idempotent(lane->job->plan, row);
    ga_event_init(&call->written);
    ga_event_init(&call->turn);
    call->task = ga_spawn(&lane->group, ga__row_call_main, call);
    if (!call->task) {
        free(call);
        return false;
    }
    ga__list_push_back(&lane->rows, &call->link);
    lane->row_count++;
    return true;
}

static void count_skipped(ga__job *job)
{
    pthread_mutex_lock(&job->lock);
    job->stats.skipped++;
    pthread_mutex_unlock(&job->lock);
}

/* @return whether the row has taken the slot */
static bool take_row(ga__lane *lane, ga__pulled *from)
{
    ga__job *job = lane->job;

    if (from->verdict == GA__VERDICT_SKIP)
        count_skipped(job);
    else if (from->verdict == GA__VERDICT_CHANGED)
        tell_changed(job, &from->row);
    else if (from->verdict != GA__VERDICT_NO_MEMORY && start_row(lane, &from->row, refusal_of(from->verdict)))
        return true;
    else
        ga__job_end(job, 3, strdup("no memory for a row"));
    ga__row_free(&from->row);
    return false;
}

/* Takes rows until there are no more. */
static void feed(ga__lane *lane)
{
    ga__job *job = lane->job;
    bool has_slot = false;
    unsigned passed = 0;

    while (!job->stopping) {
        ga__pulled next = {.job = job};

        if (!has_slot && ga_semaphore_acquire(&lane->slots) < 0)
            return;
        if (ga__input_may_block(job->input))
            ga_to_thread(ga__job_pull, &next);
        else
            ga__job_pull(&next);
        if (next.code < 0)
            ga__job_end(job, 3, next.problem);
        if (next.code <= 0)
            return;
        has_slot = !take_row(lane, &next);
        if (has_slot && ++passed % PASSED_AT_ONCE == 0 && ga_yield() < 0)
            return;
    }
}

/* --- the loop ------------------------------------------------------------------------------------- */

void ga__lane_stop(ga__lane *lane, bool all)
{
    for (ga__link *link = lane->rows.next; link != &lane->rows; link = link->next) {
        ga__row_call *call = GA__OF(link, ga__row_call, link);

        if (all || !call->under_way)
            ga_task_cancel(call->task);
    }
}

/* Tasks at once: more than calls under way, so that rows which wait for one host do not hold up those for
 * others. With an order no more: what waits for its turn keeps its slot. */
static size_t count_slots(const ga__job *job)
{
    size_t calls = (size_t)job->options.concurrency, ahead = calls * LOOK_AHEAD;

    if (!job->options.ordered)
        calls += ahead < MOST_AHEAD ? ahead : MOST_AHEAD;
    return (calls + job->lane_count - 1) / job->lane_count;
}

static void run_rows(ga__lane *lane)
{
    ga_group beside;

    ga_group_open(&beside, GA_COLLECT);
    ga_task *flusher = ga_spawn(&beside, flusher_main, lane),
            *watcher = ga_spawn(&beside, ga__lane_watch_main, lane);

    ga_group_open(&lane->group, GA_COLLECT | GA_DISCARD);
    if (flusher && watcher)
        feed(lane);
    ga_gather(&lane->group);
    ga_group_close(&lane->group);
    lane->ended = true;
    ga_event_set(&lane->to_write);
    if (flusher && ga_task_join(flusher) < 0)
        ga_error_clear();
    lane->job->lanes_running--;
    if (watcher && (lane->index > 0 || lane->job->lanes_running == 0))
        ga_task_cancel(watcher);
    ga_gather(&beside); /* else the first lane's watcher ends when no lane is running */
    ga_group_close(&beside);
}

int ga__lane_main(void *arg)
{
    ga__lane *lane = arg;

    lane->begun = true;
    ga__list_init(&lane->rows);
    ga__list_init(&lane->unwritten);
    ga_event_init(&lane->to_write);
    ga_semaphore_init(&lane->slots, count_slots(lane->job));
    lane->scrap = malloc(GA__SCRAP_SIZE);
    lane->session = lane->scrap ? ga__job_new_session(lane->job, NULL, NULL) : NULL;
    if (!lane->session)
        ga__job_end(lane->job, 2, strdup(lane->scrap ? ga_error_message() : "no memory"));
    run_rows(lane);
    ga_session_free(lane->session);
    free(lane->scrap);
    return 0;
}
