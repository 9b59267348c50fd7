/* SPDX-License-Identifier: MIT */
/*
 * A job's plan: its options' templates and paths, parsed. Here everything is checked that can be before a row
 * is read; each problem names the option.
 */
#include "bulk/plan.h"

#include "base/ascii.h"
#include "base/problem.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_HEADERS = 250 };

/* A problem of a part, with the option before it. */
static bool blame(const char *option, char **problem)
{
    char *before = *problem;

    if (before)
        *problem = ga_format("%s: %s", option, before);
    free(before);
    return false;
}

static size_t count_of(const char *const *list)
{
    size_t count = 0;

    while (list && list[count])
        count++;
    return count;
}

static bool parse_template(ga__template **template, const char *text, ga__template_use use,
                           const char *option, char **problem)
{
    if (!text)
        return true;
    *template = ga__template_parse(text, use, problem);
    return *template || blame(option, problem);
}

/* --- headers and parts ---------------------------------------------------------------------------- */

static bool names_column(const ga__template *template)
{
    ga__slice name;

    return ga__template_column_at(template, 0, &name);
}

/* Whether it belongs to single requests: a session has no Host, and a body's own type goes before a
 * session's.
 */
static bool is_of_request(const char *name)
{
    return ga__ascii_is(ga__slice_of(name), "host") || ga__ascii_is(ga__slice_of(name), "content-type");
}

/* "Name: value", or "Name:" for one that is taken away, "Name;" for an empty one, as curl has it. */
static bool parse_header(ga__plan_field *field, const char *text, char **problem)
{
    size_t size = strcspn(text, ":;");
    const char *value = text + size + (text[size] != '\0');

    if (size == 0 || !text[size] || (text[size] == ';' && *value))
        return ga__say(false, problem, "-H '%s': \"Name: value\" is expected", text);
    field->name = strndup(text, size);
    if (!field->name)
        return false;
    value += strspn(value, " \t");
    field->fixed = !is_of_request(field->name);
    if (!*value && text[size] == ':')
        return !ga__ascii_is(ga__slice_of(field->name), "host") ||
               ga__say(false, problem, "-H '%s': no request goes without a Host", text);
    field->value = ga__template_parse(value, GA__TEMPLATE_HEADER, problem);
    if (!field->value)
        return blame("-H", problem);
    bool varies = names_column(field->value);

    field->fixed = field->fixed && !varies;
    field->shown = varies && !ga__template_is_secret(field->value);
    return true;
}

/* "name=value" or "name=@file". */
static bool parse_part(ga__plan_field *field, const char *text, char **problem)
{
    size_t size = strcspn(text, "=");

    if (size == 0 || text[size] != '=')
        return ga__say(false, problem, "-F '%s': \"name=value\" or \"name=@file\" is expected", text);
    field->name = strndup(text, size);
    field->file = text[size + 1] == '@';
    if (!field->name)
        return false;
    field->value = ga__template_parse(text + size + 1 + field->file, GA__TEMPLATE_HEADER, problem);
    return field->value || blame("-F", problem);
}

static bool is_header(const ga__plan_field *field, const char *name)
{
    return field->name && ga__ascii_is(ga__slice_of(field->name), name);
}

/* A form's type has its boundary, which no header can know. */
static bool check_form_type(const ga__plan *plan, char **problem)
{
    for (size_t i = 0; plan->part_count > 0 && i < plan->header_count; i++)
        if (plan->headers[i].value && is_header(&plan->headers[i], "content-type"))
            return ga__say(false, problem, "-H Content-Type is given beside -F, which has a type of its own");
    return true;
}

/* Whatever the header says, or that it says nothing: a session whose login is given has that. */
static bool check_login(const ga__plan *plan, char **problem)
{
    for (size_t i = 0; plan->options->user && i < plan->header_count; i++)
        if (is_header(&plan->headers[i], "authorization"))
            return ga__say(false, problem, "-H %s is given beside -u: a request has one login",
                           plan->headers[i].name);
    return true;
}

