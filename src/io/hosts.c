/* SPDX-License-Identifier: MIT */
/*
 * The hosts file, read whole into memory, its names sorted for search: files that block advertisements have
 * hundreds of thousands. What cannot be parsed in it is passed over, as the C library does. dns.c looks here
 * before it asks a name server.
 */
#include "io/hosts.h"

#include "base/ascii.h"

#include <errno.h>
#include <fcntl.h>
#include <gather/error.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST_FILE = 64 * 1024 * 1024, LOOK_NS = 1000000000 };

void ga__hosts_init(ga__hosts *hosts, const char *path)
{
    *hosts = (ga__hosts){.path = path};
}

void ga__hosts_free(ga__hosts *hosts)
{
    ga__buffer_free(&hosts->text);
    free(hosts->entries);
    ga__hosts_init(hosts, hosts->path);
}

static int by_name(const void *left, const void *right)
{
    const ga__hosts_line *a = left;
    const ga__hosts_line *b = right;
    size_t size = a->name.size < b->name.size ? a->name.size : b->name.size;
    int order = memcmp(a->name.data, b->name.data, size);

    if (order == 0)
        order = (a->name.size > b->name.size) - (a->name.size < b->name.size);
    return order ? order : (a->line > b->line) - (a->line < b->line);
}

/* The next word of the line that starts at *at; empty at its end or at a comment. */
static ga__slice next_word(const char **at)
{
    const char *start = *at + strspn(*at, " \t\r");

    *at = start + strcspn(start, " \t\r#\n");
    return (ga__slice){start, (size_t)(*at - start)};
}

/* Adds the line's names; false where there is no memory. */
static bool add_line(ga__hosts *hosts, const char *line, size_t number, size_t *capacity)
{
    ga__slice word = next_word(&line);
    char text[GA__ADDRESS_TEXT];
    ga__address address;

    if (word.size == 0 || word.size >= sizeof text)
        return true;
    memcpy(text, word.data, word.size);
    text[word.size] = '\0';
    if (text[0] == '[' || !ga__address_ip(&address, text, 0))
        return true;
    while ((word = next_word(&line)).size > 0) {
        if (word.data[word.size - 1] == '.')
            word.size--;
        if (hosts->count == *capacity) {
            size_t more = *capacity ? *capacity * 2 : 16;
            ga__hosts_line *entries = realloc(hosts->entries, more * sizeof *entries);

            if (!entries)
                return false;
            hosts->entries = entries;
            *capacity = more;
        }
        hosts->entries[hosts->count++] = (ga__hosts_line){.name = word, .address = address, .line = number};
    }
    return true;
}

/* Finds the names in `text`; false where there is no memory. */
static bool parse(ga__hosts *hosts)
{
    const char *line = hosts->text.data;
    size_t capacity = 0, number = 0;

    for (size_t i = 0; i < hosts->text.size; i++)
        hosts->text.data[i] = ga__ascii_lower(hosts->text.data[i]);
    while (line && *line) {
        const char *end = strchr(line, '\n');

        if (!add_line(hosts, line, number++, &capacity))
            return false;
        line = end ? end + 1 : NULL;
    }
    if (hosts->count > 0)
        qsort(hosts->entries, hosts->count, sizeof *hosts->entries, by_name);
    return true;
}

/* A file that cannot be read is an empty one, unless there was no descriptor to read it with.
 * @return 0, GA_ENOMEM, GA_EFDS */
static int read_file(ga__hosts *hosts, size_t size)
{
    int fd = open(hosts->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == EMFILE || errno == ENFILE ? GA_EFDS : 0;
    while (hosts->text.size < size) {
        char *room = ga__buffer_reserve(&hosts->text, size - hosts->text.size);
        ssize_t count = room ? read(fd, room, size - hosts->text.size) : -1;

        if (count <= 0)
            break;
        hosts->text.size += (size_t)count;
    }
    close(fd);
    if (hosts->text.data)
        hosts->text.data[hosts->text.size] = '\0';
    return hosts->text.failed ? GA_ENOMEM : 0;
}

/* Reads the file where it changed. @return 0, GA_ENOMEM, GA_EFDS */
static int refresh(ga__hosts *hosts)
{
    struct stat now;

    if (stat(hosts->path, &now) < 0 || !S_ISREG(now.st_mode) || now.st_size > LARGEST_FILE) {
        ga__hosts_free(hosts);
        return 0;
    }
    if (now.st_ino == hosts->seen.st_ino && now.st_size == hosts->seen.st_size &&
        now.st_mtim.tv_sec == hosts->seen.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == hosts->seen.st_mtim.tv_nsec)
        return 0;
    ga__hosts_free(hosts);
    hosts->seen = now;
    int code = read_file(hosts, (size_t)now.st_size);

    if (code == 0 && !parse(hosts))
        code = GA_ENOMEM;
    if (code < 0)
        ga__hosts_free(hosts); /* and it is read again */
    return code;
}

/* The first entry that is not before the name. */
static size_t lower_bound(const ga__hosts *hosts, ga__slice name)
{
    const ga__hosts_line wanted = {.name = name, .line = 0};
    size_t low = 0, high = hosts->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (by_name(&hosts->entries[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ssize_t ga__hosts_find(ga__hosts *hosts, const char *name, uint64_t now, const ga__hosts_line **first)
{
    ga__slice wanted = ga__slice_of(name);
    size_t count = 0;

    *first = NULL;
    if (now >= hosts->look_at) {
        int code = refresh(hosts);

        if (code < 0)
            return code;
        hosts->look_at = now + LOOK_NS;
    }
    size_t place = lower_bound(hosts, wanted);

    while (place + count < hosts->count && ga__slice_equal(hosts->entries[place + count].name, wanted))
        count++;
    if (count > 0)
        *first = &hosts->entries[place];
    return (ssize_t)count;
}
