/* dataset.h: labelled images in memory, as stored: bytes stay bytes and become floats tile by tile.
 * Images of files that find no room are decoded when they are asked for, to the same bytes. */
#ifndef CNNTRAIN_DATA_DATASET_H
#define CNNTRAIN_DATA_DATASET_H

#include "base/arena.h"
#include "base/error.h"
#include "config/option.h"

#include <stddef.h>
#include <stdint.h>

/* Where a set comes from, as the config or the command line says it: one of the three paths. */
struct source {
    const char *images;       /* an IDX file, or a path that a format finds out about */
    const char *labels;       /* NULL: found by the images' name */
    const char *layout;       /* of IDX images with channels: "chw" or "hwc"; NULL: chw */
    const char *folder;       /* of class folders */
    const char *csv;          /* a list of images */
    const struct yaml *where; /* for messages; NULL when it came from the command line */
};
/* Option kind for a `struct source`: "path", {images: .., labels: ..}, {folder: ..}, {csv: ..}. */
extern const struct option_kind OPTION_SOURCE;
/* Whichever path is given; NULL: no such set. */
const char *source_path(const struct source *source);

/* How a set is loaded. All zeros: as stored, all of it in memory, labels by the set itself. */
struct loading {
    int c, h, w; /* what byte images are converted to; 0: as stored. h and w go together. */
    const struct fit *fit;       /* NULL: pad */
    const struct texts *classes; /* what labels with names count into; NULL: the set's own names */
    enum error_kind kind;        /* of a class that is not among them: ERROR_DATA or ERROR_MODEL */
    const char *owner;           /* whose classes they are: "the training set" */
    uint64_t memory;             /* bytes that pixels may take; 0: half of the machine's */
    int threads;                 /* 0: one */
    int outline;                 /* 1: no pixels, only what a set has beside them */
    int training; /* 1: of a folder of IDX files the training set's, not the test set's */
    struct error_list *faults; /* not NULL: every unreadable image is counted there and left out */
};

struct dataset {
    char path[1024]; /* of the images, for messages */
    size_t count;
    int c, h, w;             /* of one image, as stored */
    uint8_t *bytes;          /* count * c * h * w, [n][c][h][w]; NULL when `floats` is set */
    float *floats;           /* the same for element types other than unsigned byte; finite */
    int32_t *labels;         /* count, each 0 .. classes - 1 */
    struct image_list *list; /* owned; where the images are; NULL: all of them are in memory */
    size_t held;             /* with a list: how many are, the first ones */
    struct texts names;      /* of the classes, when the labels have names; owned by `arena` */
    struct arena arena;
    size_t passing; /* bytes that loading takes besides, and gives back */
    int threads;    /* to work on the whole of it with */
    int outline;    /* its pixels were not read and must not be asked for */
    int classes;    /* highest label + 1 as found, or as set by dataset_check_labels */
    uint32_t crc32; /* of shape, pixels and labels, as stored in memory: who resumes compares it; in
                       an outline, for the pixels, of the IDX file with them, or the set's name */
    size_t labels_offset;   /* where label 0 stands in its file, for messages */
    size_t labels_size;     /* bytes a label takes there */
    char labels_path[1024]; /* with "(gz)" when label offsets are of the inflated bytes */
};

/* Load a set. A bare path is an IDX images file (plain or gzip, told by content, not by name) whose
 * labels file is found by the usual naming (images-idx3 -> labels-idx1), a folder that holds t10k-*
 * / test-* IDX files (for the training set train-*), a folder of class folders with images, or a
 * list whose name ends in .csv. `how` may be NULL. Of several bad images the first is reported.
 * ERROR_DATA with file and offset, ERROR_IO, ERROR_LIMIT. On failure nothing is left allocated. */
int dataset_load(struct dataset *set, const struct source *source, const struct loading *how,
                 struct error *e);
void dataset_free(struct dataset *set);
/* How many values an image has: c * h * w. */
size_t dataset_values(const struct dataset *set);
/* A sample's stored pixels, [c][h][w], of a set of bytes: where they are held, or decoded into
 * `buffer`, which has room for dataset_values(set) of them; NULL will do where the whole set is
 * held. An image that was good and cannot be read any more becomes zeros, and dataset_failed says
 * so. */
const uint8_t *dataset_pixels(const struct dataset *set, size_t sample, uint8_t *buffer);
/* A place for the pixels of up to BUFFER_IMAGES images, which is the calling thread's: one of the
 * set->threads of a team; NULL where the whole set is held. */
enum { BUFFER_IMAGES = 16 };
uint8_t *dataset_buffer(const struct dataset *set);
/* Whether all are held, so that dataset_pixels cannot fail. */
int dataset_is_held(const struct dataset *set);
/* 0, or -1 with what dataset_pixels could not read, of several the first sample: to be asked after
 * each batch. */
int dataset_failed(const struct dataset *set, struct error *e);
/* The path of a sample's image, cut to `size`; NULL when it has none of its own. */
const char *dataset_path(const struct dataset *set, size_t sample, char *buffer, size_t size);
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
/* Take a stratified share out of `train`, for validation: of each class, round(share * n) samples
 * chosen by (seed, RNG_SPLIT), at least one and never all; both keep the order. ERROR_DATA when a
 * class has one sample; then `train` is as before and `validation` empty. */
int subset_split(struct subset *train, struct subset *validation, double share, uint64_t seed,
                 struct error *e);
/* The same for fold `fold` (from 0) of `folds`, for cross-validation: the folds are disjoint, are
 * all of `train` together, and differ by at most one sample in size and in each class. ERROR_DATA
 * when a class has fewer samples than there are folds. */
int subset_fold(struct subset *train, struct subset *validation, int folds, int fold, uint64_t seed,
                struct error *e);
/* Keep `limit` samples (1..count) chosen by (seed, RNG_LIMIT), the classes in proportion.
 * ERROR_DATA when a class would be left without any. */
int subset_limit(struct subset *subset, size_t limit, uint64_t seed, struct error *e);
void subset_free(struct subset *subset);

#endif
