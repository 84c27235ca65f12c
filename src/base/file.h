/* file.h: files and directories, with the faults that real ones have. Reading takes whole regular
 * files and never blocks on a FIFO; writing replaces a file atomically: temp, fsync, rename, fsync
 * of the directory, so a reader sees the old file or the new one, never a part. EINTR and short
 * transfers are handled here. */
#ifndef CNNTRAIN_BASE_FILE_H
#define CNNTRAIN_BASE_FILE_H

#include "base/error.h"
#include "base/room.h"

#include <stddef.h>
#include <stdint.h>

struct committer;

struct bytes {
    unsigned char *data; /* owned; 64-byte aligned; one terminating 0 behind the last byte */
    size_t size;
};
void bytes_free(struct bytes *bytes);

/* The whole of `path`. A file over `limit` bytes or one that changes while it is read is an error
 * of `kind`; one that cannot be opened or read, or is no regular file, is ERROR_IO. */
int file_read(struct bytes *out, const char *path, size_t limit, enum error_kind kind,
              struct error *e);
/* Like file_read, but of a large file only the beginning and the end, FILE_END bytes of each, for
 * those whom these tell enough; in between are zeros, and out->data is not aligned. */
#define FILE_END ((size_t)1 << 18)
int file_read_ends(struct bytes *out, const char *path, size_t limit, enum error_kind kind,
                   struct error *e);
/* Like file_read for `name` in the open directory `dir`; `path` is only for messages. */
int file_read_at(struct bytes *out, int dir, const char *name, const char *path, size_t limit,
                 enum error_kind kind, struct error *e);
/* Open `name` below the open directory `dir`: a path or a symbolic link that leads out of it fails
 * with EXDEV. -1 with errno. */
int file_open_beneath(int dir, const char *name, int flags);
/* Like file_read_at, but never outside `dir`, into `room`, which has the bytes then; every fault is
 * of `kind`. */
int file_read_beneath(struct bytes *out, int dir, const char *name, const char *path, size_t limit,
                      enum error_kind kind, struct room *room, struct error *e);
/* The first bytes of a regular file, to tell what it is: how many there are, up to `size`; 0 when
 * it cannot be read. */
size_t file_peek(const char *path, void *buffer, size_t size);

/* Whether `path` is a folder: 1, or 0 when it is something else or nothing; -1 with ERROR_IO when
 * that cannot be told now. */
int file_is_folder(const char *path, struct error *e);

struct chunk {
    const void *data;
    size_t size;
};
/* Where a file goes. */
struct file_target {
    int dir; /* open */
    const char *name;
    const char *path;            /* only for messages */
    struct committer *committer; /* who waits for the disk (base/commit.h); NULL: the caller */
};
/* Replace the target by the chunks, in order, atomically and durably: at once, or, with a
 * committer, when that says so. On any failure the old file stands and the temporary one is gone.
 * ERROR_IO. */
int file_replace(const struct file_target *target, const struct chunk *chunks, int count,
                 struct error *e);
/* Open the folder that the file of this path is in or is to be in; *name is what follows. -1 with
 * ERROR_IO. */
int file_open_folder(const char *path, const char **name, struct error *e);
/* Append to an open descriptor / write all of it. */
int file_write_all(int fd, const void *data, size_t size, const char *path, struct error *e);

/* An output directory, made when missing (with its parents), locked for this process until closed,
 * probed for writing, stale temporaries of file_replace removed. A directory in use is ERROR_BUSY
 * and names the other process. */
struct output_dir {
    int fd, lock;
    int removed; /* stale temporaries */
    char path[1024];
};
int output_dir_open(struct output_dir *dir, const char *path, struct error *e);
/* Is the lock still ours? Before each save: when someone has removed the lock file, another process
 * may be writing here, ERROR_BUSY. */
int output_dir_check(const struct output_dir *dir, struct error *e);
void output_dir_close(struct output_dir *dir);

/* CRC-32 (IEEE, as in zlib and PNG), to be continued from `crc` (0 at the start); any size. */
uint32_t file_crc32(uint32_t crc, const void *data, size_t size);
/* Of two pieces of data, one behind the other, from the CRC-32 of each and the size of the second.
 */
uint32_t file_crc32_combine(uint32_t first, uint32_t second, size_t size);

#endif
