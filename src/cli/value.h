/* SPDX-License-Identifier: MIT */
/* Numbers with their units, as people write them. Each returns false for what is none, and leaves the rest.
 */
#ifndef GA__VALUE_H
#define GA__VALUE_H

#include "base/slice.h"
#include "bulk/job.h"

/* "90", "1.5s", "500ms", "15m", "1h30m", "1d": in seconds. */
bool ga__value_duration(ga__slice text, double *seconds);
/* "4096", "64K", "16M", "1.5G", "2T", also "16MB" and "16MiB": in bytes, by powers of 1024. */
bool ga__value_size(ga__slice text, int64_t *bytes);
/* "10", "10/s", "500/m", "5/15s", "none". `bare`: a number alone is per second. */
bool ga__value_rate(ga__slice text, bool bare, ga__rate *rate);
/* "100"; "50%", a share; "none" is 0. */
bool ga__value_share(ga__slice text, double *number, bool *share);
/* "2/4": a part from 1, of all. */
bool ga__value_shard(ga__slice text, uint32_t *part, uint32_t *parts);
/* "true", "yes", "on" and "1", or their opposites. */
bool ga__value_switch(ga__slice text, bool *on);
/* The place of the text among "a|b|c"; -1: it is not there. */
int ga__value_choice(ga__slice text, const char *choices);

#endif
