/* target_model_eval.c: a model file whose config and checksums are right, but some of whose shapes,
 * names and sizes the input has changed: model_load; and if it is taken, which it must be just when
 * nothing was changed, some images go through the network: plan.c, fold.c, evaluate.c, the layers
 * and the plain kernels. */
#include "fuzz/network.h"
#include "train/evaluate.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TENSORS = 64, MOST_IMAGES = 18, MOST_PIXELS = 4 * 9 * 9 };

static int visit(void *user, const struct evaluated_tile *tile)
{
    size_t *images = user;
    CHECK(tile->live >= 1 && tile->live <= LANES && tile->first == *images);
    CHECK(tile->correct >= 0 && tile->correct <= tile->live);
    *images += (size_t)tile->live;
    return 0;
}

/* Some images, made of the input's bytes, through the network. */
static void evaluate_images(struct model *model, struct dice *dice)
{
    static uint8_t pixels[MOST_IMAGES * MOST_PIXELS];
    int32_t labels[MOST_IMAGES];
    const struct input *input = &model->input;
    struct dataset set = {.count = 1 + dice_below(dice, MOST_IMAGES),
                          .c = input->c,
                          .h = input->h,
                          .w = input->w,
                          .bytes = pixels,
                          .labels = labels,
                          .threads = 1,
                          .classes = model->classes.count};
    const size_t values = set.count * dataset_values(&set);
    CHECK(values <= sizeof pixels);
    for (size_t i = 0; i < values; i++) {
        pixels[i] = (uint8_t)(dice_byte(dice) ^ (i * 29));
    }
    for (size_t i = 0; i < set.count; i++) {
        labels[i] = (int32_t)dice_below(dice, (unsigned)model->classes.count);
    }
    struct subset subset;
    struct evaluator evaluator = {0};
    struct error e = {.offset = -1};
    size_t images = 0;
    CHECK(subset_all(&subset, &set, &e) == 0);
    CHECK(evaluator_open(&evaluator, &model->graph, input, &model->settings.train.loss,
                         model->parameters, fuzz_kernels(), model->classes.count, 1, &model->arena,
                         &e) == 0);
    CHECK(set.count > 1 || evaluator_single(&evaluator, &model->arena, &e) == 0);
    CHECK(evaluate(&evaluator, &subset, visit, &images) == 0 && images == set.count);
    evaluator_close(&evaluator);
    subset_free(&subset);
}

/* Change some of the tensors; 0 when they are as they were. */
static int change(struct tensor_entry *tensors, int count, struct dice *dice)
{
    static const float zeros[1 << 14];
    struct tensor_entry *t = &tensors[dice_below(dice, (unsigned)count)];
    const struct tensor_entry before = *t;
    const unsigned how = dice_below(dice, 8);
    if (how == 1 && t->rank > 0) {
        t->shape[dice_below(dice, (unsigned)t->rank)] = 1 + dice_below(dice, 9);
    } else if (how == 2 && t->rank > 0) {
        t->rank--;
    } else if (how == 3 && t->rank < 8) {
        t->shape[t->rank++] = 1 + dice_below(dice, 3);
    } else if (how == 4) {
        t->name = "other.weight";
    } else if (how == 5 && t->rank > 1) {
        t->shape[0] = before.shape[1];
        t->shape[1] = before.shape[0];
    }
    t->size = 1;
    for (int i = 0; i < t->rank; i++) {
        t->size *= t->shape[i];
    }
    if (t->size > sizeof zeros / sizeof *zeros) {
        *t = before;
    } else if (t->size > before.size) {
        t->data = zeros;
    }
    return t->name != before.name || t->rank != before.rank ||
           memcmp(t->shape, before.shape, (size_t)t->rank * sizeof t->shape[0]) != 0;
}

/* The written model with other tensors; whether there are such. */
static int rewrite(const struct bytes *file, struct dice *dice)
{
    struct safetensors st;
    struct tensor_entry tensors[MOST_TENSORS];
    struct error e = {.offset = -1};
    int changed = 0;
    fuzz_file("a.bin", file->data, file->size);
    CHECK(safetensors_read(&st, "a.bin", "cnntrain.format", &e) == 0);
    if (st.tensor_count > 0 && st.tensor_count <= MOST_TENSORS && dice_below(dice, 2) == 1) {
        memcpy(tensors, st.tensors, (size_t)st.tensor_count * sizeof *tensors);
        changed = change(tensors, st.tensor_count, dice);
        if (safetensors_write(FUZZ_TARGET("b.bin"), st.metadata, st.metadata_count, tensors,
                              st.tensor_count, &e) != 0) {
            CHECK(e.kind == ERROR_INTERNAL); /* a name twice */
            changed = -1;
        }
    }
    safetensors_free(&st);
    return changed;
}

int fuzz_one(const uint8_t *data, size_t size)
{
    struct dice dice = {data, size, 0};
    struct model model;
    struct error e = {.offset = -1};
    fuzz_no_files();
    if (network_make(&model, &dice, 1 << 14, 1e6) != 0) {
        return 0;
    }
    CHECK(model_write(&model, FUZZ_TARGET("a.bin"), &e) == 0);
    model_free(&model);
    struct bytes first = {malloc(fuzz_written()->size), fuzz_written()->size};
    CHECK(first.data != NULL);
    memcpy(first.data, fuzz_written()->data, first.size);
    const int changed = rewrite(&first, &dice);
    fuzz_file("b.bin", fuzz_written()->data, fuzz_written()->size);
    if (changed < 0) { /* nothing was written */
    } else if (model_load(&model, "b.bin", &e) == 0) {
        CHECK(!changed);
        evaluate_images(&model, &dice);
        model_free(&model);
    } else {
        CHECK(changed);
        fuzz_check_error(&e, KIND(ERROR_MODEL), fuzz_written()->size);
    }
    bytes_free(&first);
    return 0;
}
