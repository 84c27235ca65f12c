/* folder.c: a folder of class folders, FOLDER/CLASS/IMAGE: the label of an image is the name of the
 * folder that it lies in. Classes are numbered, and images ordered, by the bytes of their names, so
 * the order in which a file system lists them does not matter.
 *
 * Hidden names and what file managers leave behind are skipped; whatever else is not where it
 * belongs is an error rather than skipped in silence. */
#include "base/file.h"
#include "base/text.h"
#include "data/format.h"
#include "data/image_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names in a folder. */
struct entries {
    size_t count, capacity;
    struct entry {
        const char *name;
        int type; /* DT_REG ... */
    } * items;
    struct arena arena;
};

static void entries_free(struct entries *entries)
{
    free(entries->items);
    arena_free(&entries->arena);
    *entries = (struct entries){0};
}

static int is_skipped(const char *name)
{
    return name[0] == '.' || strcmp(name, "Thumbs.db") == 0 || strcmp(name, "desktop.ini") == 0 ||
           strcmp(name, "__MACOSX") == 0;
}

static int add(struct entries *entries, const char *name, int type)
{
    if (entries->count == entries->capacity) {
        const size_t capacity = entries->capacity == 0 ? 64 : 2 * entries->capacity;
        struct entry *larger = realloc(entries->items, capacity * sizeof *larger);
        if (larger == NULL) {
            return -1;
        }
        entries->items = larger;
        entries->capacity = capacity;
    }
    const char *copy = arena_strndup(&entries->arena, name, strlen(name));
    entries->items[entries->count++] = (struct entry){copy, type};
    return copy != NULL ? 0 : -1;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* The names in folder `name` below `dir`, sorted; `path` is for messages. */
static int list(struct entries *entries, int dir, const char *name, const char *path,
                struct error *e)
{
    const int fd = file_open_beneath(dir, name, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == EXDEV) {
        return error_set(e, ERROR_DATA, path, "leads out of the data set, by a symbolic link");
    }
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL) {
        error_errno(e, ERROR_DATA, path, "cannot open");
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    int failed = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            failed = errno != 0 ? error_errno(e, ERROR_DATA, path, "cannot read") : 0;
            break;
        }
        if (!is_skipped(entry->d_name) && add(entries, entry->d_name, entry->d_type) != 0) {
            failed = error_memory(e, entries->capacity * sizeof *entries->items);
            break;
        }
    }
    closedir(stream);
    if (!failed && entries->count > 1) {
        qsort(entries->items, entries->count, sizeof *entries->items, compare);
    }
    return failed;
}

static int looks_like_image(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && (strcasecmp(dot, ".png") == 0 || strcasecmp(dot, ".jpg") == 0 ||
                           strcasecmp(dot, ".jpeg") == 0);
}

/* Whether an entry of the root is a class; -1 with a fault when it should not be there. */
static int is_class(const struct image_list *files, const struct entry *entry, struct error *e)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", files->root, entry->name);
    if (entry->type == DT_DIR) {
        return 1;
    }
    if (entry->type == DT_LNK || entry->type == DT_UNKNOWN) {
        const int fd = file_open_beneath(files->dir, entry->name, O_RDONLY | O_DIRECTORY);
        if (fd >= 0) {
            close(fd);
            return 1;
        }
        if (errno == EXDEV) {
            return error_set(e, ERROR_DATA, path, "leads out of the data set, by a symbolic link");
        }
        if (errno != ENOTDIR) {
            return error_errno(e, ERROR_DATA, path, "cannot open");
        }
    }
    return looks_like_image(entry->name)
               ? error_set(e, ERROR_DATA, path, "image outside a class folder")
               : 0;
}

/* The names of the class folders. */
static int find_classes(const struct image_list *files, const struct entries *root,
                        struct texts *names, const struct loading *how, struct arena *arena,
                        struct error *e)
{
    const char **values = arena_alloc(arena, (root->count + 1) * sizeof *values);
    if (values == NULL) {
        return error_memory(e, (root->count + 1) * sizeof *values);
    }
    *names = (struct texts){0, values};
    for (size_t i = 0; i < root->count; i++) {
        const int found = is_class(files, &root->items[i], e);
        if (found < 0) {
            return -1;
        }
        if (found) {
            values[names->count++] = root->items[i].name;
        }
    }
    return names->count > 0
               ? 0
               : error_set(e, ERROR_DATA, files->root,
                           "this folder holds neither class folders nor %s files",
                           how->training ? "train-*images*" : "t10k-*images* or test-*images*");
}

static int add_class(struct image_list *files, const char *name, int32_t label, struct error *e)
{
    char path[2048], below[600], shown[400];
    struct entries images = {0};
    snprintf(path, sizeof path, "%s/%s", files->root, name);
    int status = list(&images, files->dir, name, path, e);
    if (status == 0 && images.count == 0) {
        status = error_set(e, ERROR_DATA, path, "class '%s' has no images",
                           text_escape(shown, sizeof shown, name, strlen(name)));
    }
    for (size_t i = 0; status == 0 && i < images.count; i++) {
        snprintf(below, sizeof below, "%s/%s", name, images.items[i].name);
        if (images.items[i].type == DT_DIR) {
            snprintf(path, sizeof path, "%s/%s", files->root, below);
            status = error_set(e, ERROR_DATA, path,
                               "a folder inside a class folder: only images are expected here");
        } else {
            status = image_list_add(files, below, label, 0, e);
        }
    }
    entries_free(&images);
    return status;
}

static int find_images(struct dataset *set, const struct loading *how, struct error *e)
{
    struct image_list *files = set->list;
    struct entries root = {0};
    struct texts names = {0};
    int32_t *number = NULL;
    int status = list(&root, files->dir, ".", files->root, e);
    if (status == 0) {
        status = find_classes(files, &root, &names, how, &root.arena, e);
    }
    if (status == 0) {
        number = arena_alloc(&root.arena, (size_t)names.count * sizeof *number);
        status = number == NULL ? error_memory(e, (size_t)names.count * sizeof *number)
                                : image_set_classes(set, &names, how, files->root, number, e);
    }
    for (int k = 0; status == 0 && k < names.count; k++) {
        status = add_class(files, names.values[k], number[k], e);
    }
    entries_free(&root);
    return status;
}

static int takes(const struct source *source, const struct loading *how, struct error *e)
{
    (void)how;
    if (source->folder != NULL) {
        return 1;
    }
    return source->csv == NULL && source->labels == NULL ? file_is_folder(source->images, e) : 0;
}

static int load(struct dataset *set, const struct source *source, const struct loading *how,
                struct error *e)
{
    const char *folder = source_path(source);
    set->list = calloc(1, sizeof *set->list);
    if (set->list == NULL) {
        return error_memory(e, sizeof *set->list);
    }
    TRY(image_list_open(set->list, folder, e));
    snprintf(set->path, sizeof set->path, "%s", set->list->root);
    TRY(find_images(set, how, e));
    return image_set_load(set, how, e);
}

const struct format FORMAT_FOLDER = {
    .member = {.name = "folder",
               .help = "a folder for each class, named after it, with PNG and JPEG images"},
    .takes = takes,
    .load = load,
};
