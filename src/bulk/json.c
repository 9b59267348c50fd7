/* SPDX-License-Identifier: MIT */
/*
 * JSON as text. One pass checks it, in constant memory; what walks it afterwards relies on that and looks for
 * quotes and brackets only. Used for rows, bodies, extracted values and records.
 */
#include "bulk/json.h"

#include "base/ascii.h"
#include "base/number.h"
#include "base/utf8.h"
#include <math.h>
#include <string.h>

enum { DEEPEST = 512 };

/* --- checking ------------------------------------------------------------------------------------- */

typedef struct scanner {
    const char *at, *end;
    const char *what;         /* is wrong at `at` */
    const char *beyond_ascii; /* the first such byte, or NULL */
} scanner;

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

static bool wrong(scanner *scan, const char *what)
{
    scan->what = scan->at < scan->end ? what : "it ends early";
    return false;
}

/* `at` is behind the backslash. */
static bool check_escape(scanner *scan)
{
    if (scan->at == scan->end || !memchr("\"\\/bfnrtu", *scan->at, 9))
        return wrong(scan, "no such escape");
    if (*scan->at++ != 'u')
        return true;
    for (int i = 0; i < 4; i++, scan->at++)
        if (scan->at == scan->end || ga__ascii_hex(*scan->at) < 0)
            return wrong(scan, "four hexadecimal digits are expected");
    return true;
}

static bool check_string(scanner *scan)
{
    for (scan->at++; scan->at < scan->end;) {
        unsigned char c = (unsigned char)*scan->at;

        if (c < 0x20)
            return wrong(scan, "a control character in a string");
        if (c >= 0x80 && !scan->beyond_ascii)
            scan->beyond_ascii = scan->at;
        scan->at++;
        if (c == '"')
            return true;
        if (c == '\\' && !check_escape(scan))
            return false;
    }
    return wrong(scan, NULL);
}

static bool check_digits(scanner *scan)
{
    const char *from = scan->at;

    while (scan->at < scan->end && ga__ascii_is_digit(*scan->at))
        scan->at++;
    return scan->at > from || wrong(scan, "a digit is expected");
}

static bool skip_char(scanner *scan, char a, char b)
{
    if (scan->at == scan->end || (*scan->at != a && *scan->at != b))
        return false;
    scan->at++;
    return true;
}

static bool check_number(scanner *scan)
{
    skip_char(scan, '-', '-');
    if (!skip_char(scan, '0', '0') && !check_digits(scan))
        return false;
    if (skip_char(scan, '.', '.') && !check_digits(scan))
        return false;
    if (!skip_char(scan, 'e', 'E'))
        return true;
    skip_char(scan, '+', '-');
    return check_digits(scan);
}

static bool check_word(scanner *scan, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0)
        return wrong(scan, "a value is expected");
    scan->at += size;
    return true;
}

static bool check_scalar(scanner *scan)
{
    if (scan->at == scan->end)
        return wrong(scan, NULL);
    switch (*scan->at) {
    case '"':
        return check_string(scan);
    case 't':
        return check_word(scan, "true");
    case 'f':
        return check_word(scan, "false");
    case 'n':
        return check_word(scan, "null");
    default:
        if (*scan->at == '-' || ga__ascii_is_digit(*scan->at))
            return check_number(scan);
        return wrong(scan, "a value is expected");
    }
}

/* Which of the brackets that are open are an object's: a bit each. */
typedef struct nesting {
    uint64_t objects[DEEPEST / 64];
    size_t depth;
} nesting;

static bool in_object(const nesting *open)
{
    return open->depth > 0 && open->objects[(open->depth - 1) / 64] >> ((open->depth - 1) % 64) & 1;
}

static void enter(nesting *open, bool object)
{
    uint64_t bit = (uint64_t)1 << (open->depth % 64), *word = &open->objects[open->depth / 64];

    *word = object ? *word | bit : *word & ~bit;
    open->depth++;
}

