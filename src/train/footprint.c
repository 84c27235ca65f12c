/* footprint.c: the peak of a run, from what the process has when all is prepared.
 *
 * Then arena and most of the libraries are resident: the system counts these better than a formula
 * could. What the run will touch for the first time is added by size: pixels that were not read
 * (dataset.h, outline), the evaluator's memory, a stack for each thread, the code of the kernels.
 * Or the peak is before that, while data are read. Later nothing of size is allocated. */
#include "train/footprint.h"

#include "base/memory.h"

/* Measured on x86-64 Linux: pages of code that only training runs, or
 * only loading, and the stack of a thread but
 * the first. */
#define LATER_CODE ((uint64_t)520 << 10)
#define LOADING_CODE ((uint64_t)200 << 10)
#define THREAD_STACK ((uint64_t)32 << 10)

static uint64_t image_bytes(const struct dataset *set)
{
    const uint64_t images = set->list ? set->held : set->count;
    return images * dataset_values(set) * (set->floats ? sizeof(float) : 1);
}

/* What is still to come of a set, and what its loading takes besides for a while. */
static void add_outline(const struct dataset *set, uint64_t *pixels, uint64_t *passing)
{
    if (set->outline) {
        *pixels += image_bytes(set);
        *passing += set->passing;
    }
}

struct footprint footprint_of(const struct trainer *t)
{
    const uint64_t resident = memory_resident(), peak = memory_peak();
    struct footprint f = {.images = image_bytes(&t->train_set) + image_bytes(&t->validation_set)};
    uint64_t pixels = 0, passing = 0;
    if (t->validation.count > 0) {
        f.evaluation = evaluator_uses(&t->evaluator, t->validation.count);
    }
    add_outline(&t->train_set, &pixels, &passing);
    add_outline(&t->validation_set, &pixels, &passing);
    if (resident == 0) {
        f.most = peak > 0 ? peak + pixels + f.evaluation : 0;
        return f;
    }
    const uint64_t code = LATER_CODE + (t->train_set.outline ? LOADING_CODE : 0),
                   run = pixels + f.evaluation + code + (uint64_t)(t->threads - 1) * THREAD_STACK,
                   load = pixels + passing; /* when there is no arena yet */
    f.most = resident + run;
    if (load > run + t->memory_bytes) {
        f.most = resident + load - t->memory_bytes;
    }
    f.most = f.most > peak ? f.most : peak;
    return f;
}
