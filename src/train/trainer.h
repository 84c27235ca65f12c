/* trainer.h: a training run, from settings to weights. Everything that can fail for other reasons
 * than a disk fails in trainer_prepare; after it nothing is allocated but a committer, without
 * which a run does as well.
 *
 * A batch is cut into tiles of 16 samples and the tiles into shards, both by the batch size alone.
 * A shard sums the gradients of its tiles in order, shards are added in a fixed tree, what is
 * deferred is summed over the tiles in order: so the bytes do not depend on the number of threads.
 */
#ifndef CNNTRAIN_TRAIN_TRAINER_H
#define CNNTRAIN_TRAIN_TRAINER_H

#include "base/commit.h"
#include "base/file.h"
#include "data/balance.h"
#include "net/deferred.h"
#include "train/average.h"
#include "train/evaluate.h"
#include "train/log.h"
#include "train/model.h"
#include "train/profile.h"
#include "train/progress.h"
#include "train/stopping.h"
#include "train/update.h"

/* How far a run has come: with the weights, all that a resumed run needs to know. */
struct position {
    long long epoch; /* complete ones */
    long long step;  /* optimizer steps */
    long long batch; /* steps of the epoch under way */
    double loss_sum; /* over the samples of the epoch under way */
    long long correct;
    double seconds; /* spent in the epoch under way */
    struct stopping stopping;
    struct schedule_state schedule;
    int finished; /* all epochs done, or stopped early, and the model written */
};

struct trainer;
/* Someone who looks on, and changes nothing. Either function may be NULL. */
struct watcher {
    /* Of each validation every tile, in order, the first with `first` 0. */
    void (*validated)(struct watcher *watcher, const struct evaluated_tile *tile);
    /* When all files of a start or of an epoch are written, though the committer may have them
     * still; and when it is the `last` time, at the end of the run or of this part of it: of the
     * last epoch only then. Its fault is the run's. */
    int (*written)(struct watcher *watcher, const struct trainer *trainer,
                   const struct output_dir *dir, int last, struct error *e);
};

struct trainer {
    struct model model; /* settings, graph, input, classes; parameters point into memory */
    const struct loss_type *loss;
    const struct optimizer_type *optimizer;
    const struct kernels *kernels;
    int threads;

    struct dataset train_set, validation_set;
    struct subset train, validation; /* validation.count 0: none */
    struct balance balance;          /* count 0: every sample of train once in an epoch */
    size_t epoch_samples;            /* train.count or balance.count */
    struct augmenter augmenter;      /* list NULL: images are used as they are */
    struct plan plan;
    struct evaluator evaluator;

    int batch_tiles, shards;
    int block_count;     /* tiles that have memory at a time */
    int passing_count;   /* of them those that have what does not outlive a meeting: the most that
                            a team can have at once */
    double batch_weight; /* what the loss of the batch under way is divided by */
    void *memory;        /* owned; all that follows points into it */
    size_t memory_bytes;
    float *parameters, *average, *best, *states[MOST_STATES], *blocks, *passing;
    float *shard_gradients;   /* of graph.summed floats each; behind the last of them... */
    float *gradient;          /* ... the deferred ones: graph.moved floats from the last shard on
                                 are the gradient of a step, once shards are added up in it */
    struct deferred deferred; /* what a batch's tiles leave behind; floats NULL: nothing */
    int deferred_copies;      /* 1, or one after the other those of a team's members */
    float *entered;     /* each member of a team's own input, of all tiles; or NULL, and ... */
    int entered_copies; /* ... 0 */
    float *shared;      /* what coupling layers know of the batch; graph.shared floats */
    double *tile_sums;  /* [batch_tiles][graph.sums]: what tiles bring to a meeting */
    double *tile_loss;  /* [batch_tiles] */
    struct labels *tile_labels; /* [batch_tiles] */
    int *tile_correct;          /* [batch_tiles] */
    struct team *teams;         /* [threads]: each member's view */
    uint32_t *order;            /* [epoch_samples]: this epoch's, in its order; see drawn_sample */
    struct update update;
    float *augment_scratch; /* a worker's is augmenter_scratch floats; NULL without augmentation */

    struct profile *profile; /* the caller's, who measures this run; or NULL */
    struct text taken;       /* owned: what initialize.h says that it did; "" without */
    struct position position;
    int out_of_time; /* this call of trainer_run ended because of max_time */
    struct log log;
    struct committer *committer; /* within trainer_run, of several threads; or NULL */
    struct watcher *watcher;     /* NULL: none */
};

/* Load data, join the network, plan and allocate; initial weights. `settings` was decoded into
 * `arena`, which the trainer takes over. Faults of the config go to `errors`, of anything else too
 * (their kind tells). 0 or -1. */
int trainer_prepare(struct trainer *trainer, const struct settings *settings, struct arena *arena,
                    const struct kernels *kernels, int threads, struct error_list *errors);
/* The same as far as it goes without the pixels of the data sets: their shapes, labels and classes
 * are checked, the network is planned. Not to be trained; input.mean and .std are 0 and 1 where the
 * pixels would tell. */
int trainer_outline(struct trainer *trainer, const struct settings *settings, struct arena *arena,
                    const struct kernels *kernels, int threads, struct error_list *errors);
void trainer_free(struct trainer *trainer);
/* Whether a batch of so many tiles and shards is shared out within its tiles. */
int trainer_teams(const struct trainer *trainer, int tiles, int shards);

/* Start anew in an open output directory: first checkpoint, new log, config.yaml. */
int trainer_start(struct trainer *trainer, const struct output_dir *dir, struct error *e);
/* Go on from its checkpoint. A start that was cut short is done to its end. */
int trainer_resume(struct trainer *trainer, const struct output_dir *dir, struct error *e);
/* Whether no epoch is left to train. */
int trainer_is_over(const struct trainer *trainer);
/* Train to the end, writing as it goes. `*signal_flag` is set by a signal handler: then the batch
 * under way is finished, a checkpoint written, and 0 returned with the run unfinished. The same
 * when max_time has passed since the call, which also writes the model and sets out_of_time. 0, or
 * -1 with *e (ERROR_NUMERIC, ERROR_IO). */
int trainer_run(struct trainer *trainer, const struct output_dir *dir, struct progress *progress,
                const volatile int *signal_flag, struct error *e);

/* For a profile of a run that is not to be: steps of the first epoch, over and over, for about
 * `seconds`. Weights move, nothing is written; the trainer is of no use afterwards. ERROR_NUMERIC.
 */
int trainer_rehearse(struct trainer *trainer, double seconds, struct error *e);

/* Whether epochs are compared, so that there is a best one: by a validation set, or by
 * early stopping on the training loss. */
int trainer_judges(const struct trainer *trainer);
/* The weights for model.bin as things stand, and after which epoch these stood. */
const float *trainer_model(const struct trainer *trainer, long long *epoch);
/* Samples of a step: those of `accumulate` batches; and how many steps an epoch has, the last of
 * which may have fewer samples. */
size_t trainer_step_samples(const struct trainer *trainer);
long long trainer_steps(const struct trainer *trainer);
/* One step of the epoch under way, `n` samples from order[first], in batches: forward, backward,
 * and then the update. Adds to position. ERROR_NUMERIC. */
int trainer_batch(struct trainer *trainer, size_t first, size_t n, struct error *e);
/* The order of the epoch under way. */
void trainer_shuffle(struct trainer *trainer);

#endif
