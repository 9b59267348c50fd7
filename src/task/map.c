/* SPDX-License-Identifier: MIT */
/*
 * The map. Workers, tasks of the map's group, pull inputs from the source one after another and run the
 * function on them; the consumer takes the results. A slot holds one input with its result, from the pull
 * until the consumer asks for the one after it. There are at most twice as many slots as workers: so many
 * inputs are worked on, so many results wait for their turn.
 *
 * One worker at a time has the turn to pull. Having pulled, it passes the turn to a worker that is idle or,
 * where none is, to a new one: so there are never more workers than inputs to work on, and one that waits for
 * the next.
 *
 * Invariant: the turn is free only while all slots are held, nothing more is to come, or all workers are
 * busy. `out` holds the slots in the order in which the consumer takes them: as pulled, or as completed.
 */
#include "task/loop.h"
#include <gather/map.h>
#include <limits.h>
#include <string.h>

enum { DEFAULT_LIMIT = 100 };

enum { /* ga_map.flags_ */
       OPEN = 1,
       TURN_TAKEN = 2,
       DRAINED = 4, /* nothing more is pulled */
       STOPPED = 8, /* by the first failure */
       CLOSING = 16
};

typedef struct ga_map_slot_ {
    ga__link link; /* in out or free */
    bool done;
    ga__error *error;
    ga_map_item item;
    _Alignas(max_align_t) char result_and_input[];
} slot;

/* --- slots ---------------------------------------------------------------------------------------- */

