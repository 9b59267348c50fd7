/* SPDX-License-Identifier: MIT */
/*
 * Running a case: the loop around its task, what must be the same before and after, and the expectations that
 * did not hold.
 */
#include "peers.h"

#include <stdio.h>
#include <string.h>

static int failed;

const char *peers_told(const char *variable)
{
    const char *value = getenv(variable);

    if (!value)
        fail_msg("%s is not set: start this program with tests/functional/run.py", variable);
    return value;
}

void peers_complain(const char *condition, const char *file, int line)
{
    print_error("%s:%d: does not hold: %s; the last error is: %s\n", file, line, condition,
                ga_error_message());
    failed++;
}

bool peers_expect_text(const char *got, const char *wanted, const char *file, int line)
{
    bool same = got && strcmp(got, wanted) == 0;

    if (!same) {
        print_error("%s:%d: got \"%s\", wanted \"%s\"; the last error is: %s\n", file, line,
                    got ? got : "(null)", wanted, ga_error_message());
        failed++;
    }
    return same;
}

bool peers_expect_failure(int code, const char *text, const char *file, int line)
{
    const ga_error_detail *error = ga_error();
    bool same = error->code == code && strstr(error->message, text) && !strstr(error->message, "secret") &&
                (!error->url || !strstr(error->url, "secret"));

    if (!same) {
        print_error("%s:%d: got %s: %s; wanted %s with \"%s\"\n", file, line, ga_code_name(error->code),
                    error->message, ga_code_name(code), text);
        failed++;
    }
    return same;
}

const char *peers_json(const json_t *value, const char *path)
{
    char name[64];

    while (value && *path) {
        size_t size = strcspn(path, ".");

        snprintf(name, sizeof name, "%.*s", (int)size, path);
        value = json_object_get(value, name);
        path += size + (path[size] == '.');
    }
    return json_is_string(value) ? json_string_value(value) : "(none)";
}

void peers_run(void **state)
{
    const peers_case *one = *state;
    char variable[64];
    peers servers = {.tls = one->tls};

    if (one->variable) {
        snprintf(variable, sizeof variable, "%s%s", one->variable, one->tls ? "_TLS" : "");
        servers.base = peers_told(variable);
        servers.ca_file = peers_told(one->ca_variable);
    }
    int before = check_open_descriptors();

    failed = 0;
    assert_int_equal(ga_run(one->task, &servers), 0);
    assert_int_equal(failed, 0);
    assert_int_equal(check_open_descriptors(), before);
}
