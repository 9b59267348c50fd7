/* SPDX-License-Identifier: MIT */
/* The command's options: what each takes and refuses, where they may stand, and what is told of them. */
#include "check.h"

#include "cli/option_text.h"
#include "cli/options.h"
#include "cli/value.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 40 };

static bool is_near(double a, double b)
{
    return a > b - 1e-9 && a < b + 1e-9;
}

/* --- reading a command line ----------------------------------------------------------------------- */

/* Its words, which are changed where they are secrets. A word that begins with "'" goes to the next one. */
typedef struct words {
    char *text;
    char *argv[MOST];
    int argc;
} words;

static words words_of(const char *line)
{
    words made = {.text = strdup(line)};
    char *at = made.text;

    assert_non_null(at);
    while (*at) {
        char end = *at == '\'' ? '\'' : ' ';

        at += end == '\'';
        assert_true(made.argc < MOST - 1);
        made.argv[made.argc++] = at;
        at += strcspn(at, (char[]){end, '\0'});
        if (*at)
            *at++ = '\0';
        at += strspn(at, " ");
    }
    return made;
}

/* What reads the words; those of `options` are borrowed from them. */
static words read_line(ga__options *options, const char *line, char **problem)
{
    words given = words_of(line);
    bool good = ga__options_read(options, given.argc, given.argv, problem);

    assert_true(good == !*problem);
    return given;
}

static void free_all(ga__options *options, words *given)
{
    ga__options_free(options);
    free(given->text);
}

static void check_fine(ga__options *options, words *given, const char *line)
{
    char *problem;

    *given = read_line(options, line, &problem);
    if (problem)
        fail_msg("%s: %s", line, problem);
}

/* The line is refused, and what is said has both texts. */
static void check_refused(const char *line, const char *said, const char *also)
{
    ga__options options;
    char *problem;
    words given = read_line(&options, line, &problem);

    if (!problem)
        fail_msg("%s: nothing is said", line);
    if (!strstr(problem, said) || !strstr(problem, also))
        fail_msg("%s: \"%s\" does not say \"%s\" and \"%s\"", line, problem, said, also);
    if (strlen(problem) > 200 || strchr(problem, '\n'))
        fail_msg("%s: \"%s\" is no line", line, problem);
    free(problem);
    free_all(&options, &given);
}

static void refused(const char *line, const char *said)
{
    check_refused(line, said, "");
}

/* --- values --------------------------------------------------------------------------------------- */

