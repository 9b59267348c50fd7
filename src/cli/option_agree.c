/* SPDX-License-Identifier: MIT */
/*
 * Whether all that was asked for goes together. Where two options that do not were given in one place,
 * that is said; where one stands in the configuration and the other among the arguments, the arguments win.
 */
#include "cli/options.h"

#include "base/ascii.h"
#include "base/problem.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *one, *other, *why;
} opposed[] = {
    {"resume", "fresh", "one goes on with what is there, the other throws it away"},
    {"retry-failed", "fresh", "one goes on with what is there, the other throws it away"},
    {"json", "data", "a request has one body"},
    {"json", "form", "a request has one body"},
    {"data", "form", "a request has one body"},
    {"raw", "output",
     "--raw writes bodies to standard output; -o 'DIR/{id}' writes each to a file of its own"},
    {"raw", "no-body", "nothing would be written"},
    {"raw", "headers", "--raw writes bodies and nothing else"},
    {"raw", "extract", "--raw writes bodies and nothing else; a record has what is extracted"},
    {"raw", "keep", "--raw writes bodies and nothing else; a record has what is kept"},
    {"user", "bearer", "a request has one login"},
    {"http1.1", "http2", "one keeps to what the other leaves out"},
    {"quiet", "verbose", "one says less and the other more"},
};

static const struct {
    const char *one, *other, *why;
} dependent[] = {
    {"resume", "output", "standard output leaves nothing to go on from"},
    {"retry-failed", "output", "standard output leaves nothing to go on from"},
    {"fresh", "output", "standard output leaves nothing to throw away"},
    {"table", "output", "it is a table of a .db"},
    {"key", "cert", "a key is of no use without its certificate"},
    {"items", "next", "there are no pages unless something says where the next is"},
    {"max-pages", "next", "there are no pages unless something says where the next is"},
};

/* Takes an option back to what it is where nobody gave it. */
static void take_back(ga__options *options, const char *name)
{
    const ga__option *option = ga__option_named(ga__slice_of(name));
    void *place = (char *)options + option->place;
    void *list = NULL;

    options->given[option - ga__option_table] = GA__PLACE_NONE;
    if (ga__option_is_list(option)) {
        memcpy(&list, place, sizeof list);
        free(list);
        memset(place, 0, sizeof list);
    } else if (option->kind == GA__OPTION_FLAG) {
        *(bool *)place = false;
    } else if (option->kind == GA__OPTION_SET) {
        *(int *)place = 0;
    } else if (option->kind == GA__OPTION_UINT32) {
        *(uint32_t *)place = 0;
    } else { /* a string */
        *(const char **)place = NULL;
    }
}

static bool check_opposed(ga__options *options, char **problem)
{
    for (size_t i = 0; i < sizeof opposed / sizeof *opposed; i++) {
        ga__option_place one = ga__options_given(options, opposed[i].one);
        ga__option_place other = ga__options_given(options, opposed[i].other);

        if (!one || !other)
            continue;
        if (one == other)
            return ga__say(false, problem, "--%s and --%s do not go together: %s", opposed[i].one,
                           opposed[i].other, opposed[i].why);
        take_back(options, one < other ? opposed[i].one : opposed[i].other);
    }
    return true;
}

static bool check_dependent(ga__options *options, char **problem)
{
    for (size_t i = 0; i < sizeof dependent / sizeof *dependent; i++) {
        ga__option_place one = ga__options_given(options, dependent[i].one);

        if (!one || ga__options_given(options, dependent[i].other))
            continue;
        if (one == GA__PLACE_ARGUMENTS)
            return ga__say(false, problem, "--%s needs --%s: %s", dependent[i].one, dependent[i].other,
                           dependent[i].why);
        take_back(options, dependent[i].one);
    }
    return true;
}

/* Where records go to another form of output than this one the option is refused, or, of a place that serves
 * other jobs, too, taken back. */
