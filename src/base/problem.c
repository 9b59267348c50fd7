/* SPDX-License-Identifier: MIT */
/* Problems as texts: a failure is told and returned in one line. */
#include "base/problem.h"
#include "base/buffer.h"

int ga__say(int result, char **problem, const char *format, ...)
{
    ga__buffer text = GA__BUFFER_INIT;
    va_list arguments;

    va_start(arguments, format);
    ga__buffer_vprintf(&text, format, arguments);
    va_end(arguments);
    *problem = ga__buffer_take(&text);
    return result;
}