static void durations(void **state)
{
    static const struct {
        const char *text;
        double seconds;
    } good[] = {{"90", 90},   {"1.5", 1.5},  {"500ms", 0.5},  {"30s", 30},       {"15m", 900},
                {"2h", 7200}, {"1d", 86400}, {"1h30m", 5400}, {"1m500ms", 60.5}, {"0", 0}};
    static const char *const bad[] = {"",     "s",      "-1",   "+1",   "1x", "1 s", "1hour",
                                      "1h30", "1.2.3s", "0x10", "1e3s", " 1", "inf", "nan"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double seconds = -1;

        assert_true(ga__value_duration(ga__slice_of(good[i].text), &seconds));
        assert_true(is_near(seconds, good[i].seconds));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double seconds = -1;

        if (ga__value_duration(ga__slice_of(bad[i]), &seconds))
            fail_msg("\"%s\" is no duration, but was read as %g", bad[i], seconds);
    }
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {
        {"0", 0},           {"4096", 4096},       {"64K", 65536},     {"64k", 65536},      {"16M", 16777216},
        {"1G", 1073741824}, {"1.5G", 1610612736}, {"16MB", 16777216}, {"16MiB", 16777216}, {"7B", 7}};
    static const char *const bad[] = {"", "K", "-1", "1X", "1 M", "1MM", "1Mi", "99999999T", "1e5"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t bytes = -1;

        assert_true(ga__value_size(ga__slice_of(good[i].text), &bytes));
        assert_true(bytes == good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t bytes = -1;

        if (ga__value_size(ga__slice_of(bad[i]), &bytes))
            fail_msg("\"%s\" is no size, but was read as %lld", bad[i], (long long)bytes);
    }
}

static void rates(void **state)
{
    static const struct {
        const char *text;
        double count, seconds;
    } good[] = {{"10", 10, 1},     {"0.5", 0.5, 1},   {"10/s", 10, 1},  {"500/m", 500, 60},
                {"5/15s", 5, 15},  {"1/1.5m", 1, 90}, {"7/h", 7, 3600}, {"1/250ms", 1, 0.25},
                {"9/d", 9, 86400}, {"none", 0, 0}};
    static const char *const bad[] = {"",     "0",  "-1", "fast",  "5/",  "5/x",
                                      "5/0s", "/m", "5m", "5/m/m", "5 /m"};
    ga__rate rate;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(ga__value_rate(ga__slice_of(good[i].text), true, &rate));
        assert_true(is_near(rate.count, good[i].count));
        assert_true(is_near(rate.seconds, good[i].seconds));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (ga__value_rate(ga__slice_of(bad[i]), true, &rate))
            fail_msg("\"%s\" is no rate", bad[i]);
    assert_false(ga__value_rate(GA__SLICE("200000"), false, &rate));
    assert_true(ga__value_rate(GA__SLICE("200000/m"), false, &rate));
}

static void shares_and_shards(void **state)
{
    double number;
    bool share;
    uint32_t part, parts;
    static const char *const bad_shares[] = {"", "%", "0%", "101%", "x", "-1", "1.5", "50 %"};
    static const char *const bad_shards[] = {"",   "1",  "/",   "0/2",   "3/2",
                                             "1/", "/2", "a/b", "1/2/3", "1/4294967296"};

    (void)state;
    assert_true(ga__value_share(GA__SLICE("50%"), &number, &share) && share);
    assert_true(is_near(number, 0.5));
    assert_true(ga__value_share(GA__SLICE("100"), &number, &share) && !share);
    assert_true(is_near(number, 100));
    assert_true(ga__value_share(GA__SLICE("none"), &number, &share) && !share && number <= 0);
    for (size_t i = 0; i < sizeof bad_shares / sizeof *bad_shares; i++)
        assert_false(ga__value_share(ga__slice_of(bad_shares[i]), &number, &share));
    assert_true(ga__value_shard(GA__SLICE("2/4"), &part, &parts) && part == 2 && parts == 4);
    for (size_t i = 0; i < sizeof bad_shards / sizeof *bad_shards; i++)
        assert_false(ga__value_shard(ga__slice_of(bad_shards[i]), &part, &parts));
}

/* --- the command line ----------------------------------------------------------------------------- */

static void letters_and_names_and_inputs_stand_anywhere(void **state)
{
    ga__options options;
    words given;
    const ga__job_options *job = &options.job;

    (void)state;
    check_fine(
        &options, &given,
        "gather a.csv -XPUT -H 'A: 1' -H B:2 --url=http://h/{x} -Lkc40 --per-host 4 --rate 500/m http://b/ "
        "--tokens 2000/m --retry 0 -m 1.5m --max-body 1M --max-errors 10% -o out.csv --keep a,b --keep=c");
    assert_string_equal(job->inputs[0], "a.csv");
    assert_string_equal(job->inputs[1], "http://b/");
    assert_null(job->inputs[2]);
    assert_string_equal(job->method, "PUT");
    assert_string_equal(job->headers[0], "A: 1");
    assert_string_equal(job->headers[1], "B:2");
    assert_null(job->headers[2]);
    assert_string_equal(job->url_template, "http://h/{x}");
    assert_true(job->follow && job->insecure && !job->no_globs);
    assert_int_equal(job->concurrency, 40);
    assert_int_equal(job->per_host, 4);
    assert_true(is_near(job->rate.count / job->rate.seconds, 500.0 / 60));
    assert_true(is_near(job->tokens.count, 2000));
    assert_int_equal(job->retries, 0);
    assert_true(is_near(job->max_time, 90));
    assert_int_equal(job->max_body, 1 << 20);
    assert_true(job->max_errors_share);
    assert_true(is_near(job->max_errors, 0.1));
    assert_string_equal(job->output, "out.csv");
    assert_string_equal(job->keep[0], "a");
    assert_string_equal(job->keep[1], "b");
    assert_string_equal(job->keep[2], "c");
    assert_null(job->keep[3]);
    free_all(&options, &given);
}

static void what_is_not_given_has_its_default(void **state)
{
    ga__options options;
    words given;

    (void)state;
    check_fine(&options, &given, "gather u");
    assert_int_equal(options.command, GA__COMMAND_RUN);
    assert_int_equal(options.job.concurrency, 20);
    assert_int_equal(options.job.retries, 4);
    assert_int_equal(options.job.threads, 1);
    assert_int_equal(options.job.max_body, 16 << 20);
    assert_true(options.job.max_errors_share);
    assert_int_equal(options.progress, GA__SCREEN_AUTO);
    assert_null(options.job.output);
    assert_null(options.job.headers);
    free_all(&options, &given);
}

static void other_names_and_opposites(void **state)
{
    ga__options options;
    words given;

    (void)state;
    check_fine(
        &options, &given,
        "gather u -j 3 -P4 --timeout 7 -s -L --no-location --no-compressed --no-adapt --adapt --http2 -o -");
    assert_int_equal(options.job.concurrency, 4);
    assert_true(is_near(options.job.max_time, 7));
    assert_true(options.quiet);
    assert_true(!options.job.follow && options.job.no_compressed && !options.job.no_adapt);
    assert_int_equal(options.job.http, 2);
    assert_null(options.job.output);
    free_all(&options, &given);
}

static void after_two_dashes_all_is_input(void **state)
{
    ga__options options;
    words given;

    (void)state;
    check_fine(&options, &given, "gather -q -- -c report --help");
    assert_int_equal(options.command, GA__COMMAND_RUN);
    assert_string_equal(options.job.inputs[0], "-c");
    assert_string_equal(options.job.inputs[1], "report");
    assert_string_equal(options.job.inputs[2], "--help");
    free_all(&options, &given);
}

static void commands_are_the_first_word(void **state)
{
    ga__options options;
    words given;

    (void)state;
    check_fine(&options, &given, "gather report out.jsonl --html x.html");
    assert_int_equal(options.command, GA__COMMAND_REPORT);
    assert_string_equal(options.out, "out.jsonl");
    assert_string_equal(options.html, "x.html");
    free_all(&options, &given);
    check_fine(&options, &given, "gather failed out.db");
    assert_int_equal(options.command, GA__COMMAND_FAILED);
    free_all(&options, &given);
    check_fine(&options, &given, "gather ./report failed");
    assert_int_equal(options.command, GA__COMMAND_RUN);
    assert_string_equal(options.job.inputs[0], "./report");
    assert_string_equal(options.job.inputs[1], "failed");
    free_all(&options, &given);
    check_fine(&options, &given, "gather --help rate --nonsense");
    assert_int_equal(options.command, GA__COMMAND_HELP);
    assert_string_equal(options.topic, "rate");
    free_all(&options, &given);
    check_fine(&options, &given, "gather");
    assert_int_equal(options.command, GA__COMMAND_USAGE);
    free_all(&options, &given);
    refused("gather report", "gather report out.jsonl");
    refused("gather report a b", "takes one");
    refused("gather report a --rate 5", "--rate is no option of `gather report`");
    refused("gather failed a --html b", "--html is no option of `gather failed`");
    refused("gather u --html b", "gather report");
    refused("gather -c 5", "there is no input");
    refused("gather - -", "read but once");
    refused("gather - -d @-", "read but once");
}

static void a_wrong_option_names_the_one_that_was_meant(void **state)
{
    (void)state;
    refused("gather u --rat 5", "there is no option --rat; is --rate meant?");
    refused("gather u --conurrency 5", "is --concurrency meant?");
    refused("gather u --concurency=5", "is --concurrency meant?");
    refused("gather u --retyr 5", "is --retry meant?");
    refused("gather u --max-tmie 5", "is --max-time meant?");
    refused("gather u --idempotency", "is --idempotency-key meant?");
    refused("gather u --Resume", "is --resume meant?");
    refused("gather u --ouput x", "is --output meant?");
    refused("gather u --time-out 5", "is --timeout meant?");
    refused("gather u --xyzzy", "there is no option --xyzzy; `gather --help all`");
    refused("gather u --a-name-that-is-much-too-long-to-be-one-of-ours", "there is no option");
    refused("gather u --=5", "there is no option");
    refused("gather u --no-rate", "there is no option --no-rate");
    refused("gather u -Z", "there is no option -Z");
    refused("gather u -LZ", "there is no option -Z");
    refused("gather --help nonsense", "there is no option --nonsense");
}

static void a_wrong_value_says_what_was_expected(void **state)
{
    (void)state;
    check_refused("gather u --rate fast", "--rate: N[/U] is expected, such as 500/m", "not \"fast\"");
    check_refused("gather u --tokens 5", "--tokens: N/U is expected", "not \"5\"");
    check_refused("gather u -c 0", "-c: a number from 1 to 10000", "not \"0\"");
    check_refused("gather u -c10001", "-c: a number from 1 to 10000", "not \"10001\"");
    check_refused("gather u --threads 65", "a number from 1 to 64", "65");
    check_refused("gather u --sync=often", "batch, each or none is expected", "often");
    check_refused("gather u --progress bar", "auto, plain, json or none is expected", "bar");
    check_refused("gather u --max-time soon", "TIME is expected, such as 2m", "soon");
    check_refused("gather u -m 0", "TIME is expected", "0");
    check_refused("gather u --max-body big", "SIZE is expected, such as 64M", "big");
    check_refused("gather u --max-errors half", "N|N% is expected, such as 10%", "half");
    check_refused("gather u --shard 0/2", "I/N is expected, such as 1/4", "0/2");
    check_refused("gather u -F file", "NAME=VALUE is expected", "file");
    check_refused("gather u --keep a,,b", "COLS is expected", "a,,b");
    check_refused("gather u --completion tcsh", "bash, zsh or fish is expected", "tcsh");
    refused("gather u --rate", "--rate: a value is expected, such as 500/m");
    refused("gather u --url=", "TEMPLATE is expected");
    refused("gather u --location=yes", "--location is a switch");
    refused("gather u -H nothing", "\"Name: value\" is expected");
    refused("gather u -H 'A;b'", "\"Name: value\" is expected");
    refused("gather u -H ': x'", "\"Name: value\" is expected");
    refused("gather u -H 'A B: x'", "\"Name: value\" is expected");
    refused("gather u -H @/nonexistent/file", "cannot read /nonexistent/file: No such file");
}

static void secrets_are_not_repeated_and_leave_the_list_of_processes(void **state)
{
    ga__options options;
    words given;
    char *problem;

    (void)state;
    check_fine(&options, &given, "gather u -u me:hunter2");
    assert_string_equal(options.job.user, "me:hunter2");
    assert_string_equal(given.argv[3], "xxxxxxxxxx");
    free_all(&options, &given);
    check_fine(&options, &given, "gather u --bearer=hunter2");
    assert_string_equal(options.job.headers[0], "Authorization: Bearer hunter2");
    assert_null(options.bearer);
    assert_string_equal(given.argv[2], "--bearer=xxxxxxx");
    free_all(&options, &given);
    given = read_line(&options, "gather u -H 'Authorization hunter2'", &problem);
    assert_non_null(problem);
    assert_null(strstr(problem, "hunter2"));
    free(problem);
    free_all(&options, &given);
}

static void what_contradicts_itself_is_said(void **state)
{
    static const struct {
        const char *line, *said;
    } cases[] = {
        {"--resume --fresh -o x", "--resume and --fresh do not go together"},
        {"--retry-failed --fresh -o x", "--retry-failed and --fresh do not go together"},
        {"--json {} -d a=b", "--json and --data do not go together"},
        {"--json {} -F a=b", "--json and --form do not go together"},
        {"-d a=b -F a=b", "--data and --form do not go together"},
        {"--raw -o x.db", "--raw and --output do not go together"},
        {"--raw --no-body", "--raw and --no-body do not go together"},
        {"--raw --extract a=.a", "--raw and --extract do not go together"},
        {"-q -v", "--quiet and --verbose do not go together"},
        {"--http1.1 --http2", "--http1.1 and --http2 do not go together"},
        {"--resume", "--resume needs --output"},
        {"--resume -o -", "--resume needs --output"},
        {"--fresh", "--fresh needs --output"},
        {"--table t", "--table needs --output"},
        {"--table t -o x.csv", "--table is for an output that is a .db, not x.csv"},
        {"--key k", "--key needs --cert"},
        {"--items .a", "--items needs --next"},
        {"--max-pages 3", "--max-pages needs --next"},
        {"-o u", "u is to be read and written"},
        {"-o x --failed-out x", "x is to be written twice"},
    };
    ga__options options;
    words given;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *line = ga_format("gather u %s", cases[i].line);

        refused(line, cases[i].said);
        free(line);
    }
    check_fine(&options, &given, "gather u --raw --ordered --threads 1 -d a=b -H A; -b c=d -o -");
    assert_string_equal(options.job.headers[0], "A;");
    assert_string_equal(options.job.headers[1], "Cookie: c=d");
    free_all(&options, &given);
    check_fine(&options, &given, "gather u --retry-failed -o x");
    assert_true(options.job.resume);
    free_all(&options, &given);
    check_fine(&options, &given, "gather u --resume --no-resume --fresh -o x");
    assert_true(options.job.fresh && !options.job.resume);
    free_all(&options, &given);
}

