/* SPDX-License-Identifier: MIT */
/*
 * gather, the command: what is asked for, the job, the signals it gets meanwhile, and the exit status.
 * Standard output carries data only; all that is said to a person goes to standard error.
 */
#include "base/utf8.h"
#include "cli/failed.h"
#include "cli/option_text.h"
#include "cli/options.h"
#include "cli/password.h"
#include "cli/report.h"
#include "cli/screen.h"
#include "cli/version.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_STOPPED = 3, EXIT_WRITE = 4, DRY_RUN_REQUESTS = 3 };

/* --- what is said --------------------------------------------------------------------------------- */

/* Frees the problem; NULL is that there was no memory for it. */
static int complain(char *problem, int code)
{
    ga__buffer clean = GA__BUFFER_INIT; /* it may name a column of the input */

    ga__utf8_append_clean(&clean, ga__slice_of(problem ? problem : "out of memory"));
    fprintf(stderr, "gather: %s\n", clean.data ? clean.data : "out of memory");
    ga__buffer_free(&clean);
    free(problem);
    return code;
}

/* Whether who read standard output has gone: that is no failure of ours to talk about. */
static bool reader_has_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

/* The status to exit with once all is written. */
static int finish_stdout(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (errno != EPIPE)
        fprintf(stderr, "gather: cannot write to standard output: %s\n", strerror(errno));
    return EXIT_WRITE;
}

static int print(ga__buffer *text, FILE *to, int code)
{
    if (text->failed)
        code = complain(NULL, EXIT_WRITE);
    else
        fwrite(text->data, 1, text->size, to);
    ga__buffer_free(text);
    return to == stdout ? finish_stdout(code) : code;
}

static int tell(const ga__options *options)
{
    ga__buffer text = GA__BUFFER_INIT;

    switch (options->command) {
    case GA__COMMAND_VERSION:
        ga__append_version(&text);
        return print(&text, stdout, 0);
    case GA__COMMAND_COMPLETION:
        ga__append_completion(&text, options->shell);
        return print(&text, stdout, 0);
    case GA__COMMAND_USAGE:
        ga__append_usage(&text);
        ga__buffer_add(&text, "`gather --help` tells the options.\n");
        return print(&text, stderr, EXIT_USAGE);
    default:
        break;
    }
    if (options->topic && strcmp(options->topic, "all") != 0)
        ga__append_help_of(&text, ga__option_named(ga__slice_of(options->topic)));
    else
        ga__append_help(&text, options->topic != NULL);
    return print(&text, stdout, 0);
}

static int read_journal(const ga__options *options)
{
    char *problem = NULL;
    int code = options->command == GA__COMMAND_REPORT
                   ? ga__report_run(options->out, options->html, stdout, &problem)
                   : ga__failed_run(options->out, stdout, &problem);

    if (code != 0 && !ferror(stdout))
        return complain(problem, code);
    free(problem);
    return finish_stdout(code);
}

/* --- signals -------------------------------------------------------------------------------------- */

/* The job that signals are for; there is one in a process. */
static ga__job *_Atomic running;
static atomic_int stops; /* how often it was asked to stop */
static atomic_int last_stop;
static atomic_bool wants_status;

/* The first stops the job in order; the second what is under way, too; a third is for a job that hangs. */
static void on_stop(int number)
{
    int saved = errno;
    ga__job *job = running;

    last_stop = number;
    if (++stops > 2 || !job) {
        ga__screen_abandon();
        _exit(128 + number);
    }
    ga__job_stop(job);
    errno = saved;
}

static void on_status(int number)
{
    (void)number;
    wants_status = true;
}

static void handle_signals(ga__job *job)
{
    struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
    struct sigaction status = {.sa_handler = on_status, .sa_flags = SA_RESTART};

    running = job;
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGUSR1, &status, NULL);
}

/* --- the job -------------------------------------------------------------------------------------- */

typedef struct view {
    ga__screen *screen;
    ga__job_status *status; /* large: on the heap */
} view;

static void watch(void *arg, ga__job *job)
{
    view *seen = arg;

    ga__job_look(job, seen->status);
    if (atomic_exchange(&wants_status, false))
        ga__screen_tell(seen->screen, seen->status);
    ga__screen_draw(seen->screen, seen->status);
}

/* Why the job ended, and where it can go on, what does that; the caller's to free. */
static char *tell_reason(char *reason, int code, const ga__options *options, const ga__job_status *status)
{
    size_t size = reason ? strlen(reason) : 0;
    const char *before =
        code == EXIT_WRITE ? "What was written is whole; when there is room again, the" : "The";
    char *told;

    if ((code != EXIT_STOPPED && code != EXIT_WRITE) || !status->kept || size == 0)
        return reason;
    told = ga_format("%s%s %s same command%s goes on.", reason, strchr(".?!", reason[size - 1]) ? "" : ".",
                     before,
                     options->job.resume  ? ""
                     : options->job.fresh ? " with --resume in place of --fresh"
                                          : " with --resume");
    if (!told)
        return reason;
    free(reason);
    return told;
}

static int run_job(ga__job *job, const ga__options *options)
{
    const ga__screen_options look = {.mode = (ga__screen_mode)options->progress,
                                     .quiet = options->quiet,
                                     .verbose = options->verbose,
                                     .err = stderr,
                                     .job = &options->job};
    view seen = {ga__screen_new(&look), malloc(sizeof *seen.status)};
    char *reason = NULL;

    if (!seen.screen || !seen.status) {
        free(seen.screen);
        free(seen.status);
        return complain(NULL, EXIT_WRITE);
    }
    handle_signals(job);
    int code = ga__job_run(job, ga__screen_each(seen.screen), watch, &seen, &reason);

    ga__job_look(job, seen.status);
    reason = tell_reason(reason, code, options, seen.status);
    bool quietly = code == EXIT_WRITE && !options->job.output && reader_has_gone();

    ga__screen_end(seen.screen, seen.status, code, quietly ? NULL : reason);
    free(reason);
    free(seen.status);
    return stops > 1 ? 128 + last_stop : code;
}

static int run(ga__options *options)
{
    char *problem = NULL;
    int code = EXIT_USAGE;

    if (!ga__options_ask_password(options, &problem))
        return complain(problem, EXIT_USAGE);
    if (options->job.trace) /* the library's own */
        setenv("GATHER_TRACE", "1", 1);
    else
        unsetenv("GATHER_TRACE");
    ga__job *job = options->dry_run ? ga__job_new_dry(&options->job, &code, &problem)
                                    : ga__job_new(&options->job, &code, &problem);

    if (!job)
        return complain(problem, code);
    if (options->dry_run) {
        code = ga__job_dry_run(job, stdout, DRY_RUN_REQUESTS, &problem);
        code = code != 0 ? complain(problem, code) : finish_stdout(code);
    } else {
        code = run_job(job, options);
    }
    running = NULL;
    ga__job_free(job);
    return code;
}

int main(int argc, char **argv)
{
    ga__options options;
    char *problem = NULL;
    int code;

    /* A pipe whose reader has gone, and a file that may not grow, are told as errors where they are written
     * to. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (!ga__options_read(&options, argc, argv, &problem))
        code = complain(problem, EXIT_USAGE);
    else if (options.command == GA__COMMAND_RUN)
        code = run(&options);
    else if (options.command == GA__COMMAND_REPORT || options.command == GA__COMMAND_FAILED)
        code = read_journal(&options);
    else
        code = tell(&options);
    ga__options_free(&options);
    return code;
}
