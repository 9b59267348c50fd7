/* SPDX-License-Identifier: MIT */
/*
 * Templates: parsed once into texts, columns and secrets, and filled for each row. A column is put in once
 * and not looked at again, so what a row says can name neither a column nor a secret.
 */
#include "bulk/template.h"

#include "base/ascii.h"
#include "base/problem.h"
#include "bulk/json.h"
#include "protocol/percent.h"
#include <stdlib.h>
#include <string.h>

typedef enum piece_kind { PIECE_TEXT, PIECE_COLUMN, PIECE_RAW_COLUMN, PIECE_SECRET } piece_kind;

typedef struct piece {
    piece_kind kind;
    ga__slice text;    /* or the column's name, or the variable's */
    const char *value; /* of a secret: the environment's */
    char *encoded;     /* the same, percent-encoded; NULL: nothing */
} piece;

struct ga__template {
    ga__template_use use;
    char *text;
    bool secret;
    size_t count, room;
    piece *pieces;
};

static const char env[] = "${env:";

/* --- parsing -------------------------------------------------------------------------------------- */

static bool add(ga__template *template, piece_kind kind, const char *text, size_t size, const char *value)
{
    if (kind == PIECE_TEXT && size == 0)
        return true;
    if (template->count == template->room) {
        size_t room = template->room ? template->room * 2 : 4;
        piece *pieces = reallocarray(template->pieces, room, sizeof *pieces);

        if (!pieces)
            return false;
        template->pieces = pieces;
        template->room = room;
    }
    template->pieces[template->count++] = (piece){kind, {text, size}, value, NULL};
    return true;
}

/* The size of the name that begins here and ends with a brace; 0 where there is none. */
static size_t name_size(const char *at)
{
    size_t size = strcspn(at, "{}\"\\:,[]\r\n\t");

    return at[size] == '}' && at[0] != ' ' ? size : 0;
}

/* The size of the `{col}`, `{+col}` or `{{col}}` that begins here; 0 where the brace is something else's. */
static size_t column_size(const char *at)
{
    bool literal = at[0] == '{' && at[1] == '{';
    size_t before = literal || at[1] == '+' ? 2 : 1, size = at[0] == '{' ? name_size(at + before) : 0;

    if (size == 0 || (literal && at[before + size + 1] != '}'))
        return 0;
    return before + size + (literal ? 2 : 1);
}

static bool add_column(ga__template *template, const char *at, size_t size)
{
    if (at[1] == '{')
        return add(template, PIECE_TEXT, at + 1, size - 2, NULL);
    if (at[1] == '+')
        return add(template, PIECE_RAW_COLUMN, at + 2, size - 3, NULL);
    return add(template, PIECE_COLUMN, at + 1, size - 2, NULL);
}

/* Adds the `${env:NAME}` that begins here. @return its size; 0 on failure */
static size_t add_secret(ga__template *template, const char *at, char **problem)
{
    const char *name = at + sizeof env - 1;
    size_t size = strcspn(name, "}{$ ");

    if (name[size] != '}' || size == 0) {
        *problem = ga_format("\"%s\": ${env:NAME} is expected", at);
        return 0;
    }
    char *variable = strndup(name, size);
    const char *value = variable ? getenv(variable) : NULL;

    if (variable && !value)
        *problem = ga_format("${env:%s}: the environment has no %s", variable, variable);
    free(variable);
    template->secret = true;
    if (!value || !add(template, PIECE_SECRET, name, size, value))
        return 0;
    ga__buffer encoded = GA__BUFFER_INIT;

    ga__percent_append(&encoded, ga__slice_of(value), GA__PERCENT_UNRESERVED);
    if (encoded.failed)
        return 0;
    template->pieces[template->count - 1].encoded = ga__buffer_take(&encoded);
    return sizeof env - 1 + size + 1;
}

static bool parse(ga__template *template, char **problem)
{
    const char *from = template->text, *at = from;

    while (*(at += strcspn(at, "{}$"))) {
        bool secret = strncmp(at, env, sizeof env - 1) == 0;
        size_t size = secret || template->use == GA__TEMPLATE_LOGIN ? 0 : column_size(at);

        if (!secret && size == 0) {
            if (*at != '$' && template->use == GA__TEMPLATE_URL)
                return ga__say(
                    false, problem,
                    "the template \"%s\", at \"%s\": a column in braces is expected; {{col}} is the "
                    "text {col}",
                    template->text, at);
            at++;
            continue;
        }
        if (!add(template, PIECE_TEXT, from, (size_t)(at - from), NULL))
            return false;
        if (secret && (size = add_secret(template, at, problem)) == 0)
            return false;
        if (!secret && !add_column(template, at, size))
            return false;
        from = at += size;
    }
    return add(template, PIECE_TEXT, from, strlen(from), NULL);
}

ga__template *ga__template_parse(const char *text, ga__template_use use, char **problem)
{
    ga__template *template = calloc(1, sizeof *template);

    *problem = NULL;
    if (!template)
        return NULL;
    template->use = use;
    template->text = strdup(text);
    if (template->text && parse(template, problem))
        return template;
    ga__template_free(template);
    return NULL;
}

