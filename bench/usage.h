/* SPDX-License-Identifier: MIT */
/*
 * What the benchmark clients share, so that they are measured alike: their options, and the line of JSON that
 * they print.
 */
#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

typedef struct bench_options {
    const char *url;
    const char *ca_file;
    long requests;
    int concurrency;
    int http;        /* 0, or 2 with --http2 */
    int connections; /* with --http2; 0: no limit */
} bench_options;

static inline long bench_number(const char *program, const char *option, const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (end == text || *end || number < 1 || number > 1000000000) {
        fprintf(stderr, "%s: %s takes a whole number from 1 on, not \"%s\"\n", program, option, text);
        exit(2);
    }
    return number;
}

static inline void bench_parse(bench_options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"url", required_argument, NULL, 'u'},
        {"cacert", required_argument, NULL, 'a'},
        {"http2", no_argument, NULL, '2'},
        {"connections", required_argument, NULL, 'm'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *options = (bench_options){.requests = 1, .concurrency = 1};
    while ((option = getopt_long(argc, argv, "n:c:", names, NULL)) != -1)
        switch (option) {
        case 'u':
            options->url = optarg;
            break;
        case 'a':
            options->ca_file = optarg;
            break;
        case '2':
            options->http = 2;
            break;
        case 'm':
            options->connections = (int)bench_number(argv[0], "--connections", optarg);
            break;
        case 'n':
            options->requests = bench_number(argv[0], "-n", optarg);
            break;
        case 'c':
            options->concurrency = (int)bench_number(argv[0], "-c", optarg);
            break;
        default:
            options->url = NULL;
            optind = argc;
        }
    if (!options->url || optind < argc) {
        fprintf(stderr, "usage: %s --url URL -n REQUESTS -c CONCURRENCY [--cacert FILE]\n", argv[0]);
        exit(2);
    }
}

/* The clock in seconds. */
static inline double bench_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static inline double bench_seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

static inline void bench_print(const char *client, long ok, long failed, double wall)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    printf("{\"client\": \"%s\", \"ok\": %ld, \"failed\": %ld, \"wall_s\": %.6f, \"user_s\": %.6f, "
           "\"sys_s\": %.6f, "
           "\"max_rss_kb\": %ld}\n",
           client, ok, failed, wall, bench_seconds(used.ru_utime), bench_seconds(used.ru_stime),
           used.ru_maxrss);
}

#endif
