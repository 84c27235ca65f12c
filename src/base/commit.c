/* commit.c: what makes a written file last, and the thread that does it for others.
 *
 * fsync is never repeated after a failure: the kernel may have dropped the pages and would then
 * report success. The thread takes no memory, and no signal is for it: the commands count on theirs
 * to reach the thread that trains. */
#include "base/commit.h"

#include "base/retry.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_WAITING = 8, STACK_BYTES = 1 << 18 };

void commit_of_appended(struct commit *commit, int fd, const char *path)
{
    *commit = (struct commit){.dir = -1, .fd = fd};
    snprintf(commit->path, sizeof commit->path, "%s", path);
}

static int is_replacement(const struct commit *commit) { return commit->temporary[0] != '\0'; }

void commit_discard(const struct commit *commit)
{
    if (is_replacement(commit)) {
        close(commit->fd);
        RETRY(unlinkat(commit->dir, commit->temporary, 0));
    }
}

static int commit_appended(const struct commit *commit, struct error *e)
{
    return RETRY(fdatasync(commit->fd)) == 0
               ? 0
               : error_errno(e, ERROR_IO, commit->path, "cannot write");
}

static int commit_replacement(const struct commit *commit, struct error *e)
{
    int status = 0;

    if (RETRY(fsync(commit->fd)) != 0) {
        status = error_errno(e, ERROR_IO, commit->path, "cannot write");
    }
    /* After EINTR the descriptor is closed all the same, and fsync has succeeded before. */
    if (close(commit->fd) != 0 && errno != EINTR && status == 0) {
        status = error_errno(e, ERROR_IO, commit->path, "cannot write");
    }
    if (status == 0 &&
        RETRY(renameat(commit->dir, commit->temporary, commit->dir, commit->name)) != 0) {
        status = error_errno(e, ERROR_IO, commit->path, "cannot replace");
    }
    if (status != 0) {
        RETRY(unlinkat(commit->dir, commit->temporary, 0));
        return -1;
    }
    /* Some file systems cannot sync a directory and say EINVAL; there is nothing more to do on
     * them. */
    if (RETRY(fsync(commit->dir)) != 0 && errno != EINVAL) {
        return error_errno(e, ERROR_IO, commit->path, "replaced, but cannot sync the directory");
    }
    return 0;
}

static int commit_now(const struct commit *commit, struct error *e)
{
    return is_replacement(commit) ? commit_replacement(commit, e) : commit_appended(commit, e);
}

struct committer {
    pthread_t thread;
    pthread_mutex_t mutex; /* of all that follows */
    pthread_cond_t changed;
    struct commit waiting[MOST_WAITING]; /* a ring */
    int first, count;                    /* with the one that is being done */
    int closing;
    int failed;
    struct error error; /* if it has */
};

/* The oldest, which is let go when it is done: so a committer is idle only then. */
static void do_first(struct committer *committer)
{
    const struct commit *commit = &committer->waiting[committer->first];
    const int give_up = committer->failed;
    struct error e;
    int status = 0;

    pthread_mutex_unlock(&committer->mutex);
    if (give_up) {
        commit_discard(commit);
    } else {
        status = commit_now(commit, &e);
    }
    pthread_mutex_lock(&committer->mutex);
    if (status != 0) {
        committer->failed = 1;
        committer->error = e;
    }
    committer->first = (committer->first + 1) % MOST_WAITING;
    committer->count--;
    pthread_cond_broadcast(&committer->changed);
}

static void *work(void *user)
{
    struct committer *committer = user;

    pthread_mutex_lock(&committer->mutex);
    while (committer->count > 0 || !committer->closing) {
        if (committer->count > 0) {
            do_first(committer);
        } else {
            pthread_cond_wait(&committer->changed, &committer->mutex);
        }
    }
    pthread_mutex_unlock(&committer->mutex);
    return NULL;
}

static int start(struct committer *committer)
{
    pthread_attr_t attributes;
    sigset_t all, before;

    if (pthread_attr_init(&attributes) != 0) {
        return -1;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the thread inherits it */

    const int failed = pthread_attr_setstacksize(&attributes, STACK_BYTES) != 0 ||
                       pthread_create(&committer->thread, &attributes, work, committer) != 0;

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return failed ? -1 : 0;
}

struct committer *committer_open(void)
{
    struct committer *committer = calloc(1, sizeof *committer);

    if (committer == NULL) {
        return NULL;
    }
    pthread_mutex_init(&committer->mutex, NULL);
    pthread_cond_init(&committer->changed, NULL);
    if (start(committer) != 0) {
        free(committer);
        return NULL;
    }
    return committer;
}

int committer_add(struct committer *committer, const struct commit *commit, struct error *e)
{
    if (committer == NULL) {
        return commit_now(commit, e);
    }
    pthread_mutex_lock(&committer->mutex);
    while (committer->count == MOST_WAITING) {
        pthread_cond_wait(&committer->changed, &committer->mutex);
    }
    committer->waiting[(committer->first + committer->count++) % MOST_WAITING] = *commit;
    pthread_cond_broadcast(&committer->changed);
    pthread_mutex_unlock(&committer->mutex);
    return 0;
}

int committer_is_idle(struct committer *committer)
{
    if (committer == NULL) {
        return 1;
    }
    pthread_mutex_lock(&committer->mutex);
    const int idle = committer->count == 0;
    pthread_mutex_unlock(&committer->mutex);
    return idle;
}

int committer_wait(struct committer *committer, struct error *e)
{
    if (committer == NULL) {
        return 0;
    }
    pthread_mutex_lock(&committer->mutex);
    while (committer->count > 0) {
        pthread_cond_wait(&committer->changed, &committer->mutex);
    }
    const int failed = committer->failed;
    if (failed && e != NULL) {
        *e = committer->error;
    }
    pthread_mutex_unlock(&committer->mutex);
    return failed ? -1 : 0;
}

void committer_close(struct committer *committer)
{
    if (committer == NULL) {
        return;
    }
    pthread_mutex_lock(&committer->mutex);
    committer->closing = 1;
    pthread_cond_broadcast(&committer->changed);
    pthread_mutex_unlock(&committer->mutex);
    pthread_join(committer->thread, NULL);
    pthread_cond_destroy(&committer->changed);
    pthread_mutex_destroy(&committer->mutex);
    free(committer);
}
