/* SPDX-License-Identifier: MIT */
/*
 * URLs: WHATWG URL, 4.4 and 4.5, for http and https. Parsing takes three steps: split the input (and what it
 * takes from the base) into slices, measure what they come to, write the serialisation into one block. The
 * invariant: parsing the serialisation gives the same serialisation, and it has only visible ASCII in it, so
 * it can stand in a request line and a header.
 *
 * Called once for each request and each redirect.
 */
#include "protocol/url.h"
#include "base/ascii.h"
#include "base/number.h"
#include "protocol/percent.h"
#include "protocol/url_parts.h"

static int refuse(const char **reason, const char *text)
{
    *reason = text;
    return GA_EURL;
}

static int out_of_memory(const char **reason)
{
    *reason = "no memory";
    return GA_ENOMEM;
}

static char *put(char *at, const char *bytes, size_t size)
{
    if (size)
        memcpy(at, bytes, size);
    return at + size;
}

static char *put_encoded(char *at, ga__slice text, ga__percent_set set)
{
    return ga__percent_encode(at, text.data, text.size, set);
}

static size_t encoded_size(ga__slice text, ga__percent_set set)
{
    return ga__percent_encoded_size(text.data, text.size, set);
}

/* How many dots a segment is made of, each written "." or "%2e"; 0 where it has anything else. */
static size_t count_dots(const char *segment, size_t size)
{
    size_t dots = 0;

    for (size_t i = 0; i < size; dots++) {
        if (segment[i] == '.')
            i++;
        else if (size - i >= 3 && segment[i] == '%' && segment[i + 1] == '2' &&
                 ga__ascii_lower(segment[i + 2]) == 'e')
            i += 3;
        else
            return 0;
    }
    return dots;
}

/* Where the last segment begins of a path that ends at `at` with "/": the root has no parent but itself. */
static char *parent(const char *root, char *at)
{
    if (at > root + 1)
        at--;
    while (at[-1] != '/')
        at--;
    return at;
}

/* Writes the path: "\" as "/", and without "." and ".." segments. */
static char *put_path(char *at, const ga__url_parts *parts)
{
    ga__slice rest = parts->path;
    char *root = at;

    at = put(at, parts->base_path.data, parts->base_path.size);
    if (rest.size == 0 && at > root)
        return at;
    if (rest.size && ga__url_is_slash(*rest.data))
        ga__slice_take(&rest, 1);
    if (at == root)
        *at++ = '/';

    /* Here what is written ends with "/". */
    for (bool last = false; !last;) {
        size_t size = 0;

        while (size < rest.size && !ga__url_is_slash(rest.data[size]))
            size++;
        ga__slice segment = ga__slice_take(&rest, size);
        size_t dots = count_dots(segment.data, segment.size);

        last = rest.size == 0;
        if (!last)
            ga__slice_take(&rest, 1);
        if (dots == 2) {
            at = parent(root, at);
        } else if (dots != 1) {
            at = put_encoded(at, segment, GA__PERCENT_PATH);
            if (!last)
                *at++ = '/';
        }
    }
    return at;
}

/* At least what write_parts writes. */
static size_t measure(const ga__url_parts *parts)
{
    size_t room = sizeof "https://:@[]:65535/?#";

    room += encoded_size(parts->username, GA__PERCENT_USERINFO);
    room += encoded_size(parts->password, GA__PERCENT_USERINFO);
    room += parts->host.size;
    room += parts->base_path.size;
    room += encoded_size(parts->path, GA__PERCENT_PATH);
    room += encoded_size(parts->query, GA__PERCENT_QUERY);
    room += encoded_size(parts->fragment, GA__PERCENT_FRAGMENT);
    return room;
}

