/* SPDX-License-Identifier: MIT */
/*
 * What tells one version of a thing from another (RFC 9110, 8.8): an entity tag, or when it was last
 * modified.
 */
#ifndef GA__VALIDATOR_H
#define GA__VALIDATOR_H

#include "base/slice.h"
#include "protocol/headers.h"

/* The value that an If-Range may have after an answer with these fields (RFC 9110, 13.1.5): its strong entity
 * tag; where it has no entity tag, its Last-Modified, if that is strong, which it is where the answer was
 * made so much later that the thing cannot have changed again within the same second (8.8.2.2). It lies in
 * the headers. Size 0 where there is none. */
ga__slice ga__strong_validator(const ga__headers *headers);

#endif
