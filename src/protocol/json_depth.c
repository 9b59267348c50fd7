/* SPDX-License-Identifier: MIT */
/*
 * Counts brackets outside strings. The client asks before it parses a body, the embedded API before a
 * request's.
 */
#include "protocol/json_depth.h"

bool ga__json_too_deep(ga__slice text)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.size && depth <= GA__JSON_DEEPEST; i++) {
        char c = text.data[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return depth > GA__JSON_DEEPEST;
}
