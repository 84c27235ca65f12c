/* file_check.h: for the tests of files: a directory of our own under TMPDIR for each test. */
#ifndef CNNTRAIN_TESTS_FILE_CHECK_H
#define CNNTRAIN_TESTS_FILE_CHECK_H

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The directory of the running test, and an open descriptor of it. */
struct place {
    char path[256];
    int fd;
};

static inline int make_place(void **state)
{
    static struct place place;
    const char *base = getenv("TMPDIR");

    snprintf(place.path, sizeof place.path, "%s/cnntrain.XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(place.path) == NULL) {
        return -1;
    }
    place.fd = open(place.path, O_RDONLY | O_DIRECTORY);
    *state = &place;
    return place.fd >= 0 ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *status, int type,
                             struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline int remove_place(void **state)
{
    struct place *place = *state;

    close(place->fd);
    return nftw(place->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline const char *in(const struct place *place, const char *name)
{
    static char path[4][2048];
    static int next;
    char *p = path[next++ % 4];

    snprintf(p, sizeof path[0], "%s/%s", place->path, name);
    return p;
}

static inline void put(const struct place *place, const char *name, const char *text)
{
    FILE *file = fopen(in(place, name), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static inline void assert_content(const struct place *place, const char *name, const char *text)
{
    struct bytes bytes;
    struct error e;

    assert_int_equal(file_read(&bytes, in(place, name), 1 << 20, ERROR_DATA, &e), 0);
    assert_string_equal((const char *)bytes.data, text);
    bytes_free(&bytes);
}

/* Everything in the directory but "." and "..". */
static inline int count_entries(const char *path)
{
    DIR *list = opendir(path);
    int count = -2;

    assert_non_null(list);
    while (readdir(list) != NULL) {
        count++;
    }
    closedir(list);
    return count;
}

static inline int exists(const struct place *place, const char *name)
{
    struct stat status;

    return lstat(in(place, name), &status) == 0;
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

#endif