/* --- bodies and files ----------------------------------------------------------------------------- */

static void bodies_are_joined_as_curl_does(void **state)
{
    char *directory = check_mkdtemp(), *path = ga_format("%s/body", directory);
    char *line = ga_format("gather u -d a=1 --data=b=2 -d @%s", path);
    ga__options options;
    words given;

    (void)state;
    check_write_file(path, "c=3\r\n&d=4\n");
    check_fine(&options, &given, line);
    assert_string_equal(options.job.data, "a=1&b=2&c=3&d=4");
    free_all(&options, &given);
    free(line);
    line = ga_format("gather u --json {\"a\": --json @%s", path);
    check_write_file(path, "\n1}\n");
    check_fine(&options, &given, line);
    assert_string_equal(options.job.json, "{\"a\":\n1}\n");
    free_all(&options, &given);
    check_fine(&options, &given, "gather u -d '");
    assert_string_equal(options.job.data, "");
    free_all(&options, &given);
    free(line);
    free(path);
    check_rmdir(directory);
    free(directory);
}

static void headers_come_from_files_too(void **state)
{
    char *directory = check_mkdtemp(), *path = ga_format("%s/headers", directory);
    char *line = ga_format("gather u -H 'A: 0' -H @%s", path);
    ga__options options;
    words given;

    (void)state;
    check_write_file(path, "# a comment\n\nB: ${env:KEY}\r\n  C: 3  \n");
    check_fine(&options, &given, line);
    assert_string_equal(options.job.headers[0], "A: 0");
    assert_string_equal(options.job.headers[1], "B: ${env:KEY}");
    assert_string_equal(options.job.headers[2], "C: 3  ");
    assert_null(options.job.headers[3]);
    free_all(&options, &given);
    check_write_file(path, "B: 1\nnothing\n");
    refused(line, "\"Name: value\" is expected");
    free(line);
    free(path);
    check_rmdir(directory);
    free(directory);
}

