/* SPDX-License-Identifier: MIT */
/*
 * What of a header is not to be shown: the values of fields that carry credentials.
 */
#ifndef GA__REDACT_H
#define GA__REDACT_H

#include "base/slice.h"

/* Whether the field of that name has a secret for its value. */
bool ga__is_secret(ga__slice name);

/* What is shown of the value of the field: all of it, or "[redacted]". */
const char *ga__redacted(const char *name, const char *value);

#endif
