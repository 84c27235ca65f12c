/* dead_relu.c: units of a relu that give 0 for every image: no gradient passes them, so they will
 * never come back. A few are common; a quarter of a layer is told. */
#include "teach/symptom.h"

static const double MANY = 0.25;

static void look(const struct patient *p, struct opinion *o)
{
    int layers = 0;
    if (!p->has_data) {
        opinion_cannot(o, "that takes the model and the data");
        return;
    }
    for (int i = 0; i < p->rectified_count; i++) {
        const struct rectified *r = &p->rectified[i];
        if (r->dead < MANY * r->units) {
            continue;
        }
        const char *what = r->node->out.h > 1 || r->node->out.w > 1 ? "channel" : "unit";
        char count[32];
        opinion_says(o, "'%s': %d of %d %ss gave nothing but 0 for all of %s training images.",
                     r->node->name, r->dead, r->units, what, text_from_count(count, p->looked_at));
        layers++;
    }
    if (!o->seen) {
        return;
    }
    opinion_says(o, "No gradient comes through %s, so %s.", layers == 1 ? "these" : "any of these",
                 "they stay as they are");
    opinion_advises(o, "a lower learning rate: one step too large is enough to kill them");
    opinion_advises(o, "leaky_relu or elu in place of relu: their gradient is never 0");
    opinion_advises(o, "batchnorm before the relu, or the weights' default start (init: he) and "
                       "biases that start at 0");
}

extern const struct symptom SYMPTOM_dead_relu;
const struct symptom SYMPTOM_dead_relu = {"dead relu", look};
