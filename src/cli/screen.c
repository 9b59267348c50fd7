/* SPDX-License-Identifier: MIT */
/*
 * The screen: what is shown when, in which form. It is called from the job's watch, so it writes only what a
 * terminal takes without waiting; lines are for logs and are written as they come.
 */
#include "cli/screen.h"

#include "base/utf8.h"
#include "bulk/json.h"
#include "cli/figures.h"
#include "cli/progress.h"
#include "cli/summary.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct ga__screen {
    ga__screen_options options;
    ga__screen_mode mode; /* AUTO: a live region */
    ga__terminal terminal;
    ga__pulse pulse;
    bool drawn;       /* there is a region */
    double shown_at;  /* of the status' clock: when something was shown last */
    ga__buffer text;  /* what is written next */
    ga__buffer above; /* lines to stand above the region, which the terminal did not take yet */
};

static const double least_between[] = {
    [GA__SCREEN_AUTO] = 0.095, [GA__SCREEN_PLAIN] = 30, [GA__SCREEN_JSON] = 10, [GA__SCREEN_NONE] = 1e18};

/* The descriptor that has a region now, or -1: for the signal's handler. */
static volatile sig_atomic_t drawn_fd = -1;

/* ^Z: the shell's lines are not to stand within the region. It goes on from there with SIGCONT. */
static void on_stop(int signal)
{
    int error = errno;

    (void)signal;
    ga__screen_abandon();
    kill(getpid(), SIGSTOP);
    errno = error;
}

/* Unless ^Z is ignored, or somebody else's. */
static void watch_stops(bool watch)
{
    struct sigaction now, wanted = {.sa_flags = SA_RESTART};

    wanted.sa_handler = watch ? on_stop : SIG_DFL;
    if (sigaction(SIGTSTP, NULL, &now) == 0 && now.sa_handler == (watch ? SIG_DFL : on_stop))
        sigaction(SIGTSTP, &wanted, NULL);
}

ga__screen *ga__screen_new(const ga__screen_options *options)
{
    ga__screen *screen = calloc(1, sizeof *screen);

    if (!screen)
        return NULL;
    screen->options = *options;
    if (!screen->options.err)
        screen->options.err = stderr;
    ga__terminal_look(&screen->terminal, screen->options.err);
    if (options->columns > 0)
        screen->terminal = (ga__terminal){.live = true,
                                          .colours = screen->terminal.colours,
                                          .utf8 = screen->terminal.utf8,
                                          .columns = options->columns,
                                          .rows = options->rows};
    screen->mode = options->quiet ? GA__SCREEN_NONE : options->mode;
    if (screen->mode == GA__SCREEN_AUTO && !screen->terminal.live)
        screen->mode = GA__SCREEN_PLAIN;
    if (screen->mode == GA__SCREEN_AUTO)
        watch_stops(true);
    return screen;
}

/* Writes the text, and empties it. */
static void write_out(ga__screen *screen)
{
    if (!screen->text.failed && screen->text.size > 0)
        fwrite(screen->text.data, 1, screen->text.size, screen->options.err);
    fflush(screen->options.err);
    ga__buffer_free(&screen->text);
}

/* Appends the end of the region: what follows stands in its place. */
static void clear_region(ga__screen *screen)
{
    if (screen->drawn)
        ga__buffer_add(&screen->text, "\r\x1b[J");
    screen->drawn = false;
    drawn_fd = -1;
}

/* The lines that came meanwhile, then the region, in one piece. */
static void draw_region(ga__screen *screen, const ga__job_status *status)
{
    if (!ga__terminal_ready(screen->options.err))
        return;
    if (screen->options.columns == 0)
        ga__terminal_measure(&screen->terminal, screen->options.err);
    if (screen->above.size > 0)
        clear_region(screen);
    ga__buffer_append(&screen->text, screen->above.data, screen->above.size);
    ga__buffer_free(&screen->above);
    ga__progress_region(&screen->text, status, &screen->pulse, &screen->terminal);
    screen->drawn = true;
    drawn_fd = fileno(screen->options.err);
    write_out(screen);
}

double ga__screen_each(const ga__screen *screen)
{
    return screen && screen->mode == GA__SCREEN_AUTO ? 0.1 : 0.25;
}

void ga__screen_draw(ga__screen *screen, const ga__job_status *status)
{
    if (!screen)
        return;
    /* a job that is done in no time has no region that flickers */
    double first = screen->mode == GA__SCREEN_AUTO ? 0.3 : least_between[screen->mode];

    ga__pulse_take(&screen->pulse, status);
    if (status->seconds < screen->shown_at + (screen->shown_at > 0 ? least_between[screen->mode] : first))
        return;
    screen->shown_at = status->seconds;
    if (screen->mode == GA__SCREEN_AUTO) {
        draw_region(screen, status);
    } else if (screen->mode == GA__SCREEN_JSON) {
        ga__buffer_add(&screen->text, "{\"event\":\"progress\",");
        ga__progress_json(&screen->text, status, &screen->pulse);
        ga__buffer_add(&screen->text, "}\n");
        write_out(screen);
    } else {
        ga__screen_tell(screen, status);
    }
}

/* A line of text: kept until the next drawing where there is a region. */
static void add_line(ga__screen *screen, ga__buffer *line)
{
    ga__buffer *to = screen->drawn ? &screen->above : &screen->text;

    if (!line->failed)
        ga__buffer_append(to, line->data, line->size);
    ga__buffer_add_char(to, '\n');
    ga__buffer_free(line);
    if (!screen->drawn)
        write_out(screen);
}

void ga__screen_tell(ga__screen *screen, const ga__job_status *status)
{
    ga__buffer line = GA__BUFFER_INIT;

    if (!screen)
        return;
    ga__progress_line(&line, status, &screen->pulse);
    add_line(screen, &line);
}

