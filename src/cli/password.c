/* SPDX-License-Identifier: MIT */
/* Asking a person for a password. */
#include "cli/password.h"

#include "base/problem.h"
#include <stdio.h>
#include <string.h>
#include <termios.h>

/* A line from the terminal, without its end, into `line`. False at the end of input. */
static bool read_hidden(FILE *terminal, const char *name, char *line, int room)
{
    struct termios before, hidden;
    bool shown = tcgetattr(fileno(terminal), &before) < 0;
    bool good;

    hidden = before;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    if (!shown) /* before anything is asked: it throws away what was typed already */
        tcsetattr(fileno(terminal), TCSAFLUSH, &hidden);
    fprintf(terminal, "gather: password of %s: ", name);
    fflush(terminal);
    good = fgets(line, room, terminal) != NULL;
    if (!shown)
        tcsetattr(fileno(terminal), TCSAFLUSH, &before);
    fputc('\n', terminal);
    if (good)
        line[strcspn(line, "\r\n")] = '\0';
    return good;
}

bool ga__options_ask_password(ga__options *options, char **problem)
{
    const char *name = options->job.user;
    char line[1024];

    if (!name || strchr(name, ':') || strstr(name, "${env:"))
        return true;
    FILE *terminal = fopen("/dev/tty", "r+");

    if (!terminal)
        return ga__say(false, problem,
                       "--user: there is no password behind the name, and no terminal to ask for it; "
                       "NAME:PASSWORD is expected, such as 'me:${env:PASSWORD}'");
    bool good = read_hidden(terminal, name, line, sizeof line);

    fclose(terminal);
    options->job.user = good ? ga__options_own(options, ga_format("%s:%s", name, line)) : NULL;
    explicit_bzero(line, sizeof line);
    if (options->job.user)
        return true;
    return good ? (*problem = NULL, false) : ga__say(false, problem, "--user: no password was given");
}
