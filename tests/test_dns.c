/* SPDX-License-Identifier: MIT */
/*
 * The resolver, against a name server of this test's own: what it asks, believes, keeps, and says when there
 * is no answer.
 */
#include "check.h"
#include "name_server.h"

#include "base/ascii.h"
#include "io/dns.h"
#include "io/dns_cache.h"
#include "io/dns_channel.h"
#include "io/hosts.h"
#include "sim/sim.h"
#include "task/loop.h"

#include <ares.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* --- resolving ------------------------------------------------------------------------------------ */

static bool way_to_all(const ga__address *address)
{
    (void)address;
    return true;
}

static bool no_ipv6(const ga__address *address)
{
    return ga__address_family(address) != AF_INET6;
}

/* What one call gave. */
typedef struct outcome {
    int code, dns_error;
    char text[400]; /* the addresses, or the message */
} outcome;

static int resolve_within(const char *host, double seconds, outcome *result)
{
    ga__resolved *resolved;

    *result = (outcome){0};
    result->code = ga__dns_resolve(host, 80, ga__deadline(ga__now_exact(), seconds), &resolved);
    if (result->code < 0) {
        assert_null(resolved);
        result->dns_error = ga_error()->dns_error;
        snprintf(result->text, sizeof result->text, "%s", ga_error_message());
        return result->code;
    }
    for (size_t i = 0; i < resolved->count; i++) {
        char text[GA__ADDRESS_TEXT];
        size_t size = strlen(result->text);

        snprintf(result->text + size, sizeof result->text - size, "%s%s", i > 0 ? " " : "",
                 ga__address_text(&resolved->addresses[i], text, sizeof text));
    }
    ga__resolved_free(resolved);
    return 0;
}

static int configure(ga__dns_options options)
{
    char servers[40];

    snprintf(servers, sizeof servers, "127.0.0.1:%d", server.port);
    if (!options.servers)
        options.servers = servers;
    if (!options.hosts)
        options.hosts = "/nonexistent";
    if (!options.reachable)
        options.reachable = way_to_all;
    options.no_search = true;
    return ga__dns_configure(ga__loop_here, &options);
}

typedef struct job {
    ga__dns_options options;
    const char *host;
    int times;
    outcome result; /* of the last time */
} job;

static int run_job(void *arg)
{
    job *self = arg;
    int code = configure(self->options);

    for (int i = 0; code == 0 && i < self->times; i++)
        resolve_within(self->host, 30, &self->result);
    return code;
}

/* Resolves the host in a loop of its own, so often; no descriptor may be left. */
static outcome resolve(const char *host, int times, ga__dns_options options)
{
    job work = {.options = options, .host = host, .times = times};
    int before = check_open_descriptors();

    server.asked = server.asked_tcp = 0;
    assert_int_equal(ga_run(run_job, &work), 0);
    for (int i = 0; i < 100 && check_open_descriptors() != before; i++)
        usleep(10000); /* the server, too, has to notice the end of its connections */
    assert_int_equal(check_open_descriptors(), before);
    return work.result;
}

static void resolves_to(const char *host, const char *addresses, int questions)
{
    outcome result = resolve(host, 1, (ga__dns_options){0});

    assert_int_equal(result.code, 0);
    assert_string_equal(result.text, addresses);
    assert_int_equal(server.asked, questions);
}

static void fails_with(const char *host, int dns_error, const char *words, ga__dns_options options)
{
    outcome result = resolve(host, 1, options);

    assert_int_equal(result.code, GA_EDNS);
    assert_int_equal(result.dns_error, dns_error);
    char *shown = strdup(host);

    for (char *c = shown; *c; c++)
        *c = ga__ascii_is_control(*c) ? '?' : *c; /* as messages have them */
    if (!strstr(result.text, words) || !strstr(result.text, shown))
        fail_msg("the message lacks \"%s\" or the host: %s", words, result.text);
    free(shown);
}

/* --- what needs no server ------------------------------------------------------------------------- */