void ga__screen_say(ga__screen *screen, const char *format, ...)
{
    ga__buffer line = GA__BUFFER_INIT, said = GA__BUFFER_INIT;
    va_list arguments;

    if (!screen)
        return;
    va_start(arguments, format);
    ga__buffer_vprintf(&said, format, arguments);
    va_end(arguments);
    if (!said.failed && said.size > 0)
        ga__utf8_append_clean(&line, ga__slice_of(said.data));
    ga__buffer_free(&said);
    add_line(screen, &line);
}

/* --- the end -------------------------------------------------------------------------------------- */

static const char *output_of(const ga__screen *screen)
{
    return screen->options.job ? screen->options.job->output : NULL;
}

static void add_text(ga__screen *screen, ga__style style, const char *text)
{
    ga__lines lines = {.out = &screen->text,
                       .width = (size_t)screen->terminal.columns,
                       .colours = screen->terminal.colours,
                       .end = "\n"};
    ga__buffer clean = GA__BUFFER_INIT;

    ga__utf8_append_clean(&clean, ga__slice_of(text));
    if (!clean.failed && clean.size > 0)
        ga__lines_text(&lines, style, clean.data);
    ga__lines_break(&lines);
    ga__buffer_free(&clean);
}

/* The name as a shell takes it. */
static void append_quoted(ga__buffer *out, const char *name)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./%+=:,@";

    if (*name && name[strspn(name, plain)] == 0) {
        ga__buffer_add(out, name);
        return;
    }
    ga__buffer_add_char(out, '\'');
    for (; *name; name++)
        if (*name == '\'')
            ga__buffer_add(out, "'\\''");
        else
            ga__buffer_add_char(out, *name);
    ga__buffer_add_char(out, '\'');
}

/* What to do about the rows that failed. */
static void add_advice(ga__screen *screen, const ga__job_status *status)
{
    ga__buffer advice = GA__BUFFER_INIT;
    const char *output = output_of(screen);

    if (ga__stats_failed(&status->stats) == 0)
        return;
    if (status->kept && output) {
        ga__buffer_add(&advice, "To see the rows that failed: gather failed ");
        append_quoted(&advice, output);
        ga__buffer_add(&advice, ". To try them again: the same command with --retry-failed.");
    } else {
        ga__buffer_add(&advice, "With -o FILE, rows that failed can be listed (gather failed FILE) and tried "
                                "again (--retry-failed).");
    }
    if (!advice.failed)
        add_text(screen, GA__PLAIN, advice.data);
    ga__buffer_free(&advice);
}

static void add_json_end(ga__screen *screen, const ga__job_status *status, int code, const char *reason)
{
    const char *output = output_of(screen);

    ga__buffer_printf(&screen->text, "{\"event\":\"end\",\"code\":%d,\"reason\":", code);
    if (reason)
        ga__json_append_quoted(&screen->text, ga__slice_of(reason));
    else
        ga__buffer_add(&screen->text, "null");
    ga__buffer_add(&screen->text, ",\"output\":");
    if (output)
        ga__json_append_quoted(&screen->text, ga__slice_of(output));
    else
        ga__buffer_add(&screen->text, "null");
    ga__buffer_add_char(&screen->text, ',');
    ga__progress_json(&screen->text, status, &screen->pulse);
    ga__buffer_add(&screen->text, "}\n");
}

static void add_summary(ga__screen *screen, const ga__job_status *status)
{
    ga__summary summary = {
        .stats = &status->stats,
        .total = status->total,
        .seconds = status->seconds,
        .output = output_of(screen),
        .all = screen->options.verbose,
    };

    ga__summary_append(&screen->text, &summary, &screen->terminal);
    add_advice(screen, status);
}

static void add_reason(ga__screen *screen, const char *reason)
{
    ga__buffer text = GA__BUFFER_INIT;

    ga__buffer_add(&text, "gather: ");
    ga__buffer_add(&text, reason);
    if (!text.failed)
        add_text(screen, GA__BAD, text.data);
    ga__buffer_free(&text);
}

/* What cannot be left unsaid: why the job ended early, and that rows failed. */
static void add_least(ga__screen *screen, const ga__job_status *status)
{
    uint64_t failed = ga__stats_failed(&status->stats);
    ga__buffer text = GA__BUFFER_INIT;

    if (failed == 0)
        return;
    ga__append_count(&text, failed);
    ga__buffer_add(&text, " of ");
    ga__append_count(&text, status->stats.rows);
    ga__buffer_add(&text, " rows failed");
    if (!text.failed)
        add_reason(screen, text.data);
    ga__buffer_free(&text);
}

void ga__screen_end(ga__screen *screen, const ga__job_status *status, int code, const char *reason)
{
    if (!screen)
        return;
    ga__pulse_take(&screen->pulse, status);
    clear_region(screen);
    ga__buffer_append(&screen->text, screen->above.data, screen->above.size);
    if (screen->options.columns == 0)
        ga__terminal_measure(&screen->terminal, screen->options.err);
    if (screen->mode == GA__SCREEN_JSON) {
        add_json_end(screen, status, code, reason);
    } else {
        if (screen->options.quiet)
            add_least(screen, status);
        else
            add_summary(screen, status);
        if (reason)
            add_reason(screen, reason);
    }
    write_out(screen);
    watch_stops(false);
    ga__buffer_free(&screen->above);
    free(screen);
}

void ga__screen_abandon(void)
{
    static const char clear[] = "\r\x1b[J";
    int fd = drawn_fd;

    if (fd >= 0 && write(fd, clear, sizeof clear - 1) < 0)
        return; /* there is nothing else to do about it */
}
