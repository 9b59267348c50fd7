/* SPDX-License-Identifier: MIT */
/* Link fields: relations found, and what breaks the syntax. */
#include "check.h"

#include "protocol/link.h"

static void links_are_found_by_their_relation(void **state)
{
    static const struct {
        const char *value, *relation, *target; /* NULL: none */
    } cases[] = {
        {"<https://api.example/a?page=2>; rel=\"next\", <https://api.example/a?page=9>; rel=\"last\"", "next",
         "https://api.example/a?page=2"},
        {"<https://api.example/a?page=2>; rel=\"next\", <https://api.example/a?page=9>; rel=\"last\"", "last",
         "https://api.example/a?page=9"},
        {"<a>; rel=prev,<b>;rel=next", "next", "b"},
        {"  < /x > ; REL = Next ", "next", " /x "},
        {"<a>; rel=\"prev  next\"", "next", "a"},
        {"<a>; rel=\"nextpage\"", "next", NULL},
        {"<a>; rel=nex", "next", NULL},
        {"<a>", "next", NULL},
        {"<a>; rel", "next", NULL},
        {"<a>; rel=prev; rel=next", "next", NULL}, /* the first one counts */
        {"<a>; rel=next; anchor=\"#other\", <b>; rel=next", "next", "b"},
        {"<a>; title=\"x, <c>; rel=\\\"next\\\"\"; rel=prev, <b>; rel=next", "next", "b"},
        {"<a,b;c>; rel=next", "next", "a,b;c"},
        {",, ,<a>; rel=next", "next", "a"},
        {"<>; rel=next", "next", ""},
        {"<a>; title*=UTF-8''x; ; rel=next", "next", "a"},
        /* broken */
        {"", "next", NULL},
        {",", "next", NULL},
        {"a; rel=next", "next", NULL},
        {"<a; rel=next", "next", NULL},
        {"<a>; rel=\"next", "next", NULL},
        {"<a>; rel=\"next\\", "next", NULL},
        {"<a>; rel=", "next", NULL},
        {"<a> rel=next", "next", NULL},
        {"<a>; rel=next x", "next", NULL},
        {"<a>; rel=prev, b, <c>; rel=next", "next", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__slice target = {0};
        bool found = ga__link_header_find(ga__slice_of(cases[i].value), cases[i].relation, &target);

        if (found != (cases[i].target != NULL) ||
            (found && !ga__slice_equal(target, ga__slice_of(cases[i].target))))
            fail_msg("%s: found %d, \"%.*s\"", cases[i].value, found, (int)target.size,
                     target.data ? target.data : "");
    }
}

static void a_value_cut_anywhere_is_read_to_its_end_at_most(void **state)
{
    static const char value[] = "<a>; title=\"x\\\"\"; rel=\"prev next\", <b>; rel=next";

    (void)state;
    for (size_t size = 0; size < sizeof value; size++) {
        char *copy = test_malloc(size + 1); /* AddressSanitizer sees what reads beyond */
        ga__slice target;

        memcpy(copy, value, size);
        bool found = ga__link_header_find((ga__slice){copy, size}, "next", &target);

        assert_int_equal(found, size >= 33); /* from the quote that ends the list on */
        test_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_found_by_their_relation),
        cmocka_unit_test(a_value_cut_anywhere_is_read_to_its_end_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
