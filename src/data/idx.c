/* idx.c: the format of MNIST and its kin: an IDX file of images and one of labels.
 *
 *   images: [n][w], [n][h][w], [n][c][h][w] or, with layout hwc, [n][h][w][c]
 *   labels: [n], of a type for whole numbers
 *
 * Unsigned bytes stay bytes; every other type becomes floats. Samples are counted from 0. */
#include "base/arena.h"
#include "base/retry.h"
#include "base/text.h"
#include "data/convert.h"
#include "data/format.h"
#include "data/idx_file.h"

#include <errno.h>
#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIMENSION_MAX = 65536, CHANNELS_MAX = 4, LABEL_MAX = 65535 };

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

/* The images of the training or of the test set in a folder: the bytewise first name, so that
 * t10k-* comes before test-*, plain before .gz. */
static int find_in_folder(char *out, const char *folder, int training, struct error *e)
{
    DIR *dir = RETRY_POINTER(opendir(folder));
    if (dir == NULL) {
        return error_errno(e, ERROR_IO, folder, "cannot open");
    }
    char best[NAME_MAX + 1] = "";
    errno = 0;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        const char *name = entry->d_name;
        const int wanted = training
                               ? strncmp(name, "train-", 6) == 0
                               : strncmp(name, "t10k-", 5) == 0 || strncmp(name, "test-", 5) == 0;
        if (wanted && strstr(name, "images") != NULL &&
            (best[0] == '\0' || strcmp(name, best) < 0)) {
            snprintf(best, sizeof best, "%s", name);
        }
    }
    const int status = errno != 0 ? error_errno(e, ERROR_IO, folder, "cannot read") : 0;
    closedir(dir);
    TRY(status);
    if (best[0] == '\0') {
        return error_set(e, ERROR_DATA, folder, "this folder holds no %s file",
                         training ? "train-*images*" : "t10k-*images* or test-*images*");
    }
    const int length = snprintf(out, PATH_MAX, "%s/%s", folder, best);
    if (length >= PATH_MAX) {
        return error_set(e, ERROR_IO, folder, "path too long: %d bytes, at most %d", length,
                         PATH_MAX - 1);
    }
    return 0;
}

