/* SPDX-License-Identifier: MIT */
/*
 * The routes, each a function. /todos answers as https://jsonplaceholder.typicode.com does: what is sent is
 * answered as if it were stored, and is not; whatever is unknown is {} with 404. /slow, /status, /headers,
 * /requests and /stream are for trying a client out. Called by the connection for each request.
 */
#include "todo_api/routes.h"

#include "base/number.h"
#include "protocol/json_depth.h"
#include "protocol/media_type.h"
#include "todo_api/query.h"

#include <jansson.h>
#include <string.h>

static const char json_media_type[] = "application/json; charset=utf-8";

static const double LONGEST_DELAY = 3600;
enum { MOST_LINES = 1000000 };

void reply_free(api_reply *answer)
{
    ga__buffer_free(&answer->made);
    free(answer->location);
    *answer = (api_reply){0};
}

static void reply_text(api_reply *answer, int status, ga__slice text)
{
    answer->status = status;
    answer->body = text;
}

static void reply_no_memory(api_reply *answer)
{
    reply_text(answer, 500, GA__SLICE("{\"error\": \"no memory\"}"));
}

/* Answers with what was appended to `made`. */
static void reply_made(api_reply *answer, int status)
{
    if (answer->made.failed)
        reply_no_memory(answer);
    else
        reply_text(answer, status, (ga__slice){answer->made.data, answer->made.size});
}

/* Answers with a JSON value, which it takes over; NULL says that there was no memory for it. */
static void reply_json(api_reply *answer, int status, json_t *value)
{
    char *text = value ? todo_list_print(value) : NULL;

    if (text) {
        ga__buffer_add(&answer->made, text);
        reply_made(answer, status);
    } else {
        reply_no_memory(answer);
    }
    free(text);
    json_decref(value);
}

static void reply_not_found(api_reply *answer)
{
    reply_text(answer, 404, GA__SLICE("{}"));
}

void reply_error(api_reply *answer, int status, const char *error)
{
    *answer = (api_reply){.content_type = json_media_type, .total = -1};
    reply_json(answer, status, json_pack("{s:s}", "error", error));
}

static json_t *form_object(ga__slice body)
{
    json_t *object = json_object();
    query_reader pairs = query_of(body);

    while (object && query_next(&pairs))
        json_object_set_new(object, pairs.name.data, json_string(pairs.value.data));
    query_free(&pairs);
    return object;
}

/* The JSON object in the body; NULL with the reply made where there is none. */
static json_t *json_object_of(ga__slice body, api_reply *answer)
{
    json_error_t error;

    if (ga__json_too_deep(body)) {
        reply_error(answer, 400, "the body nests deeper than 100 levels");
        return NULL;
    }
    json_t *object = json_loadb(body.data, body.size, JSON_REJECT_DUPLICATES, &error);

    if (json_is_object(object))
        return object;
    reply_error(answer, 400, object ? "the body is not a JSON object" : error.text);
    json_decref(object);
    return NULL;
}

/* The object in the body, by its Content-Type; an empty one where it is neither JSON nor a form. NULL with
 * the reply made where it is broken. */
static json_t *body_object(const api_request *asked, api_reply *answer)
{
    const char *type = ga__headers_known(asked->headers, GA__FIELD_CONTENT_TYPE);
    ga__media_type media;

    if (!type || !asked->body.size || !ga__media_type_parse(&media, type, strlen(type)))
        return json_object();
    if (ga__media_type_is(&media, "application", "x-www-form-urlencoded"))
        return form_object(asked->body);
    if (!ga__media_type_is_json(&media))
        return json_object();
    return json_object_of(asked->body, answer);
}

static void list_todos(const todo_list *todos, ga__slice asked, api_reply *answer)
{
    if (asked.size)
        reply_json(answer, 200, todo_list_select(todos, asked, &answer->total));
    else
        reply_text(answer, 200, todo_list_text(todos, 0));
}

static void create_todo(const api_request *asked, api_reply *answer)
{
    json_t *todo = body_object(asked, answer);
    const char *host = ga__headers_known(asked->headers, GA__FIELD_HOST);

    if (!todo)
        return;
    json_object_set_new(todo, "id", json_integer(TODO_COUNT + 1));
    reply_json(answer, 201, todo);
    answer->location =
        ga_format("%s://%s/todos/%d", asked->scheme, host ? host : "localhost", TODO_COUNT + 1);
}

/* PUT: what was sent, with the todo's id. PATCH: the todo, with what was sent in it. */
static void change_todo(const todo_list *todos, uint64_t id, const api_request *asked, api_reply *answer)
{
    json_t *sent = body_object(asked, answer);
    json_t *todo = sent;

    if (!sent)
        return;
    if (strcmp(asked->method, "PATCH") == 0) {
        todo = json_copy(todo_list_get(todos, id));
        json_object_update(todo, sent);
        json_decref(sent);
    } else {
        json_object_set_new(todo, "id", json_integer((json_int_t)id));
    }
    reply_json(answer, 200, todo);
}

