/* gradcheck.c: see gradcheck.h. */
#include "teach/gradcheck_internal.h"

#include "base/rng.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- the tile ---- */

static int live_of(const struct trainer *t)
{
    const size_t batch = (size_t)t->model.settings.train.batch_size;
    const size_t most = batch < LANES ? batch : LANES;
    return (int)(t->epoch_samples < most ? t->epoch_samples : most);
}

/* The first samples of the first epoch, as training takes them. */
static void lay_in(struct checker *c)
{
    struct trainer *t = c->t;
    const int live = live_of(t);
    trainer_shuffle(t);
    if (t->augmenter.list) {
        augment_tile(&t->augmenter, (uint32_t)t->position.epoch, t->order, live, c->input,
                     &c->labels, t->augment_scratch);
    } else {
        uint32_t samples[LANES];
        for (int i = 0; i < live; i++) {
            samples[i] = drawn_sample(t->order[i], t->train.set);
        }
        input_tile(&t->model.input, t->train.set, samples, live, c->input, &c->labels, t->kernels);
    }
    c->run = (struct run){.kernels = t->kernels,
                          .training = 1,
                          .seed = t->model.settings.seed,
                          .epoch = (uint32_t)t->position.epoch,
                          .parameters = c->parameters,
                          .gradients = c->gradients,
                          .shared = t->shared};
    double weight = 0;
    for (int lane = 0; lane < LANES; lane++) {
        c->run.samples[lane] = t->order[lane < live ? lane : 0];
        c->run.live[lane] = lane < live ? 1 : 0;
        weight += loss_weight(t->model.settings.train.loss.options, &c->labels, lane);
    }
    c->scale = 1 / weight;
}

static void find_loss(const struct checker *c, const float *z, float *loss, float *dz)
{
    const struct trainer *t = c->t;
    t->loss->evaluate(t->model.settings.train.loss.options, t->kernels, t->model.classes.count, z,
                      &c->labels, (float)c->scale, loss, dz);
}

/* ---- what backward says ---- */

/* The tile through the plan that training uses, there and back. */
static void find_gradients(struct checker *c)
{
    struct trainer *t = c->t;
    const struct plan *plan = &t->plan;
    float *block = t->blocks;
    const size_t outputs = (size_t)t->model.classes.count * LANES;
    const struct meeting meeting = {1, (size_t)live_of(t), t->tile_sums, c->graph->sums};
    memcpy(c->parameters, t->parameters, c->graph->parameters * sizeof *c->parameters);
    memcpy(block + plan->input, c->input, shape_size(c->graph->input) * LANES * sizeof *block);
    net_prepare(c->graph, &c->run);
    for (int s = 0; s <= plan->cut_count; s++) {
        net_forward_segment(c->graph, plan, &c->run, block, s, t->tile_sums);
        if (s < plan->cut_count) {
            net_meet(c->graph, plan, &c->run, s, &meeting, c->parameters);
        }
    }
    memcpy(c->z, block + plan->logits, outputs * sizeof *c->z);
    find_loss(c, c->z, c->loss, block + plan->dlogits);
    memcpy(c->dz, block + plan->dlogits, outputs * sizeof *c->dz);
    for (int s = plan->cut_count; s >= 0; s--) {
        net_backward_segment(c->graph, plan, &c->run, block, s, t->tile_sums);
        if (s > 0) {
            net_meet_back(c->graph, plan, &c->run, s - 1, &meeting);
        }
    }
}

/* ---- differences ---- */

struct probe {
    const struct checker *c;
    struct bench *bench;
    struct element *element;
};

