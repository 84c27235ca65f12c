/* cli_threads.c: how many threads a command works with. libgomp ends the process, with exit code 1,
 * when it cannot create one: under a limit of processes (ulimit -u, a container's pids.max) or of
 * memory. So as many as are wanted are created here first, all at the same time, and counted; then
 * libgomp makes its own of them at once, before data are read or anything is written. Results do
 * not depend on their number. */
#include "tools/cli_internal.h"

#include <omp.h>
#include <pthread.h>

static void *wait_at(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* How many threads of `wanted` there can be; at least this one. */
static int count_threads(int wanted)
{
    pthread_t threads[CLI_MOST_THREADS];
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    int made = 0;

    pthread_mutex_lock(&gate);
    while (made < wanted - 1 && pthread_create(&threads[made], NULL, wait_at, &gate) == 0) {
        made++;
    }
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < made; i++) {
        pthread_join(threads[i], NULL);
    }
    return made + 1;
}

/* As many as are wanted or can be, and there from now on. */
static int make_threads(const struct cli *cli, const struct cli_common *common)
{
    const int cores = omp_get_num_procs();
    const int most = cores < CLI_MOST_THREADS ? cores : CLI_MOST_THREADS;
    const int wanted = common->threads > 0 ? common->threads : most;
    const int threads = count_threads(wanted);

    if (threads < wanted && !common->quiet) {
        struct error e;

        error_set(&e, ERROR_LIMIT, NULL,
                  "only %d of %d threads can be created: going on with these", threads, wanted);
        error_print(stderr, &e, cli->program, "warning", cli_colour());
    }
#pragma omp parallel num_threads(threads)
    {
        /* nothing: they are there now */
    }
    return threads;
}

int cli_threads(const struct cli *cli, const struct cli_common *common)
{
    static int threads;

    if (threads == 0) {
        threads = make_threads(cli, common);
    }
    return threads;
}