static int find_images(char *out, const struct source *source, const struct loading *how,
                       struct error *e)
{
    const int folder = file_is_folder(source->images, e);
    return folder < 0 ? -1
           : folder   ? find_in_folder(out, source->images, how->training, e)
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

/* 1 or 0; -1 with *e when that cannot be told. */
static int is_there(const char *path, struct error *e)
{
    if (access(path, F_OK) == 0) {
        return 1;
    }
    return errno == ENOENT ? 0 : error_errno(e, ERROR_IO, path, "cannot open");
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
    int there = is_there(out, e);
    if (there != 0) {
        return there < 0 ? -1 : 0;
    }
    const size_t length = strlen(out);
    const int packed = length > 3 && strcmp(out + length - 3, ".gz") == 0;
    if (packed) {
        out[length - 3] = '\0';
    } else if (length + 3 < PATH_MAX) {
        memcpy(out + length, ".gz", 4);
    }
    there = is_there(out, e);
    if (there != 0) {
        return there < 0 ? -1 : 0;
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

/* How the images are to be read. */
struct request {
    struct dataset *set;
    const struct loading *how;
    int hwc;
};

static int check_memory(const struct idx_file *idx, const struct loading *how, struct error *e)
{
    const size_t limit = how->memory != 0 ? how->memory : idx_memory_limit();
    const size_t need = idx->element->code == IDX_UINT8
                            ? idx->size
                            : idx->size / idx->element->size * sizeof(float);
    if (need > limit) {
        char a[32], b[32];
        return error_at_offset(e, ERROR_LIMIT, idx->name, 4,
                               "needs %s, memory limit %s (%s): an IDX file is read whole",
                               text_from_bytes(a, need), text_from_bytes(b, limit),
                               how->memory != 0 ? "data.memory" : "half of the machine's");
    }
    return 0;
}

static int check_image_sizes(struct idx_file *idx, const struct request *request, struct error *e)
{
    static const char *const names[2][3] = {{"channels", "height", "width"},
                                            {"height", "width", "channels"}};
    TRY(idx_read_header(idx, e));
    for (int i = 1; i < idx->dims; i++) {
        const char *name = names[request->hwc][3 - idx->dims + i];
        const size_t most = name[0] == 'c' ? CHANNELS_MAX : DIMENSION_MAX;
        if (idx->dim[i] > most) {
            const int swapped = name[0] == 'c' && idx->dim[request->hwc ? 1 : 3] <= CHANNELS_MAX;
            return IDX_FAULT(e, idx, 4 + 4 * i, "%s %zu must be 1..%zu%s", name, idx->dim[i], most,
                             !swapped       ? ""
                             : request->hwc ? "; or is it layout: chw?"
                                            : "; or is it layout: hwc?");
        }
    }
    TRY(idx_check_size(idx, e));
    if (idx->item > INT32_MAX) {
        return error_at_offset(e, ERROR_LIMIT, idx->name, 8,
                               "an image of %zu values; the limit is %d", idx->item, INT32_MAX);
    }
    return check_memory(idx, request->how, e);
}

static void set_shape(struct dataset *set, const struct idx_file *idx, int hwc)
{
    const int dims = idx->dims, last = dims - 1 - hwc;
    set->count = idx->dim[0];
    set->c = dims == 4 ? (int)idx->dim[hwc ? 3 : 1] : 1;
    set->h = dims >= 3 ? (int)idx->dim[last - 1] : 1;
    set->w = (int)idx->dim[last];
}

static int read_pixels(struct idx_file *idx, struct dataset *set, struct error *e)
{
    const int bytes = idx->element->code == IDX_UINT8;
    const size_t size = bytes ? idx->header + idx->size : set->count * idx->item * sizeof(float);
    void *pixels = block_allocate(set->outline ? 1 : size);
    if (pixels == NULL) {
        return error_memory(e, size);
    }
    set->bytes = bytes ? pixels : NULL;
    set->floats = bytes ? NULL : pixels;
    set->passing = idx->stream.size;
    if (set->outline) {
        set->crc32 = gzip_crc32(&idx->stream);
        return 0;
    }
    return bytes ? idx_read_bytes(idx, pixels, e) : idx_read_values(idx, put_float, set, e);
}

static int read_images(struct idx_file *idx, const struct request *request, struct error *e)
{
    if (idx->dims == 1) {
        return IDX_FAULT(e, idx, 3, "this is a label file; images need 2 to 4 dimensions");
    }
    if (idx->dims < 2 || idx->dims > 4) {
        return IDX_FAULT(e, idx, 3, "images need at least 2 and at most 4 dimensions, got %d",
                         idx->dims);
    }
    if (request->hwc && idx->dims != 4) {
        return IDX_FAULT(e, idx, 3, "layout: hwc needs 4 dimensions, got %d", idx->dims);
    }
    TRY(check_image_sizes(idx, request, e));
    set_shape(request->set, idx, request->hwc);
    return read_pixels(idx, request->set, e);
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

static int takes(const struct source *source, const struct loading *how, struct error *e)
{
    char path[PATH_MAX];
    struct error fault = {.kind = ERROR_NONE};
    if (source->folder != NULL || source->csv != NULL || source->labels != NULL) {
        return source->labels != NULL;
    }
    const int folder = file_is_folder(source->images, e);
    if (folder <= 0) {
        return folder < 0 ? -1 : 1;
    }
    if (find_in_folder(path, source->images, how->training, &fault) == 0 ||
        fault.kind == ERROR_DATA) {
        return fault.kind != ERROR_DATA;
    }
    *e = fault;
    return -1;
}

static int load_images_from(const struct request *request, const char *path, int outline,
                            struct error *e)
{
    struct idx_file idx;
    int status = idx_open(&idx, path, "image", outline, e);
    if (status == 0) {
        status = read_images(&idx, request, e);
    }
    idx_close(&idx);
    return status;
}

/* What an outline finds wrong with the content, the whole file tells for certain. */
static int load_images(const struct request *request, const char *path, struct error *e)
{
    struct error fault = {.kind = ERROR_NONE};
    if (request->set->outline && load_images_from(request, path, 1, &fault) == 0) {
        return 0;
    }
    if (fault.kind == ERROR_NONE || fault.kind == ERROR_DATA) {
        return load_images_from(request, path, 0, e);
    }
    if (e != NULL) {
        *e = fault;
    }
    return -1;
}

static int load_labels(struct dataset *set, const char *path, struct error *e)
{
    struct idx_file idx;
    int status = idx_open(&idx, path, "label", 0, e);
    if (status == 0) {
        status = read_labels(&idx, set, e);
    }
    idx_close(&idx);
    return status;
}

static int load(struct dataset *set, const struct source *source, const struct loading *how,
                struct error *e)
{
    char images[PATH_MAX], labels[PATH_MAX];
    const struct request request = {set, how,
                                    source->layout != NULL && strcmp(source->layout, "hwc") == 0};
    set->threads = how->threads > 0 ? how->threads : 1;
    TRY(find_images(images, source, how, e));
    snprintf(set->path, sizeof set->path, "%.1023s", images);
    TRY(load_images(&request, images, e));
    TRY(find_labels(labels, images, source, e));
    TRY(load_labels(set, labels, e));
    if (request.hwc && !set->outline) {
        TRY(convert_to_planes(set, e));
    }
    return convert_images(set, how, e);
}

const struct format FORMAT_IDX = {
    .member = {.name = "idx",
               .help = "IDX files as of MNIST, plain or gzip, images and labels apart"},
    .takes = takes,
    .load = load,
};
