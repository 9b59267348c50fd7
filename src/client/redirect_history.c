/* SPDX-License-Identifier: MIT */
/*
 * What a response knows of the redirects before it: "302 URL" for each, a NUL after it, in one buffer that
 * the call hands over to its last response.
 */
#include "client/redirect_history.h"

#include "client/response.h"
#include <stdlib.h>
#include <string.h>

enum { STATUS_SIZE = 4 }; /* its digits and a blank */

int ga__redirect_history_add(ga__buffer **history, int status, const char *url)
{
    ga__buffer entry = GA__BUFFER_INIT;

    if (!*history && !(*history = calloc(1, sizeof **history)))
        return GA_ENOMEM;
    ga__buffer_printf(&entry, "%03d %s", status, url);
    if (!entry.failed)
        ga__buffer_append(*history, entry.data, entry.size + 1);
    bool failed = entry.failed || (*history)->failed;

    ga__buffer_free(&entry);
    return failed ? GA_ENOMEM : 0;
}

void ga__redirect_history_free(ga__buffer *history)
{
    if (history)
        ga__buffer_free(history);
    free(history);
}

int ga_redirect_at(const ga_response *response, size_t index, const char **url, int *status)
{
    const ga__buffer *history = response ? response->history : NULL;
    size_t at = 0;

    for (; history && at < history->size; at += strlen(history->data + at) + 1) {
        if (index-- > 0)
            continue;
        if (status)
            *status = atoi(history->data + at);
        if (url)
            *url = history->data + at + STATUS_SIZE;
        return 1;
    }
    return 0;
}
