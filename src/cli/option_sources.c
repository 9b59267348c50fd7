/* SPDX-License-Identifier: MIT */
/*
 * Options from files and from the environment. The configuration is a NAME = VALUE a line; its names are
 * those of the long options. A variable is called GATHER_ and the name in capitals, with "_" for what is no
 * letter.
 */
#include "cli/options.h"

#include "base/ascii.h"
#include "base/buffer.h"
#include "base/problem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST_FILE = 64 << 20, PIECE = 16384 };

/* --- files ---------------------------------------------------------------------------------------- */

/* @return 0, or errno */
static int read_all(int fd, ga__buffer *text)
{
    for (;;) {
        char *end = ga__buffer_reserve(text, PIECE);
        ssize_t got = end ? read(fd, end, PIECE) : (errno = ENOMEM, -1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        end[got] = '\0';
        if (got == 0)
            return 0;
        text->size += (size_t)got;
        if (text->size > LARGEST_FILE)
            return EFBIG;
    }
}

static char *read_file(ga__options *options, const char *path, size_t *size, int *error)
{
    ga__buffer text = GA__BUFFER_INIT;
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    *error = fd < 0 ? errno : read_all(fd, &text);
    if (fd >= 0 && !is_stdin)
        close(fd);
    if (*error) {
        ga__buffer_free(&text);
        return NULL;
    }
    *size = text.size;
    char *taken = ga__options_own(options, ga__buffer_take(&text));

    *error = taken ? 0 : ENOMEM;
    return taken;
}

/* A text with a NUL would be cut there. */
static bool check_text(const char *path, const char *text, size_t size, char **problem)
{
    return !memchr(text, '\0', size) || ga__say(false, problem, "%s is not a text: it has a NUL byte", path);
}

char *ga__options_read_file(ga__options *options, const char *path, size_t *size, char **problem)
{
    size_t read;
    int error;

    if (strcmp(path, "-") == 0) {
        if (options->input_user) {
            *problem =
                ga_format("standard input can be read but once, and %s reads it, too", options->input_user);
            return NULL;
        }
        options->input_user = "an option with @-";
    }
    char *text = read_file(options, path, size ? size : &read, &error);

    if (!text)
        *problem = ga_format("cannot read %s: %s", path, strerror(error));
    return text && (size || check_text(path, text, read, problem)) ? text : NULL;
}

/* --- the configuration ---------------------------------------------------------------------------- */

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t size = strlen(text);

    while (size > 0 && strchr(" \t\r", text[size - 1]))
        size--;
    text[size] = '\0';
    return text;
}

static char unescaped(char c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

/* Takes the quotes off a value, and undoes the backslashes between double ones. NULL: they do not close. */
static char *unquoted(char *value)
{
    char quote = *value, *out = value, *in = value + 1;

    if (quote != '"' && quote != '\'')
        return value;
    while (*in && *in != quote) {
        if (*in == '\\' && quote == '"' && in[1])
            *out++ = unescaped(*++in);
        else
            *out++ = *in;
        in++;
    }
    if (!*in || *trim(in + 1))
        return NULL;
    *out = '\0';
    return value;
}

/* The option of a line; what is asked for once on the command line has no place in a file. */
static const ga__option *option_of(char *name, char **problem)
{
    ga__slice known = ga__slice_of(name + (strncmp(name, "--", 2) == 0 ? 2 : 0));
    const ga__option *option = known.size > 0 ? ga__option_named(known) : NULL;

    if (option && option->kind != GA__OPTION_ACTION && strcmp(option->name, "config") != 0)
        return option;
    const ga__option *nearest = option ? NULL : ga__option_nearest(known);

    if (option)
        *problem = ga_format("--%s is for the command line", option->name);
    else if (nearest)
        *problem = ga_format("there is no option \"%s\"; is %s meant?", known.data, nearest->name);
    else
        *problem = ga_format("there is no option \"%s\"; `gather --help all` tells those that there are",
                             known.data);
    return NULL;
}

static bool read_line(ga__options *options, char *line, char **problem)
{
    char *equals = strchr(line, '='), *value = NULL;
    const ga__option *option;

    if (equals) {
        *equals = '\0';
        value = unquoted(trim(equals + 1));
        if (!value)
            return ga__say(false, problem, "a quote is not closed, or something follows it");
    }
    option = option_of(trim(line), problem);
    return option && ga__options_set_text(options, option, GA__PLACE_CONFIG, value, problem);
}

static bool read_lines(ga__options *options, const char *path, char *text, char **problem)
{
    char *told = NULL;

    for (unsigned number = 1; text; number++) {
        char *next = strchr(text, '\n');

        if (next)
            *next++ = '\0';
        char *line = trim(text);

        if (*line && *line != '#' && !read_line(options, line, &told)) {
            *problem = told ? ga_format("%s:%u: %s", path, number, told) : NULL;
            free(told);
            return false;
        }
        text = next;
    }
    return true;
}

/* Where it is, where nobody says so; NULL: nowhere. */
static char *default_path(ga__options *options)
{
    const char *home = getenv("XDG_CONFIG_HOME");

    if (home && *home == '/')
        return ga__options_own(options, ga_format("%s/gather/config", home));
    home = getenv("HOME");
    return home && *home ? ga__options_own(options, ga_format("%s/.config/gather/config", home)) : NULL;
}

bool ga__options_read_config(ga__options *options, char **problem)
{
    const char *path = options->config ? options->config : getenv("GATHER_CONFIG");
    bool asked_for = path && *path;
    size_t size;
    int error;

    if (!asked_for)
        path = default_path(options);
    if (!path)
        return true;
    char *text = read_file(options, path, &size, &error);

    if (text)
        return check_text(path, text, size, problem) && read_lines(options, path, text, problem);
    if (!asked_for && (error == ENOENT || error == ENOTDIR || error == EACCES))
        return true;
    return ga__say(false, problem, "cannot read the configuration %s: %s", path, strerror(error));
}

/* --- the environment ------------------------------------------------------------------------------ */

/* The variable's name, into `name`, which has room for the longest. */
static void name_variable(char *name, const char *option)
{
    memcpy(name, "GATHER_", 7);
    for (name += 7; *option; option++)
        *name++ = ga__ascii_is_alpha(*option) || ga__ascii_is_digit(*option) ? ga__ascii_upper(*option) : '_';
    *name = '\0';
}

bool ga__options_read_environment(ga__options *options, char **problem)
{
    char name[64], *told = NULL;

    for (size_t i = 0; i < ga__option_count; i++) {
        const ga__option *option = &ga__option_table[i];

        if (option->kind == GA__OPTION_ACTION || option->kind == GA__OPTION_ALIAS ||
            strlen(option->name) > sizeof name - 8 || strcmp(option->name, "config") == 0)
            continue;
        name_variable(name, option->name);
        char *value = getenv(name);

        if (!value || !*value || ga__options_set_text(options, option, GA__PLACE_ENVIRONMENT, value, &told))
            continue;
        *problem = told ? ga_format("%s: %s", name, told) : NULL;
        free(told);
        return false;
    }
    return true;
}