/* A text that would be cut is none. */
static void files_with_a_nul_are_refused(void **state)
{
    char *directory = check_mkdtemp(), *path = ga_format("%s/file", directory);
    char *lines[] = {ga_format("gather u --json @%s", path), ga_format("gather u -H @%s", path),
                     ga_format("gather u --config %s", path)};
    FILE *file = fopen(path, "we");

    (void)state;
    assert_non_null(file);
    assert_int_equal(fwrite("quiet\0: 1\n", 1, 10, file), 10);
    fclose(file);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        refused(lines[i], "file is not a text: it has a NUL byte");
        free(lines[i]);
    }
    free(path);
    check_rmdir(directory);
    free(directory);
}

/* --- the configuration and the environment -------------------------------------------------------- */

static void arguments_go_before_the_configuration_and_that_before_the_environment(void **state)
{
    char *directory = check_mkdtemp(), *path = ga_format("%s/config", directory);
    char *line = ga_format("gather u --config %s -c 3 -H 'A: argument' --no-location", path);
    ga__options options;
    words given;

    (void)state;
    check_write_file(path,
                     "# mine\n\n rate = 5/m \nconcurrency=7\nheader = \"A: config\"\nheader = 'B: \"x\"'\n"
                     "user-agent = \"a\\\"b\\\\c # d\"\nlocation\nno-body = yes\n--retry = 1\n");
    setenv("GATHER_RATE", "9", 1);
    setenv("GATHER_BURST", "4", 1);
    setenv("GATHER_HEADER", "C: environment", 1);
    setenv("GATHER_HTTP1_1", "true", 1);
    setenv("GATHER_NO_BODY", "false", 1);
    setenv("GATHER_SOMETHING", "else", 1);
    check_fine(&options, &given, line);
    assert_int_equal(options.job.concurrency, 3);
    assert_true(is_near(options.job.rate.count, 5));
    assert_int_equal(options.job.burst, 4);
    assert_int_equal(options.job.retries, 1);
    assert_int_equal(options.job.http, 11);
    assert_true(!options.job.follow && options.job.no_body);
    assert_string_equal(options.job.headers[0], "A: argument");
    assert_string_equal(options.job.headers[1], "B: \"x\"");
    assert_string_equal(options.job.headers[2], "C: environment");
    assert_null(options.job.headers[3]);
    assert_string_equal(options.job.user_agent, "a\"b\\c # d");
    free_all(&options, &given);
    unsetenv("GATHER_RATE");
    unsetenv("GATHER_BURST");
    unsetenv("GATHER_HEADER");
    unsetenv("GATHER_HTTP1_1");
    unsetenv("GATHER_NO_BODY");
    unsetenv("GATHER_SOMETHING");
    free(line);
    free(path);
    check_rmdir(directory);
    free(directory);
}

