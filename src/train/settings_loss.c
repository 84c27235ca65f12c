/* settings_loss.c: the keys of `train` that concern the loss: label_smoothing and class_weights.
 *
 *     class_weights: balanced      w[k] = n / (classes * samples of class k), of the training set
 *     class_weights: [1, 2.5, ..]  one a class
 *
 * A balanced weight is replaced by its number once the training set is known, so that a model says
 * what it was trained with, and is evaluated with the same. */
#include "train/settings_groups.h"

#include "net/loss.h"

#include <stdlib.h>
#include <string.h>

static int weights_decode(const struct option *option, void *field, const struct yaml *value,
                          struct decoder *decoder)
{
    struct class_weights *weights = field;
    if (value->kind == YAML_SCALAR && strcmp(value->text, "balanced") == 0) {
        weights->balanced = 1;
        return 0;
    }
    if (value->kind != YAML_LIST) {
        char shown[400];
        const int is_text = value->kind == YAML_SCALAR;
        if (is_text) {
            text_escape(shown, sizeof shown, value->text, value->length);
        }
        return yaml_error(decoder->errors, value,
                          "'%s' must be balanced or a list of numbers, one a class, got %s%s%s",
                          option->key, is_text ? "'" : "", is_text ? shown : yaml_kind_name(value),
                          is_text ? "'" : "");
    }
    return OPTION_NUMBERS.decode(option, &weights->values, value, decoder);
}

static void weights_emit(const struct option *option, const void *field, struct text *out,
                         int indent)
{
    const struct class_weights *weights = field;
    if (weights->values.count > 0) {
        OPTION_NUMBERS.emit(option, &weights->values, out, indent);
    } else if (weights->balanced) {
        text_append(out, "balanced");
    }
}

static void weights_describe(const struct option *option, struct text *out)
{
    text_append(out, "balanced, or one a class, ");
    OPTION_NUMBERS.describe(option, out);
}

const struct option_kind OPTION_CLASS_WEIGHTS = {.name = "word or list of numbers",
                                                 .decode = weights_decode,
                                                 .emit = weights_emit,
                                                 .describe = weights_describe};

/* The weights as the loss wants them. */
static int hand_over(struct settings *s, struct arena *arena, struct error_list *errors)
{
    const struct numbers *values = &s->train.class_weights.values;
    struct loss_options *options = s->train.loss.options;
    float *weights = arena_alloc(arena, (size_t)values->count * sizeof *weights);
    if (!weights) {
        return error_memory(error_next(errors), (size_t)values->count * sizeof *weights);
    }
    for (int k = 0; k < values->count; k++) {
        weights[k] = (float)values->values[k];
    }
    options->terms.weights = weights;
    return 0;
}

int settings_join_loss(struct settings *s, struct arena *arena, struct error_list *errors)
{
    const struct loss_type *type = (const void *)s->train.loss.type;
    const struct class_weights *weights = &s->train.class_weights;
    char able[160];
    int failed = 0;
    if (!type || !s->train.loss.options) {
        return -1; /* reported */
    }
    struct loss_options *options = s->train.loss.options;
    options->terms.smoothing = s->train.label_smoothing;
    if (s->train.label_smoothing > 0 && !(type->flags & LOSS_SMOOTHING)) {
        losses_with(LOSS_SMOOTHING, able, sizeof able);
        failed |= yaml_error(errors, settings_place(s, "train", "label_smoothing", NULL),
                             "'label_smoothing' means nothing to the loss '%s'; it is for %s",
                             type->member.name, able);
    }
    if ((weights->balanced || weights->values.count > 0) && !(type->flags & LOSS_WEIGHTS)) {
        losses_with(LOSS_WEIGHTS, able, sizeof able);
        failed |= yaml_error(errors, settings_place(s, "train", "class_weights", NULL),
                             "'class_weights' mean nothing to the loss '%s'; they are for %s",
                             type->member.name, able);
    }
    if (weights->values.count > 0) {
        failed |= hand_over(s, arena, errors);
    }
    return failed ? -1 : 0;
}

/* The numbers that `balanced` stands for. */
static int balance(struct settings *s, const struct subset *train, int classes, struct arena *arena,
                   struct error_list *errors)
{
    struct class_weights *weights = &s->train.class_weights;
    double *values = arena_alloc(arena, (size_t)classes * sizeof *values);
    if (!values) {
        return error_memory(error_next(errors), (size_t)classes * sizeof *values);
    }
    memset(values, 0, (size_t)classes * sizeof *values);
    for (size_t i = 0; i < train->count; i++) {
        values[train->set->labels[train->index[i]]]++;
    }
    for (int k = 0; k < classes; k++) {
        if (values[k] < 1) {
            return yaml_error(errors, settings_place(s, "train", "class_weights", NULL),
                              "class '%s' has no sample in the training set, so there is no "
                              "balanced weight for it; write a list of numbers",
                              s->data.classes.values[k]);
        }
        values[k] = (double)train->count / ((double)classes * values[k]);
    }
    weights->values = (struct numbers){classes, values};
    return hand_over(s, arena, errors);
}

int settings_weigh_classes(struct settings *s, const struct subset *train, int classes,
                           struct arena *arena, struct error_list *errors)
{
    const struct class_weights *weights = &s->train.class_weights;
    if (weights->balanced && weights->values.count == 0 && train) {
        return balance(s, train, classes, arena, errors);
    }
    if ((weights->balanced || weights->values.count > 0) && weights->values.count != classes) {
        return yaml_error(errors, settings_place(s, "train", "class_weights", NULL),
                          "'class_weights' has %d number%s, but there are %d classes",
                          weights->values.count, weights->values.count == 1 ? "" : "s", classes);
    }
    return 0;
}