static void literals_and_localhost_ask_nobody(void **state)
{
    (void)state;
    resolves_to("192.0.2.77", "192.0.2.77:80", 0);
    resolves_to("::1", "[::1]:80", 0);
    resolves_to("[2001:db8::2]", "[2001:db8::2]:80", 0);
    resolves_to("localhost", "127.0.0.1:80 [::1]:80", 0);
    resolves_to("LocalHost.", "127.0.0.1:80 [::1]:80", 0);
    resolves_to("api.localhost", "127.0.0.1:80 [::1]:80", 0);
}

static void bad_names_are_refused(void **state)
{
    static const char *const names[] = {".", ".test", "a..b.test", "a b.test", "a\nb.test"};
    char longest[400];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        fails_with(names[i], ARES_EBADNAME, "no valid host name", (ga__dns_options){0});
    fails_with("", ARES_EBADNAME, "no valid host name", (ga__dns_options){0});
    memset(longest, 'x', sizeof longest);
    longest[64] = '\0'; /* a label has at most 63 */
    fails_with(longest, ARES_EBADNAME, "no valid host name", (ga__dns_options){0});
    longest[64] = 'x';
    longest[399] = '\0';
    assert_int_equal(resolve(longest, 1, (ga__dns_options){0}).dns_error, ARES_EBADNAME);
    assert_int_equal(server.asked, 0);
}

static void the_hosts_file_goes_before_the_server(void **state)
{
    static const char text[] = "# both.test 192.0.2.200\n"
                               "192.0.2.50\tboth.test www.both.test # comment\r\n"
                               "not-an-address four.test\n"
                               "\n"
                               "::50 BOTH.test.\n"
                               "192.0.2.51";
    char *directory = check_mkdtemp();
    char path[300];
    outcome result;

    (void)state;
    snprintf(path, sizeof path, "%s/hosts", directory);
    check_write_file(path, text);
    result = resolve("Both.Test", 1, (ga__dns_options){.hosts = path});
    assert_string_equal(result.text, "192.0.2.50:80 [::50]:80");
    result = resolve("www.both.test", 1, (ga__dns_options){.hosts = path});
    assert_string_equal(result.text, "192.0.2.50:80");
    assert_int_equal(server.asked, 0);
    result = resolve("four.test", 1, (ga__dns_options){.hosts = path});
    assert_string_equal(result.text, "192.0.2.4:80");
    check_rmdir(directory);
    free(directory);
}

static void a_changed_hosts_file_is_read_again(void **state)
{
    char *directory = check_mkdtemp();
    char path[300];
    ga__hosts hosts;
    const ga__hosts_line *first;

    (void)state;
    snprintf(path, sizeof path, "%s/hosts", directory);
    ga__hosts_init(&hosts, path);
    assert_int_equal(ga__hosts_find(&hosts, "a", 0, &first), 0); /* there is none yet */
    check_write_file(path, "10.0.0.1 a ab\n10.0.0.2 a\n");
    assert_int_equal(ga__hosts_find(&hosts, "a", 999999999, &first), 0); /* not looked at yet */
    assert_int_equal(ga__hosts_find(&hosts, "a", 1000000000, &first), 2);
    assert_int_equal(ntohl(first[0].address.as.in.sin_addr.s_addr), 0x0a000001);
    assert_int_equal(ntohl(first[1].address.as.in.sin_addr.s_addr), 0x0a000002);
    assert_int_equal(ga__hosts_find(&hosts, "ab", 1000000000, &first), 1);
    assert_int_equal(ga__hosts_find(&hosts, "abc", 1000000000, &first), 0);
    assert_int_equal(ga__hosts_find(&hosts, "", 1000000000, &first), 0);
    check_write_file(path, "10.0.0.3 b\n");
    assert_int_equal(ga__hosts_find(&hosts, "a", 2000000000, &first), 0);
    assert_int_equal(ga__hosts_find(&hosts, "b", 2000000000, &first), 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ga__hosts_find(&hosts, "b", 3000000000, &first), 0);
    ga__hosts_free(&hosts);
    check_rmdir(directory);
    free(directory);
}

