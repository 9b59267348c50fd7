/* SPDX-License-Identifier: MIT */
/*
 * The hosts file (hosts(5)): names with their addresses, which go before what the name servers say. It is
 * read on first use and again whenever it changed.
 */
#ifndef GA__HOSTS_H
#define GA__HOSTS_H

#include "base/buffer.h"
#include "base/slice.h"
#include "io/address.h"
#include <sys/stat.h>

/* One name with one of its addresses. */
typedef struct ga__hosts_line {
    ga__slice name; /* in `text`, lower case, no dot at its end */
    ga__address address;
    size_t line; /* the file's order */
} ga__hosts_line;

typedef struct ga__hosts {
    const char *path; /* borrowed */
    struct stat seen; /* of the file that was read */
    uint64_t look_at; /* when to look whether it changed */
    ga__buffer text;
    ga__hosts_line *entries; /* sorted by name, then by line */
    size_t count;
} ga__hosts;

void ga__hosts_init(ga__hosts *hosts, const char *path);

/* The entries of the name (lower case, without a dot at its end): the first, and how many follow it at once.
 * They stay until the next call. Looks once a second whether the file changed, and reads it then; `now` in
 * ns. 0 where there is no entry, or no file that can be read; GA_ENOMEM, GA_EFDS, not recorded. */
ssize_t ga__hosts_find(ga__hosts *hosts, const char *name, uint64_t now, const ga__hosts_line **first);

void ga__hosts_free(ga__hosts *hosts);

#endif
