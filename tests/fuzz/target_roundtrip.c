/* target_roundtrip.c: the input chooses a network and its tensors; the model is written and read
 * again, by both readers, and must be the same: model_write, safetensors_write, model_load,
 * tensor_file_read. With FUZZ_SAMPLES=DIR in the environment each model is also left in DIR, for
 * tests/safetensors_check.py to judge. */
#include "base/tensor_file.h"
#include "fuzz/network.h"

#include <stdlib.h>
#include <string.h>

static void check_same(const struct model *a, const struct model *b)
{
    CHECK(a->graph.parameters == b->graph.parameters && a->graph.count == b->graph.count);
    CHECK(memcmp(a->parameters, b->parameters, a->graph.parameters * sizeof(float)) == 0);
    CHECK(a->classes.count == b->classes.count && a->epoch == b->epoch && a->step == b->step);
    for (int i = 0; i < a->classes.count; i++) {
        CHECK(strcmp(a->classes.values[i], b->classes.values[i]) == 0);
    }
    CHECK(a->input.c == b->input.c && a->input.h == b->input.h && a->input.w == b->input.w);
    CHECK(memcmp(&a->input.scale, &b->input.scale, sizeof a->input.scale) == 0);
    for (int k = 0; k < a->input.c; k++) {
        CHECK(memcmp(&a->input.mean[k], &b->input.mean[k], sizeof a->input.mean[k]) == 0);
        CHECK(memcmp(&a->input.std[k], &b->input.std[k], sizeof a->input.std[k]) == 0);
    }
}

/* Each tensor of the model, as the other reader sees it. */
static void check_tensors(const struct model *model)
{
    struct tensor_file file;
    struct arena arena = {0};
    struct tensor_entry *wanted;
    struct error e = {.offset = -1};
    CHECK(tensor_file_read(&file, "a.bin", &e) == 0);
    const int count = model_tensors(&model->graph, model->parameters, "", &arena, &wanted);
    CHECK(count == file.count);
    for (int i = 0; i < count; i++) {
        const struct stored_tensor *found = tensor_file_find(&file, wanted[i].name);
        CHECK(found != NULL && found->rank == wanted[i].rank && found->size == wanted[i].size);
        CHECK(memcmp(found->shape, wanted[i].shape, (size_t)found->rank * sizeof found->shape[0]) ==
              0);
        CHECK(memcmp(found->data, wanted[i].data, found->size * sizeof(float)) == 0);
    }
    tensor_file_free(&file);
    arena_free(&arena);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    struct dice dice = {data, size, 0};
    struct model model, again;
    struct error e = {.offset = -1};
    fuzz_no_files();
    if (network_make(&model, &dice, 1 << 14, 1e9) != 0) {
        return 0;
    }
    CHECK(model_write(&model, FUZZ_TARGET("a.bin"), &e) == 0);
    const size_t written = fuzz_written()->size;
    uint8_t *copy = malloc(written);
    CHECK(copy != NULL);
    memcpy(copy, fuzz_written()->data, written);
    fuzz_sample(copy, written);
    fuzz_file("a.bin", copy, written);
    CHECK(model_load(&again, "a.bin", &e) == 0);
    check_same(&model, &again);
    check_tensors(&model);
    CHECK(model_write(&again, FUZZ_TARGET("b.bin"), &e) == 0);
    CHECK(fuzz_written()->size == written && memcmp(fuzz_written()->data, copy, written) == 0);
    model_free(&again);
    model_free(&model);
    free(copy);
    return 0;
}