static bool parse_fields(ga__plan_field **fields, size_t *count, const char *const *texts,
                         bool (*parse)(ga__plan_field *field, const char *text, char **problem),
                         char **problem)
{
    size_t wanted = count_of(texts);

    *fields = calloc(wanted ? wanted : 1, sizeof **fields);
    if (!*fields)
        return false;
    for (size_t i = 0; i < wanted; i++) {
        *count = i + 1;
        if (!parse(&(*fields)[i], texts[i], problem))
            return false;
    }
    return true;
}

/* --- paths ---------------------------------------------------------------------------------------- */

/* A column or member, or where it begins with a dot, a path. */
static bool parse_column(ga__plan_path *column, const char *text, const char *option, char **problem)
{
    column->name = strdup(text);
    if (!column->name)
        return false;
    if (text[0] == '\0')
        return ga__say(false, problem, "%s: the name of a column, or a path as .a.b, is expected", option);
    if (text[0] != '.')
        return true;
    column->path = ga__path_parse(text, problem);
    return column->path || blame(option, problem);
}

static bool parse_keep(ga__plan *plan, char **problem)
{
    const char *const *names = plan->options->keep;
    size_t count = count_of(names);

    plan->keep = calloc(count ? count : 1, sizeof *plan->keep);
    if (!plan->keep)
        return false;
    for (size_t i = 0; i < count; i++) {
        plan->keep_count = i + 1;
        if (!parse_column(&plan->keep[i], names[i], "--keep", problem))
            return false;
    }
    return true;
}

/* "NAME=PATH", or a path whose text is the name. */
static bool parse_extract(ga__plan *plan, char **problem)
{
    const char *const *texts = plan->options->extract;
    size_t count = count_of(texts);

    plan->extract = calloc(count ? count : 1, sizeof *plan->extract);
    if (!plan->extract)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *equals = texts[i][0] == '.' ? NULL : strchr(texts[i], '=');
        const char *path = equals ? equals + 1 : texts[i];

        plan->extract_count = i + 1;
        plan->extract[i].name = equals ? strndup(texts[i], (size_t)(equals - texts[i])) : strdup(texts[i]);
        if (!plan->extract[i].name)
            return false;
        if (!equals && texts[i][0] != '.')
            return ga__say(false, problem, "--extract '%s': NAME=PATH is expected, as price=.offer.price",
                           texts[i]);
        plan->extract[i].path = ga__path_parse(path, problem);
        if (!plan->extract[i].path)
            return blame("--extract", problem);
    }
    return true;
}

/* "link", a path to a URL, or "NAME=PATH", a path to what the parameter of that name is to be. */
static bool parse_next(ga__plan *plan, char **problem)
{
    const char *text = plan->options->next, *equals = text && text[0] != '.' ? strchr(text, '=') : NULL;

    plan->next_is_link = text && strcmp(text, "link") == 0;
    if (!text || plan->next_is_link)
        return true;
    if (equals)
        plan->next_parameter = strndup(text, (size_t)(equals - text));
    if (equals && !plan->next_parameter)
        return false;
    plan->next = ga__path_parse(equals ? equals + 1 : text, problem);
    return plan->next || blame("--next", problem);
}

static bool parse_path(ga__path **path, const char *text, const char *option, char **problem)
{
    if (!text)
        return true;
    *path = ga__path_parse(text, problem);
    return *path || blame(option, problem);
}

/* --- the rest ------------------------------------------------------------------------------------- */

static bool parse_user(ga__plan *plan, char **problem)
{
    const char *colon = plan->options->user ? strchr(plan->options->user, ':') : NULL;
    ga__template *template;
    ga__buffer text = GA__BUFFER_INIT;
    bool good = true;

    if (!plan->options->user)
        return true;
    if (!colon)
        return ga__say(false, problem, "-u: name:password is expected");
    if (!parse_template(&template, plan->options->user, GA__TEMPLATE_LOGIN, "-u", problem))
        return false;
    good = ga__template_fill(template, NULL, NULL, false, &text, problem);
    ga__template_free(template);
    good = good && text.data;
    if (good) {
        size_t name = strcspn(text.data, ":");

        plan->user = strndup(text.data, name);
        plan->password = strdup(text.data + name + (text.data[name] == ':'));
        good = plan->user && plan->password;
    }
    ga__buffer_free(&text);
    return good;
}