/* --- answers -------------------------------------------------------------------------------------- */

static void both_families_are_asked_for(void **state)
{
    outcome result;

    (void)state;
    resolves_to("both.test", "[2001:db8::1]:80 192.0.2.1:80", 2);
    result = resolve("both.test", 1, (ga__dns_options){.reachable = no_ipv6});
    assert_string_equal(result.text, "192.0.2.1:80 [2001:db8::1]:80");
    resolves_to("four.test", "192.0.2.4:80", 2);
    resolves_to("half.test", "192.0.2.5:80", 4); /* one family that fails, three times, does no harm */
    resolves_to("FOUR.test.", "192.0.2.4:80", 2);
}

static void aliases_are_followed(void **state)
{
    (void)state;
    resolves_to("chain.test", "192.0.2.11:80", 2);
}

static void a_truncated_answer_is_fetched_over_tcp(void **state)
{
    (void)state;
    resolves_to("large.test", "192.0.2.8:80", 2);
    assert_int_equal(server.asked_tcp, 2);
}

static void answers_to_other_questions_are_not_believed(void **state)
{
    (void)state;
    resolves_to("spoofed.test", "192.0.2.7:80", 2);
}

static void each_failure_has_its_code_and_says_what_to_do(void **state)
{
    const ga__dns_options quick = {.timeout_ms = 50, .tries = 2};
    char nobody[40];

    (void)state;
    fails_with("missing.test", ARES_ENOTFOUND, "does not exist", quick);
    fails_with("none.test", ARES_ENODATA, "has no address", quick);
    fails_with("servfail.test", ARES_ESERVFAIL, "SERVFAIL", quick);
    fails_with("refused.test", ARES_EREFUSED, "REFUSED", quick);
    fails_with("broken.test", ARES_EBADRESP, "makes no sense", quick);
    fails_with("silent.test", ARES_ETIMEOUT, "did not answer within 0.", quick);
    snprintf(nobody, sizeof nobody, "127.0.0.1:%d", check_free_port());
    fails_with("both.test", ARES_ECONNREFUSED, "no name server can be reached",
               (ga__dns_options){.servers = nobody, .timeout_ms = 50, .tries = 2});
}

static void random_answers_end_in_one_way_or_another(void **state)
{
    (void)state;
    for (int i = 0; i < (CHECK_SANITIZED ? 100 : 300); i++) {
        outcome result = resolve("random.test", 1, (ga__dns_options){.timeout_ms = 20, .tries = 1});

        assert_true(result.code == 0 || result.code == GA_EDNS);
        assert_true(result.text[0] != '\0');
    }
}

static void a_server_that_ignores_ipv6_costs_a_moment(void **state)
{
    double start = check_now();

    (void)state;
    resolves_to("no-aaaa.test", "192.0.2.6:80", 2);
    assert_true(check_now() - start < 10); /* the question times out after 14 s */
}

/* --- the cache ------------------------------------------------------------------------------------ */

static void answers_are_kept(void **state)
{
    (void)state;
    assert_string_equal(resolve("both.test", 50, (ga__dns_options){0}).text, "[2001:db8::1]:80 192.0.2.1:80");
    assert_int_equal(server.asked, 2);
    assert_int_equal(resolve("missing.test", 50, (ga__dns_options){0}).dns_error, ARES_ENOTFOUND);
    assert_int_equal(server.asked, 2);
    assert_string_equal(resolve("zero.test", 50, (ga__dns_options){0}).text, "192.0.2.10:80");
    assert_in_range(server.asked, 2, 4); /* a TTL of 0 is taken as one of 1 s */
}

