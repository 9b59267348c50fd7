/* SPDX-License-Identifier: MIT */
/*
 * `gather report`: the journal is read once, entry by entry, into sums of a fixed size; from these the text
 * and the page are made. What is in the journal came from servers and inputs: it is shown, never obeyed.
 */
#include "cli/report.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "bulk/json.h"
#include "bulk/plan.h"
#include "cli/figures.h"
#include "cli/histogram.h"
#include "cli/report_parts.h"
#include "cli/summary.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ID_MOST = 100, MESSAGE_MOST = 400 };

const char *ga__report_state(const ga__report *report)
{
    return report->running ? "running" : report->summary.total > 0 ? "finished" : "not finished";
}

double ga__report_seconds(const ga__report *report)
{
    int64_t ms = report->ended_at - report->summary.began_at;

    return ms > 0 ? (double)ms / 1000 : 0;
}

/* --- collecting ----------------------------------------------------------------------------------- */

static char *copy_text(const char *text, size_t size, size_t most)
{
    return size > 0 ? strndup(text, size < most ? size : most) : NULL;
}

/* As a person reads it: without the quotes, where it is a string of JSON. */
static char *copy_id(ga__slice id)
{
    ga__json_problem wrong;
    ga__buffer text = GA__BUFFER_INIT;
    char *copy;

    if (id.size == 0 || !ga__json_check(id, &wrong) || !ga__json_is(id, GA__JSON_STRING))
        return copy_text(id.data, id.size, ID_MOST);
    ga__json_append_unquoted(&text, id);
    copy = text.failed ? NULL : copy_text(text.data, text.size, ID_MOST);
    ga__buffer_free(&text);
    return copy;
}

static bool take_record(void *arg, const ga__record *record)
{
    ga__report *report = arg;

    ga__stats_add(&report->stats, record);
    ga__timeline_add(&report->timeline, record);
    if (record->ok || report->failure_count == GA__REPORT_FAILURES)
        return true;
    report->failures[report->failure_count++] = (ga__report_failure){
        .n = record->n,
        .page = record->page,
        .status = record->status,
        .attempts = record->attempts,
        .kind = record->kind,
        .at = record->at,
        .id = copy_id(record->id),
        .message = copy_text(record->message, strlen(record->message), MESSAGE_MOST),
    };
    return true;
}

