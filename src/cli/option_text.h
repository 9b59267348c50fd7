/* SPDX-License-Identifier: MIT */
/* What is told of the options, all of it from their table. */
#ifndef GA__OPTION_TEXT_H
#define GA__OPTION_TEXT_H

#include "base/buffer.h"
#include "cli/option.h"

/* How the command is called, in a few lines. */
void ga__append_usage(ga__buffer *out);
/* The help: on one screen, or with `all` every option. No line is longer than 80 characters. */
void ga__append_help(ga__buffer *out, bool all);
/* One option, with all there is to say of it. */
void ga__append_help_of(ga__buffer *out, const ga__option *option);

/* What a shell needs to complete; `shell` is its place among bash, zsh and fish. */
void ga__append_completion(ga__buffer *out, int shell);

/* The options as sections of a manual page, in the language of man(7). */
void ga__append_manual(ga__buffer *out);

#endif