static void arguments_win_where_the_configuration_contradicts_them(void **state)
{
    char *directory = check_mkdtemp(), *path = ga_format("%s/config", directory);
    char *line, *plain = ga_format("gather u --config %s", path);
    ga__options options;
    words given;

    (void)state;
    check_write_file(path, "resume\ndata = a=b\nextract = a=.a\nhttp2\nquiet\n");
    check_fine(&options, &given, plain);
    assert_false(options.job.resume); /* of no use without an output, and so not meant here */
    free_all(&options, &given);
    line = ga_format("gather u --config %s --fresh -o x --json {} -v --http1.1", path);
    check_fine(&options, &given, line);
    assert_true(options.job.fresh && !options.job.resume && options.verbose && !options.quiet);
    assert_null(options.job.data);
    assert_string_equal(options.job.json, "{}");
    assert_string_equal(options.job.extract[0], "a=.a");
    assert_int_equal(options.job.http, 11);
    free_all(&options, &given);
    free(line);
    line = ga_format("gather u --config %s --raw", path);
    check_fine(&options, &given, line);
    assert_null(options.job.extract);
    free_all(&options, &given);
    free(line);
    free(plain);
    free(path);
    check_rmdir(directory);
    free(directory);
}

static void wrong_configurations_are_named_by_their_line(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"\n# x\nrat = 5\n", "config:3: there is no option \"rat\"; is rate meant?"},
        {"rate = fast", "config:1: N[/U] is expected, such as 500/m"},
        {"rate", "config:1: a value is expected: N[/U], such as 500/m"},
        {"location = maybe", "config:1: true or false is expected, not \"maybe\""},
        {"user-agent = \"x", "config:1: a quote is not closed"},
        {"user-agent = 'x' y", "config:1: a quote is not closed"},
        {"help", "config:1: --help is for the command line"},
        {"config = x", "config:1: --config is for the command line"},
        {"= 5", "config:1: there is no option \"\""},
    };
    char *directory = check_mkdtemp(), *path = ga_format("%s/config", directory);
    char *line = ga_format("gather u --config %s", path);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_write_file(path, cases[i].text);
        refused(line, cases[i].said);
    }
    free(line);
    line = ga_format("gather u --config %s/none", directory);
    refused(line, "cannot read the configuration");
    setenv("GATHER_RATE", "fast", 1);
    refused("gather u", "GATHER_RATE: N[/U] is expected");
    unsetenv("GATHER_RATE");
    free(line);
    free(path);
    check_rmdir(directory);
    free(directory);
}

