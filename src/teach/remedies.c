/* remedies.c: the lecture's remedies against overfitting, and whether a config uses them. What a
 * layer or an augmentation is good for, its type says (`remedy`). */
#include "teach/symptom.h"

#include "data/augmentation.h"
#include "optim/optimizer.h"

#include <string.h>

struct remedy {
    const char *name;
    int (*is_used)(const struct patient *patient, const char *name);
};

static int in_layers(const struct patient *p, const char *name)
{
    for (int i = 0; p->graph && i < p->graph->count; i++) {
        const char *remedy = p->graph->nodes[i].type->remedy;
        if (remedy && strcmp(remedy, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static int in_augment(const struct augmentations *list, const char *name)
{
    for (int i = 0; i < list->count; i++) {
        const struct augmentation *type = (const void *)list->steps[i].type;
        if (type->remedy && strcmp(type->remedy, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static int is_in_layers(const struct patient *p, const char *name) { return in_layers(p, name); }

static int is_noise(const struct patient *p, const char *name)
{
    return in_layers(p, name) || in_augment(&p->settings->augment, name);
}

static int is_stopped(const struct patient *p, const char *name)
{
    (void)name;
    return p->settings->train.early_stopping.monitor != NULL;
}

static int is_augmented(const struct patient *p, const char *name)
{
    (void)name;
    return p->settings->augment.count > 0;
}

/* The decoupled decay of an optimizer that has one. */
static int decays(const struct choice *optimizer)
{
    for (const struct option *row = optimizer->type->options; row && row->key; row++) {
        if (strcmp(row->key, "weight_decay") == 0) {
            return *(const float *)(const void *)((const char *)optimizer->options + row->offset) >
                   0;
        }
    }
    return 0;
}

static int is_penalized(const struct patient *p, const char *name)
{
    const struct regularize *all = &p->settings->train.regularize;
    (void)name;
    int used = all->l1 > 0 || all->l2 > 0 || decays(&p->settings->train.optimizer);
    for (int i = 0; p->graph && i < p->graph->count; i++) {
        const struct layer_options *options = p->graph->nodes[i].options;
        if (p->graph->nodes[i].needs.parameter_count > 0 && options->regularize.given) {
            used |= options->regularize.l1 > 0 || options->regularize.l2 > 0;
        }
    }
    return used;
}

static const struct remedy REMEDIES[] = {
    {"dropout", is_in_layers},
    {"early stopping", is_stopped},
    {"augmentation", is_augmented},
    {"L1 or L2 (both: elastic net)", is_penalized},
    {"noise", is_noise},
    {"batch normalisation", is_in_layers},
};

void remedies_list(const struct patient *p, struct text *used, struct text *unused)
{
    for (size_t i = 0; p->settings && i < sizeof REMEDIES / sizeof *REMEDIES; i++) {
        struct text *list = REMEDIES[i].is_used(p, REMEDIES[i].name) ? used : unused;
        text_append(list, "%s%s", list->length > 0 ? ", " : "", REMEDIES[i].name);
    }
}