static void entries_expire_and_the_least_used_go(void **state)
{
    ga__dns_cache cache;
    ga__dns_entry *a, *b, *c;

    (void)state;
    ga__dns_cache_init(&cache, 2);
    a = ga__dns_cache_add(&cache, "a", 100);
    assert_ptr_equal(ga__dns_cache_find(&cache, "a", GA__NEVER - 1), a); /* pending ones stay */
    b = ga__dns_cache_add(&cache, "b", 100);
    c = ga__dns_cache_add(&cache, "c", 100);
    ga__dns_cache_settle(&cache, a, 200);
    ga__dns_cache_settle(&cache, b, 300);
    assert_ptr_equal(ga__dns_cache_find(&cache, "a", 199), a); /* so b is the least used */
    ga__dns_cache_settle(&cache, c, 300);
    assert_null(ga__dns_cache_find(&cache, "b", 150));
    assert_string_equal(b->name, "b"); /* it is held */
    assert_null(ga__dns_cache_find(&cache, "a", 200));
    assert_ptr_equal(ga__dns_cache_find(&cache, "c", 299), c);
    assert_int_equal(cache.count, 1);
    ga__dns_entry_release(a);
    ga__dns_entry_release(b);
    ga__dns_entry_release(c);
    ga__dns_cache_clear(&cache);
}

/* --- tasks that share a question ------------------------------------------------------------------- */

enum { SHARERS = 100 };

static int resolve_four(void *arg)
{
    return resolve_within("four.test", 30, arg);
}

static int share(void *arg)
{
    outcome *results = arg;
    ga_group group;
    int code = configure((ga__dns_options){0});

    if (code < 0)
        return code;
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < SHARERS; i++)
        ga_spawn(&group, resolve_four, &results[i]);
    code = ga_gather(&group);
    ga_group_close(&group);
    return code;
}

static void a_name_is_asked_for_once_by_many(void **state)
{
    static outcome results[SHARERS];

    (void)state;
    server.asked = 0;
    assert_int_equal(ga_run(share, results), 0);
    assert_int_equal(server.asked, 2);
    for (int i = 0; i < SHARERS; i++)
        assert_string_equal(results[i].text, "192.0.2.4:80");
}

static int cancel_the_first(void *arg)
{
    outcome *results = arg;
    ga_group group;
    ga_task *first;
    int code = configure((ga__dns_options){0});

    if (code < 0)
        return code;
    ga_group_open(&group, GA_COLLECT);
    first = ga_spawn(&group, resolve_four, &results[0]);
    ga_spawn(&group, resolve_four, &results[1]);
    (void)ga_yield();
    ga_task_cancel(first);
    (void)ga_gather(&group);
    (void)ga_task_error(first);
    ga_group_close(&group);
    return 0;
}

static void a_cancelled_waiter_leaves_the_others_their_answer(void **state)
{
    outcome results[2];

    (void)state;
    server.asked = 0;
    server.delay_ms = 50;
    assert_int_equal(ga_run(cancel_the_first, results), 0);
    server.delay_ms = 0;
    assert_int_equal(results[0].code, GA_ECANCELED);
    assert_string_equal(results[1].text, "192.0.2.4:80");
    assert_int_equal(server.asked, 2);
}

static int give_up_and_ask_again(void *arg)
{
    outcome *results = arg;
    int code = configure((ga__dns_options){0});

    if (code < 0)
        return code;
    resolve_within("four.test", 0.02, &results[0]);
    resolve_within("four.test", 30, &results[1]);
    return 0;
}

static void a_deadline_ends_the_wait_and_not_the_question(void **state)
{
    outcome results[2];

    (void)state;
    server.asked = 0;
    server.delay_ms = 100;
    assert_int_equal(ga_run(give_up_and_ask_again, results), 0);
    server.delay_ms = 0;
    assert_int_equal(results[0].code, GA_ETIMEDOUT);
    assert_string_equal(results[1].text, "192.0.2.4:80");
    assert_int_equal(server.asked, 2);
}

enum { NAMES = 100 };

static int resolve_silent(void *arg)
{
    const int *number = arg;
    char name[40];
    outcome result;

    snprintf(name, sizeof name, "silent-%d.test", *number);
    return resolve_within(name, 0.3, &result) == GA_ETIMEDOUT ? 0 : ga__fail(GA_EUSAGE, "%s", result.text);
}

