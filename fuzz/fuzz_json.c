/* SPDX-License-Identifier: MIT */
/* Any bytes as JSON: what is not called too deep nests no deeper than a task's stack bears. */
#include "fuzz.h"
#include "protocol/json_depth.h"
#include <jansson.h>

static int depth(const json_t *json)
{
    json_t *container = (json_t *)(uintptr_t)json, *value;
    int deepest = 0, below;
    const char *name;
    size_t index;

    json_object_foreach(container, name, value)
    {
        below = depth(value);
        deepest = below > deepest ? below : deepest;
    }
    json_array_foreach(container, index, value)
    {
        below = depth(value);
        deepest = below > deepest ? below : deepest;
    }
    return deepest + (json_is_object(json) || json_is_array(json));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool deep = ga__json_too_deep((ga__slice){size ? (const char *)data : "", size});
    json_t *json = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    REQUIRE(!json || deep == (depth(json) > GA__JSON_DEEPEST));
    json_decref(json);
    return 0;
}
