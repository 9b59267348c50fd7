/* SPDX-License-Identifier: MIT */
/*
 * The inputs of a job, one after the other. Every file is opened and looked at before the first row is read,
 * so that what makes no sense is said before anything is sent; then one at a time is open.
 */
#include "bulk/input.h"

#include "base/ascii.h"
#include "base/buffer.h"
#include "base/problem.h"
#include "base/utf8.h"
#include "bulk/csv.h"
#include "bulk/glob.h"
#include "bulk/json.h"
#include "bulk/pieces.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_ROW = 64 << 20, EXCERPT = 200, ENOUGH = 4096 };

typedef enum source_form { SOURCE_URL, SOURCE_LINES, SOURCE_JSON, SOURCE_CSV, SOURCE_TSV } source_form;

typedef struct source {
    const char *name;
    ga__glob *glob; /* SOURCE_URL */
    source_form form;
    bool regular;
    uint64_t size;
} source;

struct ga__input {
    ga__input_options options;
    size_t count, at; /* sources, and the one that is read */
    bool open;        /* it is */
    source *sources;
    ga__buffer url, message;
    ga__pieces pieces;
    ga__csv csv;
    ga__buffer head_text;
    ga__slice *head; /* the columns of the file that is read */
    size_t columns;
    ga__buffer first_text; /* those of the first */
    ga__slice *first;
    size_t first_columns;
    uint64_t rows;
    _Atomic uint64_t done_bytes; /* of files that were read whole */
    uint64_t all_bytes;          /* 0: not known */
    int stop_fd;
    atomic_bool stopped;
};

/* --- heads of CSV files --------------------------------------------------------------------------- */

/* Copies the record read last. */
static bool keep_head(const ga__csv *csv, ga__buffer *text, ga__slice **head, size_t *count)
{
    size_t at = 0;

    ga__buffer_clear(text);
    ga__buffer_append(text, csv->text.data, csv->text.size);
    ga__slice *kept = reallocarray(*head, csv->count, sizeof *kept);

    if (!kept || text->failed)
        return false;
    for (size_t i = 0; i < csv->count; i++) {
        kept[i] = (ga__slice){text->data + at, csv->fields[i].size};
        at += kept[i].size;
    }
    *head = kept;
    *count = csv->count;
    return true;
}

/* Takes the first line of a record that is longer than one may be. @return 2: its quotes do not close; 3: the
 * line itself is too long; else as read_record */
static int skip_record(ga__input *input)
{
    ga__slice line;
    int code = ga__pieces_line(&input->pieces, LONGEST_ROW, &line);

    return code < 0 ? code : code == 1 ? 2 : 3;
}

/* The next record. @return 1; 0 at the end; 2: it is broken; 3: it is too long; -1 with errno, -2 stopped */
static int read_record(ga__input *input)
{
    for (;;) {
        ga__slice there = ga__pieces_there(&input->pieces);
        size_t consumed;

        if (there.size == 0 && input->pieces.ended)
            return 0;
        ga__csv_result result =
            there.size > 0 ? ga__csv_read(&input->csv, there.data, there.size, input->pieces.ended, &consumed)
                           : GA__CSV_MORE;

        if (result == GA__CSV_NOMEM)
            return errno = ENOMEM, -1;
        if (result != GA__CSV_MORE) {
            ga__pieces_take(&input->pieces, consumed, input->csv.lines);
            return result == GA__CSV_RECORD ? 1 : 2;
        }
        if (there.size > LONGEST_ROW)
            return skip_record(input);
        int code = ga__pieces_read(&input->pieces);

        if (code < 0)
            return code;
    }
}

static bool is_blank_record(const ga__csv *csv)
{
    return csv->count == 1 && csv->fields[0].size == 0;
}

/* Reads the file's first record, which names the columns. */
static int read_head(ga__input *input)
{
    int code;

    do
        code = read_record(input);
    while (code == 1 && is_blank_record(&input->csv));
    if (code == 1 && !keep_head(&input->csv, &input->head_text, &input->head, &input->columns))
        return errno = ENOMEM, -1;
    return code;
}

/* --- opening -------------------------------------------------------------------------------------- */

static source_form form_of_name(const char *name)
{
    static const struct {
        const char *extension;
        source_form form;
    } forms[] = {{".jsonl", SOURCE_JSON},
                 {".ndjson", SOURCE_JSON},
                 {".json", SOURCE_JSON},
                 {".csv", SOURCE_CSV},
                 {".tsv", SOURCE_TSV}};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (ga__ascii_has_extension(ga__slice_of(name), forms[i].extension))
            return forms[i].form;
    return SOURCE_LINES;
}

/* The text without the mark that it may begin with, and blanks. */
static ga__slice without_blanks(ga__slice text)
{
    return ga__slice_trim(ga__utf8_behind_mark(text), " \t\r\n");
}

