/* commit.h: the second half of writing a file, which waits for the disk. Its content stands in a
 * file of a temporary name; a commit makes it durable and puts it in its place: fsync, close,
 * rename, fsync of the directory. That is done at once, or in order by a thread of its own, the
 * committer, while its owner computes. */
#ifndef CNNTRAIN_BASE_COMMIT_H
#define CNNTRAIN_BASE_COMMIT_H

#include "base/error.h"

#define COMMIT_NAME 256 /* NAME_MAX and its end */

struct commit {
    int dir;
    int fd; /* of the temporary file: the commit's, which closes it */
    char temporary[COMMIT_NAME], name[COMMIT_NAME];
    char path[1100]; /* only for messages */
};
/* Or a file that keeps its name and its descriptor, which stay its owner's, and has grown:
 * fdatasync is all that it needs. */
void commit_of_appended(struct commit *commit, int fd, const char *path);
/* Give it up: the temporary file is closed and gone. */
void commit_discard(const struct commit *commit);

/* A thread that commits, one after the other, what it is given. */
struct committer;
/* NULL without a thread or memory for it; so may every committer below be, and then all is done at
 * once. */
struct committer *committer_open(void);
/* Commit it, now or later; takes the temporary file over in any case. After a failure, which is
 * ERROR_IO, what follows is discarded. Waits where too many are waiting already. */
int committer_add(struct committer *committer, const struct commit *commit, struct error *e);
/* Whether all that was added is done, or given up. */
int committer_is_idle(struct committer *committer);
/* Wait until it is. -1 with the first failure since committer_open. */
int committer_wait(struct committer *committer, struct error *e);
/* Wait, and end the thread. */
void committer_close(struct committer *committer);

#endif
