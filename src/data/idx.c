/* idx.c: the format of MNIST and its kin: an IDX file of images and one of labels.
 *
 *   images: [n][w], [n][h][w] or [n][c][h][w]      labels: [n], of a type for whole numbers
 *
 * Unsigned bytes stay bytes; every other type becomes floats. Samples are counted from 0. */
#include "base/text.h"
#include "data/format.h"
#include "data/idx_file.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIMENSION_MAX = 65536, CHANNELS_MAX = 4, LABEL_MAX = 65535 };

static int is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int copy_path(char *out, const char *path, struct error *e)
{
    const size_t length = strlen(path);
    if (length >= PATH_MAX) {
        return error_set(e, ERROR_IO, path, "path too long: %zu bytes, at most %d", length,
                         PATH_MAX - 1);
    }
    memcpy(out, path, length + 1);
    return 0;
}

/* The images of the test set in a folder: the bytewise first name, so that t10k-* comes before
 * test-*, plain before .gz. */
static int find_test_images(char *out, const char *folder, struct error *e)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return error_errno(e, ERROR_IO, folder, "cannot open");
    }
    char best[NAME_MAX + 1] = "";
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        const char *name = entry->d_name;
        const int test = strncmp(name, "t10k-", 5) == 0 || strncmp(name, "test-", 5) == 0;
        if (test && strstr(name, "images") != NULL && (best[0] == '\0' || strcmp(name, best) < 0)) {
            snprintf(best, sizeof best, "%s", name);
        }
    }
    closedir(dir);
    if (best[0] == '\0') {
        return error_set(e, ERROR_DATA, folder,
                         "this folder holds no t10k-*images* or test-*images* file");
    }
    const int length = snprintf(out, PATH_MAX, "%s/%s", folder, best);
    if (length >= PATH_MAX) {
        return error_set(e, ERROR_IO, folder, "path too long: %d bytes, at most %d", length,
                         PATH_MAX - 1);
    }
    return 0;
}

static int find_images(char *out, const struct source *source, struct error *e)
{
    return is_folder(source->images) ? find_test_images(out, source->images, e)
                                     : copy_path(out, source->images, e);
}

/* train-images-idx3-ubyte.gz -> train-labels-idx1-ubyte.gz; 0 when the name does not say. */
static int labels_name(char *out, const char *images)
{
    const char *slash = strrchr(images, '/');
    const char *name = slash == NULL ? images : slash + 1;
    const char *word = strstr(name, "images");
    if (word == NULL) {
        return 0;
    }
    memcpy(out, images, strlen(images) + 1);
    memcpy(out + (word - images), "labels", 6);
    char *kind = strstr(out + (word - images), "idx");
    if (kind != NULL && kind[3] >= '2' && kind[3] <= '4') {
        kind[3] = '1';
    }
    return 1;
}

/* The labels file: as said, or by the usual name, with or without .gz. */
static int find_labels(char *out, const char *images, const struct source *source, struct error *e)
{
    if (source->labels != NULL) {
        return copy_path(out, source->labels, e);
    }
    if (!labels_name(out, images)) {
        return error_set(
            e, ERROR_DATA, images,
            "no 'images' in this name to find its labels by: write {images: .., labels: ..}");
    }
    if (access(out, F_OK) == 0) {
        return 0;
    }
    const size_t length = strlen(out);
    const int packed = length > 3 && strcmp(out + length - 3, ".gz") == 0;
    if (packed) {
        out[length - 3] = '\0';
    } else if (length + 3 < PATH_MAX) {
        memcpy(out + length, ".gz", 4);
    }
    if (access(out, F_OK) == 0) {
        return 0;
    }
    return error_set(e, ERROR_IO, images, "its labels file is not there: no %.*s, plain or .gz",
                     (int)(packed ? length - 3 : length), out);
}

static int put_float(const struct idx_file *idx, size_t index, double value, void *to,
                     struct error *e)
{
    struct dataset *set = to;
    const float rounded = (float)value;
    if (!isfinite(rounded)) {
        return IDX_FAULT(e, idx, idx_offset(idx, index), "sample %zu: value is %s",
                         index / idx->item,
                         isfinite(value) ? "beyond the range of a float" : "not finite");
    }
    set->floats[index] = rounded;
    return 0;
}

static int put_label(const struct idx_file *idx, size_t index, double value, void *to,
                     struct error *e)
{
    struct dataset *set = to;
    if (value < 0 || value > LABEL_MAX) {
        return IDX_FAULT(e, idx, idx_offset(idx, index), "sample %zu: label %.0f is not in 0..%d",
                         index, value, LABEL_MAX);
    }
    set->labels[index] = (int32_t)value;
    set->classes = set->labels[index] >= set->classes ? set->labels[index] + 1 : set->classes;
    return 0;
}

