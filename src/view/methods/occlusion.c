/* occlusion.c: cover a square of the image and see by how much the class's score falls: Zeiler,
 * Fergus 2014, section 4.2. The square is what the network gets as 0: the mean of the training
 * images where `normalize` is standard, else black.
 *
 *     map[y][x] = s(image) - s(image with the square about the cell of (y, x) covered)
 *
 * Squares step over the image; each gives its cell, stride by stride pixels, one value. Sixteen
 * squares are a tile, and threads take tiles: a value knows nothing of its neighbours. */
#include "view/method.h"

#include <omp.h>

struct occlusion {
    int size[2], stride[2];
};

static const struct option OPTIONS[] = {
    {.key = "size",
     .kind = &OPTION_PAIR,
     .offset = offsetof(struct occlusion, size),
     .fallback = "",
     .low = 1,
     .high = 16384,
     .help = "of the square (default: a quarter of the image's sides)"},
    {.key = "stride",
     .kind = &OPTION_PAIR,
     .offset = offsetof(struct occlusion, stride),
     .fallback = "",
     .low = 1,
     .high = 16384,
     .help = "its steps (default: 1, or what makes 48 in a row)"},
    OPTION_END,
};

enum { IN_A_ROW = 48 };

struct squares {
    const struct question *question;
    int size[2], stride[2], across, count;
};

/* The part of a side that square `step` covers: from, and up to. */
static void covered(const struct squares *s, int side, int step, int length, int *from, int *to)
{
    const int first = step * s->stride[side] + (s->stride[side] - 1) / 2 - (s->size[side] - 1) / 2;
    *from = first > 0 ? first : 0;
    *to = first + s->size[side] < length ? first + s->size[side] : length;
}

static void cover(const struct squares *s, struct probe *probe, int square, int lane)
{
    const struct shape in = probe->graph->input;
    int top, bottom, left, right;
    probe_put(probe, lane, s->question->specimen->x);
    covered(s, 0, square / s->across, in.h, &top, &bottom);
    covered(s, 1, square % s->across, in.w, &left, &right);
    for (int c = 0; c < in.c; c++) {
        for (int y = top; y < bottom; y++) {
            for (int x = left; x < right; x++) {
                probe_output(probe, NETWORK_INPUT)
                    [(((size_t)c * (size_t)in.h + (size_t)y) * (size_t)in.w + (size_t)x) * LANES +
                     (size_t)lane] = 0;
            }
        }
    }
}

/* A square's value to its cell. */
static void fill_cell(const struct squares *s, struct shape in, int square, float value, float *map)
{
    const int top = square / s->across * s->stride[0], left = square % s->across * s->stride[1];
    for (int y = top; y < top + s->stride[0] && y < in.h; y++) {
        for (int x = left; x < left + s->stride[1] && x < in.w; x++) {
            map[(size_t)y * (size_t)in.w + (size_t)x] = value;
        }
    }
}

static void run_tile(const struct squares *s, struct probe *probe, int first, float *map)
{
    const int last = probe->graph->count - 1,
              live = s->count - first < LANES ? s->count - first : LANES;
    const size_t score = (size_t)s->question->class * LANES;
    for (int lane = 0; lane < LANES; lane++) {
        cover(s, probe, first + (lane < live ? lane : 0), lane);
    }
    probe_forward(probe, last);
    for (int lane = 0; lane < live; lane++) {
        fill_cell(s, probe->graph->input, first + lane,
                  probe_output(s->question->probe, last)[score] -
                      probe_output(probe, last)[score + (size_t)lane],
                  map);
    }
}

static int occlusion_find(const void *options, const struct question *question, float *map,
                          struct error *e)
{
    const struct occlusion *o = options;
    const struct shape in = question->probe->graph->input;
    struct squares s = {.question = question};
    const int length[2] = {in.h, in.w};
    for (int side = 0; side < 2; side++) {
        s.size[side] = o->size[side] > 0 ? o->size[side] : (length[side] + 3) / 4;
        s.stride[side] =
            o->stride[side] > 0 ? o->stride[side] : (length[side] + IN_A_ROW - 1) / IN_A_ROW;
    }
    s.across = (in.w + s.stride[1] - 1) / s.stride[1];
    s.count = s.across * ((in.h + s.stride[0] - 1) / s.stride[0]);
    const int threads = question->view->threads;
    struct probe *probes =
        probes_open(threads, question->probe->graph, question->probe->run.parameters,
                    question->view->kernels, 0, e);
    if (probes == NULL) {
        return -1;
    }
#pragma omp parallel num_threads(threads)
    {
        struct probe *probe = &probes[omp_get_thread_num()];
#pragma omp for schedule(static)
        for (int first = 0; first < s.count; first += LANES) {
            run_tile(&s, probe, first, map);
        }
    }
    probes_close(probes, threads);
    return 0;
}

extern const struct method METHOD_occlusion;
const struct method METHOD_occlusion = {
    .member = {.name = "occlusion",
               .help = "how far the score falls when a square there is covered",
               .options = OPTIONS,
               .size = sizeof(struct occlusion)},
    .find = occlusion_find,
};
