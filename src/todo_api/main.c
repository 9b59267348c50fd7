/* SPDX-License-Identifier: MIT */
/*
 * todo-api, the program: options, and the loop on which the server runs.
 */
#include "base/number.h"
#include "todo_api/server.h"

#include <gather/task.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: todo-api [--port N] [--host ADDRESS] [--tls]\n"
    "\n"
    "An API to try clients on: 200 todos, as https://jsonplaceholder.typicode.com answers them.\n"
    "It is for demos and tests, not for anybody else to reach.\n"
    "\n"
    "  --port N        listen on this port; 0, the default, takes a free one\n"
    "  --host ADDRESS  listen on this IP address, 127.0.0.1 if left out\n"
    "  --tls           HTTPS, with a certificate made at the start; prints the file of its CA\n"
    "  --help          this\n"
    "  --version       the version\n"
    "\n"
    "It prints \"listening on URL\" when it is ready, and ends on SIGINT or SIGTERM;\n"
    "on SIGQUIT it prints its tasks.\n"
    "\n"
    "  GET    /todos, /todos?userId=N&completed=true&_start=N&_limit=N\n"
    "  POST   /todos\n"
    "  GET, PUT, PATCH, DELETE /todos/N\n"
    "  GET    /slow?delay=SECONDS    answers later\n"
    "  GET    /stream?lines=N        a body of lines, in chunks\n"
    "  GET    /headers               the request's headers\n"
    "  GET    /requests              how many requests there were, these left out\n"
    "  any    /status/CODE           this status\n";

static int usage_error(const char *complaint, const char *value)
{
    if (complaint)
        fprintf(stderr, "todo-api: %s: %s\n", complaint, value);
    fputs("todo-api: `todo-api --help` tells the options\n", stderr);
    return 2;
}

/* What the arguments ask for. @return -1 to serve, otherwise the status to exit with */
static int read_options(server_options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"port", required_argument, NULL, 'p'}, {"host", required_argument, NULL, 'H'},
        {"tls", no_argument, NULL, 't'},        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},    {NULL, 0, NULL, 0},
    };
    const char *host = "127.0.0.1";
    uint64_t port = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0) {
        switch (option) {
        case 'p':
            if (!ga__parse_decimal(optarg, strlen(optarg), &port) || port > 65535)
                return usage_error("--port must be a number from 0 to 65535", optarg);
            break;
        case 'H':
            host = optarg;
            break;
        case 't':
            options->tls = true;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        case 'v':
            printf("todo-api %s\n", ga_version());
            return 0;
        default: /* getopt_long has said what is wrong */
            return usage_error(NULL, NULL);
        }
    }
    if (optind < argc)
        return usage_error("there is nothing to give but options", argv[optind]);
    if (!ga__address_ip(&options->address, host, (uint16_t)port))
        return usage_error("--host must be an IP address", host);
    return -1;
}

int main(int argc, char **argv)
{
    server_options options = {0};
    int status = read_options(&options, argc, argv);

    if (status >= 0)
        return status;
    return ga_run_with(&(ga_run_options){.dump_signal = SIGQUIT}, server_run, &options) < 0;
}