static int check_image_sizes(struct idx_file *idx, struct error *e)
{
    static const char *const names[] = {"channels", "height", "width"};
    TRY(idx_read_header(idx, e));
    for (int i = 1; i < idx->dims; i++) {
        const int name = 3 - idx->dims + i;
        const size_t most = name == 0 ? CHANNELS_MAX : DIMENSION_MAX;
        if (idx->dim[i] > most) {
            return IDX_FAULT(e, idx, 4 + 4 * i, "%s %zu must be 1..%zu", names[name], idx->dim[i],
                             most);
        }
    }
    TRY(idx_check_size(idx, e));
    if (idx->item > INT32_MAX) {
        return error_at_offset(e, ERROR_LIMIT, idx->name, 8,
                               "an image of %zu values; the limit is %d", idx->item, INT32_MAX);
    }
    const size_t need = idx->element->code == IDX_UINT8
                            ? idx->size
                            : idx->size / idx->element->size * sizeof(float);
    if (need > idx_memory_limit()) {
        char a[32], b[32];
        return error_at_offset(e, ERROR_LIMIT, idx->name, 4,
                               "needs %s, memory limit %s (half of the machine's)",
                               text_from_bytes(a, need), text_from_bytes(b, idx_memory_limit()));
    }
    return 0;
}

static int read_images(struct idx_file *idx, struct dataset *set, struct error *e)
{
    if (idx->dims == 1) {
        return IDX_FAULT(e, idx, 3, "this is a label file; images need 2 to 4 dimensions");
    }
    if (idx->dims < 2 || idx->dims > 4) {
        return IDX_FAULT(e, idx, 3, "images need at least 2 and at most 4 dimensions, got %d",
                         idx->dims);
    }
    TRY(check_image_sizes(idx, e));
    set->count = idx->dim[0];
    set->c = idx->dims == 4 ? (int)idx->dim[1] : 1;
    set->h = idx->dims >= 3 ? (int)idx->dim[idx->dims - 2] : 1;
    set->w = (int)idx->dim[idx->dims - 1];
    if (idx->element->code == IDX_UINT8) {
        set->bytes = malloc(idx->size);
        if (set->bytes == NULL) {
            return error_memory(e, idx->size);
        }
        return idx_read_bytes(idx, set->bytes, e);
    }
    const size_t size = set->count * idx->item * sizeof(float);
    set->floats = malloc(size);
    if (set->floats == NULL) {
        return error_memory(e, size);
    }
    return idx_read_values(idx, put_float, set, e);
}

static int read_labels(struct idx_file *idx, struct dataset *set, struct error *e)
{
    if (idx->dims != 1) {
        return IDX_FAULT(e, idx, 3, "labels need 1 dimension, got %d%s", idx->dims,
                         idx->dims >= 2 && idx->dims <= 4 ? ": this is an images file" : "");
    }
    if (!idx->element->whole) {
        return IDX_FAULT(e, idx, 2, "labels must be whole numbers, not floats");
    }
    TRY(idx_read_header(idx, e));
    if (idx->dim[0] != set->count) {
        return IDX_FAULT(e, idx, 4, "%zu labels for %zu images in %s", idx->dim[0], set->count,
                         set->path);
    }
    TRY(idx_check_size(idx, e));
    set->labels = malloc(set->count * sizeof *set->labels);
    if (set->labels == NULL) {
        return error_memory(e, set->count * sizeof *set->labels);
    }
    set->labels_offset = idx->header;
    set->labels_size = idx->element->size;
    snprintf(set->labels_path, sizeof set->labels_path, "%s", idx->name);
    return idx_read_values(idx, put_label, set, e);
}

static int takes(const struct source *source, struct error *e)
{
    (void)e;
    char path[PATH_MAX];
    return !is_folder(source->images) || find_test_images(path, source->images, NULL) == 0;
}

static int load_images(struct dataset *set, const char *path, struct error *e)
{
    struct idx_file idx;
    int status = idx_open(&idx, path, "image", e);
    if (status == 0) {
        status = read_images(&idx, set, e);
    }
    idx_close(&idx);
    return status;
}

static int load_labels(struct dataset *set, const char *path, struct error *e)
{
    struct idx_file idx;
    int status = idx_open(&idx, path, "label", e);
    if (status == 0) {
        status = read_labels(&idx, set, e);
    }
    idx_close(&idx);
    return status;
}

static int load(struct dataset *set, const struct source *source, struct error *e)
{
    char images[PATH_MAX], labels[PATH_MAX];
    TRY(find_images(images, source, e));
    snprintf(set->path, sizeof set->path, "%.1023s", images);
    TRY(load_images(set, images, e));
    TRY(find_labels(labels, images, source, e));
    return load_labels(set, labels, e);
}

const struct format FORMAT_IDX = {
    .member = {.name = "idx",
               .help = "IDX files as of MNIST, plain or gzip, images and labels apart"},
    .takes = takes,
    .load = load,
};