/* A member's name and colon. */
static bool check_name(scanner *scan)
{
    if (scan->at == scan->end || *scan->at != '"')
        return wrong(scan, "a name in quotes is expected");
    if (!check_string(scan))
        return false;
    scan->at = skip_blanks(scan->at, scan->end);
    if (!skip_char(scan, ':', ':'))
        return wrong(scan, "a colon is expected");
    scan->at = skip_blanks(scan->at, scan->end);
    return true;
}

/* A value's beginning: opens brackets up to the first scalar or empty pair. */
static bool check_opening(scanner *scan, nesting *open)
{
    while (scan->at < scan->end && (*scan->at == '{' || *scan->at == '[')) {
        bool object = *scan->at == '{';

        if (open->depth == DEEPEST)
            return wrong(scan, "it is nested more than 512 deep");
        enter(open, object);
        scan->at = skip_blanks(scan->at + 1, scan->end);
        if (skip_char(scan, object ? '}' : ']', object ? '}' : ']')) {
            open->depth--;
            return true;
        }
        if (object && !check_name(scan))
            return false;
    }
    return check_scalar(scan);
}

/* What follows a value: closing brackets, then a comma, or the end. @return 1 after a comma, 0 at the end */
static int check_closing(scanner *scan, nesting *open)
{
    for (;;) {
        scan->at = skip_blanks(scan->at, scan->end);
        if (open->depth == 0)
            return scan->at == scan->end ? 0 : (wrong(scan, "something follows the value"), -1);
        if (skip_char(scan, ',', ','))
            break;
        char close = in_object(open) ? '}' : ']';

        if (!skip_char(scan, close, close)) {
            wrong(scan, in_object(open) ? "a comma or } is expected" : "a comma or ] is expected");
            return -1;
        }
        open->depth--;
    }
    scan->at = skip_blanks(scan->at, scan->end);
    return in_object(open) && !check_name(scan) ? -1 : 1;
}

static bool check_value(scanner *scan)
{
    nesting open = {.depth = 0};
    int more;

    scan->at = skip_blanks(scan->at, scan->end);
    do {
        if (!check_opening(scan, &open))
            return false;
        more = check_closing(scan, &open);
    } while (more > 0);
    return more == 0;
}

bool ga__json_check(ga__slice text, ga__json_problem *problem)
{
    scanner scan = {.at = text.data, .end = text.size > 0 ? text.data + text.size : text.data};
    bool valid = check_value(&scan);

    if (valid && scan.beyond_ascii &&
        !ga__utf8_valid(scan.beyond_ascii, (size_t)(scan.end - scan.beyond_ascii))) {
        scan.at = scan.beyond_ascii;
        valid = wrong(&scan, "it is not UTF-8");
    }
    if (!valid && problem)
        *problem = (ga__json_problem){text.size > 0 ? (size_t)(scan.at - text.data) : 0, scan.what};
    return valid;
}

/* --- walking; the text is known to be JSON -------------------------------------------------------- */

ga__json_kind ga__json_kind_of(ga__slice value)
{
    const char *end = value.size > 0 ? value.data + value.size : value.data;
    const char *at = skip_blanks(value.data, end);

    if (at == end)
        return GA__JSON_NONE;
    switch (*at) {
    case '{':
        return GA__JSON_OBJECT;
    case '[':
        return GA__JSON_ARRAY;
    case '"':
        return GA__JSON_STRING;
    case 't':
        return GA__JSON_TRUE;
    case 'f':
        return GA__JSON_FALSE;
    case 'n':
        return GA__JSON_NULL;
    default:
        return GA__JSON_NUMBER;
    }
}

/* Behind the string that begins here. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

/* Behind the value that begins here. */
static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;

    while (at < end) {
        char c = *at;

        if (c == '"') {
            at = skip_string(at, end);
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
        } else if (c == '}' || c == ']' || c == ',' || is_blank(c)) {
            if (depth == 0)
                return at;
            depth -= c == '}' || c == ']';
            at++;
        } else {
            at++;
            continue;
        }
        if (depth == 0)
            return at;
    }
    return end;
}

