/* specimen.c: see specimen.h. */
#include "view/specimen.h"

#include "train/loading.h"
#include "view/pictures.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void specimen_pixels(const struct input *input, const float *x, float *pixels)
{
    const size_t plane = (size_t)input->h * (size_t)input->w;
    for (int c = 0; c < input->c; c++) {
        const double white = 255 * input->scale;
        for (size_t i = c * plane; i < (c + 1) * plane; i++) {
            pixels[i] = (float)(((double)x[i] * input->std[c] + input->mean[c]) / white);
        }
    }
}

/* Images of floats have no black and white of their own: these are the least and the greatest. */
static void stretch(float *pixels, size_t n)
{
    float least = pixels[0], most = pixels[0];
    for (size_t i = 1; i < n; i++) {
        least = pixels[i] < least ? pixels[i] : least;
        most = pixels[i] > most ? pixels[i] : most;
    }
    for (size_t i = 0; i < n; i++) {
        pixels[i] = most > least ? (pixels[i] - least) / (most - least) : 0;
    }
}

int specimen_set(struct dataset *set, const struct model *model, const char *path, int threads,
                 struct error *e)
{
    const struct loading how = loading_of_model(model, threads);
    *set = (struct dataset){0};
    TRY(dataset_load(set, &(struct source){.images = path}, &how, e));
    TRY(dataset_check_labels(set, model->classes.count, ERROR_MODEL, e));
    return input_check(&model->input, set, ERROR_MODEL, e);
}

/* "TESTSET:N", unless there is a file of that name. */
static int names_sample(const char *argument, char *path, size_t size, long long *index)
{
    const char *colon = strrchr(argument, ':');
    if (colon == NULL || (size_t)(colon - argument) >= size || access(argument, F_OK) == 0 ||
        text_to_integer(colon + 1, strlen(colon + 1), index) != 0 || *index < 0) {
        return 0;
    }
    snprintf(path, size, "%.*s", (int)(colon - argument), argument);
    return 1;
}

static int load_sample(struct specimen *specimen, const struct model *model, const char *path,
                       long long index, const struct kernels *kernels, int threads, struct error *e)
{
    struct dataset set;
    int status = specimen_set(&set, model, path, threads, e);
    if (status == 0 && index >= (long long)set.count) {
        status = error_set(e, ERROR_DATA, path, "there are images 0 to %zu, and no %lld",
                           set.count - 1, index);
    }
    if (status == 0) {
        input_image(&model->input, &set, (uint32_t)index, specimen->x, kernels);
        specimen->label = set.labels[index];
        status = dataset_failed(&set, e);
        specimen_pixels(&model->input, specimen->x, specimen->pixels);
        if (set.floats != NULL) {
            stretch(specimen->pixels, shape_size(specimen->shape));
        }
    }
    dataset_free(&set);
    return status;
}

static int load_picture(struct specimen *specimen, const struct model *model, const char *path,
                        const struct kernels *kernels, struct error *e)
{
    const struct loading how = loading_of_model(model, 1);
    const struct target target = {how.c, how.h, how.w, how.fit};
    const size_t size = shape_size(specimen->shape);
    if (how.c != 1 && how.c != 3) {
        return error_set(e, ERROR_MODEL, path, "the model takes %d channels: no image has them",
                         how.c);
    }
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return error_memory(e, size);
    }
    const int status = picture_load(path, &target, bytes, e);
    if (status == 0) {
        const struct dataset set = {.count = 1, .c = how.c, .h = how.h, .w = how.w, .bytes = bytes};
        input_image(&model->input, &set, 0, specimen->x, kernels);
        specimen_pixels(&model->input, specimen->x, specimen->pixels);
    }
    free(bytes);
    return status;
}

int specimen_load(struct specimen *specimen, const struct model *model, const char *argument,
                  const struct kernels *kernels, int threads, struct error *e)
{
    char path[4096];
    long long index;
    *specimen = (struct specimen){.shape = model->graph.input, .label = -1};
    const size_t bytes = 2 * (shape_size(specimen->shape) + LANES) * sizeof(float);
    specimen->x = block_allocate(bytes);
    if (specimen->x == NULL) {
        return error_memory(e, bytes);
    }
    specimen->pixels = specimen->x + (shape_size(specimen->shape) + LANES - 1) / LANES * LANES;
    if (names_sample(argument, path, sizeof path, &index)) {
        return load_sample(specimen, model, path, index, kernels, threads, e);
    }
    return load_picture(specimen, model, argument, kernels, e);
}

void specimen_free(struct specimen *specimen)
{
    free(specimen->x);
    *specimen = (struct specimen){0};
}
