/* SPDX-License-Identifier: MIT */
/*
 * A byte, a text with places for columns (a template, and a glob), a line feed, and the columns' value: what
 * is made of them cannot leave the place that it is for.
 */
#include "base/utf8.h"
#include "bulk/glob.h"
#include "bulk/template.h"
#include "fuzz.h"
#include "protocol/token.h"
#include <jansson.h>
#include <string.h>

enum { URLS = 300 };

static bool give(void *arg, ga__slice name, ga__slice *value)
{
    *value = *(const ga__slice *)arg;
    return name.size < 8;
}

static void check_template(const char *text, ga__template_use use, ga__slice value)
{
    char *problem = NULL;
    ga__template *template = ga__template_parse(text, use, &problem);
    ga__buffer out = GA__BUFFER_INIT;
    ga__slice name;
    size_t columns = 0;

    REQUIRE(!template == (problem != NULL));
    if (template) {
        while (ga__template_column_at(template, columns, &name))
            columns++;
        bool filled = ga__template_fill(template, give, &value, false, &out, &problem);

        REQUIRE(filled == !problem && !out.failed);
        REQUIRE(!filled || columns > 0 || out.size <= strlen(text));
    }
    free(problem);
    ga__buffer_free(&out);
    ga__template_free(template);
}

/* What becomes of the text with the value in it; empty where the value may not stand there. */
static ga__buffer fill(const char *text, ga__template_use use, ga__slice value)
{
    char *problem = NULL;
    ga__template *template = ga__template_parse(text, use, &problem);
    ga__buffer out = GA__BUFFER_INIT;

    REQUIRE(template);
    if (!ga__template_fill(template, give, &value, false, &out, &problem)) {
        REQUIRE(problem);
        ga__buffer_clear(&out);
    }
    free(problem);
    ga__template_free(template);
    return out;
}

static size_t count(const ga__buffer *text, char c)
{
    size_t found = 0;

    for (size_t i = 0; i < text->size; i++)
        found += text->data[i] == c;
    return found;
}

static void check_value(ga__slice value)
{
    ga__buffer url = fill("http://h/{a}?{a}", GA__TEMPLATE_URL, value);
    ga__buffer header = fill("a {a}", GA__TEMPLATE_HEADER, value);
    ga__buffer file = fill("d/{a}", GA__TEMPLATE_FILE, value);
    ga__buffer json = fill("[\"{a}\"]", GA__TEMPLATE_JSON, value);

    REQUIRE(ga__span_value(header.data ? header.data : "", header.size) == header.size);
    REQUIRE(url.size == 0 || (count(&url, '/') == 3 && count(&url, '?') == 1 && count(&url, '#') == 0));
    REQUIRE(ga__all_of(url.data, url.size, GA__CHAR_TARGET));
    REQUIRE(file.size == 0 || (count(&file, '/') == 1 && count(&file, '\0') == 0 && file.data[2] != '.'));
    if (json.size > 0 && ga__utf8_valid(value.data, value.size)) {
        json_t *parsed = json_loadb(json.data, json.size, JSON_ALLOW_NUL, NULL);
        const json_t *string = json_array_get(parsed, 0);

        REQUIRE(parsed && json_array_size(parsed) == 1);
        REQUIRE(json_string_length(string) == value.size);
        REQUIRE(value.size == 0 || memcmp(json_string_value(string), value.data, value.size) == 0);
        json_decref(parsed);
    }
    ga__buffer_free(&url);
    ga__buffer_free(&header);
    ga__buffer_free(&file);
    ga__buffer_free(&json);
}

static void check_glob(const char *text)
{
    char *problem = NULL;
    ga__glob *glob = ga__glob_parse(text, false, &problem);
    ga__buffer url = GA__BUFFER_INIT;
    uint64_t made = 0;

    REQUIRE(!glob == (problem != NULL));
    while (glob && made < URLS && ga__glob_next(glob, &url))
        made++;
    REQUIRE(!glob || made == URLS || made == ga__glob_count(glob));
    free(problem);
    ga__buffer_free(&url);
    ga__glob_free(glob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = size > 1 ? memchr(data, '\n', size) : NULL;

    if (!end || end == (const char *)data)
        return 0;
    char *text = ga_format("%.*s", (int)(end - (const char *)data) - 1, (const char *)data + 1);
    ga__slice value = {end + 1, size - (size_t)(end + 1 - (const char *)data)};

    REQUIRE(text);
    check_template(text, (ga__template_use)(data[0] % (GA__TEMPLATE_FILE + 1)), value);
    check_value(value);
    check_glob(text);
    free(text);
    return 0;
}
