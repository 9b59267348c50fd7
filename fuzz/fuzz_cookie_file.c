/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a file of cookies: a jar takes all of the file or nothing, and only cookies that a server
 * could have set.
 */
#include "client/cookie_jar.h"
#include "fuzz.h"
#include "protocol/cookie.h"
#include <gather/error.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Puts the bytes into a file of the process' own, and its path into `path`. */
static void put(const uint8_t *data, size_t size, char *path, size_t capacity)
{
    static int file = -1;

    if (file < 0)
        file = memfd_create("cookies", MFD_CLOEXEC);
    REQUIRE(file >= 0 && ftruncate(file, 0) == 0);
    REQUIRE(pwrite(file, data, size, 0) == (ssize_t)size);
    snprintf(path, capacity, "/proc/self/fd/%d", file);
}

static void check(const ga_cookie *cookie)
{
    size_t value = strlen(cookie->value);

    REQUIRE(strlen(cookie->name) + value > 0 && strlen(cookie->name) + value <= GA__COOKIE_PAIR_MAX);
    REQUIRE(!strpbrk(cookie->name, ";=\r\n") && !strpbrk(cookie->value, ";\r\n"));
    REQUIRE(cookie->path[0] == '/' && strlen(cookie->domain) > 0);
    REQUIRE(cookie->host_only || !ga__is_public_suffix(cookie->domain));
    REQUIRE(cookie->expires == 0 || cookie->expires > time(NULL) - 10);
    REQUIRE(strncmp(cookie->name, "__Secure-", 9) != 0 || cookie->secure);
    REQUIRE(strncmp(cookie->name, "__Host-", 7) != 0 || (cookie->secure && cookie->host_only));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ga_cookie_jar *jar = ga_cookie_jar_new();
    size_t lines = 1;
    ga_cookie cookie;
    char path[40];

    REQUIRE(jar);
    put(data, size, path, sizeof path);
    int code = ga_cookie_jar_load(jar, path);

    REQUIRE(code == 0 || (code == GA_EUSAGE && ga_cookie_jar_count(jar) == 0));
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    REQUIRE(ga_cookie_jar_count(jar) <= lines);
    for (size_t i = 0; ga_cookie_jar_at(jar, i, &cookie); i++)
        check(&cookie);
    ga_cookie_jar_free(jar);
    return 0;
}
