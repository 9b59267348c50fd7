/* SPDX-License-Identifier: MIT */
/*
 * The one list: intrusive, doubly linked, circular with the head as sentinel. A node that is in no list
 * points to NULL, so "is it queued?" is one load, and removal needs no head.
 */
#ifndef GA__LIST_H
#define GA__LIST_H

#include <gather/base.h>
#include <stdbool.h>

/* Defined in gather/base.h, since public structs embed it. */
typedef struct ga_link_ ga__link;
typedef struct ga_link_ ga__list; /* a head */

/* The struct that holds the link. */
#define GA__OF(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void ga__list_init(ga__list *list)
{
    list->prev = list->next = list;
}

static inline bool ga__list_empty(const ga__list *list)
{
    return list->next == list;
}

static inline bool ga__linked(const ga__link *link)
{
    return link->next != NULL;
}

static inline void ga__link_between(ga__link *link, ga__link *prev, ga__link *next)
{
    link->prev = prev;
    link->next = next;
    prev->next = link;
    next->prev = link;
}

static inline void ga__list_push_back(ga__list *list, ga__link *link)
{
    ga__link_between(link, list->prev, list);
}

static inline void ga__list_push_front(ga__list *list, ga__link *link)
{
    ga__link_between(link, list, list->next);
}

/* Takes the link out of its list; harmless where it is in none. */
static inline void ga__unlink(ga__link *link)
{
    if (!link->next)
        return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->prev = link->next = NULL;
}

static inline ga__link *ga__list_first(const ga__list *list)
{
    return list->next == list ? NULL : list->next;
}

static inline ga__link *ga__list_pop_front(ga__list *list)
{
    ga__link *link = ga__list_first(list);

    if (link)
        ga__unlink(link);
    return link;
}

#endif
