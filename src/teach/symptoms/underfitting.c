/* underfitting.c: not even the training images are learned, and the validation images are no worse:
 * the network, or the time it had, is too small. */
#include "teach/symptom.h"

#include <math.h>

static const double ENOUGH = 0.9; /* accuracy */
static const double GAP = 0.05;
static const double PACE = 0.005; /* of the loss an epoch */
static const double GUESSING = 1.5;

/* By what share the training loss fell in an epoch, over the last third of them. */
static double pace_of(const struct patient *p)
{
    const int n = p->log.count, from = n - 1 - (n + 2) / 3;
    if (from < 0 || n < 3) {
        return 0;
    }
    const double before = p->log.rows[from].train_loss, now = p->log.rows[n - 1].train_loss;
    return before > 0 ? (before - now) / before / (n - 1 - from) : 0;
}

static void advise(const struct patient *p, double pace, struct opinion *o)
{
    struct text used = {0}, unused = {0};
    if (pace > PACE) {
        opinion_advises(o,
                        "train_loss still falls, by %.1f %% an epoch: more epochs first "
                        "(train.epochs)",
                        100 * pace);
    } else {
        opinion_advises(o, "train_loss has come to rest: a larger network, with more filters, "
                           "units or layers");
    }
    remedies_list(p, &used, &unused);
    if (used.length > 0) {
        opinion_advises(o, "against overfitting are in use: %s; less of it", used.data);
    }
    text_free(&used);
    text_free(&unused);
}

static void look(const struct patient *p, struct opinion *o)
{
    const struct log_row *row = patient_kept(p);
    if (!row) {
        opinion_cannot(o, "no epoch is in the log");
        return;
    }
    const double best =
        row->has_validation ? fmax(row->train_accuracy, row->val_accuracy) : row->train_accuracy;
    if (best >= ENOUGH || (row->has_validation && row->train_accuracy - row->val_accuracy > GAP)) {
        return;
    }
    opinion_says(o, "After epoch %lld only %.1f %% of the training images are right%s", row->epoch,
                 100 * row->train_accuracy, row->has_validation ? "" : ".");
    if (row->has_validation) {
        opinion_says(o,
                     "and %.1f %% of the validation images: it is not that it knows the "
                     "training images by heart.",
                     100 * row->val_accuracy);
    }
    if (best < GUESSING * patient_chance(p)) {
        opinion_says(o, "Guessing would be right in %.1f %%: it has learned nothing.",
                     100 * patient_chance(p));
        opinion_advises(o, "something is in its way: the learning rate, dead units, or labels that "
                           "do not belong to their images (cnntrain --check-data)");
        return;
    }
    advise(p, pace_of(p), o);
}

extern const struct symptom SYMPTOM_underfitting;
const struct symptom SYMPTOM_underfitting = {"underfitting", look};