/* Writes the serialisation to `text` and the offsets to the url (WHATWG URL, 4.5). */
static void write_parts(ga__url *url, char *text, const ga__url_parts *parts)
{
    bool ipv6 = parts->host_kind == GA__HOST_IPV6;
    char *at = parts->secure ? put(text, "https://", 8) : put(text, "http://", 7);

    at = put_encoded(at, parts->username, GA__PERCENT_USERINFO);
    url->username_end = (uint32_t)(at - text);
    if (parts->password.size) {
        *at++ = ':';
        at = put_encoded(at, parts->password, GA__PERCENT_USERINFO);
    }
    url->password_end = (uint32_t)(at - text);
    if (parts->username.size || parts->password.size)
        *at++ = '@';

    url->host_at = (uint32_t)(at - text);
    if (ipv6)
        *at++ = '[';
    at = put(at, parts->host.data, parts->host.size);
    if (ipv6)
        *at++ = ']';
    url->host_end = (uint32_t)(at - text);
    if (parts->port) {
        *at++ = ':';
        at = ga__put_decimal(at, parts->port);
    }

    url->path_at = (uint32_t)(at - text);
    at = put_path(at, parts);
    url->query_at = (uint32_t)(at - text);
    if (parts->has_query) {
        *at++ = '?';
        at = put_encoded(at, parts->query, GA__PERCENT_QUERY);
    }
    url->fragment_at = (uint32_t)(at - text);
    if (parts->has_fragment) {
        *at++ = '#';
        at = put_encoded(at, parts->fragment, GA__PERCENT_FRAGMENT);
    }
    url->size = (uint32_t)(at - text);
    url->secure = parts->secure;
    url->host_kind = (uint8_t)parts->host_kind;
    url->port = parts->port ? parts->port : ga__url_default_port(parts->secure);
}

static size_t scheme_end(const ga__url *url)
{
    return url->secure ? sizeof "https://" - 1 : sizeof "http://" - 1;
}

/* What stands after a serialisation of that size, besides the printable form: NUL, host, NUL. */
static size_t tail_room(size_t host_size)
{
    return host_size + 2;
}

/* Room for the url's text: within itself, or a block of its own. NULL: no memory. Does not touch what `far`
 * was. */
static char *allocate(ga__url *url, size_t room)
{
    url->far = NULL;
    if (room <= sizeof url->near)
        return url->near;
    url->far = malloc(room);
    return url->far;
}

/* Writes what stands after the serialisation. */
static void finish(ga__url *url, char *text)
{
    bool brackets = url->host_kind == GA__HOST_IPV6;
    size_t host_size = url->host_end - url->host_at;
    char *at = text + url->size;

    *at++ = '\0';
    url->name_at = (uint32_t)(at - text);
    at = put(at, text + url->host_at + brackets, host_size - (brackets ? 2 : 0));
    *at++ = '\0';

    url->printable_at = 0;
    if (url->host_at > scheme_end(url)) {
        url->printable_at = (uint32_t)(at - text);
        at = put(at, text, scheme_end(url));
        at = put(at, text + url->host_at, url->size - url->host_at);
        *at = '\0';
    }
}

static int assemble(ga__url *url, const ga__url_parts *parts, const char **reason)
{
    bool userinfo = parts->username.size || parts->password.size;
    size_t room = measure(parts);
    char *text = allocate(url, (userinfo ? 2 * room : room) + tail_room(parts->host.size));

    if (!text)
        return out_of_memory(reason);
    write_parts(url, text, parts);
    if (url->size > GA__URL_MAX)
        return refuse(reason, "the URL is longer than 1 MiB");
    finish(url, text);
    return 0;
}

int ga__url_parse(ga__url *url, const char *input, size_t size, const ga__url *base, const char **reason)
{
    ga__url_parts parts;
    int code = ga__url_split(&parts, input, size, base, reason);

    url->far = NULL;
    if (code == 0)
        code = assemble(url, &parts, reason);
    if (code)
        ga__url_free(url);
    return code;
}

/* Whether a path that begins with "/" is its own serialisation: nothing is to be encoded, and there is no
 * backslash and no segment that might be one of dots. */
static bool is_plain_path(ga__slice path)
{
    for (size_t i = 0; i < path.size; i++)
        if (path.data[i] == '\\' || path.data[i] == '%' || (path.data[i] == '.' && path.data[i - 1] == '/'))
            return false;
    return encoded_size(path, GA__PERCENT_PATH) == path.size;
}

bool ga__url_parse_like(ga__url *url, const char *input, size_t size, const ga__url *known)
{
    size_t authority = known->path_at, host = known->host_end - known->host_at;

    if (authority == 0 || known->far || known->printable_at || size <= authority ||
        size + tail_room(host) > GA__URL_NEAR || input[authority] != '/' ||
        memcmp(input, known->near, authority) != 0)
        return false;
    ga__slice path = {input + authority, size - authority}, query = {input + size, 0};
    const char *mark = memchr(path.data, '?', path.size);

    if (mark) {
        query = (ga__slice){mark + 1, (size_t)(input + size - mark - 1)};
        path.size = (size_t)(mark - path.data);
    }
    if (!is_plain_path(path) || encoded_size(query, GA__PERCENT_QUERY) != query.size)
        return false;
    memcpy(url, known, offsetof(ga__url, near));
    memcpy(url->near, input, size);
    url->query_at = (uint32_t)(authority + path.size);
    url->size = url->fragment_at = (uint32_t)size;
    finish(url, url->near);
    return true;
}

