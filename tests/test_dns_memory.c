/* SPDX-License-Identifier: MIT */
/* The resolver with each of its allocations failing in turn: GA_ENOMEM or done all the same, and nothing
 * lost. c-ares' own allocations do not fail here. */
#include "check.h"
#include "failmalloc.h"

#include "io/dns.h"
#include "sim/sim.h"
#include "task/loop.h"

#include <stdio.h>
#include <string.h>

/* One flow: its names, and where they may be looked for. */
typedef struct flow {
    ga__dns_options options;
    const char *host;
    int expected; /* the code where memory suffices */
} flow;

static int try_all(void *arg)
{
    const flow *self = arg;
    int n, code = 0;

    for (n = 1; failmalloc_again(n); n++) {
        ga__resolved *resolved = NULL;

        code = ga__dns_configure(ga__loop_here, &self->options);
        if (code == 0)
            code = ga__dns_resolve(self->host, 80, ga__deadline(ga__now_exact(), 30), &resolved);
        failmalloc_stop();
        ga__resolved_free(resolved);
        if (code != self->expected && code != GA_ENOMEM)
            return ga__fail(GA_EUSAGE, "with allocation %d failing: %d", n, code);
    }
    /* The last round had all the memory. */
    return n > 2 && code == self->expected ? 0 : ga__fail(GA_EUSAGE, "%d rounds, then %d", n, code);
}

static void the_hosts_file(void **state)
{
    char *directory = check_mkdtemp();
    char path[300];
    flow self = {.options.hosts = path, .host = "name-77.test"};
    char text[100 * 32] = "";

    (void)state;
    snprintf(path, sizeof path, "%s/hosts", directory);
    for (int i = 0; i < 100; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "10.0.0.%d name-%d.test\n", i, i);
    check_write_file(path, text);
    assert_int_equal(ga_run(try_all, &self), 0);
    check_rmdir(directory);
    free(directory);
}

static void a_question(void **state)
{
    char nobody[40];
    flow self = {.options = {.servers = nobody,
                             .hosts = "/nonexistent",
                             .timeout_ms = 20,
                             .tries = 1,
                             .no_search = true},
                 .host = "name.test",
                 .expected = GA_EDNS};
    int before = check_open_descriptors();

    (void)state;
    snprintf(nobody, sizeof nobody, "127.0.0.1:%d", check_free_port());
    assert_int_equal(ga_run(try_all, &self), 0);
    assert_int_equal(check_open_descriptors(), before);
}

static int override_all(void *arg)
{
    ga__address address;
    int n, code = 0;

    (void)arg;
    ga__address_ip(&address, "10.0.0.1", 0);
    for (n = 1; failmalloc_again(n); n++) {
        ga__resolved *resolved = NULL;

        code = ga__dns_override(ga__loop_here, "name.test", &address, 1);
        if (code == 0)
            code = ga__dns_resolve("name.test", 80, GA__NEVER, &resolved);
        failmalloc_stop();
        ga__resolved_free(resolved);
        if (code != 0 && code != GA_ENOMEM)
            return ga__fail(GA_EUSAGE, "with allocation %d failing: %d", n, code);
    }
    return n > 2 ? code : GA_EUSAGE;
}

static void overrides(void **state)
{
    (void)state;
    assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, 1, override_all, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hosts_file),
        cmocka_unit_test(a_question),
        cmocka_unit_test(overrides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