/* A job holds a lock on its output while it is at work; one that begins waits until this has looked. */
static bool is_running(const char *output)
{
    int fd = open(output, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;

    if (fd >= 0)
        close(fd);
    return locked;
}

static int read_journal(ga__report *report, ga__journal *journal, char **problem)
{
    ga__journal_summarize(journal, &report->summary);
    report->timeline.began = report->summary.began_at;
    report->timeline.latest = ga__wall_ms();
    int code = ga__journal_each(journal, take_record, report, problem);

    ga__timeline_settle(&report->timeline);
    report->ended_at = report->summary.changed_at;
    if (report->ended_at < report->stats.last_at)
        report->ended_at = report->stats.last_at;
    if (report->ended_at < report->summary.began_at) /* nothing has come of it yet */
        report->ended_at = report->summary.began_at;
    return code;
}

/* A job may be named by what its -o said, by the journal, or by the directory that it fills. */
static char *find_output(const char *named)
{
    static const char end[] = ".journal";
    struct stat about;
    size_t size = strlen(named);

    if (size >= sizeof end && strcmp(named + size - (sizeof end - 1), end) == 0)
        return strndup(named, size - (sizeof end - 1));
    if (stat(named, &about) == 0 && S_ISDIR(about.st_mode))
        return ga_format("%s%sindex.jsonl", named, named[size - 1] == '/' ? "" : "/");
    return ga__plan_index(named);
}

static ga__journal *open_journal(const char *output, int *code, char **problem)
{
    ga__journal_options options = {
        .output = output, .form = ga__output_form_of(output), .mode = GA__JOURNAL_READ};
    bool database = options.form == GA__OUTPUT_DB;
    char *path = database ? strdup(output) : ga_format("%s.journal", output);

    *problem = NULL;
    *code = path ? 2 : 4;
    if (!path)
        return NULL;
    if (access(path, F_OK) == 0) {
        free(path);
        return ga__journal_open(&options, NULL, code, problem);
    }
    if (access(output, F_OK) == 0)
        *problem =
            ga_format("%s has no journal: there is no %s. The journal is written beside the output, by "
                      "gather -o %s",
                      output, path, output);
    else
        *problem =
            ga_format("there is no job with the output %s: name the file that gather -o wrote", output);
    free(path);
    return NULL;
}

ga__journal *ga__report_journal(const char *output, int *code, char **problem)
{
    char *found = find_output(output);
    ga__journal *journal = NULL;

    *problem = NULL;
    *code = 4;
    if (found)
        journal = open_journal(found, code, problem);
    free(found);
    return journal;
}

static void report_free(ga__report *report)
{
    if (report)
        free(report->output);
    for (size_t i = 0; report && i < report->failure_count; i++) {
        free(report->failures[i].id);
        free(report->failures[i].message);
    }
    free(report);
}

static ga__report *collect(const char *output, int *code, char **problem)
{
    ga__report *report = calloc(1, sizeof *report);
    char *closing = NULL;

    *problem = NULL;
    *code = 4;
    if (report)
        report->output = find_output(output);
    if (report && report->output) /* before SQLite opens it, whose locks the file's closing would take away */
        report->running = is_running(report->output);
    ga__journal *journal = report && report->output ? open_journal(report->output, code, problem) : NULL;

    if (journal) {
        *code = read_journal(report, journal, problem);
        ga__journal_close(journal, 0, &closing);
        free(closing);
    }
    if (journal && *code == 0)
        return report;
    report_free(report);
    return NULL;
}

/* --- as text -------------------------------------------------------------------------------------- */

static void append_text(ga__buffer *out, const ga__report *report, const ga__terminal *terminal)
{
    ga__summary summary = {
        .stats = &report->stats,
        .total = report->summary.total,
        .seconds = ga__report_seconds(report),
        .all = true,
    };

    ga__utf8_append_clean(out, ga__slice_of(report->output));
    ga__buffer_printf(out, ": %s\nbegan ", ga__report_state(report));
    ga__append_time(out, report->summary.began_at, GA__DATE_AND_TIME);
    ga__buffer_add(out, ", last ");
    ga__append_time(out, report->ended_at, GA__DATE_AND_TIME);
    ga__buffer_add(out, " UTC\n\n");
    ga__summary_append(out, &summary, terminal);
    if (report->stats.service.count == 0)
        return;
    ga__buffer_add(out, "\nservice time, in steps from\n");
    ga__histogram_append(out, &report->stats.service, terminal);
}

/* --- writing -------------------------------------------------------------------------------------- */

static int write_to(FILE *to, const char *name, const ga__buffer *text, char **problem)
{
    if (fwrite(text->data, 1, text->size, to) == text->size && fflush(to) == 0)
        return 0;
    *problem = ga_format("cannot write %s: %s", name, strerror(errno));
    return 4;
}

static int write_page(const char *path, const ga__buffer *text, char **problem)
{
    FILE *file = fopen(path, "we");
    int code = 4;

    if (file) {
        code = write_to(file, path, text, problem);
        if (fclose(file) == 0 || code != 0)
            return code;
    }
    *problem = ga_format("cannot write %s: %s", path, strerror(errno));
    return 4;
}

int ga__report_run(const char *output, const char *html, FILE *to, char **problem)
{
    int code;
    ga__buffer text = GA__BUFFER_INIT;
    ga__terminal terminal;
    ga__report *report = collect(output, &code, problem);

    if (!report)
        return code;
    if (html) {
        ga__report_page(&text, report);
    } else {
        ga__terminal_look(&terminal, to);
        append_text(&text, report, &terminal);
    }
    if (text.failed)
        code = 4;
    else
        code = html && strcmp(html, "-") != 0 ? write_page(html, &text, problem)
                                              : write_to(to, "the report", &text, problem);
    ga__buffer_free(&text);
    report_free(report);
    return code;
}
