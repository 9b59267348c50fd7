/* SPDX-License-Identifier: MIT */
/*
 * A job from its options to its end: what is opened and in which order, the threads, why it ends, and how it
 * stands. All that can be wrong is said by ga__job_new, before the first call.
 */
#include "bulk/job_parts.h"

#include "base/clock.h"
#include "base/problem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const ga__job_options ga__job_defaults = {
    .concurrency = 20,
    .burst = 1,
    .retries = 4,
    .connect_timeout = 10,
    .max_time = 60,
    .max_wait = 900,
    .max_body = 16 << 20,
    .max_errors = 0.5,
    .max_errors_share = true,
    .max_redirects = 10,
    .threads = 1,
};

enum { REFUSED_AT_FIRST = 10, JOB_OPTIONS = 16 };

double ga__job_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* --- why it ends ---------------------------------------------------------------------------------- */

/* Of a job whose lock is held. */
static void end_locked(ga__job *job, int code, char *reason)
{
    if (job->code == 0) {
        job->code = code;
        job->reason = reason;
        reason = NULL;
    }
    free(reason);
    job->stopping = true;
    ga__input_stop(job->input);
}

void ga__job_end(ga__job *job, int code, char *reason)
{
    pthread_mutex_lock(&job->lock);
    end_locked(job, code, reason);
    pthread_mutex_unlock(&job->lock);
}

int ga__job_cannot_write(ga__job *job, char *problem)
{
    int code = ga_fail(GA_ESYSTEM, "%s", problem ? problem : "no memory to write a record");

    job->unwritable = true;
    ga__job_end(job, 4, problem);
    return code;
}

/* Ends the job where so many rows fail that going on makes no sense. When the input has ended there is
 * nothing left to be spared: of the last rows many fail, since those that were tried again end last. */
static void judge_failures(ga__job *job, const ga__record *record)
{
    const ga__job_options *options = &job->options;
    unsigned long long of_last = job->failed_of_last, in_all = job->failed_in_all;

    if (options->max_errors <= 0)
        return;
    if (job->refused == job->called && job->refused == REFUSED_AT_FIRST)
        end_locked(job, 3,
                   ga_format("the first %d rows were all refused: status %d. Is the API key right?",
                             REFUSED_AT_FIRST, record->status));
    else if (options->max_errors_share && job->called >= GA__LAST_ROWS && !job->input_ended &&
             (double)of_last > options->max_errors * GA__LAST_ROWS)
        end_locked(job, 3,
                   ga_format("%llu of the last %d rows failed, the last with: %s; --max-errors allows %g %%",
                             of_last, GA__LAST_ROWS, record->message, options->max_errors * 100));
    else if (!options->max_errors_share && (double)in_all > options->max_errors)
        end_locked(job, 3,
                   ga_format("%llu rows failed, the last with: %s; --max-errors allows %g", in_all,
                             record->message, options->max_errors));
}

static void count_outcome(ga__job *job, const ga__record *record)
{
    bool *place = &job->last_failed[job->called++ % GA__LAST_ROWS];

    job->failed_of_last += !record->ok - (uint64_t)*place;
    *place = !record->ok;
    job->failed_in_all += !record->ok;
    job->refused += !record->ok && (record->status == 401 || record->status == 403);
    if (!record->ok)
        judge_failures(job, record);
}

void ga__job_count(ga__job *job, const ga__entry *entry, bool called)
{
    ga__stats_add(&job->stats, entry->record);
    ga__job_log_record(job, entry->record);
    if (called && entry->next.size == 0)
        count_outcome(job, entry->record);
}

void ga__job_stop(ga__job *job)
{
    job->asked_to_stop++;
    ga__input_stop(job->input);
}

/* --- opening -------------------------------------------------------------------------------------- */

static bool open_input(ga__job *job, char **problem)
{
    const ga__job_options *options = &job->options;
    ga__input_options input = {.names = options->inputs,
                               .no_globs = options->no_globs,
                               .has_base = options->base_url != NULL,
                               .has_template = options->url_template != NULL};
    size_t count;

    while (options->inputs && options->inputs[input.count])
        input.count++;
    if (input.count == 0)
        return ga__say(false, problem, "no input: name a URL, a file, or - for standard input");
    job->input = ga__input_open(&input, problem);
    if (!job->input)
        return false;
    const ga__slice *columns = ga__input_columns(job->input, &count);

    return ga__plan_check_columns(job->plan, columns, count, problem);
}

