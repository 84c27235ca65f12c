/* patient.h: what is known of a run, from its directory: the log, and where they are there the
 * config, the model and the data. */
#ifndef CNNTRAIN_TEACH_PATIENT_H
#define CNNTRAIN_TEACH_PATIENT_H

#include "train/log_read.h"
#include "train/metrics.h"
#include "train/trainer.h"

/* A layer whose units may die: its activation gives 0 for all that is below 0. */
struct rectified {
    const struct node *node;
    int units, dead; /* channels, and how many of them gave nothing but 0 */
};

struct patient {
    const char *dir;
    struct log_rows log;
    const struct settings *settings; /* of config.yaml, or the model's; NULL: unknown */
    const struct graph *graph;       /* NULL: unknown */
    int has_model, has_data;
    char no_data[600]; /* why not: "data/x: cannot open", "there is no model.bin" */
    struct model model;
    struct trainer trainer; /* the data, as training takes them; its weights are not the run's */
    int classes;            /* 0: unknown */
    const struct texts *names;

    /* With model and data: */
    const char *set_name;   /* what was evaluated: "validation", "training" */
    struct metrics metrics; /* of it */
    size_t *train_images;   /* [classes]: in the training set; in `arena` */
    struct rectified *rectified;
    int rectified_count;
    size_t looked_at; /* images for `rectified` */

    struct arena arena; /* owns what is not said to be owned elsewhere */
};

/* Read all that is there. What is not there is none of these errors, but the log must be: ERROR_IO,
 * ERROR_DATA, ERROR_CONFIG, ERROR_MODEL, ERROR_LIMIT; faults of the config go to `errors` too. To
 * be freed in either case. */
int patient_open(struct patient *patient, const char *dir, const struct kernels *kernels,
                 int threads, struct error_list *errors);
void patient_free(struct patient *patient);

/* The last row, NULL without one. */
const struct log_row *patient_last(const struct patient *patient);
/* The row of the epoch whose weights model.bin has: that of the best, or the last. */
const struct log_row *patient_kept(const struct patient *patient);
/* How the training loss, or that of the validation, went. */
struct trend {
    double first, middle, last, least;
    double up, down;        /* sums of its steps */
    int rises;              /* steps up by more than 2 % */
    double jump;            /* the greatest factor by which it was above its least before */
    int jump_from, jump_to; /* epochs */
};
struct trend patient_trend(const struct patient *patient, int validation);
/* The accuracy of guessing; 0: unknown. */
double patient_chance(const struct patient *patient);
/* The greatest learning rate in the log, and the optimizer's default, 0: unknown. */
double patient_rate(const struct patient *patient, double *usual);

#endif
