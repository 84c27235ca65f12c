/* rate_too_high.c: the training loss jumps up and down, or the network is no better than guessing
 * with a learning rate far above the optimizer's default: steps go over the valley, or have thrown
 * the weights where no gradient comes any more. */
#include "teach/symptom.h"

#include <math.h>

static const double JUMP = 1.3, UNREST = 0.25, FAR = 5, GUESSING = 1.5;

static void look(const struct patient *p, struct opinion *o)
{
    const struct log_row *last = patient_last(p);
    const struct trend t = patient_trend(p, 0);
    double usual;
    char number[32], times[32];
    const double rate = patient_rate(p, &usual), chance = patient_chance(p);
    if (!last) {
        opinion_cannot(o, "no epoch is in the log; if cnntrain ended with exit code 8, the loss "
                          "was not finite, and a lower learning rate is the first thing to try");
        return;
    }
    const int restless = t.jump > JUMP && t.up > UNREST * (t.up + t.down);
    const int guesses = chance > 0 && last->train_accuracy < GUESSING * chance;
    if (restless) {
        opinion_says(o,
                     "train_loss rose in %d of %d epochs, and after epoch %d it was %.3g times "
                     "what it had been after epoch %d.",
                     t.rises, p->log.count, t.jump_to, t.jump, t.jump_from);
    }
    if (guesses && usual > 0 && rate > FAR * usual) {
        opinion_says(o,
                     "After %lld epoch%s the network is right in %.1f %% of the training images, "
                     "as if it guessed (%.1f %%), and train_loss is %.4g.",
                     last->epoch, last->epoch == 1 ? "" : "s", 100 * last->train_accuracy,
                     100 * chance, last->train_loss);
    }
    if (!o->seen) {
        return;
    }
    if (usual > 0 && rate > 1.001 * usual) {
        opinion_says(o, "The learning rate was up to %s, %s times %s's default.",
                     rate_print(number, rate), times_print(times, rate / usual),
                     p->settings->train.optimizer.type->name);
    } else {
        opinion_says(o, "The learning rate was up to %s.", rate_print(number, rate));
    }
    opinion_advises(o, "a learning rate of %s, and then of %s (train.optimizer: lr)",
                    rate_print(number, rate / 10), rate_print(times, rate / 100));
    opinion_advises(o, "a warmup (train.schedule: {warmup: 1}), gradients cut to a length "
                       "(train.clip_norm: 1), or larger batches");
}

extern const struct symptom SYMPTOM_rate_too_high;
const struct symptom SYMPTOM_rate_too_high = {"learning rate too high", look};
