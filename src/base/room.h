/* room.h: memory for work that is done again and again, as the decoding of images is: a round takes
 * the pieces that it needs and gives them back all at once. What a round has needed is kept for the
 * next, so that after one like it nothing is allocated any more. For one thread. */
#ifndef CNNTRAIN_BASE_ROOM_H
#define CNNTRAIN_BASE_ROOM_H

#include <stddef.h>

struct room { /* {0} is a valid start */
    unsigned char *block;
    size_t size, used;
    size_t taken; /* in this round, with what the block had no room for */
    struct room_extra *extras;
};

/* 64-byte aligned, not zeroed; NULL when there is none. It lasts until room_clear. */
void *room_take(struct room *room, size_t size);
/* End the round. */
void room_clear(struct room *room);
/* Between rounds: be ready for one that takes `size` bytes in all. Without memory this does
 * nothing: the next room_take will say so. */
void room_reserve(struct room *room, size_t size);
void room_free(struct room *room);

#endif