static void the_configuration_is_found_where_others_are(void **state)
{
    char *directory = check_mkdtemp(), *below = ga_format("%s/gather", directory);
    char *path = ga_format("%s/config", below), *given_path = ga_format("%s/other", directory);
    ga__options options;
    words given;

    (void)state;
    assert_int_equal(access(directory, F_OK), 0);
    char *command = ga_format("mkdir '%s'", below);

    assert_int_equal(system(command), 0);
    check_write_file(path, "burst = 6\n");
    check_write_file(given_path, "burst = 8\n");
    setenv("XDG_CONFIG_HOME", directory, 1);
    check_fine(&options, &given, "gather u");
    assert_int_equal(options.job.burst, 6);
    free_all(&options, &given);
    setenv("GATHER_CONFIG", given_path, 1);
    check_fine(&options, &given, "gather u");
    assert_int_equal(options.job.burst, 8);
    free_all(&options, &given);
    unsetenv("GATHER_CONFIG");
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    check_fine(&options, &given, "gather u");
    assert_int_equal(options.job.burst, 1);
    free_all(&options, &given);
    free(command);
    free(given_path);
    free(path);
    free(below);
    check_rmdir(directory);
    free(directory);
}

/* --- what is told --------------------------------------------------------------------------------- */

/* How many lines; none is longer than 80 characters. */
static int check_lines(const char *text)
{
    int lines = 0;

    for (; *text; text += strcspn(text, "\n") + 1, lines++)
        if (strcspn(text, "\n") > 80)
            fail_msg("\"%.*s\" is longer than 80 characters", (int)strcspn(text, "\n"), text);
    return lines;
}

