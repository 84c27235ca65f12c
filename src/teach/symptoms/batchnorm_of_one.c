/* batchnorm_of_one.c: batch normalisation whose batch is a single image: its mean and variance are
 * those of that image, so the network sees in training what it will never see in use, where the
 * running statistics of many images serve. */
#include "teach/symptom.h"

static void look(const struct patient *p, struct opinion *o)
{
    const struct node *first = NULL;
    int count = 0;
    if (!p->graph) {
        opinion_cannot(o, "that takes the model, or the config and the data");
        return;
    }
    for (int i = 0; i < p->graph->count; i++) {
        const struct node *node = &p->graph->nodes[i];
        if (node->couples) {
            first = first ? first : node;
            count++;
        }
    }
    const long long batch = p->settings->train.batch_size;
    const long long images = p->has_model ? p->model.facts.train.images : 0;
    if (!first || (batch > 1 && images % batch != 1)) {
        return;
    }
    if (batch == 1) {
        opinion_says(o,
                     "A batch has one image (train.batch_size: 1), and %d layer%s, '%s' first, "
                     "normalise%s over the batch: by the mean and variance of that image alone.",
                     count, count == 1 ? "" : "s", first->name, count == 1 ? "s" : "");
    } else {
        opinion_says(o,
                     "The last batch of each epoch has one image (%lld images in batches of "
                     "%lld), and '%s' normalises it by its own mean and variance.",
                     images, batch, first->name);
    }
    const struct log_row *row = patient_kept(p);
    if (row && row->has_validation) {
        opinion_says(o,
                     "train_accuracy is %.1f %%, val_accuracy, with the running statistics, "
                     "%.1f %%.",
                     100 * row->train_accuracy, 100 * row->val_accuracy);
    }
    opinion_advises(o, batch == 1 ? "batches of 16 or more (train.batch_size)"
                                  : "another train.batch_size, that leaves no image alone");
    opinion_advises(o, "groupnorm or layernorm, which do not look at other images");
}

extern const struct symptom SYMPTOM_batchnorm_of_one;
const struct symptom SYMPTOM_batchnorm_of_one = {"batch normalisation with a batch of one", look};