char *ga__plan_index(const char *output)
{
    const char *slash = strchr(output, '{');

    while (slash && slash > output && slash[-1] != '/')
        slash--;
    return slash ? ga_format("%.*sindex.jsonl", (int)(slash - output), output) : strdup(output);
}

/* An output with columns is a file for each body; the records go to an index beside them. */
static bool parse_output(ga__plan *plan, char **problem)
{
    const char *output = plan->options->output, *brace = output ? strchr(output, '{') : NULL;

    if (!brace)
        return true;
    plan->output = ga__template_parse(output, GA__TEMPLATE_FILE, problem);
    if (!plan->output)
        return blame("-o", problem);
    if (!names_column(plan->output))
        return ga__say(false, problem, "-o '%s': a column in braces is expected, as 'DIR/{id}.json'", output);
    if (ga__ascii_has_extension(ga__slice_of(output), GA__PART))
        return ga__say(false, problem,
                       "-o '%s': a file whose name ends in .part is one that is not whole yet", output);
    if (plan->options->next) /* each page would take the place of the one before */
        return ga__say(
            false, problem,
            "--next and -o '%s' do not go together: a row has one file, and its pages are several; "
            "-o FILE.jsonl has them all",
            output);
    plan->output_index = ga__plan_index(output);
    return plan->output_index != NULL;
}

static ga__record_value *names_of(const ga__plan_path *paths, size_t count)
{
    ga__record_value *values = calloc(count ? count : 1, sizeof *values);

    for (size_t i = 0; values && i < count; i++)
        values[i].name = paths[i].name;
    return values;
}

static bool make_like(ga__plan *plan)
{
    plan->like.keep = names_of(plan->keep, plan->keep_count);
    plan->like.keep_count = plan->keep_count;
    plan->like.extract = names_of(plan->extract, plan->extract_count);
    plan->like.extract_count = plan->extract_count;
    return plan->like.keep && plan->like.extract;
}

static bool parse_all(ga__plan *plan, char **problem)
{
    const ga__job_options *options = plan->options;

    if (options->expect && !ga__expect_parse(&plan->expect, ga__slice_of(options->expect)))
        return ga__say(false, problem, "--expect '%s': statuses and ranges are expected, as 200-299,404",
                       options->expect);
    if (options->items && !options->next)
        return ga__say(false, problem, "--items wants --next: where the next page is (link, or a path)");
    if (count_of(options->headers) > MOST_HEADERS)
        return ga__say(false, problem, "more than %d headers (-H)", MOST_HEADERS);
    return parse_template(&plan->url, options->url_template, GA__TEMPLATE_URL, "--url", problem) &&
           parse_template(&plan->data, options->data, GA__TEMPLATE_FORM, "-d", problem) &&
           parse_template(&plan->json, options->json, GA__TEMPLATE_JSON, "--json", problem) &&
           parse_fields(&plan->headers, &plan->header_count, options->headers, parse_header, problem) &&
           parse_fields(&plan->parts, &plan->part_count, options->form, parse_part, problem) &&
           check_form_type(plan, problem) && check_login(plan, problem) &&
           (!options->id || parse_column(&plan->id, options->id, "--id", problem)) &&
           parse_keep(plan, problem) && parse_extract(plan, problem) && parse_next(plan, problem) &&
           parse_path(&plan->items, options->items, "--items", problem) && parse_user(plan, problem) &&
           parse_output(plan, problem) && make_like(plan);
}