/* The texts of a list with blanks between them, or NULL. */
static char *join(const char *const *texts)
{
    ga__buffer joined = GA__BUFFER_INIT;

    for (size_t i = 0; texts && texts[i]; i++) {
        if (i > 0)
            ga__buffer_add_char(&joined, ' ');
        ga__buffer_add(&joined, texts[i]);
    }
    return joined.size > 0 ? ga__buffer_take(&joined) : NULL;
}

static char *shard_text(const ga__job_options *options)
{
    return options->shards > 0 ? ga_format("%u/%u", options->shard, options->shards) : NULL;
}

static ga__journal_mode mode_of(const ga__job_options *options)
{
    if (options->fresh)
        return GA__JOURNAL_FRESH;
    return options->resume || options->retry_failed ? GA__JOURNAL_RESUME : GA__JOURNAL_NEW;
}

/* What the records depend on. */
static ga__journal *open_journal_for(ga__job *job, const ga_pair *asked, int *code, char **problem)
{
    const ga__job_options *options = &job->options;
    const char *output = job->plan->output ? job->plan->output_index : options->output;
    const ga__journal_options journal = {
        .output = output,
        .form = output ? ga__output_form_of(output) : GA__OUTPUT_JSONL,
        .table = options->table,
        .mode = mode_of(options),
        .sync = options->sync,
        .retry_failed = options->retry_failed,
        .retry_unknown = options->idempotent || options->idempotency_keys,
        .with_body = !options->no_body && !job->plan->output,
        .with_files = job->plan->output != NULL,
        .paged = options->next != NULL,
        .like = &job->plan->like,
        .job = asked,
        .rate = ga__rate_per_second(&options->rate),
    };

    return ga__journal_open(&journal, job->keys, code, problem);
}

static bool open_journal(ga__job *job, int *code, char **problem)
{
    const ga__job_options *options = &job->options;
    char *form = join(options->form), *keep = join(options->keep), *extract = join(options->extract),
         *shard = shard_text(options);
    const ga_pair asked[JOB_OPTIONS] = {{"--url", options->url_template},
                                        {"--base-url", options->base_url},
                                        {"-X", options->method},
                                        {"-d", options->data},
                                        {"--json", options->json},
                                        {"-F", form},
                                        {"--id", options->id},
                                        {"--keep", keep},
                                        {"--extract", extract},
                                        {"--next", options->next},
                                        {"--items", options->items},
                                        {"--no-body", options->no_body ? "yes" : NULL},
                                        {"--shard", shard},
                                        {"-o", job->plan->output ? options->output : NULL},
                                        {"--table", options->table},
                                        {NULL, NULL}};

    job->journal = open_journal_for(job, asked, code, problem);
    free(form);
    free(keep);
    free(extract);
    free(shard);
    return job->journal != NULL;
}

static FILE *open_file(const char *path, const char *mode, const char *option, char **problem)
{
    FILE *file = fopen(path, mode);

    if (!file)
        *problem = ga_format("%s: cannot write %s: %s", option, path, strerror(errno));
    return file;
}

/* The files beside the output. */
static bool open_others(ga__job *job, char **problem)
{
    const ga__job_options *options = &job->options;

    if (options->failed_out &&
        !(job->failed_out = open_file(options->failed_out, "we", "--failed-out", problem)))
        return false;
    if (options->log && !(job->log = open_file(options->log, "ae", "--log-json", problem)))
        return false;
    if (options->metrics) {
        FILE *file = open_file(options->metrics, "ae", "--metrics", problem);

        if (!file)
            return false;
        fclose(file);
    }
    return true;
}

/* Where bodies are files their records are in an index beside them. */
static bool make_directory(const ga__job *job, char **problem)
{
    int error = job->plan->output ? ga__body_file_make_directories(job->plan->output_index) : 0;

    return error == 0 || ga__say(false, problem, "cannot make the directory of %s: %s", job->options.output,
                                 strerror(error));
}