static void help_fits_a_screen(void **state)
{
    ga__buffer text = GA__BUFFER_INIT;

    (void)state;
    ga__append_help(&text, false);
    assert_true(check_lines(text.data) <= 62);
    assert_non_null(strstr(text.data, "--help all"));
    assert_null(strstr(text.data, "--cacert"));
    ga__buffer_clear(&text);
    ga__append_help(&text, true);
    check_lines(text.data);
    for (size_t i = 0; i < ga__option_count; i++) {
        const ga__option *option = &ga__option_table[i];
        char *name = ga_format("--%s ", option->name);

        if (option->kind != GA__OPTION_ALIAS && !strstr(text.data, name))
            fail_msg("help does not tell %s", name);
        free(name);
        if (option->kind == GA__OPTION_ALIAS)
            continue;
        ga__buffer of = GA__BUFFER_INIT;

        ga__append_help_of(&of, option);
        check_lines(of.data);
        assert_true(strlen(option->help) <= 49);
        ga__buffer_free(&of);
    }
    ga__buffer_free(&text);
}

static void no_name_and_no_letter_is_there_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < ga__option_count; i++) {
        const ga__option *one = &ga__option_table[i];

        assert_non_null(ga__option_itself(one));
        for (size_t j = i + 1; j < ga__option_count; j++) {
            const ga__option *other = &ga__option_table[j];

            assert_string_not_equal(one->name, other->name);
            if (one->letter && one->letter == other->letter)
                fail_msg("-%c is --%s and --%s", one->letter, one->name, other->name);
        }
    }
}

