/* SPDX-License-Identifier: MIT */
/*
 * Jars in files, in the Netscape format that curl and browsers' tools share. A file is read as a whole and
 * judged before its first cookie is taken; it is written beside its place and moved there when it is whole,
 * so that whoever reads it meanwhile sees the one before. Called by users.
 */
#include "client/cookie_jar.h"

#include "base/ascii.h"
#include "base/number.h"
#include "task/loop.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HTTP_ONLY "#HttpOnly_"

enum { LARGEST_FILE = 64 << 20 };

static int file_failed(const char *doing, const char *path, int error)
{
    ga__fail(GA_ESYSTEM, "%s the cookies' file %s: %s", doing, path, strerror(error));
    ga__error_edit()->os_error = error;
    return GA_ESYSTEM;
}

/* --- reading ---------------------------------------------------------------------------------------- */

static int read_file(const char *path, ga__buffer *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), error = errno;
    ssize_t count = -1;

    if (fd < 0)
        return file_failed("reading", path, error);
    do {
        char *room = ga__buffer_reserve(text, 64 << 10);

        if (!room)
            break;
        count = read(fd, room, 64 << 10);
        error = count < 0 ? errno : text->size > LARGEST_FILE ? EFBIG : 0;
        text->size += count > 0 ? (size_t)count : 0;
    } while ((count > 0 && error == 0) || error == EINTR);
    close(fd);
    if (text->failed)
        return ga__fail(GA_ENOMEM, "no memory for the cookies' file %s", path);
    return error ? file_failed("reading", path, error) : 0;
}

/* The next line, without its end; blanks stay. */
static ga__slice next_line(ga__slice *rest)
{
    ga__slice line = ga__slice_take_to(rest, '\n');

    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

static bool read_flag(ga__slice field, bool *flag)
{
    *flag = ga__ascii_is(field, "TRUE");
    return *flag || ga__ascii_is(field, "FALSE");
}

/* The domain as a URL's host would have it. */
static const char *read_domain(ga__cookie *cookie, ga__slice field, ga__host *host)
{
    char bracketed[GA__HOST_MAX + 3];
    const char *reason;

    if (field.size > 0 && field.data[0] == '.')
        ga__slice_take(&field, 1);
    if (field.size == 0 || field.size > GA__HOST_MAX)
        return "its domain is empty or too long";
    if (memchr(field.data, ':', field.size)) {
        bracketed[0] = '[';
        memcpy(bracketed + 1, field.data, field.size);
        bracketed[field.size + 1] = ']';
        field = (ga__slice){bracketed, field.size + 2};
    }
    if (ga__host_parse(host, field.data, field.size, &reason) < 0)
        return "its domain is no host's name";
    if (host->kind != GA__HOST_NAME)
        cookie->host_only = true;
    else if (!cookie->host_only && ga__is_public_suffix(host->text))
        return "its domain is a public suffix";
    cookie->domain = (ga__slice){host->text, host->size};
    return NULL;
}

static const char *read_rest(ga__cookie *cookie, ga__slice line, int64_t now)
{
    int64_t latest = now + (int64_t)GA__COOKIE_DAYS_MAX * 24 * 60 * 60;
    uint64_t expires;
    ga__slice field = ga__slice_take_to(&line, '\t');

    if (!ga__parse_decimal(field.data, field.size, &expires))
        return "its expiry is no number of seconds";
    cookie->expires = expires == 0 ? GA__COOKIE_KEPT : expires > (uint64_t)latest ? latest : (int64_t)expires;
    cookie->name = ga__slice_take_to(&line, '\t');
    cookie->value = line; /* a tab may be part of it */
    if (cookie->name.size + cookie->value.size == 0)
        return "it has neither a name nor a value";
    if (cookie->name.size + cookie->value.size > GA__COOKIE_PAIR_MAX)
        return "its name and value are longer than 4096 bytes";
    if (memchr(cookie->name.data, ';', cookie->name.size) ||
        memchr(cookie->name.data, '=', cookie->name.size) ||
        memchr(cookie->value.data, ';', cookie->value.size))
        return "its name or value has a character that ends it";
    ga__set_cookie set = {.name = cookie->name, .value = cookie->value, .secure = cookie->secure};

    return ga__cookie_prefix_refuses(&set, cookie->host_only, ga__slice_equal(cookie->path, GA__SLICE("/")));
}

static bool has_control(ga__slice line)
{
    for (size_t i = 0; i < line.size; i++)
        if (ga__ascii_is_control(line.data[i]) && line.data[i] != '\t')
            return true;
    return false;
}

/* Reads a line that is neither empty nor a comment. @return NULL, or what is wrong with it */
static const char *read_line(ga__cookie *cookie, ga__slice line, ga__host *host, int64_t now)
{
    bool below;

    if (has_control(line))
        return "it has a control character";
    ga__slice domain = ga__slice_take_to(&line, '\t');

    if (!read_flag(ga__slice_take_to(&line, '\t'), &below))
        return "its second field is neither TRUE nor FALSE";
    cookie->host_only = !below;
    cookie->path = ga__slice_take_to(&line, '\t');
    if (cookie->path.size == 0 || cookie->path.data[0] != '/' || cookie->path.size > GA__COOKIE_ATTRIBUTE_MAX)
        return "its path does not begin with \"/\", or is longer than 1024 bytes";
    if (!read_flag(ga__slice_take_to(&line, '\t'), &cookie->secure))
        return "its fourth field is neither TRUE nor FALSE";
    const char *reason = read_domain(cookie, domain, host);

    return reason ? reason : read_rest(cookie, line, now);
}

/* Goes through the file's lines; puts their cookies into the jar, where there is one. */
static int read_lines(ga_cookie_jar *jar, const char *path, ga__slice rest, int64_t now)
{
    static const size_t marker = sizeof HTTP_ONLY - 1;

    for (unsigned long number = 1; rest.size > 0; number++) {
        ga__slice line = next_line(&rest);
        ga__cookie cookie = {0};
        ga__host host;

        cookie.http_only = line.size > marker && memcmp(line.data, HTTP_ONLY, marker) == 0;
        if (cookie.http_only)
            ga__slice_take(&line, marker);
        else if (line.size == 0 || line.data[0] == '#')
            continue;
        const char *reason = read_line(&cookie, line, &host, now);

        if (reason)
            return ga__fail(GA_EUSAGE, "%s:%lu is no cookie: %s", path, number, reason);
        if (jar && cookie.expires > now && ga__cookie_jar_put(jar, &cookie, now) < 0)
            return ga__fail(GA_ENOMEM, "no memory for the cookies of %s", path);
    }
    return 0;
}

int ga_cookie_jar_load(ga_cookie_jar *jar, const char *path)
{
    ga__buffer text = GA__BUFFER_INIT;
    int64_t now = time(NULL);

    if (!jar || !path)
        return ga__fail(GA_EUSAGE, "ga_cookie_jar_load: there is no jar or path");
    int code = read_file(path, &text);

    if (code == 0)
        code = read_lines(NULL, path, (ga__slice){text.data, text.size}, now);
    if (code == 0)
        code = read_lines(jar, path, (ga__slice){text.data, text.size}, now);
    ga__buffer_free(&text);
    return code;
}

/* --- writing ---------------------------------------------------------------------------------------- */

static void add_line(ga__buffer *text, const ga__cookie *cookie)
{
    ga__buffer_printf(text, "%s%s%s\t%s\t%s\t%s\t%lld\t", cookie->http_only ? HTTP_ONLY : "",
                      cookie->host_only ? "" : ".", cookie->domain.data, cookie->host_only ? "FALSE" : "TRUE",
                      cookie->path.data, cookie->secure ? "TRUE" : "FALSE",
                      cookie->expires == GA__COOKIE_KEPT ? 0 : (long long)cookie->expires);
    ga__buffer_printf(text, "%s\t%s\n", cookie->name.data, cookie->value.data);
}

/* @return 0, or errno */
static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, data, size);

        if (count < 0 && errno != EINTR)
            return errno;
        data += count > 0 ? count : 0;
        size -= count > 0 ? (size_t)count : 0;
    }
    return fsync(fd) < 0 ? errno : 0;
}

