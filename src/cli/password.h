/* SPDX-License-Identifier: MIT */
#ifndef GA__PASSWORD_H
#define GA__PASSWORD_H

#include "cli/options.h"

/* Where --user has a name only, asks for the password on the terminal, without showing it.
 * @return false with `problem`, the caller's to free, where there is nobody to ask */
bool ga__options_ask_password(ga__options *options, char **problem);

#endif