/* Each example is a value of its option, so that what errors advise is right. */
static void examples_are_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < ga__option_count; i++) {
        const ga__option *option = &ga__option_table[i];
        ga__options options = {.job = ga__job_defaults};
        char *problem = NULL, *value = option->example ? strdup(option->example) : NULL;

        if (option->kind != GA__OPTION_ALIAS && option->argument)
            assert_non_null(value);
        if (value && option->kind != GA__OPTION_ACTION &&
            !ga__options_set(&options, option, GA__PLACE_ARGUMENTS, true, value, &problem))
            fail_msg("--%s %s: %s", option->name, option->example, problem);
        ga__options_free(&options);
        free(value);
    }
}

static void the_manual_and_completions_have_every_option(void **state)
{
    ga__buffer texts[4] = {GA__BUFFER_INIT};

    (void)state;
    for (int shell = 0; shell < 3; shell++)
        ga__append_completion(&texts[shell], shell);
    ga__append_manual(&texts[3]);
    for (size_t i = 0; i < ga__option_count; i++)
        for (int text = 0; text < 4; text++) {
            ga__buffer name = GA__BUFFER_INIT;

            ga__buffer_add(&name, text == 2 ? "-l " : text == 3 ? "\\-\\-" : "--");
            for (const char *at = ga__option_table[i].name; *at; at++)
                ga__buffer_printf(&name, "%s%c", text == 3 && *at == '-' ? "\\" : "", *at);
            if (!strstr(texts[text].data, name.data))
                fail_msg("text %d has no %s", text, name.data);
            ga__buffer_free(&name);
        }
    for (int text = 0; text < 4; text++)
        ga__buffer_free(&texts[text]);
}

/* No configuration of who runs the test has a say. */
static int without_configuration(void **state)
{
    (void)state;
    return setenv("XDG_CONFIG_HOME", "/nonexistent", 1) + unsetenv("GATHER_CONFIG");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(rates),
        cmocka_unit_test(shares_and_shards),
        cmocka_unit_test(letters_and_names_and_inputs_stand_anywhere),
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(other_names_and_opposites),
        cmocka_unit_test(after_two_dashes_all_is_input),
        cmocka_unit_test(commands_are_the_first_word),
        cmocka_unit_test(a_wrong_option_names_the_one_that_was_meant),
        cmocka_unit_test(a_wrong_value_says_what_was_expected),
        cmocka_unit_test(secrets_are_not_repeated_and_leave_the_list_of_processes),
        cmocka_unit_test(what_contradicts_itself_is_said),
        cmocka_unit_test(bodies_are_joined_as_curl_does),
        cmocka_unit_test(headers_come_from_files_too),
        cmocka_unit_test(files_with_a_nul_are_refused),
        cmocka_unit_test(arguments_go_before_the_configuration_and_that_before_the_environment),
        cmocka_unit_test(arguments_win_where_the_configuration_contradicts_them),
        cmocka_unit_test(wrong_configurations_are_named_by_their_line),
        cmocka_unit_test(the_configuration_is_found_where_others_are),
        cmocka_unit_test(help_fits_a_screen),
        cmocka_unit_test(no_name_and_no_letter_is_there_twice),
        cmocka_unit_test(examples_are_right),
        cmocka_unit_test(the_manual_and_completions_have_every_option),
    };

    return cmocka_run_group_tests(tests, without_configuration, NULL);
}