static uint64_t salt_of(const ga__job *job)
{
    return (uint64_t)(job->kept ? ga__journal_began_at(job->journal) : ga__wall_ms());
}

static bool check_options(const ga__job_options *options, char **problem)
{
    if (options->concurrency < 1 || options->threads < 1)
        return ga__say(false, problem, "-c and --threads want at least 1");
    if (options->ordered && options->threads > 1)
        return ga__say(false, problem,
                       "--ordered and --raw want --threads 1: an order is kept on one thread");
    if (options->resume && !options->output)
        return ga__say(false, problem,
                       "--resume wants -o FILE: what goes to standard output leaves no journal");
    return true;
}

/* What needs no file to be written. */
static bool open_readable(ga__job *job, char **problem)
{
    job->keys = ga__keys_new();
    job->plan = ga__plan_new(&job->options, problem);
    if (!job->keys || !job->plan || !open_input(job, problem))
        return false;
    job->pace = ga__job_new_pace(&job->options);
    return job->pace || ga__say(false, problem, "%s", ga_error_message());
}

static ga__job *job_new(const ga__job_options *options)
{
    ga__job *job = calloc(1, sizeof *job);

    if (!job)
        return NULL;
    job->options = *options;
    job->options.ordered |= options->raw;
    job->lane_count =
        (size_t)(options->threads < options->concurrency ? options->threads : options->concurrency);
    pthread_mutex_init(&job->lock, NULL);
    pthread_mutex_init(&job->input_lock, NULL);
    pthread_mutex_init(&job->output_lock, NULL);
    return job;
}

ga__job *ga__job_new_dry(const ga__job_options *options, int *code, char **problem)
{
    ga__job *job = job_new(options);

    *problem = NULL;
    *code = 2;
    if (job && check_options(&job->options, problem) && open_readable(job, problem))
        return job;
    ga__job_free(job);
    return NULL;
}

ga__job *ga__job_new(const ga__job_options *options, int *code, char **problem)
{
    ga__job *job = ga__job_new_dry(options, code, problem);

    if (!job)
        return NULL;
    job->kept = options->output != NULL;
    *code = 4;
    if (make_directory(job, problem) && open_journal(job, code, problem)) {
        *code = 4;
        job->salt = salt_of(job);
        job->lanes = calloc(job->lane_count, sizeof *job->lanes);
        if (job->lanes && open_others(job, problem))
            return job;
    }
    ga__job_free(job);
    return NULL;
}

void ga__job_free(ga__job *job)
{
    char *problem = NULL;

    if (!job)
        return;
    ga__journal_close(job->journal, 0, &problem);
    free(problem);
    if (job->failed_out)
        fclose(job->failed_out);
    if (job->log)
        fclose(job->log);
    ga_pace_free(job->pace);
    ga__input_free(job->input);
    ga__keys_free(job->keys);
    ga__plan_free(job->plan);
    pthread_mutex_destroy(&job->lock);
    pthread_mutex_destroy(&job->input_lock);
    pthread_mutex_destroy(&job->output_lock);
    free(job->lanes);
    free(job->reason);
    free(job);
}

/* --- running -------------------------------------------------------------------------------------- */

static void run_lane(ga__lane *lane)
{
    /* What holds the loop, a slow disk for one, is nothing that whoever runs the job could mend. */
    static const ga_run_options unwatched = {.block_warning = -1};

    if (ga_run_with(&unwatched, ga__lane_main, lane) < 0)
        ga__job_end(lane->job, 3, strdup(ga_error_message()));
    if (!lane->begun) /* nobody else says that it does not run: the first lane waits for the others */
        lane->job->lanes_running--;
}

static void *lane_thread(void *lane)
{
    run_lane(lane);
    return NULL;
}

static void run_lanes(ga__job *job)
{
    size_t started = 1;

    job->lanes_running = job->lane_count;
    for (size_t i = 0; i < job->lane_count; i++)
        job->lanes[i] = (ga__lane){.job = job, .index = i};
    for (; started < job->lane_count; started++)
        if (pthread_create(&job->lanes[started].thread, NULL, lane_thread, &job->lanes[started]) != 0)
            break;
    if (started < job->lane_count) {
        job->lanes_running -= job->lane_count - started;
        ga__job_end(job, 3, strdup("no thread could be started for --threads"));
    }
    run_lane(&job->lanes[0]);
    for (size_t i = 1; i < started; i++)
        pthread_join(job->lanes[i].thread, NULL);
}

