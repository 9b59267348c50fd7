/* SPDX-License-Identifier: MIT */
/*
 * The links that a response's head names, for whoever follows pages.
 */
#include "client/response.h"

#include "protocol/link.h"
#include <string.h>

/* The reference as an absolute URL. NULL: it is none (nothing recorded), or there is no memory. */
static char *resolve(const ga_response *response, ga__slice target)
{
    const char *reason = NULL;
    ga__url base, url;
    char *absolute = NULL;
    int code = ga__url_parse(&base, response->progress.url, strlen(response->progress.url), NULL, &reason);

    if (code == 0) {
        code = ga__url_parse(&url, target.data, target.size, &base, &reason);
        ga__url_free(&base);
    }
    if (code == 0) {
        absolute = strdup(ga__url_printable(&url));
        ga__url_free(&url);
    }
    if (code == GA_ENOMEM || (code == 0 && !absolute))
        ga__progress_fail(&response->progress, GA_ENOMEM, "no memory for a link");
    return absolute;
}

char *ga_link(const ga_response *response, const char *relation)
{
    const ga__headers *headers = response ? &response->headers : NULL;
    const ga__field *field = NULL;
    ga__slice target;

    while (headers && relation && (field = ga__headers_next(headers, GA__FIELD_LINK, field))) {
        ga__slice value = {ga__field_value(headers, field), field->value_size};

        if (ga__link_header_find(value, relation, &target))
            return resolve(response, target);
    }
    return NULL;
}
