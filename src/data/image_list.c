/* image_list.c: see image_list.h. */
#include "data/image_list.h"

#include "base/file.h"
#include "base/retry.h"

#include <assert.h>
#include <fcntl.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int image_list_open(struct image_list *list, const char *root, struct error *e)
{
    *list = (struct image_list){.bad = SIZE_MAX};
    size_t length = strlen(root);
    while (length > 1 && root[length - 1] == '/') {
        length--;
    }
    list->dir = -1;
    if (length >= sizeof list->root) {
        return error_set(e, ERROR_IO, root, "path too long: %zu bytes, at most %zu", length,
                         sizeof list->root - 1);
    }
    snprintf(list->root, sizeof list->root, "%.*s", (int)length, root);
    list->dir = RETRY(open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return list->dir >= 0 ? 0 : error_errno(e, ERROR_IO, root, "cannot open");
}

void image_list_free(struct image_list *list)
{
    if (list->dir >= 0) {
        close(list->dir);
    }
    for (int t = 0; t < list->threads; t++) {
        image_decoder_free(&list->decoders[t]);
    }
    free(list->decoders);
    free(list->buffers);
    free(list->paths);
    free(list->labels);
    free(list->lines);
    free(list->crc32);
    free(list->sizes);
    arena_free(&list->arena);
    *list = (struct image_list){.dir = -1};
}

static int grow(void *array, size_t count, size_t size)
{
    void **place = array;
    void *larger = realloc(*place, count * size);
    if (larger == NULL) {
        return -1;
    }
    *place = larger;
    return 0;
}

int image_list_add(struct image_list *list, const char *path, int32_t label, long long line,
                   struct error *e)
{
    if (list->count == LIST_MOST) {
        return error_set(e, ERROR_LIMIT, list->root, "more than %d images", LIST_MOST);
    }
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity == 0 ? 256 : 2 * list->capacity;
        if (grow(&list->paths, capacity, sizeof *list->paths) != 0 ||
            grow(&list->labels, capacity, sizeof *list->labels) != 0 ||
            grow(&list->lines, capacity, sizeof *list->lines) != 0) {
            return error_memory(e, capacity * sizeof *list->paths);
        }
        list->capacity = capacity;
    }
    list->paths[list->count] = arena_strndup(&list->arena, path, strlen(path));
    if (list->paths[list->count] == NULL) {
        return error_memory(e, strlen(path));
    }
    list->labels[list->count] = label;
    list->lines[list->count++] = line;
    return 0;
}

char *image_list_path(const struct image_list *list, size_t i, char *buffer, size_t size)
{
    const int here = strcmp(list->root, ".") == 0, top = strcmp(list->root, "/") == 0;
    snprintf(buffer, size, "%s%s%s", here ? "" : list->root, here || top ? "" : "/",
             list->paths[i]);
    return buffer;
}

int image_list_prepare(struct image_list *list, int threads, struct error *e)
{
    list->decoders = calloc((size_t)threads, sizeof *list->decoders);
    if (list->decoders == NULL) {
        return error_memory(e, (size_t)threads * sizeof *list->decoders);
    }
    list->threads = threads;
    return 0;
}

void image_list_settle(struct image_list *list, int again)
{
    size_t most = 0;
    for (int t = 0; t < list->threads; t++) {
        image_decoder_clear(&list->decoders[t]);
        most = list->decoders[t].room.size > most ? list->decoders[t].room.size : most;
    }
    for (int t = 0; t < list->threads; t++) {
        if (again) {
            image_decoder_prepare(&list->decoders[t], most);
        } else {
            image_decoder_free(&list->decoders[t]);
        }
    }
}

/* The calling thread's, without the last image. */
static struct image_decoder *begin(const struct image_list *list)
{
    const int thread = omp_get_thread_num();
    assert(thread < list->threads);
    image_decoder_clear(&list->decoders[thread]);
    return &list->decoders[thread];
}

static int read_image(const struct image_list *list, size_t i, const char *path,
                      struct image_decoder *decoder, struct image *image, struct error *e)
{
    struct bytes file;
    TRY(file_read_beneath(&file, list->dir, list->paths[i], path, IMAGE_FILE_MAX, ERROR_DATA,
                          &decoder->room, e));
    return image_decode(image, path, file.data, file.size, decoder, e);
}

/* A fault also says which line of the list named the image. */
static int with_line(const struct image_list *list, size_t i, int status, struct error *e)
{
    if (status != 0 && e != NULL && list->lines[i] > 0) {
        snprintf(e->note, sizeof e->note, "listed in line %lld of %.200s", list->lines[i],
                 list->listed_in);
    }
    return status;
}

static int decode(const struct image_list *list, size_t i, struct image_decoder *decoder,
                  struct image *image, struct error *e)
{
    char path[2048];
    *image = (struct image){0};
    image_list_path(list, i, path, sizeof path);
    return with_line(list, i, read_image(list, i, path, decoder, image, e), e);
}

int image_list_decode(const struct image_list *list, size_t i, struct image *image, struct error *e)
{
    return decode(list, i, begin(list), image, e);
}

/* Sets of one size and kind, unless the config says what to make of others. */
static int check_same(const struct image_list *list, const struct image *image, const char *path,
                      struct error *e)
{
    const struct target *target = &list->target;
    if (list->same_channels && image->c != target->c) {
        return error_set(e, ERROR_DATA, path,
                         "image has %d channel%s, %s has %d; 'channels' of data.input makes them "
                         "the same",
                         image->c, image->c == 1 ? "" : "s", list->paths[list->first], target->c);
    }
    if (list->same_size && (image->h != target->h || image->w != target->w)) {
        return error_set(e, ERROR_DATA, path,
                         "image is %dx%d, %s is %dx%d; 'height', 'width' and 'fit' of data.input "
                         "make them the same",
                         image->h, image->w, list->paths[list->first], target->h, target->w);
    }
    return 0;
}

int image_list_pixels(const struct image_list *list, size_t i, uint8_t *planes, struct error *e)
{
    char path[2048];
    struct image image;
    struct image_decoder *decoder = begin(list);
    TRY(decode(list, i, decoder, &image, e));
    image_list_path(list, i, path, sizeof path);
    if (list->sizes != NULL) {
        list->sizes[i] = (struct image){image.c, image.h, image.w, NULL};
    }
    int status = check_same(list, &image, path, e);
    if (status == 0) {
        status = image_fit(&image, &list->target, path, planes, &decoder->room, e);
    }
    return with_line(list, i, status, e);
}

void image_list_keep_good(struct image_list *list, const unsigned char *bad)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!bad[i]) {
            list->paths[kept] = list->paths[i];
            list->labels[kept] = list->labels[i];
            list->lines[kept] = list->lines[i];
            list->sizes[kept] = list->sizes[i];
            list->crc32[kept++] = list->crc32[i];
        }
    }
    list->count = kept;
}
