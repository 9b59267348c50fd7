/* SPDX-License-Identifier: MIT */
/* Files, whole. */
#ifndef GA__FILE_H
#define GA__FILE_H

#include "base/slice.h"
#include <errno.h>
#include <unistd.h>

/* Writes all the bytes. @return false with errno, where a part of them may be written */
static inline bool ga__write_all(int fd, ga__slice bytes)
{
    while (bytes.size > 0) {
        ssize_t count = write(fd, bytes.data, bytes.size);

        if (count < 0 && errno != EINTR)
            return false;
        if (count > 0)
            ga__slice_take(&bytes, (size_t)count);
    }
    return true;
}

#endif
