/* arena.c: chunks from calloc, each twice as large as the one before up to a bound, so that a
 * config costs a handful of allocations and a large one no more than twice what it uses. */
#include "base/arena.h"

#include "base/check.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 16u
#define FIRST_CHUNK ((size_t)4 << 10)
#define LARGEST_CHUNK ((size_t)1 << 20)

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used; /* of `memory` */
    alignas(ALIGNMENT) unsigned char memory[];
};

static struct arena_chunk *chunk_new(const struct arena *arena, size_t piece)
{
    size_t size = arena->chunks != NULL ? arena->chunks->size * 2 : FIRST_CHUNK;
    size_t total;

    if (size > LARGEST_CHUNK) {
        size = LARGEST_CHUNK;
    }
    if (size < piece) {
        size = piece;
    }
    if (check_add(size, sizeof(struct arena_chunk), &total) != 0 || total > PTRDIFF_MAX) {
        return NULL;
    }
    struct arena_chunk *chunk = calloc(1, total);

    if (chunk != NULL) {
        chunk->size = size;
        chunk->next = arena->chunks;
    }
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t piece;

    if (check_add(size > 0 ? size : 1, ALIGNMENT - 1, &piece) != 0) {
        return NULL;
    }
    piece -= piece % ALIGNMENT;
    if (arena->chunks == NULL || arena->chunks->size - arena->chunks->used < piece) {
        struct arena_chunk *chunk = chunk_new(arena, piece);

        if (chunk == NULL) {
            return NULL;
        }
        arena->chunks = chunk;
    }
    void *memory = arena->chunks->memory + arena->chunks->used;

    arena->chunks->used += piece;
    return memory;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    size_t size;

    if (check_add(length, 1, &size) != 0) {
        return NULL;
    }
    char *copy = arena_alloc(arena, size);

    if (copy != NULL && length > 0) {
        memcpy(copy, text, length);
    }
    return copy;
}

void arena_free(struct arena *arena)
{
    while (arena->chunks != NULL) {
        struct arena_chunk *next = arena->chunks->next;

        free(arena->chunks);
        arena->chunks = next;
    }
}

void *block_allocate(size_t size)
{
    const size_t huge = (size_t)1 << 21, unit = size < huge ? 64 : huge;
    if (size == 0 || size > SIZE_MAX - huge) {
        return NULL;
    }
    void *block = aligned_alloc(unit, (size + unit - 1) / unit * unit);
    if (block && unit == huge) {
        madvise(block, size, MADV_HUGEPAGE); /* a wish: nothing depends on it */
    }
    return block;
}
