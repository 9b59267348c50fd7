/* SPDX-License-Identifier: MIT */
/* The two functions of gather/base.h: the library's version, and a string as printf prints it. */
#include "base/buffer.h"

#include <gather/error.h>

const char *ga_version(void)
{
    return GA__VERSION;
}

char *ga_format(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *string = ga__vformat(format, arguments);

    va_end(arguments);
    if (!string)
        ga_fail(GA_ENOMEM, "no memory for a string");
    return string;
}