ga__plan *ga__plan_new(const ga__job_options *options, char **problem)
{
    ga__plan *plan = calloc(1, sizeof *plan);

    *problem = NULL;
    if (!plan)
        return NULL;
    plan->options = options;
    ga__keys_prepare();
    if (parse_all(plan, problem))
        return plan;
    ga__plan_free(plan);
    return NULL;
}

static void free_fields(ga__plan_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(fields[i].name);
        ga__template_free(fields[i].value);
    }
    free(fields);
}

static void free_paths(ga__plan_path *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(paths[i].name);
        ga__path_free(paths[i].path);
    }
    free(paths);
}

void ga__plan_free(ga__plan *plan)
{
    if (!plan)
        return;
    ga__template_free(plan->url);
    ga__template_free(plan->data);
    ga__template_free(plan->json);
    ga__template_free(plan->output);
    free(plan->output_index);
    free_fields(plan->headers, plan->header_count);
    free_fields(plan->parts, plan->part_count);
    free(plan->id.name);
    ga__path_free(plan->id.path);
    free_paths(plan->keep, plan->keep_count);
    free_paths(plan->extract, plan->extract_count);
    ga__path_free(plan->next);
    free(plan->next_parameter);
    ga__path_free(plan->items);
    free(plan->user);
    free(plan->password);
    free((ga__record_value *)(uintptr_t)plan->like.keep);
    free((ga__record_value *)(uintptr_t)plan->like.extract);
    free(plan);
}

/* --- columns -------------------------------------------------------------------------------------- */

static bool has_column(const ga__slice *columns, size_t count, ga__slice name)
{
    for (size_t i = 0; i < count; i++)
        if (ga__slice_equal(columns[i], name))
            return true;
    return false;
}

static bool no_column(const char *option, ga__slice name, const ga__slice *columns, size_t count,
                      char **problem)
{
    ga__buffer text = GA__BUFFER_INIT;

    ga__buffer_printf(&text, "%s names the column \"%.*s\", and the input has ", option, (int)name.size,
                      name.data);
    for (size_t i = 0; i < count; i++)
        ga__buffer_printf(&text, "%s%.*s", i > 0 ? ", " : "", (int)columns[i].size, columns[i].data);
    *problem = ga__buffer_take(&text);
    return false;
}

static bool check_template(const ga__template *template, const char *option, const ga__slice *columns,
                           size_t count, char **problem)
{
    ga__slice name;

    for (size_t i = 0; template && ga__template_column_at(template, i, &name); i++)
        if (!has_column(columns, count, name))
            return no_column(option, name, columns, count, problem);
    return true;
}

static bool check_name(const ga__plan_path *path, const char *option, const ga__slice *columns, size_t count,
                       char **problem)
{
    ga__slice name = path->name ? ga__slice_of(path->name) : (ga__slice){NULL, 0};

    return !path->name || path->path || has_column(columns, count, name) ||
           no_column(option, name, columns, count, problem);
}

bool ga__plan_check_columns(const ga__plan *plan, const ga__slice *columns, size_t count, char **problem)
{
    *problem = NULL;
    if (!columns)
        return true;
    if (!plan->url && !has_column(columns, count, ga__slice_of("url")))
        return ga__say(
            false, problem,
            "the input has no column \"url\": --url 'https://api.example/items/{%.*s}' makes URLs of columns",
            (int)columns[0].size, columns[0].data);
    bool good = check_template(plan->url, "--url", columns, count, problem) &&
                check_template(plan->data, "-d", columns, count, problem) &&
                check_template(plan->json, "--json", columns, count, problem) &&
                check_template(plan->output, "-o", columns, count, problem) &&
                check_name(&plan->id, "--id", columns, count, problem);

    for (size_t i = 0; good && i < plan->header_count; i++)
        good = check_template(plan->headers[i].value, "-H", columns, count, problem);
    for (size_t i = 0; good && i < plan->part_count; i++)
        good = check_template(plan->parts[i].value, "-F", columns, count, problem);
    for (size_t i = 0; good && i < plan->keep_count; i++)
        good = check_name(&plan->keep[i], "--keep", columns, count, problem);
    return good;
}