int ga__url_copy(ga__url *to, const ga__url *from)
{
    const char *last = ga__url_href(from) + (from->printable_at ? from->printable_at : from->name_at);
    size_t size = (size_t)(last + strlen(last) + 1 - ga__url_href(from));

    *to = *from;
    if (!from->far)
        return 0;
    to->far = malloc(size);
    if (!to->far) {
        ga__url_free(to);
        return GA_ENOMEM;
    }
    memcpy(to->far, from->far, size);
    return 0;
}

void ga__url_free(ga__url *url)
{
    free(url->far);
    memset(url, 0, offsetof(ga__url, near) + 1);
}

/* Inserts bytes, in their encoded form, after the path. The offsets that follow are the caller's to move.
 * On failure *url is as it was. */
static int insert(ga__url *url, size_t offset, const char *bytes, size_t size, const char **reason)
{
    const char *old = ga__url_href(url);
    size_t new_size = url->size + size;
    ga__url longer = *url;

    if (new_size > GA__URL_MAX)
        return refuse(reason, "the URL is longer than 1 MiB");
    char *text =
        allocate(&longer, (url->printable_at ? 2 : 1) * (new_size + 1) + tail_room(ga__url_host_size(url)));

    if (!text)
        return out_of_memory(reason);
    char *at = put(text, old, offset);

    at = put(at, bytes, size);
    put(at, old + offset, url->size - offset);
    longer.size = (uint32_t)new_size;
    finish(&longer, text);
    ga__url_free(url);
    *url = longer;
    return 0;
}

int ga__url_add_params(ga__url *url, const ga_pair *params, const char **reason)
{
    ga__slice query = ga__url_query(url);
    ga__buffer added = GA__BUFFER_INIT;
    int code = 0;

    if (!params)
        return 0;
    if (url->query_at == url->fragment_at)
        ga__buffer_add_char(&added, '?');
    else if (query.size && query.data[query.size - 1] != '&')
        ga__buffer_add_char(&added, '&');

    size_t before = added.size;

    ga__percent_encode_pairs(&added, params, GA__PERCENT_PARAMETER);
    if (added.failed)
        code = out_of_memory(reason);
    else if (added.size > before)
        code = insert(url, url->fragment_at, added.data, added.size, reason);
    if (code == 0 && added.size > before)
        url->fragment_at += (uint32_t)added.size;
    ga__buffer_free(&added);
    return code;
}

int ga__url_inherit_fragment(ga__url *url, const ga__url *from, const char **reason)
{
    if (url->fragment_at < url->size || from->fragment_at == from->size)
        return 0;
    return insert(url, url->size, ga__url_href(from) + from->fragment_at, from->size - from->fragment_at,
                  reason);
}

bool ga__url_same_origin(const ga__url *a, const ga__url *b)
{
    size_t size = ga__url_host_size(a);

    return a->secure == b->secure && a->port == b->port && size == ga__url_host_size(b) &&
           memcmp(ga__url_host(a), ga__url_host(b), size) == 0;
}

void ga__url_describe(ga__buffer *out, const char *input, size_t size)
{
    enum { SHOWN = 200 };
    /* A password may hold what ends the authority, so everything up to the last "@" may be userinfo. */
    const char *at_sign = size ? memrchr(input, '@', size) : NULL;
    size_t scheme = ga__url_scheme_size((ga__slice){input, size});
    size_t hidden = at_sign ? (size_t)(at_sign - input) : 0;

    if (at_sign) {
        bool known = scheme && size - scheme > 3 && ga__url_is_slash(input[scheme + 1]) &&
                     ga__url_is_slash(input[scheme + 2]);

        ga__buffer_append(out, input, known ? scheme + 3 : 0);
        ga__buffer_add(out, "...");
    }
    for (size_t i = hidden; i < size && i < hidden + SHOWN; i++)
        ga__buffer_add_char(out, ga__ascii_is_control(input[i]) ? '?' : input[i]);
    if (size > hidden + SHOWN)
        ga__buffer_add(out, "...");
}
