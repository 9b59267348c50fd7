/* SPDX-License-Identifier: MIT */
/*
 * Running a scenario over many seeds, for tests: which faults a seed brings, what counts as a failure of the
 * run itself, and the line that tells how to replay it.
 */
#include "base/number.h"
#include "sim/random.h"
#include "sim/sim.h"
#include "task/loop.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Real seconds after which a run is taken for one that never ends. */
enum { PATIENCE_S = 60 };

/* A probability up to `most`, and none at all in half of the cases, so that faults also meet in few kinds. */
static double draw(ga__random *random, double most)
{
    double chance = ga__random_unit(random);
    double size = ga__random_unit(random);

    return chance < 0.5 ? 0 : size * most;
}

ga__sim_options ga__sim_chaos(uint64_t seed)
{
    static const double latencies[] = {0, 1e-5, 1e-3, 0.05};
    static const size_t buffers[] = {0, 16, 500, 4096};
    ga__random random = ga__random_of(seed, 3);
    ga__sim_options options = {.seed = seed};

    options.short_read = draw(&random, 0.9);
    options.short_write = draw(&random, 0.9);
    options.again = draw(&random, 0.5);
    options.refuse = draw(&random, 0.3);
    options.silence = draw(&random, 0.1);
    options.reset = draw(&random, 0.2);
    options.cut = draw(&random, 0.2);
    options.stall = draw(&random, 0.1);
    options.fault_span = (size_t)1 << (4 + ga__random_below(&random, 10));
    options.latency_max = latencies[ga__random_below(&random, 4)];
    options.latency_min = options.latency_max * ga__random_unit(&random);
    options.delay = draw(&random, 0.1);
    options.delay_max = draw(&random, 10);
    options.buffer_size = buffers[ga__random_below(&random, 4)];
    return options;
}

/* A number from the environment; false where there is none. */
static bool environment(const char *name, uint64_t *value)
{
    const char *text = getenv(name);

    return text && ga__parse_decimal(text, strlen(text), value);
}

/* --- what to say where a run neither fails nor ends ------------------------------------------------ */

static char last_words[80];

static void say_last_words(void)
{
    if (write(STDERR_FILENO, last_words, strlen(last_words)) < 0)
        return;
}

static void on_alarm(int signal)
{
    (void)signal;
    say_last_words();
    abort();
}

/* The sanitizers' own; NULL without them. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static void watch(uint64_t seed)
{
    const struct sigaction action = {.sa_handler = on_alarm};

    snprintf(last_words, sizeof last_words,
             "seed %" PRIu64 " does not end, or crashed: GATHER_SEED=%" PRIu64 "\n", seed, seed);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(say_last_words);
    sigaction(SIGALRM, &action, NULL);
    alarm(PATIENCE_S);
}

static void unwatch(void)
{
    alarm(0);
    last_words[0] = '\0';
}

/* --- running -------------------------------------------------------------------------------------- */

static int run(const ga__sim_options *template, uint64_t seed, bool trace, int (*fn)(void *arg), void *arg)
{
    const ga_run_options quiet = {.block_warning = -1}; /* nothing here may depend on the real clock */
    ga__sim_options options = template ? *template : ga__sim_chaos(seed);
    ga__sim_counters counters = {0};

    options.seed = seed;
    options.counters = &counters;
    if (trace)
        options.trace = stderr;
    watch(seed);
    int code = ga__run_on(ga__sim_new(&options), &quiet, seed + 1 ? seed + 1 : 1, fn, arg);

    unwatch();
    if (template && template->counters)
        *template->counters = counters;
    if (code < 0)
        fprintf(stderr, "seed %" PRIu64 " failed with %s: %s\n", seed, ga_code_name(code),
                ga_error_message());
    if (counters.open == 0)
        return code < 0 ? code : 0;
    fprintf(stderr, "seed %" PRIu64 " left %zu descriptors open, with %zu bytes unread\n", seed,
            counters.open, counters.in_flight);
    return code < 0 ? code : GA_EUSAGE;
}

int ga__sim_run_seeds(uint64_t first, uint64_t count, const ga__sim_options *options, int (*fn)(void *arg),
                      void *arg)
{
    bool alone = environment("GATHER_SEED", &first);

    if (alone)
        count = 1;
    else
        environment("GATHER_SEEDS", &count);
    for (uint64_t seed = first; count > 0; seed++, count--) {
        int code = run(options, seed, alone, fn, arg);

        if (code < 0) {
            fprintf(stderr, "replay it with its trace: GATHER_SEED=%" PRIu64 " and this test\n", seed);
            return code;
        }
    }
    return 0;
}