static bool check_form(ga__options *options, const char *name, ga__output_form wanted, const char *what,
                       char **problem)
{
    const char *output = options->job.output;
    bool is_index = output && strchr(output, '{'); /* of files; in JSON Lines */
    ga__output_form form = output && !is_index ? ga__output_form_of(output) : GA__OUTPUT_JSONL;
    ga__option_place place = ga__options_given(options, name);

    if (!place || form == wanted)
        return true;
    if (place == GA__PLACE_ARGUMENTS)
        return ga__say(false, problem, "--%s is for an output that is %s, not %s", name, what,
                       output ? output : "standard output");
    take_back(options, name);
    return true;
}

/* --- files ---------------------------------------------------------------------------------------- */

static bool is_same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;

    if (!a || !b)
        return false;
    if (strcmp(a, b) == 0)
        return strcmp(a, "-") != 0;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && S_ISREG(of_a.st_mode) &&
           of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

/* What is written is not what is read, nor written twice. */
static bool check_files(const ga__options *options, char **problem)
{
    const char *written[] = {options->job.output, options->job.failed_out, options->job.log,
                             options->job.metrics};
    enum { COUNT = sizeof written / sizeof *written };

    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < options->input_count; j++)
            if (is_same_file(written[i], options->job.inputs[j]))
                return ga__say(false, problem, "%s is to be read and written; write to another file",
                               written[i]);
        for (size_t j = i + 1; j < COUNT; j++)
            if (is_same_file(written[i], written[j]))
                return ga__say(false, problem, "%s is to be written twice; each output needs its own file",
                               written[i]);
    }
    return true;
}

/* --- what follows --------------------------------------------------------------------------------- */

/* A header of that name that was given in an earlier place makes way; in the same place it is one too many.
 */
static bool replace_header(ga__options *options, const char *option, const char *header,
                           ga__option_place place, char **problem)
{
    const char **headers;
    size_t kept = 0;

    memcpy(&headers, &options->job.headers, sizeof headers);
    for (size_t i = 0; headers && headers[i]; i++) {
        unsigned char given = options->header_places[i];
        bool same = ga__ascii_equal((ga__slice){headers[i], strcspn(headers[i], ":;")},
                                    (ga__slice){header, strcspn(header, ":")});

        if (same && given == place)
            return ga__say(false, problem, "--%s and -H %.*s do not go together: a request has one of them",
                           option, (int)strcspn(header, ":"), header);
        if (same && given < place)
            continue;
        headers[kept] = headers[i];
        options->header_places[kept++] = given;
    }
    if (headers)
        headers[kept] = NULL;
    return true;
}

/* What has an option of its own is a header, too, with the same templates. */
static bool make_header(ga__options *options, const char *option, const char *before, const char **value,
                        char **problem)
{
    ga__option_place place = ga__options_given(options, option);
    char *header = *value ? ga__options_own(options, ga_format("%s%s", before, *value)) : NULL;

    if (!*value)
        return true;
    *value = NULL;
    if (!header)
        return *problem = NULL, false;
    if (!replace_header(options, option, header, place, problem))
        return false;
    return ga__options_set(options, ga__option_named(GA__SLICE("header")), place, true, header, problem);
}

bool ga__options_agree(ga__options *options, char **problem)
{
    if (options->input_count == 0)
        return ga__say(false, problem, "there is no input: a URL, a file of rows, or - for standard input");
    if (ga__options_given(options, "html"))
        return ga__say(false, problem, "--html is for `gather report OUT`");
    if (options->job.output && strcmp(options->job.output, "-") == 0)
        take_back(options, "output");
    if (!check_opposed(options, problem) || !check_dependent(options, problem) ||
        !check_files(options, problem))
        return false;
    if (!check_form(options, "table", GA__OUTPUT_DB, "a .db", problem) ||
        !check_form(options, "headers", GA__OUTPUT_JSONL, "JSON Lines", problem))
        return false;
    if (!make_header(options, "bearer", "Authorization: Bearer ", &options->bearer, problem) ||
        !make_header(options, "cookie", "Cookie: ", &options->cookie, problem))
        return false;
    options->job.resume |= options->job.retry_failed;
    return true;
}