void ga__json_walk_begin(ga__json_walk *walk, ga__slice value)
{
    ga__json_kind kind = ga__json_kind_of(value);
    const char *end = kind == GA__JSON_NONE ? value.data : value.data + value.size;

    *walk = (ga__json_walk){end, end};
    if (kind == GA__JSON_OBJECT || kind == GA__JSON_ARRAY)
        walk->at = skip_blanks(value.data, end) + 1;
}

bool ga__json_next_element(ga__json_walk *walk, ga__slice *value)
{
    const char *from = skip_blanks(walk->at, walk->end);

    if (from < walk->end && *from == ',')
        from = skip_blanks(from + 1, walk->end);
    if (from == walk->end || *from == ']' || *from == '}') {
        walk->at = walk->end;
        return false;
    }
    walk->at = skip_value(from, walk->end);
    *value = (ga__slice){from, (size_t)(walk->at - from)};
    return true;
}

bool ga__json_next_member(ga__json_walk *walk, ga__slice *name, ga__slice *value)
{
    if (!ga__json_next_element(walk, name))
        return false;
    const char *from = skip_blanks(walk->at, walk->end);

    from = skip_blanks(from < walk->end ? from + 1 : from, walk->end); /* the colon */
    walk->at = skip_value(from, walk->end);
    *value = (ga__slice){from, (size_t)(walk->at - from)};
    return true;
}

bool ga__json_member(ga__slice object, ga__slice name, ga__slice *value)
{
    ga__slice each_name, each_value;
    ga__json_walk walk;
    bool found = false;

    if (!ga__json_is(object, GA__JSON_OBJECT))
        return false;
    ga__json_walk_begin(&walk, object);
    while (ga__json_next_member(&walk, &each_name, &each_value)) {
        if (ga__json_string_is(each_name, name)) {
            *value = each_value;
            found = true;
        }
    }
    return found;
}

/* --- strings -------------------------------------------------------------------------------------- */

static ga__slice between_quotes(ga__slice string)
{
    return string.size >= 2 ? (ga__slice){string.data + 1, string.size - 2} : (ga__slice){string.data, 0};
}

/* Four hexadecimal digits. */
static uint32_t code_unit(const char *digits)
{
    uint64_t value = 0;

    ga__parse_hex(digits, 4, &value);
    return (uint32_t)value;
}

/* The code point of a `\u`, and of a second one that goes with it; `escape` is behind the first one's u. */
static uint32_t take_unicode(ga__slice *escape)
{
    uint32_t code = code_unit(ga__slice_take(escape, 4).data);

    if (code >= 0xd800 && code < 0xdc00 && escape->size >= 6 && escape->data[0] == '\\' &&
        escape->data[1] == 'u') {
        uint32_t low = code_unit(escape->data + 2);

        if (low >= 0xdc00 && low < 0xe000) {
            ga__slice_take(escape, 6);
            return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return code >= 0xd800 && code < 0xe000 ? 0xfffd : code;
}

/* The next bytes that a string says, which is given without its quotes: as they stand, or, in `bytes`, what
 * an escape means. */
static ga__slice take_piece(ga__slice *inside, char bytes[4])
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *backslash = memchr(inside->data, '\\', inside->size);

    if (backslash != inside->data)
        return ga__slice_take(inside, backslash ? (size_t)(backslash - inside->data) : inside->size);
    char escape = ga__slice_take(inside, 2).data[1];
    const char *letter = memchr(letters, escape, sizeof letters - 1);

    if (escape == 'u')
        return (ga__slice){bytes, ga__utf8_encode(bytes, take_unicode(inside))};
    bytes[0] = letter ? meant[letter - letters] : escape;
    return (ga__slice){bytes, 1};
}

bool ga__json_string_is(ga__slice string, ga__slice bytes)
{
    ga__slice inside = between_quotes(string);
    char meant[4];

    if (inside.size < bytes.size)
        return false;
    while (inside.size > 0) {
        ga__slice piece = take_piece(&inside, meant);

        if (piece.size > bytes.size || memcmp(piece.data, bytes.data, piece.size) != 0)
            return false;
        ga__slice_take(&bytes, piece.size);
    }
    return bytes.size == 0;
}

void ga__json_append_unquoted(ga__buffer *out, ga__slice string)
{
    ga__slice inside = between_quotes(string);
    char meant[4];

    while (inside.size > 0) {
        ga__slice piece = take_piece(&inside, meant);

        ga__buffer_append(out, piece.data, piece.size);
    }
}

/* Appends one character that cannot stand in a string as it is. */
static void append_escape(ga__buffer *out, char c)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *place = memchr(meant, c, sizeof meant - 1);

    if (c == '"' || c == '\\')
        ga__buffer_append(out, (char[]){'\\', c}, 2);
    else if (place)
        ga__buffer_append(out, (char[]){'\\', letters[place - meant]}, 2);
    else
        ga__buffer_printf(out, "\\u%04x", (unsigned char)c);
}