/* Writes the text beside its place, and moves it there. @return 0, or errno */
static int replace_file(const char *path, char *beside, const ga__buffer *text)
{
    int fd = mkostemp(beside, O_CLOEXEC); /* mode 0600 */

    if (fd < 0)
        return errno;
    int error = write_all(fd, text->data, text->size);

    if (close(fd) < 0 && error == 0)
        error = errno;
    if (error == 0 && rename(beside, path) < 0)
        error = errno;
    if (error)
        unlink(beside);
    return error;
}

int ga_cookie_jar_save(const ga_cookie_jar *jar, const char *path)
{
    ga__buffer text = GA__BUFFER_INIT, beside = GA__BUFFER_INIT;
    int64_t now = time(NULL);
    int code = 0;

    if (!jar || !path)
        return ga__fail(GA_EUSAGE, "ga_cookie_jar_save: there is no jar or path");
    ga__buffer_add(&text, "# Netscape HTTP Cookie File\n");
    for (const ga__link *link = jar->all.next; link != &jar->all; link = link->next) {
        ga__cookie cookie = ga__cookie_of(link);

        if (cookie.expires > now)
            add_line(&text, &cookie);
    }
    ga__buffer_printf(&beside, "%s.XXXXXX", path);
    if (text.failed || beside.failed) {
        code = ga__fail(GA_ENOMEM, "no memory for the cookies' file %s", path);
    } else {
        int error = replace_file(path, beside.data, &text);

        code = error ? file_failed("writing", path, error) : 0;
    }
    ga__buffer_free(&text);
    ga__buffer_free(&beside);
    return code;
}
