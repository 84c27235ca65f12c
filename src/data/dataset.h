/* dataset.h: labelled images in memory, as stored: bytes stay bytes and become floats tile by tile.
 */
#ifndef CNNTRAIN_DATA_DATASET_H
#define CNNTRAIN_DATA_DATASET_H

#include "base/error.h"
#include "config/option.h"

#include <stddef.h>
#include <stdint.h>

/* Where a set comes from, as the config or the command line says it. */
struct source {
    const char *images;       /* NULL: no such set */
    const char *labels;       /* NULL: found by the images' name */
    const struct yaml *where; /* for messages; NULL when it came from the command line */
};
/* Option kind for a `struct source`: "path", or {images: path, labels: path}. */
extern const struct option_kind OPTION_SOURCE;

struct dataset {
    char path[1024]; /* of the images, for messages */
    size_t count;
    int c, h, w;     /* of one image, as stored */
    uint8_t *bytes;  /* count * c * h * w, [n][c][h][w]; NULL when `floats` is set */
    float *floats;   /* the same for element types other than unsigned byte; finite */
    int32_t *labels; /* count, each 0 .. classes - 1 */
    int classes;     /* highest label + 1 as found, or as set by dataset_check_labels */
    uint32_t crc32;  /* of shape, pixels and labels, as stored in memory: who resumes compares it */
    size_t labels_offset;   /* where label 0 stands in its file, for messages */
    size_t labels_size;     /* bytes a label takes there */
    char labels_path[1024]; /* with "(gz)" when label offsets are of the inflated bytes */
};

/* Load a set. A path is resolved as in the spec: an IDX images file (plain or gzip, told by
 * content, not by name) whose labels file is found by the usual naming (images-idx3 ->
 * labels-idx1), or a folder that holds t10k-* / test-* IDX files. ERROR_DATA with file and offset,
 * ERROR_IO, ERROR_LIMIT. On failure nothing is left allocated. */
int dataset_load(struct dataset *set, const struct source *source, struct error *e);
void dataset_free(struct dataset *set);
/* How many values an image has: c * h * w. */
size_t dataset_values(const struct dataset *set);
/* A sample's stored pixels, [c][h][w], of a set of bytes: where they are held, or made in `buffer`,
 * which has room for dataset_values(set) of them; NULL will do where the whole set is held. */
const uint8_t *dataset_pixels(const struct dataset *set, size_t sample, uint8_t *buffer);
/* Every label must be below `classes`; names the sample and the byte. Sets set->classes. `kind` is
 * ERROR_DATA, or ERROR_MODEL when the classes are a model's. */
int dataset_check_labels(struct dataset *set, int classes, enum error_kind kind, struct error *e);

/* A selection of a set's samples, in an order. */
struct subset {
    const struct dataset *set;
    uint32_t *index; /* owned; count entries */
    size_t count;
};
/* All of a set, in its order. ERROR_LIMIT. */
int subset_all(struct subset *subset, const struct dataset *set, struct error *e);
/* A stratified share for validation: of each class, round(share * n) samples chosen by (seed,
 * RNG_SPLIT), at least one and never all; both parts keep the set's order. ERROR_DATA when a part
 * would be empty or a class has one sample. */
int subset_split(struct subset *train, struct subset *validation, const struct dataset *set,
                 double share, uint64_t seed, struct error *e);
void subset_free(struct subset *subset);

#endif
