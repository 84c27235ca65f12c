/* room.c: see room.h. Pieces are cut from one block. Where it is too small they are allocated by
 * themselves, and at the end of the round the block is made as large as all of them together.
 *
 * Under AddressSanitizer every piece is one by itself: then it sees who writes behind it. */
#include "base/room.h"

#include <stdint.h>
#include <stdlib.h>

enum { UNIT = 64 };

struct room_extra {
    struct room_extra *next;
};

#ifdef __SANITIZE_ADDRESS__
enum { TOGETHER = 0 };
#else
enum { TOGETHER = 1 };
#endif

/* The piece stands one unit behind its link. */
static void *take_extra(struct room *room, size_t size)
{
    struct room_extra *extra = aligned_alloc(UNIT, UNIT + size);
    if (extra == NULL) {
        return NULL;
    }
    extra->next = room->extras;
    room->extras = extra;
    room->taken += size;
    return (unsigned char *)extra + UNIT;
}

void *room_take(struct room *room, size_t size)
{
    if (size > SIZE_MAX / 4 || room->taken > SIZE_MAX / 4) {
        return NULL;
    }
    size = size > 0 ? (size + UNIT - 1) / UNIT * UNIT : UNIT;
    if (size > room->size - room->used) {
        return take_extra(room, size);
    }
    void *piece = room->block + room->used;
    room->used += size;
    room->taken += size;
    return piece;
}

void room_reserve(struct room *room, size_t size)
{
    if (!TOGETHER || size <= room->size) {
        return;
    }
    free(room->block);
    room->block = aligned_alloc(UNIT, size);
    room->size = room->block != NULL ? size : 0;
}

void room_clear(struct room *room)
{
    const size_t taken = room->taken;
    while (room->extras != NULL) {
        struct room_extra *next = room->extras->next;
        free(room->extras);
        room->extras = next;
    }
    room->used = 0;
    room->taken = 0;
    room_reserve(room, taken);
}

void room_free(struct room *room)
{
    room->taken = 0;
    room_clear(room);
    free(room->block);
    *room = (struct room){0};
}
