/* SPDX-License-Identifier: MIT */
/*
 * The .netrc file: who a user is on which machine. As ftp had it, with quoted words as curl reads them.
 */
#ifndef GA__NETRC_H
#define GA__NETRC_H

#include "base/buffer.h"
#include "base/slice.h"

/* What is known of a machine. Buffers are to be freed. */
typedef struct ga__netrc {
    ga__buffer login, password;
    bool is_default; /* of the entry for all machines that are not named */
} ga__netrc;

/* The first entry for the host, or the default one. `host` empty: only judges the file. *line is set where
 * the file is not understood: the line of the word at fault, from 1.
 * @return 1 where there is one, 0 where not, GA_EUSAGE, GA_ENOMEM */
int ga__netrc_find(ga__netrc *found, ga__slice text, ga__slice host, unsigned *line);

void ga__netrc_free(ga__netrc *found);

#endif
