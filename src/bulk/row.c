/* SPDX-License-Identifier: MIT */
/* The memory of a row: pieces that are never moved, freed together. */
#include "bulk/row.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1024 };

typedef struct ga__arena_piece {
    struct ga__arena_piece *next;
    size_t used, size;
    _Alignas(max_align_t) char bytes[];
} ga__arena_piece;

static ga__arena_piece *add_piece(ga__arena *arena, size_t least)
{
    size_t size = least < PIECE ? PIECE : least;
    ga__arena_piece *piece = malloc(sizeof *piece + size);

    if (!piece)
        return NULL;
    *piece = (ga__arena_piece){.next = arena->pieces, .size = size};
    arena->pieces = piece;
    return piece;
}

void *ga__arena_take(ga__arena *arena, size_t size)
{
    size_t rounded = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
    ga__arena_piece *piece = arena->pieces;

    if (rounded < size)
        return NULL;
    if (!piece || piece->size - piece->used < rounded)
        piece = add_piece(arena, rounded);
    if (!piece)
        return NULL;
    piece->used += rounded;
    return piece->bytes + piece->used - rounded;
}

char *ga__arena_copy(ga__arena *arena, ga__slice text)
{
    char *copy = ga__arena_take(arena, text.size + 1);

    if (!copy)
        return NULL;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

void ga__arena_free(ga__arena *arena)
{
    for (ga__arena_piece *piece = arena->pieces, *next; piece; piece = next) {
        next = piece->next;
        free(piece);
    }
    arena->pieces = NULL;
}

void ga__row_free(ga__row *row)
{
    ga__arena_free(&row->arena);
}

const char *ga__row_shown_url(const ga__row *row)
{
    if (row->shown_url)
        return row->shown_url;
    return row->url ? row->url : "";
}

ga__slice ga__row_shown_body(const ga__row *row)
{
    return row->shown_body.data ? row->shown_body : row->body;
}
