/* overfitting.c: the network does better on the images it was trained on than on others: by
 * accuracy in the epoch whose weights are kept, or since then, when val_loss has risen while
 * train_loss went on falling. A gap within what chance makes of so few validation images is none.
 */
#include "teach/symptom.h"

#include <math.h>

static const double GAP = 0.05;  /* of accuracy */
static const double RISE = 1.15; /* of val_loss over its least; and by as much of the first: */
static const double ABOVE = 0.05;

/* Twice the standard error of an accuracy among the validation images; 0: it is not known of how
 * many. */
static double uncertainty(const struct patient *p, double accuracy)
{
    const double n = p->has_model ? (double)p->model.facts.validation.images : 0;
    return n > 0 ? 2 * sqrt((accuracy * (1 - accuracy) + 1 / n) / n) : 0;
}

static const struct log_row *least_val_loss(const struct patient *p)
{
    const struct log_row *least = NULL;
    for (int i = 0; i < p->log.count; i++) {
        const struct log_row *row = &p->log.rows[i];
        if (row->has_validation && (!least || row->val_loss < least->val_loss)) {
            least = row;
        }
    }
    return least;
}

static void advise(const struct patient *p, struct opinion *o)
{
    struct text used = {0}, unused = {0};
    remedies_list(p, &used, &unused);
    if (unused.length > 0) {
        opinion_advises(o, "not in use: %s", unused.data);
    }
    if (used.length > 0) {
        opinion_advises(o, "in use: %s; some of it may be too weak", used.data);
    }
    opinion_advises(o, "besides: more training images, or a smaller network");
    text_free(&used);
    text_free(&unused);
}

static void look(const struct patient *p, struct opinion *o)
{
    const struct log_row *kept = patient_kept(p), *last = patient_last(p),
                         *least = least_val_loss(p);
    if (!last) {
        opinion_cannot(o, "no epoch is in the log");
        return;
    }
    if (!least) {
        opinion_cannot(o, "there is no validation set (data.validation: 0.1), and on the images "
                          "that it was trained on a network always looks well");
        return;
    }
    const double gap = kept->train_accuracy - kept->val_accuracy;
    if (gap > fmax(GAP, uncertainty(p, kept->val_accuracy))) {
        opinion_says(o,
                     "After epoch %lld accuracy is %.1f %% on the training images and %.1f %% on "
                     "the validation images: a gap of %.1f points. train_loss is %.4g, val_loss "
                     "%.4g.",
                     kept->epoch, 100 * kept->train_accuracy, 100 * kept->val_accuracy, 100 * gap,
                     kept->train_loss, kept->val_loss);
    }
    if (last->has_validation && last->val_loss > RISE * least->val_loss &&
        last->val_loss > least->val_loss + ABOVE * p->log.rows[0].val_loss &&
        last->epoch >= least->epoch + 2 && last->train_loss < least->train_loss) {
        opinion_says(o,
                     "val_loss was least after epoch %lld, %.4g, and has risen to %.4g, while "
                     "train_loss fell on from %.4g to %.4g: what was learned since then is the "
                     "training images themselves.",
                     least->epoch, least->val_loss, last->val_loss, least->train_loss,
                     last->train_loss);
    }
    if (o->seen) {
        advise(p, o);
    }
}

extern const struct symptom SYMPTOM_overfitting;
const struct symptom SYMPTOM_overfitting = {"overfitting", look};
