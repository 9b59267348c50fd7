/* SPDX-License-Identifier: MIT */
/* Keys of rows, and the set of a million of them. */
#include "check.h"

#include "bulk/keys.h"
#include <malloc.h>
#include <openssl/evp.h>
#include <string.h>

static ga__key key_of(uint32_t salt, const char *a, const char *b)
{
    ga__slice parts[] = {ga__slice_of(a), ga__slice_of(b)};
    ga__key key;

    assert_true(ga__key_of(&key, salt, parts, 2));
    return key;
}

static bool same(ga__key a, ga__key b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void a_key_is_of_all_its_parts(void **state)
{
    (void)state;
    assert_true(same(key_of(0, "GET", "url"), key_of(0, "GET", "url")));
    assert_false(same(key_of(0, "GET", "url"), key_of(1, "GET", "url")));
    assert_false(same(key_of(0, "GETu", "rl"), key_of(0, "GET", "url")));
    assert_false(same(key_of(0, "", "GETurl"), key_of(0, "GETurl", "")));
}

/* Keys stand in journals, so they must stay what they are: a hash of the salt and of each part behind its
 * size. */
static void a_key_is_the_same_however_long_its_parts_are(void **state)
{
    char text[700];
    unsigned char all[2 * sizeof text], hash[EVP_MAX_MD_SIZE];

    (void)state;
    for (size_t first = 0; first < sizeof text; first += 7)
        for (size_t second = 0; second < sizeof text - first; second += 61) {
            const uint64_t sizes[] = {first, second};
            const uint32_t salt = 3;
            const ga__slice parts[] = {{text, first}, {text + first, second}};
            unsigned char *at = all;
            ga__key key;

            memset(text, 'a' + (int)(first % 26), sizeof text);
            at = mempcpy(at, &salt, sizeof salt);
            for (size_t i = 0; i < 2; i++) {
                at = mempcpy(at, &sizes[i], sizeof sizes[i]);
                at = mempcpy(at, parts[i].data, parts[i].size);
            }
            assert_true(EVP_Digest(all, (size_t)(at - all), hash, NULL, EVP_sha256(), NULL));
            assert_true(ga__key_of(&key, salt, parts, 2));
            assert_memory_equal(key.bytes, hash, sizeof key.bytes);
        }
}

static void values_stay_with_their_keys_while_the_set_grows(void **state)
{
    ga__keys *keys = ga__keys_new();
    uint32_t count = check_slowed() ? 20000 : 1000000;
    size_t before = mallinfo2().uordblks;

    (void)state;
    assert_non_null(keys);
    for (uint32_t i = 0; i < count; i++) {
        ga__slice part = {(const char *)&i, sizeof i};
        ga__key key;

        assert_true(ga__key_of(&key, 0, &part, 1));
        assert_null(ga__keys_find(keys, &key));
        uint32_t *value = ga__keys_at(keys, &key);

        assert_non_null(value);
        assert_int_equal(*value, 0);
        *value = i + 1;
    }
    assert_int_equal(ga__keys_count(keys), count);
    for (uint32_t i = 0; i < count; i++) {
        ga__slice part = {(const char *)&i, sizeof i};
        ga__key key;

        assert_true(ga__key_of(&key, 0, &part, 1));
        assert_int_equal(*ga__keys_find(keys, &key), i + 1);
        assert_int_equal(*ga__keys_at(keys, &key), i + 1);
    }
    if (!check_slowed())
        assert_true(mallinfo2().uordblks - before < 28 * (size_t)count);
    ga__keys_free(keys);
}

static ga__key nth_key(uint32_t n)
{
    ga__slice part = {(const char *)&n, sizeof n};
    ga__key key;

    assert_true(ga__key_of(&key, 0, &part, 1));
    return key;
}

static void nothing_is_moved_where_room_was_made(void **state)
{
    enum { COUNT = 50000 };
    ga__keys *keys = ga__keys_new();
    static uint32_t *places[COUNT];

    (void)state;
    assert_non_null(keys);
    ga__keys_reserve(keys, 0);
    ga__key zeroth = nth_key(0);

    ga__keys_fetch(keys, &zeroth); /* of an empty set */
    *ga__keys_at(keys, &zeroth) = 7;
    ga__keys_reserve(keys, COUNT);
    assert_int_equal(*ga__keys_find(keys, &zeroth), 7);
    for (uint32_t i = 0; i < COUNT; i++) {
        ga__key key = nth_key(i);

        ga__keys_fetch(keys, &key);
        places[i] = ga__keys_at(keys, &key);
        assert_non_null(places[i]);
    }
    size_t moved = 0;

    for (uint32_t i = 0; i < COUNT; i++) {
        ga__key key = nth_key(i);

        moved += ga__keys_find(keys, &key) != places[i];
    }
    assert_true(moved < COUNT / 10); /* chance gave some of the tables more than there was room for */
    assert_int_equal(ga__keys_count(keys), COUNT);
    ga__keys_free(keys);
}

static void a_key_of_zeros_is_one_too(void **state)
{
    ga__keys *keys = ga__keys_new();
    ga__key zeros = {{0}};

    (void)state;
    assert_non_null(keys);
    assert_null(ga__keys_find(keys, &zeros));
    *ga__keys_at(keys, &zeros) = 5;
    assert_int_equal(*ga__keys_find(keys, &zeros), 5);
    assert_int_equal(ga__keys_count(keys), 1);
    ga__keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_of_all_its_parts),
        cmocka_unit_test(a_key_is_the_same_however_long_its_parts_are),
        cmocka_unit_test(values_stay_with_their_keys_while_the_set_grows),
        cmocka_unit_test(nothing_is_moved_where_room_was_made),
        cmocka_unit_test(a_key_of_zeros_is_one_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