void ga__template_free(ga__template *template)
{
    if (!template)
        return;
    for (size_t i = 0; i < template->count; i++)
        free(template->pieces[i].encoded);
    free(template->text);
    free(template->pieces);
    free(template);
}

static bool is_column(const piece *each)
{
    return each->kind == PIECE_COLUMN || each->kind == PIECE_RAW_COLUMN;
}

bool ga__template_column_at(const ga__template *template, size_t index, ga__slice *name)
{
    for (size_t i = 0; i < template->count; i++) {
        if (!is_column(&template->pieces[i]) || index-- > 0)
            continue;
        *name = template->pieces[i].text;
        return true;
    }
    return false;
}

bool ga__template_is_secret(const ga__template *template)
{
    return template->secret;
}

/* --- filling -------------------------------------------------------------------------------------- */

/* A row cannot lead out of the directory, nor to a hidden file. */
static void append_file(ga__buffer *out, ga__slice value)
{
    bool first = out->size == 0 || out->data[out->size - 1] == '/';

    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];

        ga__buffer_add_char(out,
                            c == '/' || ga__ascii_is_control(c) || (c == '.' && i == 0 && first) ? '_' : c);
    }
    if (value.size == 0)
        ga__buffer_add_char(out, '_');
}

static bool append_header(ga__buffer *out, ga__slice name, ga__slice value, char **problem)
{
    for (size_t i = 0; i < value.size; i++)
        if (ga__ascii_is_control(value.data[i]) && value.data[i] != '\t')
            return ga__say(false, problem,
                           "the column \"%.*s\" has a control character (0x%02x), which no header may have",
                           (int)name.size, name.data, (unsigned)(unsigned char)value.data[i]);
    if (value.size > 0)
        ga__buffer_append(out, value.data, value.size);
    return true;
}

static bool append_column(const ga__template *template, const piece *each, ga__slice value, ga__buffer *out,
                          char **problem)
{
    if (template->use == GA__TEMPLATE_HEADER)
        return append_header(out, each->text, value, problem);
    if (template->use == GA__TEMPLATE_FILE)
        append_file(out, value);
    else if (each->kind == PIECE_RAW_COLUMN)
        ga__buffer_append(out, value.data, value.size);
    else if (template->use == GA__TEMPLATE_JSON)
        ga__json_append_escaped(out, value);
    else
        ga__percent_append(out, value, GA__PERCENT_UNRESERVED);
    return true;
}

bool ga__template_fill(const ga__template *template, ga__template_column *column, void *arg, bool redacted,
                       ga__buffer *out, char **problem)
{
    *problem = NULL;
    for (size_t i = 0; i < template->count; i++) {
        const piece *each = &template->pieces[i];
        ga__slice value = {"", 0};

        if (is_column(each)) {
            if (!column(arg, each->text, &value))
                return ga__say(false, problem, "the row has no column \"%.*s\"", (int)each->text.size,
                               each->text.data);
            if (!append_column(template, each, value, out, problem))
                return false;
        } else if (each->kind == PIECE_TEXT) {
            ga__buffer_append(out, each->text.data, each->text.size);
        } else if (redacted) {
            ga__buffer_printf(out, "${env:%.*s}", (int)each->text.size, each->text.data);
        } else {
            ga__buffer_add(out, each->value);
        }
    }
    return !out->failed;
}

/* --- secrets in other texts ----------------------------------------------------------------------- */

static bool begins(const char *text, ga__slice what)
{
    return what.size > 0 && strncmp(text, what.data, what.size) == 0;
}

/* Where the text begins with the secret, or with its name, appends the other. @return how much of the text it
 * was, or 0 */
static size_t exchange(const piece *each, const char *text, bool reveal, ga__buffer *out)
{
    const ga__slice value = ga__slice_of(each->value),
                    encoded = ga__slice_of(each->encoded ? each->encoded : ""),
                    name = {each->text.data - (sizeof env - 1), each->text.size + sizeof env};

    if (reveal) {
        if (!begins(text, name))
            return 0;
        ga__buffer_append(out, value.data, value.size);
        return name.size;
    }
    if (!begins(text, value) && !begins(text, encoded))
        return 0;
    ga__buffer_append(out, name.data, name.size);
    return begins(text, value) ? value.size : encoded.size;
}

static void exchange_all(const ga__template *template, const char *text, bool reveal, ga__buffer *out)
{
    while (*text) {
        size_t size = 0;

        for (size_t i = 0; template && i < template->count && size == 0; i++)
            if (template->pieces[i].kind == PIECE_SECRET)
                size = exchange(&template->pieces[i], text, reveal, out);
        if (size == 0)
            ga__buffer_add_char(out, *text);
        text += size > 0 ? size : 1;
    }
}

void ga__template_hide(const ga__template *template, const char *text, ga__buffer *out)
{
    exchange_all(template, text, false, out);
}

void ga__template_reveal(const ga__template *template, const char *text, ga__buffer *out)
{
    exchange_all(template, text, true, out);
}
