/* SPDX-License-Identifier: MIT */
/*
 * The content of a body that came with content codings: read as it is asked for, from what the response
 * receives. A state to decode with is there from the first read to the content's end only.
 */
#ifndef GA__CONTENT_H
#define GA__CONTENT_H

#include "client/response.h"

/* Notes which codings a response's body has that is to be decoded. `raw`: none is. */
void ga__content_codings(ga__codings *codings, const ga__headers *headers, int status, bool raw);

/* For a response with codings: as ga_read, after its checks. Suspends. At the content's end the response has
 * no codings any more. @return as ga_read */
ssize_t ga__content_read(ga_response *response, void *buffer, size_t size);

/* For a response with codings: decodes to the content's end, which then is the response's body, without
 * codings. Suspends. @return 0 or a failure, recorded; what was decoded so far stays for the next call */
int ga__content_read_all(ga_response *response);

/* Records why decoding failed. @return GA_EDECODE */
int ga__content_failed(const ga_response *response);

/* Frees the state. */
void ga__content_end(ga_response *response);

#endif
