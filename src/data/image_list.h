/* image_list.h: the image files of a data set: where each is, what it is, and its pixels on demand.
 *
 * Nothing outside the list's folder is ever opened: a path or a symbolic link that leads out of it
 * is an error. */
#ifndef CNNTRAIN_DATA_IMAGE_LIST_H
#define CNNTRAIN_DATA_IMAGE_LIST_H

#include "base/arena.h"
#include "data/fit.h"

enum { LIST_MOST = 50000000 };

struct image_list {
    int dir;         /* the open folder; -1: none */
    char root[1024]; /* its path, for messages */
    size_t count, capacity;
    const char **paths; /* [count], below root */
    int32_t *labels;    /* [count] */
    long long *lines;   /* [count]: where `listed_in` names each; 0 when nothing does */
    char listed_in[1024];
    struct arena arena;           /* owns the paths */
    struct target target;         /* what images are made into: none of its sizes is 0 any more */
    int same_channels, same_size; /* all must be stored as the first: nothing was said of these */
    size_t first;                 /* the image that decided */
    uint32_t *crc32;     /* [count], of the pixels; NULL while they have not all been seen */
    struct image *sizes; /* [count], each as stored, without pixels; NULL: not asked for */
    size_t bad;          /* the first image that could not be read again; SIZE_MAX: none */
    struct error fault;  /* what was wrong with it */
    struct image_decoder *decoders; /* [threads]; NULL before image_list_prepare */
    uint8_t *buffers;               /* [threads], see dataset_buffer */
    int threads;
};

/* Open the folder. ERROR_IO. The list is to be freed also after a failure. */
int image_list_open(struct image_list *list, const char *root, struct error *e);
void image_list_free(struct image_list *list);
/* Add an image; `path` is copied. ERROR_LIMIT. */
int image_list_add(struct image_list *list, const char *path, int32_t label, long long line,
                   struct error *e);
/* "root/path" of an image, cut to `size`. */
char *image_list_path(const struct image_list *list, size_t i, char *buffer, size_t size);
/* Before anything is decoded: by how many threads that will be done, who have a decoder each.
 * ERROR_LIMIT. */
int image_list_prepare(struct image_list *list, int threads, struct error *e);
/* Once all images have been seen: each decoder gets as much room as any has needed, so that nothing
 * is allocated when images are decoded again; or with `again` 0 none. */
void image_list_settle(struct image_list *list, int again);
/* Read and decode image i; the pixels last until the calling thread decodes another one. ERROR_DATA
 * (also when it cannot be opened), ERROR_LIMIT. */
int image_list_decode(const struct image_list *list, size_t i, struct image *image,
                      struct error *e);
/* Read, decode and lay image i into planes[c][h][w] of the target. */
int image_list_pixels(const struct image_list *list, size_t i, uint8_t *planes, struct error *e);
/* Keep the images whose `bad` is 0. */
void image_list_keep_good(struct image_list *list, const unsigned char *bad);

#endif
