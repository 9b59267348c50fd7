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
    ga__buffer text = GA__BUFFER_INIT;
    va_list arguments;

    va_start(arguments, format);
    ga__buffer_vprintf(&text, format, arguments);
    va_end(arguments);
    char *string = ga__buffer_take(&text);

    if (!string)
        ga_fail(GA_ENOMEM, "no memory for a string");
    return string;
}
