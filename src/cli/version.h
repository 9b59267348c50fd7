/* SPDX-License-Identifier: MIT */
#ifndef GA__VERSION_H
#define GA__VERSION_H

#include "base/buffer.h"

/* "gather 0.1.0", and in further lines the libraries that run with it. */
void ga__append_version(ga__buffer *out);

#endif