/* The first character that is no blank, or NUL. */
static char first_char(ga__slice text)
{
    text = without_blanks(text);
    return text.size > 0 ? *text.data : '\0';
}

/* Whether that can be a JSON array of rows: a column's name may begin with a bracket, too. */
static bool is_array(ga__slice text)
{
    text = without_blanks(text);
    if (text.size == 0 || *text.data != '[')
        return false;
    ga__slice_take(&text, 1);
    char second = first_char(text);

    return second == '\0' || ga__is_one_of(second, "{[\"]");
}

/* What standard input is, by what it begins with. */
static source_form form_of_bytes(const ga__input *input, ga__slice there)
{
    char first = first_char(there);
    bool array = is_array(there);
    ga__slice line = ga__slice_take_to(&there, '\n');

    if (first == '{' || first == '"' || array)
        return SOURCE_JSON;
    if (!input->options.has_template)
        return SOURCE_LINES;
    return line.size > 0 && memchr(line.data, '\t', line.size) ? SOURCE_TSV : SOURCE_CSV;
}

/* Reads until there is a line, or more than enough to tell a form by. @return as ga__pieces_read */
static int read_first_line(ga__pieces *pieces)
{
    int code;

    do {
        code = ga__pieces_read(pieces);
        ga__slice there = ga__pieces_there(pieces);

        if (there.size >= ENOUGH || (there.size > 0 && memchr(there.data, '\n', there.size)))
            break;
    } while (code > 0);
    return code;
}

static bool is_columns(source_form form)
{
    return form == SOURCE_CSV || form == SOURCE_TSV;
}

