/* test_commit.c: files that a committer puts in their places, in order; what its first failure
 * stops; and that it leaves signals alone. */
#include "file_check.h"

#include "base/commit.h"

#include <pthread.h>
#include <signal.h>

static void replace(struct committer *committer, const struct place *place, const char *name,
                    const char *text)
{
    const struct file_target target = {place->fd, name, name, committer};
    struct error e;

    assert_int_equal(file_replace(&target, &(struct chunk){text, strlen(text)}, 1, &e), 0);
}

static struct committer *open_committer(void)
{
    struct committer *committer = committer_open();

    assert_non_null(committer);
    assert_true(committer_is_idle(committer));
    return committer;
}

/* More than may wait at a time. */
static void commits_in_order(void **state)
{
    const struct place *place = *state;
    struct committer *committer = open_committer();
    struct error e;
    char text[32];

    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "version %d", i);
        replace(committer, place, i % 5 == 0 ? "a" : "b", text);
    }
    assert_int_equal(committer_wait(committer, &e), 0);
    assert_true(committer_is_idle(committer));
    assert_content(place, "a", "version 45");
    assert_content(place, "b", "version 49");
    assert_int_equal(count_entries(place->path), 2);
    committer_close(committer);
}

static void closing_waits(void **state)
{
    const struct place *place = *state;
    struct committer *committer = open_committer();

    replace(committer, place, "a", "one");
    replace(committer, place, "b", "two");
    committer_close(committer);
    assert_content(place, "a", "one");
    assert_content(place, "b", "two");
    assert_int_equal(count_entries(place->path), 2);
}

/* What was before it stands, what comes behind it is given up, and it is told as often as asked. */
static void the_first_failure_is_the_last(void **state)
{
    const struct place *place = *state;
    struct committer *committer = open_committer();
    struct error e;

    put(place, "c", "old");
    assert_int_equal(mkdirat(place->fd, "b", 0700), 0);
    replace(committer, place, "a", "new");
    replace(committer, place, "b", "new");
    replace(committer, place, "c", "new");
    for (int i = 0; i < 2; i++) {
        e = (struct error){.kind = ERROR_NONE};
        assert_int_equal(committer_wait(committer, &e), -1);
        assert_int_equal(e.kind, ERROR_IO);
        assert_string_equal(e.file, "b");
        assert_string_equal(e.message, "cannot replace: Is a directory");
        replace(committer, place, "c", "newer");
    }
    assert_int_equal(committer_wait(committer, NULL), -1);
    assert_true(committer_is_idle(committer));
    committer_close(committer);
    assert_content(place, "a", "new");
    assert_content(place, "c", "old");
    assert_int_equal(count_entries(place->path), 3);
}

/* With a committer and without: a file that has grown stays open; a pipe cannot be synced. */
static void syncs_what_was_appended(void **state)
{
    const struct place *place = *state;
    struct commit commit;
    struct error e;
    int pair[2];

    put(place, "log", "row\n");
    assert_int_equal(pipe(pair), 0);
    const int fd = openat(place->fd, "log", O_WRONLY | O_APPEND);
    assert_true(fd >= 0);
    for (int i = 0; i < 2; i++) {
        struct committer *committer = i ? open_committer() : NULL;

        commit_of_appended(&commit, fd, "log");
        assert_int_equal(committer_add(committer, &commit, &e), 0);
        assert_int_equal(committer_wait(committer, &e), 0);
        assert_int_equal(write(fd, "row\n", 4), 4);
        commit_of_appended(&commit, pair[1], "out/log");
        const int added = committer_add(committer, &commit, &e);
        assert_int_equal(added, i ? 0 : -1);
        assert_int_equal(i ? committer_wait(committer, &e) : added, -1);
        assert_string_equal(e.file, "out/log");
        assert_string_equal(e.message, "cannot write: Invalid argument");
        committer_close(committer);
    }
    assert_content(place, "log", "row\nrow\nrow\n");
    close(fd);
    close(pair[0]);
    close(pair[1]);
}

static void without_one_all_is_done_at_once(void **state)
{
    const struct place *place = *state;
    struct error e;

    replace(NULL, place, "a", "new");
    assert_content(place, "a", "new");
    assert_true(committer_is_idle(NULL));
    assert_int_equal(committer_wait(NULL, &e), 0);
    committer_close(NULL);
}

static volatile sig_atomic_t caught;
static pthread_t catcher;

static void on_signal(int number)
{
    (void)number;
    caught = 1;
    catcher = pthread_self();
}

/* A signal to the process waits for the thread that wants it, though the committer has nothing to
 * do. */
static void no_signal_is_for_it(void **state)
{
    (void)state;
    sigset_t one, waiting;
    const struct sigaction action = {.sa_handler = on_signal};
    struct committer *committer = open_committer();

    caught = 0;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &one, NULL), 0);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    assert_int_equal(sigpending(&waiting), 0);
    assert_true(sigismember(&waiting, SIGUSR1));
    assert_false(caught);
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &one, NULL), 0);
    assert_true(caught);
    assert_true(pthread_equal(catcher, pthread_self()));
    committer_close(committer);
    signal(SIGUSR1, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(commits_in_order),
        IN_PLACE(closing_waits),
        IN_PLACE(the_first_failure_is_the_last),
        IN_PLACE(syncs_what_was_appended),
        IN_PLACE(without_one_all_is_done_at_once),
        cmocka_unit_test(no_signal_is_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
