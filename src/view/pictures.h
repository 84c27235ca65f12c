/* pictures.h: the images that a command line names: files, folders with files, the standard input.
 */
#ifndef CNNTRAIN_VIEW_PICTURES_H
#define CNNTRAIN_VIEW_PICTURES_H

#include "base/arena.h"
#include "data/fit.h"

struct pictures {
    size_t count, capacity;
    const char **paths; /* "-": the standard input */
    struct arena arena; /* owns them */
};
/* Add what an argument names: itself, or, of a folder, every file below it whose name ends in .png,
 * .jpg or .jpeg, ordered by the bytes of their paths; hidden names are skipped, folders that are
 * symbolic links are not entered. ERROR_DATA (a folder without images, or that cannot be read),
 * ERROR_LIMIT. */
int pictures_add(struct pictures *pictures, const char *argument, struct error *e);
void pictures_free(struct pictures *pictures);
/* Read, decode and lay one into planes[c][h][w] of the target. ERROR_DATA, ERROR_LIMIT. */
int picture_load(const char *path, const struct target *target, uint8_t *planes, struct error *e);

#endif