static int resolve_many_silent(void *arg)
{
    int *numbers = arg;
    ga_group group;
    int code = configure((ga__dns_options){0});

    if (code < 0)
        return code;
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < NAMES; i++) {
        numbers[i] = i;
        ga_spawn(&group, resolve_silent, &numbers[i]);
    }
    code = ga_gather(&group);
    ga_group_close(&group);
    return code;
}

static void questions_at_once_are_bounded(void **state)
{
    int numbers[NAMES];

    (void)state;
    server.asked = 0;
    assert_int_equal(ga_run(resolve_many_silent, numbers), 0);
    assert_int_equal(server.asked, 128); /* 64 names, and none of those in line behind them */
}

static int resolve_without_ipv6(void *arg)
{
    const int *number = arg;
    char name[40];
    outcome result;

    snprintf(name, sizeof name, "no-aaaa-%d.test", *number);
    return resolve_within(name, 30, &result) == 0 ? 0 : ga__fail(GA_EUSAGE, "%s", result.text);
}

static int resolve_many_without_ipv6(void *arg)
{
    int numbers[3 * NAMES], code = configure((ga__dns_options){0});
    ga_group group;

    (void)arg;
    if (code < 0)
        return code;
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 3 * NAMES; i++) {
        numbers[i] = i;
        ga_spawn(&group, resolve_without_ipv6, &numbers[i]);
    }
    code = ga_gather(&group);
    ga_group_close(&group);
    return code;
}

/* Those in line wait for answers that somebody waits for, and not for the late ones. */
static void a_server_that_ignores_ipv6_holds_up_nobody_in_line(void **state)
{
    double start = check_now();

    (void)state;
    assert_int_equal(ga_run(resolve_many_without_ipv6, NULL), 0);
    assert_true(check_now() - start < 10); /* the questions time out after 14 s */
}

static int most_threads;

static int missing(int number)
{
    char name[40];
    outcome result;
    int threads = check_threads();

    most_threads = threads > most_threads ? threads : most_threads;

    snprintf(name, sizeof name, "missing-%d.test", number);
    resolve_within(name, 30, &result);
    return result.dns_error == ARES_ENOTFOUND ? 0 : ga__fail(GA_EUSAGE, "%s", result.text);
}
GA_TASK(int, missing, int);

static int resolve_many_missing(void *arg)
{
    int *threads = arg, code = configure((ga__dns_options){0});
    ga_group group;

    if (code < 0)
        return code;
    *threads = check_threads();
    ga_group_open(&group, GA_COLLECT);
    for (int i = 0; i < 3 * NAMES; i++)
        missing_start(&group, i);
    code = ga_gather(&group);
    ga_group_close(&group);
    return code;
}

static void those_in_line_get_their_turn_without_a_thread(void **state)
{
    int threads;

    (void)state;
    most_threads = 0;
    server.asked = 0;
    assert_int_equal(ga_run(resolve_many_missing, &threads), 0);
    assert_int_equal(server.asked, 6 * NAMES);
    assert_int_equal(most_threads, threads);
}

static int leave_the_question_open(void *arg)
{
    int code = configure((ga__dns_options){0});

    return code < 0 ? code : (resolve_within("silent.test", 0.02, arg), 0);
}

static void a_loop_may_end_with_a_question_open(void **state)
{
    int before = check_open_descriptors();
    outcome result;

    (void)state;
    assert_int_equal(ga_run(leave_the_question_open, &result), 0);
    assert_int_equal(result.code, GA_ETIMEDOUT);
    assert_int_equal(check_open_descriptors(), before);
}

static int run_out_of_descriptors(void *arg)
{
    outcome *results = arg;
    struct rlimit before, none;
    ga__dns_channel channel;
    int code = configure((ga__dns_options){0});
    int lowest = dup(STDERR_FILENO);

    if (code < 0 || lowest < 0)
        return GA_ESYSTEM;
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    resolve_within("four.test", 10, &results[0]);
    int opened = ga__dns_channel_open(&channel, ga__loop_here, &(ga__dns_options){0});

    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(opened, ARES_EFILE); /* and does not go on without the system's name servers */
    ga__dns_channel_close(&channel);
    resolve_within("four.test", 10, &results[1]);
    return 0;
}