/* The sum of g z with the element at `value`. */
static double weighed_outputs(const struct probe *p, float value)
{
    const struct checker *c = p->c;
    struct walk *walk = &p->bench->walk;
    const int last = c->graph->count - 1;
    float *parameters = p->bench->parameters;
    const float kept = parameters[p->element->at];
    double sum = 0;
    parameters[p->element->at] = value;
    walk_forward(walk, &c->run, parameters, c->input, p->element->node->index, &c->base);
    parameters[p->element->at] = kept;
    for (size_t i = 0; i < (size_t)c->t->model.classes.count * LANES; i++) {
        sum += (double)c->dz[i] * ((double)walk->y[last][i] - (double)c->z[i]);
    }
    p->element->crossed = walk->crossed > p->element->crossed ? walk->crossed : p->element->crossed;
    return sum;
}

/* What rounding does to that sum: it moves so much when every weight is the next float, up or down
 * by chance; the mean square of some. */
static void find_noise(struct checker *c)
{
    enum { TWINS = 8 };
    const int last = c->graph->count - 1;
    struct bench *bench = &c->benches[0];
    double squares = 0;
    for (uint32_t twin = 0; twin < TWINS; twin++) {
        for (size_t i = 0; i < c->graph->moved; i++) {
            const struct philox_words words =
                philox(c->t->model.settings.seed, twin, (uint32_t)i, 1, RNG_GRADCHECK);
            const float here = c->t->parameters[i];
            bench->parameters[i] =
                here == 0 ? 0 : nextafterf(here, words.v[0] & 1 ? INFINITY : -INFINITY);
        }
        walk_forward(&bench->walk, &c->run, bench->parameters, c->input, 0, &c->base);
        double sum = 0;
        for (size_t i = 0; i < (size_t)c->t->model.classes.count * LANES; i++) {
            sum += (double)c->dz[i] * ((double)bench->walk.y[last][i] - (double)c->base.y[last][i]);
        }
        squares += sum * sum / TWINS;
    }
    memcpy(bench->parameters, c->t->parameters, c->graph->parameters * sizeof(float));
    c->z_noise = 2 * sqrt(squares);
}

static double parameter_difference(void *user, double h, double *noise)
{
    const struct probe *p = user;
    const float here = p->c->t->parameters[p->element->at];
    const float above = (float)((double)here + h), below = (float)((double)here - h);
    const double width = (double)above - (double)below;
    *noise = 2 * p->c->z_noise / width;
    return (weighed_outputs(p, above) - weighed_outputs(p, below)) / width;
}

static double loss_at(const struct probe *p, float value)
{
    const struct checker *c = p->c;
    const size_t at = p->element->at;
    float loss[LANES] __attribute__((aligned(64)));
    memcpy(p->bench->z, c->z, (size_t)c->t->model.classes.count * LANES * sizeof *c->z);
    p->bench->z[at] = value;
    find_loss(c, p->bench->z, loss, NULL);
    return (double)loss[at % LANES] * c->scale;
}

static double loss_difference(void *user, double h, double *noise)
{
    const struct probe *p = user;
    const float here = p->c->z[p->element->at];
    const float above = (float)((double)here + h), below = (float)((double)here - h);
    const double one = loss_at(p, above), other = loss_at(p, below),
                 width = (double)above - (double)below;
    *noise = 4 * (double)FLT_EPSILON * (fabs(one) + fabs(other) + p->c->scale) / width;
    return (one - other) / width;
}

static void check_elements(struct checker *c)
{
#pragma omp parallel for schedule(dynamic, 1) num_threads(c->t->threads)
    for (int i = 0; i < c->count; i++) {
        struct element *element = &c->elements[i];
        struct probe probe = {c, &c->benches[omp_get_thread_num()], element};
        element->numeric = differentiate(element->node ? parameter_difference : loss_difference,
                                         &probe, element->start);
    }
}

/* ---- memory ---- */

static float *take(char **at, size_t n)
{
    float *here = (float *)(void *)*at;
    *at += (n * sizeof(float) + 63) / 64 * 64;
    return here;
}