static int open_file(const source *from)
{
    return strcmp(from->name, "-") == 0 ? STDIN_FILENO : open(from->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

static void close_source(ga__input *input)
{
    input->done_bytes += input->sources[input->at].regular ? input->pieces.taken : 0;
    input->pieces.taken = 0;
    ga__pieces_end(&input->pieces);
    ga__csv_free(&input->csv);
    input->csv = (ga__csv){0};
    input->open = false;
}

/* Opens the present source, and reads the head of one that has columns. @return 1, 0: it is empty, and else
 * as read_record */
static int open_source(ga__input *input)
{
    source *from = &input->sources[input->at];
    int fd = open_file(from), code = 1;

    if (fd < 0)
        return -1;
    ga__pieces_begin(&input->pieces, fd, input->stop_fd);
    input->open = true;
    if (fd == STDIN_FILENO) {
        code = read_first_line(&input->pieces);
        from->form = form_of_bytes(input, ga__pieces_there(&input->pieces));
    }
    ga__csv_init(&input->csv, from->form == SOURCE_TSV ? '\t' : ',');
    return code >= 0 && is_columns(from->form) ? read_head(input) : code;
}

/* --- a first look --------------------------------------------------------------------------------- */

static bool failed_to_read(const char *name, char **problem)
{
    return ga__say(false, problem, "cannot read %s: %s", name, strerror(errno));
}

/* Whether the beginning of the file is what a file of rows begins with. */
static bool look_at_beginning(const source *from, ga__slice there, char **problem)
{
    bool is_stdin = strcmp(from->name, "-") == 0;
    const char *name = is_stdin ? "standard input" : from->name, *blank = is_stdin ? "" : " ",
               *file = is_stdin ? "" : from->name;

    if (there.size >= 2 && memcmp(there.data, "\x1f\x8b", 2) == 0)
        return ga__say(false, problem, "%s is compressed: `zcat%s%s | gather -` reads it", name, blank, file);
    if (there.size > 0 && memchr(there.data, '\0', there.size))
        return ga__say(false, problem, "%s is not a text: it has a NUL byte", name);
    if (from->form == SOURCE_JSON && first_char(there) == '[')
        return ga__say(
            false, problem,
            "%s holds one JSON array; a row a line is expected: `jq -c '.[]'%s%s | gather -` reads it", name,
            blank, file);
    return true;
}

/* Opens the present file, looks at it, and closes it. */
static bool look_at_file(ga__input *input, char **problem)
{
    const source *from = &input->sources[input->at];
    bool good = false;
    int code = open_source(input);

    if (code == -1)
        failed_to_read(from->name, problem);
    else if (is_columns(from->form) && code != 1)
        *problem = ga_format("%s has no head: its first line is to name the columns", from->name);
    else if (is_columns(from->form) && !input->first &&
             !keep_head(&input->csv, &input->first_text, &input->first, &input->first_columns))
        *problem = NULL;
    else
        good = is_columns(from->form) || ga__pieces_read(&input->pieces) >= 0 ||
               failed_to_read(from->name, problem);
    good = good && look_at_beginning(from, ga__pieces_there(&input->pieces), problem);
    if (input->open)
        close_source(input);
    input->done_bytes = 0;
    return good;
}

/* Standard input stays open, since it can be read but once. */
static bool look_at_stdin(ga__input *input, char **problem)
{
    int code = open_source(input);
    const source *from = &input->sources[input->at];

    if (code == -1)
        return failed_to_read("standard input", problem);
    if (!is_columns(from->form))
        return look_at_beginning(from, ga__pieces_there(&input->pieces), problem);
    if (code != 1)
        return ga__say(false, problem, "standard input has no head: its first line is to name the columns");
    return input->first || keep_head(&input->csv, &input->first_text, &input->first, &input->first_columns);
}

static bool add_file(ga__input *input, source *added, char **problem)
{
    struct stat about;

    if (stat(added->name, &about) < 0)
        return ga__say(false, problem,
                       "%s: %s; an input is a file, a URL as https://%s, or - for standard input",
                       added->name, strerror(errno), strstr(added->name, ".") ? added->name : "example.org/");
    if (S_ISDIR(about.st_mode))
        return ga__say(false, problem, "%s is a directory; name the files in it", added->name);
    added->form = form_of_name(added->name);
    added->regular = S_ISREG(about.st_mode);
    added->size = added->regular ? (uint64_t)about.st_size : 0;
    return !added->regular || look_at_file(input, problem);
}

static bool is_url(const ga__input *input, const char *name)
{
    return strstr(name, "://") || (input->options.has_base && name[0] == '/' && access(name, F_OK) < 0);
}

static bool add_source(ga__input *input, const char *name, char **problem)
{
    source *added = &input->sources[input->at];

    *added = (source){.name = name};
    if (is_url(input, name)) {
        added->glob = ga__glob_parse(name, input->options.no_globs, problem);
        return added->glob != NULL;
    }
    return strcmp(name, "-") == 0 || add_file(input, added, problem);
}

static bool add_sources(ga__input *input, char **problem)
{
    bool all_regular = true, reads_stdin = false;

    for (size_t i = 0; i < input->options.count; i++) {
        const char *name = input->options.names[i];

        input->at = i;
        input->count = i + 1;
        if (strcmp(name, "-") == 0 && reads_stdin)
            return ga__say(false, problem, "standard input (-) is named twice");
        reads_stdin |= strcmp(name, "-") == 0;
        if (!add_source(input, name, problem))
            return false;
        all_regular &= input->sources[i].glob || input->sources[i].regular;
        input->all_bytes += input->sources[i].size;
    }
    if (!all_regular)
        input->all_bytes = 0;
    for (input->at = 0; reads_stdin && strcmp(input->sources[input->at].name, "-") != 0; input->at++)
        ;
    if (reads_stdin && input->at == 0 && !look_at_stdin(input, problem))
        return false;
    input->at = 0;
    return true;
}

ga__input *ga__input_open(const ga__input_options *options, char **problem)
{
    ga__input *input = calloc(1, sizeof *input);

    *problem = NULL;
    if (!input)
        return NULL;
    input->options = *options;
    input->pieces.fd = -1;
    input->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    input->sources = calloc(options->count ? options->count : 1, sizeof *input->sources);
    if (input->stop_fd < 0)
        *problem = ga_format("no event descriptor: %s", strerror(errno));
    else if (input->sources && add_sources(input, problem))
        return input;
    ga__input_free(input);
    return NULL;
}

void ga__input_free(ga__input *input)
{
    if (!input)
        return;
    for (size_t i = 0; input->sources && i < input->count; i++)
        ga__glob_free(input->sources[i].glob);
    ga__pieces_end(&input->pieces);
    ga__csv_free(&input->csv);
    ga__buffer_free(&input->url);
    ga__buffer_free(&input->message);
    ga__buffer_free(&input->head_text);
    ga__buffer_free(&input->first_text);
    free(input->head);
    free(input->first);
    free(input->sources);
    if (input->stop_fd >= 0)
        close(input->stop_fd);
    free(input);
}

const ga__slice *ga__input_columns(const ga__input *input, size_t *count)
{
    *count = input->first_columns;
    return input->first;
}

uint64_t ga__input_count(const ga__input *input)
{
    uint64_t count = 0;

    for (size_t i = 0; i < input->count; i++)
        if (!input->sources[i].glob ||
            __builtin_add_overflow(count, ga__glob_count(input->sources[i].glob), &count))
            return 0;
    return count;
}

double ga__input_progress(const ga__input *input)
{
    return input->all_bytes > 0 ? (double)(input->done_bytes + input->pieces.taken) / (double)input->all_bytes
                                : -1;
}

bool ga__input_may_block(const ga__input *input)
{
    for (size_t i = 0; i < input->count; i++)
        if (!input->sources[i].glob && !input->sources[i].regular)
            return true;
    return false;
}

/* --- rows ----------------------------------------------------------------------------------------- */

static int bad_row(ga__input *input, ga__raw_row *row, ga__slice text, const char *format, ...)
    GA_PRINTF(4, 5);
static int bad_row(ga__input *input, ga__raw_row *row, ga__slice text, const char *format, ...)
{
    va_list arguments;

    ga__buffer_clear(&input->message);
    va_start(arguments, format);
    ga__buffer_vprintf(&input->message, format, arguments);
    va_end(arguments);
    row->form = GA__ROW_BAD;
    row->text = (ga__slice){text.data, text.size < EXCERPT ? text.size : EXCERPT};
    row->problem = input->message.data ? input->message.data : "";
    return 1;
}

static int take_json(ga__input *input, ga__raw_row *row, ga__slice text)
{
    ga__json_problem problem;

    row->form = GA__ROW_JSON;
    row->text = text;
    if (!ga__json_check(text, &problem))
        return bad_row(input, row, text, "not JSON, at character %zu: %s", problem.at + 1, problem.what);
    if (!ga__json_is(text, GA__JSON_OBJECT) && !ga__json_is(text, GA__JSON_STRING))
        return bad_row(input, row, text, "an object, or a string that is a URL, is expected");
    return 1;
}

/* A row of a file that has one a line. @return 3 for a line that is none */
static int next_line(ga__input *input, ga__raw_row *row)
{
    bool json = input->sources[input->at].form == SOURCE_JSON;
    ga__slice line;

    row->line = input->pieces.line;
    int code = ga__pieces_line(&input->pieces, LONGEST_ROW, &line);

    if (code == 2)
        return bad_row(input, row, line, "the line is longer than %d MiB", LONGEST_ROW >> 20);
    if (code <= 0)
        return code;
    if (row->line == 1)
        line = ga__utf8_behind_mark(line);
    line = ga__slice_trim(line, " \t\r");
    if (line.size == 0 || (!json && line.data[0] == '#'))
        return 3;
    if (json)
        return take_json(input, row, line);
    row->form = GA__ROW_URL;
    row->text = line;
    return 1;
}

/* A row of a file that has columns. @return as next_line */
static int next_record(ga__input *input, ga__raw_row *row)
{
    row->line = input->pieces.line;
    int code = read_record(input);

    if (code == 2)
        return bad_row(input, row, (ga__slice){"", 0},
                       "a quoted field does not end, or goes on behind its quote");
    if (code == 3)
        return bad_row(input, row, (ga__slice){"", 0}, "the line is longer than %d MiB", LONGEST_ROW >> 20);
    if (code <= 0)
        return code;
    if (is_blank_record(&input->csv))
        return 3;
    row->form = GA__ROW_CSV;
    row->names = input->head;
    row->fields = input->csv.fields;
    row->count = input->csv.count;
    row->text = (ga__slice){input->csv.text.data ? input->csv.text.data : "", input->csv.text.size};
    if (row->count != input->columns)
        return bad_row(input, row, row->text, "it has %zu fields, and the head has %zu", row->count,
                       input->columns);
    return 1;
}

/* Writes the next URL of a glob. @return 1; 0 at its end; -1 with errno */
static int next_url(ga__input *input, ga__raw_row *row)
{
    if (!ga__glob_next(input->sources[input->at].glob, &input->url))
        return 0;
    if (input->url.failed)
        return errno = ENOMEM, -1;
    row->form = GA__ROW_URL;
    row->text = (ga__slice){input->url.data, input->url.size};
    return 1;
}

/* @return as next_line, -1 with errno, -2 stopped */
static int next_of_source(ga__input *input, ga__raw_row *row)
{
    source *from = &input->sources[input->at];
    int code = 1;

    if (from->glob)
        return next_url(input, row);
    row->file = from->name;
    if (!input->open)
        code = open_source(input);
    if (code <= 0)
        return code;
    return is_columns(from->form) ? next_record(input, row) : next_line(input, row);
}

int ga__input_next(ga__input *input, ga__raw_row *row, char **problem)
{
    *problem = NULL;
    while (input->at < input->count && !input->stopped) {
        *row = (ga__raw_row){.n = input->rows + 1};
        int code = next_of_source(input, row);

        if (code == 1) {
            input->rows++;
            return 1;
        }
        if (code == -2)
            return 0;
        if (code < 0) {
            failed_to_read(input->sources[input->at].name, problem);
            return -1;
        }
        if (code == 3)
            continue;
        if (input->open)
            close_source(input);
        input->at++;
    }
    return 0;
}

void ga__input_stop(ga__input *input)
{
    uint64_t one = 1;

    input->stopped = true;
    if (write(input->stop_fd, &one, sizeof one) < 0)
        return; /* it is full: it has been stopped before */
}