static void append_valid(ga__buffer *out, ga__slice text)
{
    size_t from = 0;

    for (size_t at = 0; at < text.size; at++) {
        char c = text.data[at];

        if ((unsigned char)c >= 0x20 && c != '"' && c != '\\')
            continue;
        ga__buffer_append(out, text.data + from, at - from);
        append_escape(out, c);
        from = at + 1;
    }
    if (text.size > from)
        ga__buffer_append(out, text.data + from, text.size - from);
}

void ga__json_append_escaped(ga__buffer *out, ga__slice bytes)
{
    if (bytes.size == 0)
        return;
    if (ga__utf8_valid(bytes.data, bytes.size)) {
        append_valid(out, bytes);
        return;
    }
    ga__buffer repaired = GA__BUFFER_INIT;

    ga__utf8_append_repaired(&repaired, bytes.data, bytes.size);
    out->failed |= repaired.failed;
    append_valid(out, (ga__slice){repaired.data, repaired.size});
    ga__buffer_free(&repaired);
}

void ga__json_append_quoted(ga__buffer *out, ga__slice bytes)
{
    ga__buffer_add_char(out, '"');
    ga__json_append_escaped(out, bytes);
    ga__buffer_add_char(out, '"');
}

/* --- writing -------------------------------------------------------------------------------------- */

void ga__json_append_name(ga__buffer *out, const char *name)
{
    size_t size = strlen(name);
    bool first = out->size == 0 || out->data[out->size - 1] == '{';
    char *at = ga__buffer_reserve(out, size + 4);

    if (!at)
        return;
    if (!first)
        *at++ = ',';
    *at++ = '"';
    at = mempcpy(at, name, size);
    memcpy(at, "\":", 3);
    out->size = (size_t)(at + 2 - out->data);
}

void ga__json_append_compact(ga__buffer *out, ga__slice value)
{
    const char *end = value.data + value.size, *from = skip_blanks(value.data, end), *at = from;

    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
        } else if (!is_blank(*at)) {
            at++;
        } else {
            ga__buffer_append(out, from, (size_t)(at - from));
            at = from = skip_blanks(at, end);
        }
    }
    if (at > from)
        ga__buffer_append(out, from, (size_t)(at - from));
}

void ga__json_append_decimal(ga__buffer *out, double number)
{
    char text[GA__DECIMAL_MAX + sizeof ".000"], *at = text;
    double thousandths = fmin(round(fabs(number) * 1000), 1e18);
    uint64_t whole = thousandths >= 0 ? (uint64_t)thousandths : 0;

    if (number < 0 && whole > 0)
        ga__buffer_add_char(out, '-');
    at = ga__put_decimal(at, whole / 1000);
    if (whole % 1000 > 0) {
        *at++ = '.';
        for (uint64_t rest = whole % 1000; rest > 0; rest = rest % 100 * 10)
            *at++ = (char)('0' + rest / 100);
    }
    ga__buffer_append(out, text, (size_t)(at - text));
}
