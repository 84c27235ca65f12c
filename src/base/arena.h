/* arena.h: memory that is freed all at once. For objects made while a config or a model is read:
 * yaml nodes, options, names. Chunks grow by doubling; every piece is 16-byte aligned and zeroed.
 * (The numeric memory of a run is one block, laid out by net/plan.h.) */
#ifndef CNNTRAIN_BASE_ARENA_H
#define CNNTRAIN_BASE_ARENA_H

#include <stddef.h>

struct arena {
    struct arena_chunk *chunks; /* newest first; NULL in an empty arena: {0} is a valid start */
};

/* Zeroed memory, or NULL when there is none. It lives until arena_free. */
void *arena_alloc(struct arena *arena, size_t size);
/* A terminated copy of `length` bytes of `text`, or NULL. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
void arena_free(struct arena *arena);

/* One large block for numbers, 64-byte aligned at least, in huge pages where the system has them: a
 * tile's walk over its channels touches a page each, more than the processor remembers of small
 * ones. To be freed with free(); NULL when there is none. */
void *block_allocate(size_t size);

#endif
