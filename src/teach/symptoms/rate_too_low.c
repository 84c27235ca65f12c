/* rate_too_low.c: with a learning rate below the optimizer's default the loss has not come far and
 * falls without any unrest, at the end nearly as fast as at the start; or it does not fall at all
 * with a tenth of that rate. It is val_loss that is looked at, which dropout does not make noisy,
 * or without it train_loss. */
#include "teach/symptom.h"

#include <math.h>

static const double UNREST = 0.1, FAR = 0.5, STILL = 0.25, ENOUGH = 0.9, FLAT = 0.1;
enum { FEWEST = 3 };

static void look(const struct patient *p, struct opinion *o)
{
    const struct log_row *last = patient_last(p);
    const struct trend t = patient_trend(p, patient_last(p) && patient_last(p)->has_validation);
    double usual;
    char number[32], times[32];
    const double rate = patient_rate(p, &usual);
    const int n = p->log.count;
    if (n < FEWEST) {
        opinion_cannot(o, "%d epoch%s in the log make no trend", n, n == 1 ? "" : "s");
        return;
    }
    if (usual > 0 && rate >= usual) {
        return;
    }
    const double middle = t.middle, fall = t.first > 0 ? (t.first - t.last) / t.first : 0;
    const double front = (t.first - middle) / (n / 2), back = (middle - t.last) / (n - 1 - n / 2);
    const int steady = fall > 0 && t.up < UNREST * (t.up + t.down) && back > STILL * front;
    const int flat = fall < FLAT && rate < FLAT * usual;
    if (last->train_accuracy >= ENOUGH || fall >= FAR || !(steady || flat)) {
        return;
    }
    opinion_says(o, "%s went from %.4g to %.4g in %d epochs, by %.1f %%%s.",
                 last->has_validation ? "val_loss" : "train_loss", t.first, t.last, n, 100 * fall,
                 steady ? ", without a jump, and still falls nearly as fast as at the start" : "");
    if (usual > 0) {
        opinion_says(o, "The learning rate was %s at most, 1/%s of %s's default.",
                     rate_print(number, rate), times_print(times, usual / rate),
                     p->settings->train.optimizer.type->name);
    } else {
        opinion_says(o, "The learning rate was %s at most.", rate_print(number, rate));
    }
    opinion_advises(o, "a learning rate of %s, and then of %s (train.optimizer: lr)",
                    rate_print(number, 10 * rate), rate_print(times, 100 * rate));
}

extern const struct symptom SYMPTOM_rate_too_low;
const struct symptom SYMPTOM_rate_too_low = {"learning rate too low", look};
