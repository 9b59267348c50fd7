/* SPDX-License-Identifier: MIT */
/*
 * A program for the build: prints what is made from the table of options. With the name of a shell its
 * completions; with a manual page's source and a version that page, the lines @OPTIONS@ and @VERSION@ in it
 * replaced.
 */
#include "cli/option_text.h"

#include <stdio.h>
#include <string.h>

static int print(ga__buffer *text)
{
    bool good =
        !text->failed && fwrite(text->data, 1, text->size, stdout) == text->size && fflush(stdout) == 0;

    ga__buffer_free(text);
    return !good;
}

static bool append_page(ga__buffer *text, FILE *source, const char *version)
{
    static const char mark[] = "@VERSION@";
    char line[1024];

    while (fgets(line, sizeof line, source)) {
        char *at = strstr(line, mark);

        if (strcmp(line, "@OPTIONS@\n") == 0)
            ga__append_manual(text);
        else if (at)
            ga__buffer_printf(text, "%.*s%s%s", (int)(at - line), line, version, at + sizeof mark - 1);
        else
            ga__buffer_add(text, line);
    }
    return !ferror(source);
}

int main(int argc, char **argv)
{
    static const char *const shells[] = {"bash", "zsh", "fish"};
    ga__buffer text = GA__BUFFER_INIT;
    FILE *source;

    for (int i = 0; argc == 2 && i < 3; i++) {
        if (strcmp(argv[1], shells[i]) != 0)
            continue;
        ga__append_completion(&text, i);
        return print(&text);
    }
    source = argc == 3 ? fopen(argv[1], "r") : NULL;
    if (!source) {
        fputs("usage: print-options bash|zsh|fish, or print-options gather.1.in VERSION\n", stderr);
        return 2;
    }
    text.failed |= !append_page(&text, source, argv[2]);
    fclose(source);
    return print(&text);
}