static int allocate(struct checker *c, struct arena *arena, int elements, int rows, struct error *e)
{
    const size_t outputs = (size_t)c->t->model.classes.count * LANES,
                 input = shape_size(c->graph->input) * LANES, n = c->graph->parameters,
                 moved = c->graph->moved, most = moved > outputs ? moved : outputs;
    const size_t threads = (size_t)c->t->threads;
    const size_t floats = input + (2 + threads) * outputs + (1 + threads) * n + moved + most +
                          LANES + (8 + 2 * threads) * LANES;
    c->memory = block_allocate(floats * sizeof(float));
    c->benches = arena_alloc(arena, threads * sizeof *c->benches);
    c->elements = arena_alloc(arena, (size_t)rows * (size_t)elements * sizeof *c->elements);
    if (!c->memory || !c->benches || !c->elements) {
        return error_memory(e, floats * sizeof(float));
    }
    memset(c->memory, 0, floats * sizeof(float)); /* what is between the tensors, too */
    char *at = c->memory;
    c->input = take(&at, input);
    c->z = take(&at, outputs);
    c->dz = take(&at, outputs);
    c->parameters = take(&at, n);
    c->gradients = take(&at, moved);
    c->used = take(&at, most);
    c->loss = take(&at, LANES);
    TRY(walk_open(&c->base, c->graph, arena, e));
    for (int i = 0; i < c->t->threads; i++) {
        c->benches[i].parameters = take(&at, n);
        c->benches[i].z = take(&at, outputs);
        TRY(walk_open(&c->benches[i].walk, c->graph, arena, e));
    }
    return 0;
}

static void release(struct checker *c)
{
    walk_close(&c->base);
    for (int i = 0; i < c->t->threads && c->benches; i++) {
        walk_close(&c->benches[i].walk);
    }
    free(c->memory);
}

/* ---- all of it ---- */

/* The loss of the tile, or a fault when it is none. */
static int find_tile_loss(const struct checker *c, struct gradcheck *check, struct error *e)
{
    check->samples = live_of(c->t);
    for (int lane = 0; lane < check->samples; lane++) {
        check->loss += (double)c->loss[lane] * c->scale;
    }
    return isfinite(check->loss) && all_finite(c->gradients, c->graph->moved)
               ? 0
               : error_set(e, ERROR_NUMERIC, NULL,
                           "the loss or a gradient is not finite: there is nothing to compare");
}

static int run_checker(struct checker *c, struct gradcheck *check, int elements, struct error *e)
{
    struct trainer *t = c->t;
    lay_in(c);
    TRY(dataset_failed(t->train.set, e));
    find_gradients(c);
    TRY(find_tile_loss(c, check, e));
    for (int i = 0; i < t->threads; i++) {
        memcpy(c->benches[i].parameters, t->parameters, c->graph->parameters * sizeof(float));
    }
    walk_forward(&c->base, &c->run, c->parameters, c->input, 0, NULL);
    find_noise(c);
    gradcheck_choose(c, check, elements, c->used);
    check_elements(c);
    for (int i = 0; i < c->count; i++) {
        gradcheck_judge(check, &c->elements[i]);
    }
    for (int i = 0; i < check->count; i++) {
        check->wrong += check->rows[i].wrong > 0;
    }
    return 0;
}

int gradcheck_run(struct trainer *t, int elements, struct gradcheck *check, struct error *e)
{
    struct checker c = {.t = t, .graph = &t->model.graph};
    struct arena arena = {0};
    const int rows = model_tensor_count(c.graph) + 1;
    *check = (struct gradcheck){
        .rows = arena_alloc(&t->model.arena, (size_t)rows * sizeof *check->rows)};
    int status = check->rows ? allocate(&c, &arena, elements, rows, e)
                             : error_memory(e, (size_t)rows * sizeof *check->rows);
    if (status == 0) {
        status = run_checker(&c, check, elements, e);
    }
    release(&c);
    arena_free(&arena);
    return status;
}
