/* SPDX-License-Identifier: MIT */
/*
 * What of a request is not to be shown: the values of header fields and of a URL's parameters that carry
 * credentials.
 */
#ifndef GA__REDACT_H
#define GA__REDACT_H

#include "base/buffer.h"
#include "base/slice.h"

/* Whether the field, or parameter, of that name has a secret for its value. */
bool ga__is_secret(ga__slice name);

/* Appends what is shown of the value of the field: all of it, or "[redacted]"; of a URL what ga__redact_url
 * leaves. */
void ga__redact_field(ga__buffer *out, const char *name, const char *value);

/* Appends a URL, or a line with one, in which the values of such parameters are "[redacted]", without its
 * fragment, which may be anything. */
void ga__redact_url(ga__buffer *out, ga__slice url);

#endif
