/* SPDX-License-Identifier: MIT */
/*
 * The value of Link (RFC 8288, section 3): links to other resources and how they are related to this one.
 */
#ifndef GA__PROTOCOL_LINK_H
#define GA__PROTOCOL_LINK_H

#include "base/slice.h"

/* Finds the first link of that relation, whatever the case, in a field's value: *target is its URI reference,
 * as it stands. A link that is about another resource ("anchor") is none of ours. Reading ends where the
 * syntax does; what was before counts. */
bool ga__link_header_find(ga__slice value, const char *relation, ga__slice *target);

#endif
