/* pictures.c: see pictures.h. */
#include "view/pictures.h"

#include "base/file.h"
#include "base/retry.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };

void pictures_free(struct pictures *pictures)
{
    free(pictures->paths);
    arena_free(&pictures->arena);
    *pictures = (struct pictures){0};
}

static int add(struct pictures *pictures, const char *path, struct error *e)
{
    if (pictures->count == pictures->capacity) {
        const size_t capacity = pictures->capacity == 0 ? 64 : 2 * pictures->capacity;
        const char **larger = realloc(pictures->paths, capacity * sizeof *larger);

        if (larger == NULL) {
            return error_memory(e, capacity * sizeof *larger);
        }
        pictures->paths = larger;
        pictures->capacity = capacity;
    }
    const char *copy = arena_strndup(&pictures->arena, path, strlen(path));

    pictures->paths[pictures->count++] = copy;
    return copy != NULL ? 0 : error_memory(e, strlen(path));
}

static int looks_like_image(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL && (strcasecmp(dot, ".png") == 0 || strcasecmp(dot, ".jpg") == 0 ||
                           strcasecmp(dot, ".jpeg") == 0);
}

static int walk(struct pictures *pictures, const char *folder, int depth, struct error *e);

static int take_entry(struct pictures *pictures, const char *folder, const char *name, int depth,
                      struct error *e)
{
    char path[4096];
    struct stat status;
    const size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";

    if (snprintf(path, sizeof path, "%s%s%s", folder, slash, name) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return error_errno(e, ERROR_DATA, folder, "cannot read");
    }
    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        return walk(pictures, path, depth + 1, e);
    }
    return looks_like_image(name) ? add(pictures, path, e) : 0;
}

static int walk(struct pictures *pictures, const char *folder, int depth, struct error *e)
{
    DIR *stream = RETRY_POINTER(opendir(folder));
    int status = 0;

    if (stream == NULL || depth > DEPTH_MAX) {
        if (stream != NULL) {
            closedir(stream);
            return error_set(e, ERROR_DATA, folder, "more than %d folders deep", DEPTH_MAX);
        }
        return error_errno(e, ERROR_DATA, folder, "cannot open");
    }
    while (status == 0) {
        errno = 0;
        const struct dirent *entry = readdir(stream);

        if (entry == NULL) {
            status = errno != 0 ? error_errno(e, ERROR_DATA, folder, "cannot read") : 0;
            break;
        }
        if (entry->d_name[0] != '.') {
            status = take_entry(pictures, folder, entry->d_name, depth, e);
        }
    }
    closedir(stream);
    return status;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int pictures_add(struct pictures *pictures, const char *argument, struct error *e)
{
    const size_t before = pictures->count;
    const int folder = strcmp(argument, "-") != 0 ? file_is_folder(argument, e) : 0;

    if (folder <= 0) {
        return folder < 0 ? -1 : add(pictures, argument, e);
    }
    TRY(walk(pictures, argument, 0, e));
    if (pictures->count == before) {
        return error_set(e, ERROR_DATA, argument, "no PNG or JPEG image below this folder");
    }
    qsort(pictures->paths + before, pictures->count - before, sizeof *pictures->paths, compare);
    return 0;
}

/* Up to a byte more than an image may have. */
static int read_stdin(struct bytes *file, struct error *e)
{
    size_t size = 0, room = 1 << 16;
    ssize_t n = 1;

    *file = (struct bytes){.data = malloc(room)};
    while (file->data != NULL && n != 0 && size <= IMAGE_FILE_MAX) {
        if (size == room) {
            room *= 2;
            unsigned char *larger = realloc(file->data, room);

            if (larger == NULL) {
                break;
            }
            file->data = larger;
        }
        n = read(STDIN_FILENO, file->data + size, room - size);
        if (n < 0 && errno != EINTR) {
            error_errno(e, ERROR_DATA, "-", "cannot read");
            bytes_free(file);
            return -1;
        }
        size += n > 0 ? (size_t)n : 0;
    }
    file->size = size;
    if (file->data == NULL || (n != 0 && size <= IMAGE_FILE_MAX)) {
        bytes_free(file);
        return error_memory(e, 2 * room);
    }
    return 0;
}

int picture_load(const char *path, const struct target *target, uint8_t *planes, struct error *e)
{
    struct bytes file;
    struct image image;
    struct image_decoder decoder = {0};
    int status;

    if (strcmp(path, "-") == 0) {
        TRY(read_stdin(&file, e));
    } else if (file_read(&file, path, IMAGE_FILE_MAX, ERROR_DATA, e) != 0) {
        if (e != NULL && e->kind == ERROR_IO) {
            e->kind = ERROR_DATA;
        }
        return -1;
    }
    status = image_decode(&image, path, file.data, file.size, &decoder, e);
    bytes_free(&file);
    if (status == 0) {
        status = image_fit(&image, target, path, planes, &decoder.room, e);
    }
    image_decoder_free(&decoder);
    return status;
}
