/* SPDX-License-Identifier: MIT */
/* Problems as texts: a failure is told and returned in one line. */
#include "base/problem.h"
#include "base/buffer.h"

int ga__say(int result, char **problem, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    *problem = ga__vformat(format, arguments);
    va_end(arguments);
    return result;
}