static size_t aligned(size_t size)
{
    return (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
}

static slot *slot_new(const ga_map *map)
{
    const ga_map_options *options = &map->options_;
    size_t input_size = options->next ? options->input_size : 0;
    size_t size;

    if (options->result_size > SIZE_MAX / 4 ||
        __builtin_add_overflow(sizeof(slot) + aligned(options->result_size), input_size, &size))
        return NULL;
    slot *made = malloc(size);

    if (!made)
        return NULL;
    *made = (slot){.item.result = options->result_size ? made->result_and_input : NULL};
    if (input_size)
        made->item.input = made->result_and_input + aligned(options->result_size);
    return made;
}

static slot *slot_take(ga_map *map)
{
    ga__link *link = ga__list_pop_front(&map->free_);
    slot *taken = link ? GA__OF(link, slot, link) : slot_new(map);

    if (!taken) {
        ga__fail(GA_ENOMEM, "ga_map: no memory for an input of %zu bytes with a result of %zu",
                 map->options_.input_size, map->options_.result_size);
        return NULL;
    }
    taken->done = false;
    map->held_++;
    return taken;
}

static void slot_give(ga_map *map, slot *given)
{
    ga__error_free(given->error);
    given->error = NULL;
    ga__list_push_front(&map->free_, &given->link);
    map->held_--;
}

/* --- the turn to pull ----------------------------------------------------------------------------- */

static int worker(void *arg);

static bool turn_is_free(const ga_map *map)
{
    return !(map->flags_ & (TURN_TAKEN | DRAINED)) && map->held_ / 2 < (size_t)map->options_.limit;
}

/* Where there is no memory for a new worker, those that run go on. */
static void pass_turn(ga_map *map)
{
    if (!turn_is_free(map))
        return;
    if (!ga__wake_first(&map->idle_, 0)) {
        if (map->workers_ == map->options_.limit || !ga_spawn_named(&map->group_, worker, map, map->name_))
            return;
        map->workers_++;
    }
    map->flags_ |= TURN_TAKEN;
}

static bool wait_for_turn(ga_map *map)
{
    if (turn_is_free(map)) {
        map->flags_ |= TURN_TAKEN;
        return true;
    }
    return !(map->flags_ & DRAINED) && ga__park(&map->idle_, GA__NEVER, 0, "its turn to pull an input") == 0;
}

/* Nothing more is pulled: the workers that wait for it end. */
static void drain(ga_map *map)
{
    map->flags_ |= DRAINED;
    ga__wake_all(&map->idle_, GA_ECLOSED);
}

/* --- workers -------------------------------------------------------------------------------------- */

static void wake_consumer(ga_map *map)
{
    ga__wake_first(&map->consumer_, 0);
}

/* Sees to it that a failure has a recorded error. */
static void ensure_error(int code, const char *what)
{
    if (ga_error()->code != code)
        ga__fail(code, "%s returned %s", what, ga_code_name(code));
}

/* The map's own failure is the first; what fails because the map ends is none. */
static bool is_first_failure(const ga_map *map)
{
    return !map->code_ && !(map->flags_ & (CLOSING | STOPPED));
}

static int from_array(ga_map *map, slot *filled)
{
    const ga_map_options *options = &map->options_;

    if (map->pulled_ >= options->count)
        return 0;
    filled->item.input =
        (char *)(uintptr_t)options->inputs + map->pulled_ * options->input_size; /* only read */
    return 1;
}

static int from_source(ga_map *map, slot *filled)
{
    int code = ga__checkpoint();

    if (code < 0)
        return code;
    ga_error_clear();
    if (!map->options_.next)
        return from_array(map, filled);
    code = map->options_.next(map->options_.source, filled->item.input);
    if (code < 0)
        ensure_error(code, "the source of a map");
    return code;
}

/* Pulls the next input, and passes the turn. NULL when there is none. */
static slot *pull(ga_map *map)
{
    slot *pulled = slot_take(map);
    int code = pulled ? from_source(map, pulled) : GA_ENOMEM;

    map->flags_ &= (unsigned char)~TURN_TAKEN;
    if (code <= 0) {
        if (code < 0 && is_first_failure(map)) {
            map->code_ = code;
            map->error_ = ga__error_take();
        }
        if (pulled)
            slot_give(map, pulled);
        drain(map);
        return NULL;
    }
    pulled->item.index = map->pulled_++;
    if (!map->options_.as_completed)
        ga__list_push_back(&map->out_, &pulled->link);
    pass_turn(map);
    return pulled;
}

/* The first failure ends the map: its error is the map's from now on. */
static void stop(ga_map *map, slot *failed)
{
    map->code_ = failed->item.code;
    map->error_ = failed->error;
    failed->error = NULL;
    map->flags_ |= STOPPED;
    drain(map);
    ga_group_cancel(&map->group_);
}

static void run(ga_map *map, slot *work)
{
    ga_map_item *item = &work->item;

    if (item->result)
        memset(item->result, 0, map->options_.result_size);
    item->code = map->function_(map->options_.context, item->input, item->result);
    item->error = NULL;
    if (item->code < 0) {
        ensure_error(item->code, map->name_);
        work->error = ga__error_take();
        item->error = ga__error_detail(work->error);
    }
    work->done = true;
    if (map->options_.as_completed)
        ga__list_push_back(&map->out_, &work->link);
    if (item->code < 0 && map->options_.fail_fast && is_first_failure(map))
        stop(map, work);
    wake_consumer(map);
}

/* Begins with the turn. */
static int worker(void *arg)
{
    ga_map *map = arg;
    slot *work;

    do {
        work = pull(map);
        if (work)
            run(map, work);
    } while (work && wait_for_turn(map));
    map->workers_--;
    wake_consumer(map);
    return 0;
}

/* --- the consumer --------------------------------------------------------------------------------- */

static int refuse(ga_map *map, int code)
{
    *map = (ga_map){.code_ = code};
    return code;
}

int ga_map_open_at(ga_map *map, ga_map_function *function, const ga_map_options *options, const char *name,
                   const char *where)
{
    if (!ga__current())
        return refuse(map,
                      ga__misuse(GA_ENOTASK,
                                 "ga_map_open at %s: no task runs here; call it from the function given to "
                                 "ga_run",
                                 where));
    if (!function || (!options->next && options->count && !(options->inputs && options->input_size)))
        return refuse(
            map,
            ga__misuse(
                GA_EUSAGE,
                "ga_map_open at %s: it needs a function, and .next, or .inputs with .count and .input_size",
                where));
    *map = (ga_map){.options_ = *options, .function_ = function, .name_ = name, .flags_ = OPEN};
    if (map->options_.limit <= 0)
        map->options_.limit = DEFAULT_LIMIT;
    ga__list_init(&map->free_);
    ga__list_init(&map->out_);
    ga__list_init(&map->idle_);
    ga__list_init(&map->consumer_);
    ga_group_open_at(&map->group_, GA_COLLECT, where);
    pass_turn(map);
    return 0;
}

static void give_taken(ga_map *map)
{
    if (!map->taken_)
        return;
    slot_give(map, map->taken_);
    map->taken_ = NULL;
    pass_turn(map);
}

/* The next result, if it is there. */
static slot *take_done(ga_map *map)
{
    ga__link *link = ga__list_first(&map->out_);
    slot *first = link ? GA__OF(link, slot, link) : NULL;

    if (!first || !first->done)
        return NULL;
    ga__unlink(link);
    return first;
}

/* Waits until there may be a result, or none to come. @return 1, 0 at the end, or negative */
static int wait_for_result(ga_map *map)
{
    if (!map->workers_) {
        pass_turn(map); /* for lack of memory none was started before */
        if (!map->workers_)
            return map->flags_ & DRAINED ? 0 : ga_error()->code;
    }
    int code = ga__park(&map->consumer_, GA__NEVER, 0, "a map's next result");

    return code < 0 ? ga__fail(code, "cancelled while waiting for a map's next result") : 1;
}

ga_map_item *ga_map_next(ga_map *map)
{
    int code = 1;

    if (!(map->flags_ & OPEN))
        return NULL;
    give_taken(map);
    map->interrupted_ = 0;
    while (code > 0 && !(map->flags_ & STOPPED)) {
        code = ga__checkpoint();
        if (code < 0)
            break;
        map->taken_ = take_done(map);
        if (map->taken_)
            return &map->taken_->item;
        code = wait_for_result(map);
    }
    if (code < 0 && !(map->flags_ & STOPPED))
        map->interrupted_ = code;
    return NULL;
}

static void discard(ga_map *map)
{
    slot *left;

    while ((left = take_done(map))) {
        if (map->options_.discard)
            map->options_.discard(map->options_.context, &left->item);
        slot_give(map, left);
    }
}

int ga_map_close(ga_map *map)
{
    ga__link *link;

    if (!(map->flags_ & OPEN))
        return map->code_;
    map->flags_ |= CLOSING;
    drain(map);
    ga_group_close(&map->group_);
    give_taken(map);
    discard(map);
    while ((link = ga__list_pop_front(&map->free_)))
        free(GA__OF(link, slot, link));
    if (map->code_ < 0)
        ga__error_put(map->error_);
    else
        map->code_ = map->interrupted_;
    map->flags_ = 0;
    return map->code_;
}