static void one_todo(const todo_list *todos, ga__slice number, const api_request *asked, api_reply *answer)
{
    uint64_t id = 0;

    if (!ga__parse_decimal(number.data, number.size, &id) || !todo_list_get(todos, id)) {
        reply_not_found(answer);
        return;
    }
    if (strcmp(asked->method, "GET") == 0)
        reply_text(answer, 200, todo_list_text(todos, id));
    else if (strcmp(asked->method, "PUT") == 0 || strcmp(asked->method, "PATCH") == 0)
        change_todo(todos, id, asked, answer);
    else if (strcmp(asked->method, "DELETE") == 0)
        reply_text(answer, 200, GA__SLICE("{}"));
    else
        reply_not_found(answer);
}

static void all_todos(const todo_list *todos, ga__slice query, const api_request *asked, api_reply *answer)
{
    if (strcmp(asked->method, "GET") == 0)
        list_todos(todos, query, answer);
    else if (strcmp(asked->method, "POST") == 0)
        create_todo(asked, answer);
    else
        reply_not_found(answer);
}

static void slow(ga__slice query, api_reply *answer)
{
    ga__buffer text = GA__BUFFER_INIT;
    double delay = 1;

    if (query_find(query, "delay", &text) &&
        (!ga__parse_double(text.data, text.size, &delay) || delay < 0 || delay > LONGEST_DELAY)) {
        reply_error(answer, 400, "delay must be a number of seconds from 0 to 3600");
    } else {
        answer->delay = delay;
        ga__buffer_printf(&answer->made, "{\n  \"delay\": %g\n}", delay);
        reply_made(answer, 200);
    }
    ga__buffer_free(&text);
}

static void status(ga__slice number, api_reply *answer)
{
    uint64_t code = 0;

    if (ga__parse_decimal(number.data, number.size, &code) && code >= 200 && code <= 599)
        reply_text(answer, (int)code, GA__SLICE("{}"));
    else
        reply_error(answer, 400, "the status must be a number from 200 to 599");
}

/* The request's headers as they were spelled; values of one name are joined by a comma. */
static void headers(const api_request *asked, api_reply *answer)
{
    json_t *object = json_object();

    for (uint32_t i = 0; object && i < asked->headers->count; i++) {
        const ga__field *field = &asked->headers->fields[i];
        const char *name = ga__field_name(asked->headers, field);
        const char *value = ga__field_value(asked->headers, field);
        json_t *before = json_object_get(object, name);

        if (json_object_set_new(object, name,
                                before ? json_sprintf("%s, %s", json_string_value(before), value)
                                       : json_string(value)) == 0)
            continue;
        json_decref(object);
        reply_error(answer, 400, "a header is not UTF-8");
        return;
    }
    reply_json(answer, 200, object);
}

/* How many requests came, for whoever wants to know what a client really sent. */
static void requests(const api_request *asked, api_reply *answer)
{
    ga__buffer_printf(&answer->made, "{\n  \"requests\": %llu\n}", (unsigned long long)*asked->requests);
    reply_made(answer, 200);
}

static void stream(ga__slice query, api_reply *answer)
{
    answer->lines = query_number(query, "lines", 10);
    answer->status = 200;
    answer->content_type = "application/x-ndjson";
    if (answer->lines == 0 || answer->lines > MOST_LINES)
        reply_error(answer, 400, "lines must be a number from 1 to 1000000");
}

void routes_stream_line(ga__buffer *out, uint64_t number)
{
    ga__buffer_printf(out, "{\"line\": %llu}\n", (unsigned long long)number);
}

/* Cuts `prefix` off the path; false where it does not begin with it. */
static bool under(ga__slice *path, const char *prefix)
{
    size_t size = strlen(prefix);

    if (path->size < size || memcmp(path->data, prefix, size) != 0)
        return false;
    *path = (ga__slice){path->data + size, path->size - size};
    return true;
}

void routes_answer(const todo_list *todos, const api_request *asked, api_reply *answer)
{
    size_t size = strcspn(asked->target, "?#");
    ga__slice path = {asked->target, size};
    ga__slice query = ga__slice_of(asked->target + size + (asked->target[size] == '?'));
    bool get = strcmp(asked->method, "GET") == 0;
    bool counted = !ga__slice_equal(path, GA__SLICE("/requests"));

    *asked->requests += counted;
    *answer = (api_reply){.content_type = json_media_type, .total = -1};
    reply_no_memory(answer); /* unless what follows comes to an answer */
    if (ga__slice_equal(path, GA__SLICE("/todos")) || ga__slice_equal(path, GA__SLICE("/todos/")))
        all_todos(todos, query, asked, answer);
    else if (under(&path, "/todos/"))
        one_todo(todos, path, asked, answer);
    else if (under(&path, "/status/"))
        status(path, answer);
    else if (get && ga__slice_equal(path, GA__SLICE("/slow")))
        slow(query, answer);
    else if (get && ga__slice_equal(path, GA__SLICE("/headers")))
        headers(asked, answer);
    else if (get && !counted)
        requests(asked, answer);
    else if (get && ga__slice_equal(path, GA__SLICE("/stream")))
        stream(query, answer);
    else
        reply_not_found(answer);
}

const char *routes_phrase(int code)
{
    static const struct {
        int status;
        const char *phrase;
    } known[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Payload Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {418, "I'm a teapot"},
        {422, "Unprocessable Entity"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == code)
            return known[i].phrase;
    return "";
}