static bool write_failed(void *file, ga__slice row)
{
    return fprintf(file, "%.*s\n", (int)row.size, row.data) >= 0;
}

/* --failed-out, of all runs; and how many rows failed. */
static int finish_journal(ga__job *job, uint64_t *failed, char **problem)
{
    int code = ga__journal_flush(job->journal, problem);

    if (code == 0 && job->kept && job->failed_out)
        code = ga__journal_each_failed(job->journal, write_failed, job->failed_out, problem);
    *failed = job->kept ? ga__journal_count_failed(job->journal) : ga__stats_failed(&job->stats);
    if (code == 0 && job->failed_out && fflush(job->failed_out) != 0)
        code = ga__say(4, problem, "cannot write %s: %s", job->options.failed_out, strerror(errno));
    return code;
}

/* Everything is on disk now. @return the exit status */
static int finish(ga__job *job, char **reason)
{
    uint64_t failed = 0;
    char *problem = NULL, *ignored = NULL;

    if (!job->input_ended && job->code == 0)
        ga__job_end(job, 3, strdup("it was stopped"));
    int code = finish_journal(job, &failed, &problem);

    if (code == 0)
        code = ga__journal_close(job->journal, job->code == 0 ? job->pulled : 0, &problem);
    else
        ga__journal_close(job->journal, 0, &ignored);
    job->journal = NULL;
    if (job->options.metrics)
        ga__job_write_metrics(job);
    if (code != 0 && job->code != 4) {
        free(job->reason);
        job->code = code;
        job->reason = problem;
        problem = NULL;
    }
    free(problem);
    free(ignored);
    *reason = job->reason;
    job->reason = NULL;
    return job->code != 0 ? job->code : failed > 0;
}

int ga__job_run(ga__job *job, double each, void (*watch)(void *arg, ga__job *job), void *arg, char **reason)
{
    job->watch_each = each;
    job->watch = watch;
    job->watch_arg = arg;
    job->began_at = ga__job_now();
    run_lanes(job);
    job->ended_at = ga__job_now();
    return finish(job, reason);
}

/* --- looking -------------------------------------------------------------------------------------- */

static uint64_t total_of(const ga__job *job)
{
    uint64_t limit = job->options.limit, count = ga__input_count(job->input);

    if (job->input_ended)
        return job->pulled;
    if (job->options.shards > 1 || count == 0)
        return 0;
    return limit > 0 && limit < count ? limit : count;
}

static void tell_pause(const ga_pace_state *state, char *text, size_t size)
{
    if (state->cool_down >= 1 && state->why && strcmp(state->why, "cool-down") == 0)
        snprintf(text, size, "%.100s cools down, %.0f s", state->host, state->cool_down);
    else if (state->in_line > 0 && state->why && state->why[0])
        snprintf(text, size, "%.100s: %zu wait for the %s", state->host, state->in_line, state->why);
}

/* Of two limits, of which 0 is none. */
static double lesser_rate(double a, double b)
{
    return a > 0 && (b <= 0 || a < b) ? a : b;
}

void ga__job_look(ga__job *job, ga__job_status *status)
{
    ga_pace_state state;

    pthread_mutex_lock(&job->lock);
    status->stats = job->stats;
    pthread_mutex_unlock(&job->lock);
    ga_pace_status(job->pace, &state);
    status->total = total_of(job);
    status->input_progress = ga__input_progress(job->input);
    status->in_flight = state.under_way;
    status->waiting = state.waiting + state.retrying;
    status->seconds = (job->ended_at > 0 ? job->ended_at : ga__job_now()) - job->began_at;
    status->rate = lesser_rate(ga__rate_per_second(&job->options.rate), state.rate);
    status->pause[0] = '\0';
    tell_pause(&state, status->pause, sizeof status->pause);
    status->stopping = job->stopping;
    status->kept = job->kept;
}
