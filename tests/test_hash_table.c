/* SPDX-License-Identifier: MIT */
/* The hash table: what was added is found, whatever else collides with it, until it is taken out. */
#include "base/hash_table.h"
#include "check.h"

#include <stdlib.h>

typedef struct thing {
    int number;
    ga__hash_link link;
} thing;

static thing *find(const ga__hash_table *table, uint64_t hash, int number)
{
    for (ga__hash_link *link = ga__hash_chain(table, hash); link; link = link->next) {
        thing *found = GA__OF(link, thing, link);

        if (link->hash == hash && found->number == number)
            return found;
    }
    return NULL;
}

/* With hashes that spread, that collide by the hundred, and that are all the same. */
static void what_is_in_it_is_found_whatever_collides(void **state)
{
    enum { COUNT = 1000 };
    static const uint64_t factors[] = {0x9e3779b97f4a7c15, 1u << 20, 0};
    thing *things = calloc(COUNT, sizeof *things);

    (void)state;
    for (size_t f = 0; f < sizeof factors / sizeof *factors; f++) {
        ga__hash_table table = {.chains = NULL};

        assert_null(find(&table, 0, 0));
        for (int i = 0; i < COUNT; i++) {
            things[i].number = i;
            assert_true(ga__hash_table_reserve(&table));
            ga__hash_table_add(&table, &things[i].link, (uint64_t)i * factors[f]);
        }
        assert_int_equal(table.count, COUNT);
        assert_int_equal(table.chain_count, 1024);
        for (int i = 0; i < COUNT; i += 2)
            ga__hash_table_remove(&table, &things[i].link);
        assert_int_equal(table.count, COUNT / 2);
        for (int i = 0; i < COUNT; i++)
            assert_ptr_equal(find(&table, (uint64_t)i * factors[f], i), i % 2 ? &things[i] : NULL);
        ga__hash_table_free(&table);
        assert_null(find(&table, 0, 1));
    }
    free(things);
}

/* As http://www.isthe.com/chongo/tech/comp/fnv has them. */
static void hashes_are_fnv_1a(void **state)
{
    (void)state;
    assert_true(ga__hash(GA__HASH_BASIS, GA__SLICE("")) == 0xcbf29ce484222325);
    assert_true(ga__hash(GA__HASH_BASIS, GA__SLICE("a")) == 0xaf63dc4c8601ec8c);
    assert_true(ga__hash(GA__HASH_BASIS, GA__SLICE("foobar")) == 0x85944171f73967e8);
    assert_true(ga__hash(ga__hash(GA__HASH_BASIS, GA__SLICE("foo")), GA__SLICE("bar")) == 0x85944171f73967e8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_it_is_found_whatever_collides),
        cmocka_unit_test(hashes_are_fnv_1a),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