static void no_descriptors_is_no_failure_of_the_name(void **state)
{
    outcome results[2];

    (void)state;
    assert_int_equal(ga_run(run_out_of_descriptors, results), 0);
    assert_int_equal(results[0].code, GA_EFDS);
    assert_string_equal(results[1].text, "192.0.2.4:80");
}

static void outside_a_loop_is_an_error(void **state)
{
    ga__resolved *resolved;

    (void)state;
    assert_int_equal(ga__dns_resolve("four.test", 80, GA__NEVER, &resolved), GA_ENOTASK);
    assert_null(resolved);
}

/* --- overrides ------------------------------------------------------------------------------------ */

static int override_names(void *arg)
{
    outcome *results = arg;
    ga__address addresses[2];

    ga__address_ip(&addresses[0], "10.1.2.3", 7);
    ga__address_ip(&addresses[1], "::3", 0);
    int code = ga__dns_override(ga__loop_here, "API.example", addresses, 2);

    if (code == 0)
        code = ga__dns_override(ga__loop_here, "gone.example", NULL, 0);
    resolve_within("api.EXAMPLE", 1, &results[0]);
    resolve_within("gone.example", 1, &results[1]);
    resolve_within("other.example", 1, &results[2]);
    if (code == 0)
        code = ga__dns_override(ga__loop_here, "api.example.", &addresses[1], 1);
    resolve_within("api.example", 1, &results[3]);
    resolve_within("localhost", 1, &results[4]);
    return code;
}

static void a_simulated_loop_knows_the_overrides_alone(void **state)
{
    outcome results[5];

    (void)state;
    assert_int_equal(ga__run_on(ga__sim_new(NULL), NULL, 1, override_names, results), 0);
    assert_string_equal(results[0].text, "10.1.2.3:80 [::3]:80");
    assert_int_equal(results[1].dns_error, ARES_ENOTFOUND);
    assert_int_equal(results[2].dns_error, ARES_ENOTFOUND);
    assert_string_equal(results[3].text, "[::3]:80");
    assert_string_equal(results[4].text, "127.0.0.1:80 [::1]:80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_and_localhost_ask_nobody),
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(the_hosts_file_goes_before_the_server),
        cmocka_unit_test(a_changed_hosts_file_is_read_again),
        cmocka_unit_test(both_families_are_asked_for),
        cmocka_unit_test(aliases_are_followed),
        cmocka_unit_test(a_truncated_answer_is_fetched_over_tcp),
        cmocka_unit_test(answers_to_other_questions_are_not_believed),
        cmocka_unit_test(each_failure_has_its_code_and_says_what_to_do),
        cmocka_unit_test(random_answers_end_in_one_way_or_another),
        cmocka_unit_test(a_server_that_ignores_ipv6_costs_a_moment),
        cmocka_unit_test(answers_are_kept),
        cmocka_unit_test(entries_expire_and_the_least_used_go),
        cmocka_unit_test(a_name_is_asked_for_once_by_many),
        cmocka_unit_test(a_cancelled_waiter_leaves_the_others_their_answer),
        cmocka_unit_test(a_deadline_ends_the_wait_and_not_the_question),
        cmocka_unit_test(questions_at_once_are_bounded),
        cmocka_unit_test(a_server_that_ignores_ipv6_holds_up_nobody_in_line),
        cmocka_unit_test(those_in_line_get_their_turn_without_a_thread),
        cmocka_unit_test(a_loop_may_end_with_a_question_open),
        cmocka_unit_test(no_descriptors_is_no_failure_of_the_name),
        cmocka_unit_test(outside_a_loop_is_an_error),
        cmocka_unit_test(a_simulated_loop_knows_the_overrides_alone),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
