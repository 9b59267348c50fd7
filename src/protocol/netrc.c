/* SPDX-License-Identifier: MIT */
/*
 * Reading .netrc: words with blanks and line ends between them, a few of which say what the next one is. A
 * macro ("macdef") goes on to an empty line and is passed over, and so is a line that begins with "#". Called
 * by sessions that trust the environment.
 */
#include "protocol/netrc.h"

#include "base/ascii.h"
#include <gather/error.h>

typedef struct reader {
    ga__slice rest;
    unsigned line;
    ga__buffer word; /* the present one */
    bool broken;     /* a quoted word does not end */
    bool failed;     /* no memory */
} reader;

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char take_char(reader *self)
{
    char c = *ga__slice_take(&self->rest, 1).data;

    self->line += c == '\n';
    return c;
}

static void skip_line(reader *self)
{
    while (self->rest.size > 0 && take_char(self) != '\n') {
    }
}

/* Skips the lines of a macro, and the empty line that ends it. */
static void skip_macro(reader *self)
{
    size_t length;

    skip_line(self);
    do {
        length = 0;
        while (self->rest.size > 0) {
            char c = take_char(self);

            if (c == '\n')
                break;
            length += c != '\r';
        }
    } while (length > 0);
}

static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

static void take_quoted(reader *self)
{
    take_char(self);
    while (self->rest.size > 0) {
        char c = take_char(self);

        if (c == '"')
            return;
        if (c == '\n')
            break;
        if (c == '\\' && self->rest.size > 0)
            c = unescape(take_char(self));
        ga__buffer_add_char(&self->word, c);
    }
    self->broken = true;
}

/* Takes the next word into self->word. False at the end, or where it is broken. */
static bool next_word(reader *self)
{
    while (self->rest.size > 0 && is_space(self->rest.data[0]))
        take_char(self);
    ga__buffer_clear(&self->word);
    if (self->rest.size == 0)
        return false;
    if (self->rest.data[0] == '"')
        take_quoted(self);
    else
        while (self->rest.size > 0 && !is_space(self->rest.data[0]))
            ga__buffer_add_char(&self->word, take_char(self));
    self->failed |= self->word.failed;
    return !self->broken && !self->failed;
}

static bool word_is(const reader *self, const char *text)
{
    return ga__ascii_equal((ga__slice){self->word.data, self->word.size}, ga__slice_of(text));
}

/* Takes the word that belongs to a keyword, into `value` where it is wanted. */
static bool take_value(reader *self, ga__buffer *value)
{
    if (!next_word(self))
        return false;
    if (value) {
        ga__buffer_clear(value);
        ga__buffer_append(value, self->word.data, self->word.size);
    }
    return true;
}

/* What an entry says, into *found where it is the one that is looked for. Ends before the next entry, whose
 * keyword is self->word then; *more says whether there is one. */
static bool read_entry(reader *self, ga__netrc *found, bool *more)
{
    for (;;) {
        *more = next_word(self);
        if (!*more)
            return !self->broken && !self->failed;
        if (word_is(self, "machine") || word_is(self, "default"))
            return true;
        if (word_is(self, "macdef"))
            skip_macro(self);
        else if (self->word.size > 0 && self->word.data[0] == '#')
            skip_line(self);
        else if (word_is(self, "login") || word_is(self, "user")) {
            if (!take_value(self, found ? &found->login : NULL))
                return false;
        } else if (word_is(self, "password")) {
            if (!take_value(self, found ? &found->password : NULL))
                return false;
        } else if (!word_is(self, "account") || !take_value(self, NULL)) {
            return false;
        }
    }
}

/* Goes through the entries. @return whether the file is understood */
static bool read_entries(reader *self, ga__netrc *found, ga__slice host, bool *matched)
{
    bool more;

    if (!read_entry(self, NULL, &more)) /* what stands before the first: macros, comments */
        return false;
    while (more) {
        bool all = word_is(self, "default"), mine = all;

        if (!all) {
            if (!next_word(self))
                return false;
            mine = ga__ascii_equal((ga__slice){self->word.data, self->word.size}, host);
        }
        mine = mine && host.size > 0 && !*matched;
        if (mine)
            found->is_default = all;
        *matched |= mine;
        if (!read_entry(self, mine ? found : NULL, &more))
            return false;
    }
    return true;
}

int ga__netrc_find(ga__netrc *found, ga__slice text, ga__slice host, unsigned *line)
{
    reader self = {.rest = text, .line = 1};
    bool matched = false;

    *found = (ga__netrc){0};
    bool understood = read_entries(&self, found, host, &matched);
    int code = matched;

    if (self.failed || found->login.failed || found->password.failed)
        code = GA_ENOMEM;
    else if (!understood)
        code = GA_EUSAGE;
    *line = self.line;
    ga__buffer_free(&self.word);
    if (code <= 0)
        ga__netrc_free(found);
    return code;
}

void ga__netrc_free(ga__netrc *found)
{
    ga__buffer_free(&found->login);
    ga__buffer_free(&found->password);
}
