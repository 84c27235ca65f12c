/* class_never_predicted.c: there are images of a class, and the model never says it. */
#include "teach/symptom.h"

#include <string.h>

enum { MOST_NAMED = 3 };

/* Training images of a class, in the mean. */
static size_t average_of(const struct patient *p)
{
    return p->trainer.train.count / (size_t)p->classes;
}

static void look(const struct patient *p, struct opinion *o)
{
    int never = 0, untrained = 0, rare = 0;
    if (!p->has_data) {
        opinion_cannot(o, "that takes the model and the data");
        return;
    }
    for (int k = 0; k < p->classes; k++) {
        const struct class_metrics m = metrics_of_class(&p->metrics, k);
        char name[120];
        if (m.predicted > 0 || (m.support == 0 && p->train_images[k] > 0)) {
            continue;
        }
        untrained += p->train_images[k] == 0;
        rare += p->train_images[k] > 0 && 2 * p->train_images[k] < average_of(p);
        if (never++ < MOST_NAMED) {
            text_sanitize(name, sizeof name, p->names->values[k], strlen(p->names->values[k]));
            opinion_says(o,
                         "Class '%s' is never predicted: %zu of the %zu %s images are of it, and "
                         "%zu of the training set's.",
                         name, m.support, p->metrics.count, p->set_name, p->train_images[k]);
        }
    }
    if (never > MOST_NAMED) {
        opinion_says(o, "%d more of the %d classes are never predicted either.", never - MOST_NAMED,
                     p->classes);
    }
    if (untrained > 0) {
        opinion_advises(o, "a class without training images cannot be learned: cnntrain "
                           "--check-data shows what is in the sets");
    }
    if (rare > 0) {
        opinion_advises(o, "there are far fewer images of it than of others: data.over_sample: "
                           "balanced, or train.class_weights: balanced");
    }
    if (never > untrained + rare) {
        opinion_advises(o, "there are enough images of it: if others are not learned either, see "
                           "the other symptoms first; else look at what it is taken for "
                           "(cnneval), and at its labels");
    }
}

extern const struct symptom SYMPTOM_class_never_predicted;
const struct symptom SYMPTOM_class_never_predicted = {"a class never predicted", look};
