/* SPDX-License-Identifier: MIT */
/*
 * Taking a head apart that was written here: the parser of heads does it, without limits. Called by
 * client/mock.c and client/har.c.
 */
#include "client/head_copy.h"

#include "protocol/http1_fields.h"
#include <gather/error.h>
#include <string.h>

int ga__head_copy_make(ga__head_copy *copy, const ga__buffer *head)
{
    static const ga__headers_limits none = {UINT32_MAX, UINT32_MAX, UINT32_MAX, true};
    ga__headers_table table;
    const char *problem = NULL;

    *copy = (ga__head_copy){0};
    ga__buffer_append(&copy->bytes, head->data, head->size);
    if (copy->bytes.failed)
        return GA_ENOMEM;
    char *line_end = strstr(copy->bytes.data, "\r\n");

    *line_end = '\0';
    ga__headers_table_init(&table);
    int code = ga__headers_parse(&table, copy->bytes.data, (uint32_t)(line_end + 2 - copy->bytes.data),
                                 (uint32_t)copy->bytes.size, &none, &problem);
    const ga__headers *headers = &table.headers;

    if (code == 0 && !(copy->fields = calloc(headers->count + 1, sizeof *copy->fields)))
        code = GA_ENOMEM;
    for (uint32_t i = 0; code == 0 && i < headers->count; i++)
        copy->fields[i] = (ga_pair){ga__field_name(headers, &headers->fields[i]),
                                    ga__field_value(headers, &headers->fields[i])};
    ga__headers_table_free(&table);
    if (code < 0)
        ga__head_copy_free(copy);
    return code;
}

void ga__head_copy_free(ga__head_copy *copy)
{
    ga__buffer_free(&copy->bytes);
    free(copy->fields);
    *copy = (ga__head_copy){0};
}
