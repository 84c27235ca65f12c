/* maximize.c: activation maximisation: an image, made from noise, that excites a unit. Erhan,
 * Bengio, Courville, Vincent 2009, "Visualizing higher-layer features of a deep network"; kept
 * readable as by Yosinski, Clune, Nguyen, Fuchs, Lipson 2015, "Understanding neural networks
 * through deep visualization" (decay, blur), and Mordvintsev, Olah, Tyka 2015 (jitter).
 *
 * The unit's value a(x) is the mean of its map before the activation: there its gradient never
 * dies. Each step shifts the image by a few pixels, around the edges (jitter), and then
 *
 *     x = x + rate * g / rms(g),  g = da/dx;  x = (1 - decay) x;  x = blur(x)
 *
 * within the range of pixels. Rate and blur fall to nothing towards the last step, blur faster. A
 * tile is 16 units, each a lane; noise and shifts are Philox numbers of the model's seed, the unit
 * and the step, so a unit's image is the same alone and among others. */
#include "base/rng.h"
#include "view/maps.h"
#include "view/output.h"
#include "view/probe.h"
#include "view/specimen.h"
#include "view/unit.h"
#include "view/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_UNITS = 64 };
static const float RATE = 0.5f, DECAY = 0.01f, BLUR = 0.08f, NOISE = 0.6f;

struct climb {
    const struct view *view;
    const struct unit *unit;
    struct probe probe;
    struct shape in;
    int steps, jitter;
    int count, channels[MOST_UNITS]; /* the units */
    float low[4], high[4], step[4];  /* of each channel's pixels, and what a rate of 1 moves them */
    float *x, *other; /* owned; [c][h][w][16], what is climbing, and the same blurred */
    float *images;    /* owned; [count][c][h][w], what has come of it, then as pixels */
    float start[MOST_UNITS], end[MOST_UNITS]; /* the units' values */
};

static size_t plane_of(const struct climb *climb)
{
    return (size_t)climb->in.h * (size_t)climb->in.w;
}

/* ---- a step ---- */

/* The input is x moved down and right by dy, dx, around the edges; or, back, x's gradient from the
 * input's. */
static void shift(const struct climb *climb, const float *from, int dy, int dx, float *to)
{
    const int h = climb->in.h, w = climb->in.w;
    for (int c = 0; c < climb->in.c; c++) {
        for (int y = 0; y < h; y++) {
            const size_t row = ((size_t)c * (size_t)h + (size_t)y) * (size_t)w,
                         out = ((size_t)c * (size_t)h + (size_t)((y + dy + h) % h)) * (size_t)w;
            for (int x = 0; x < w; x++) {
                memcpy(to + (out + (size_t)((x + dx + w) % w)) * LANES,
                       from + (row + (size_t)x) * LANES, LANES * sizeof *to);
            }
        }
    }
}

/* da/dx of each lane's unit, at the input. */
static void find_gradient(struct climb *climb, const int *channels)
{
    const int node = climb->unit->node;
    const struct shape out = climb->probe.graph->nodes[node].out;
    const size_t map = (size_t)out.h * (size_t)out.w;
    probe_forward(&climb->probe, node);
    probe_clear(&climb->probe);
    float *dy = probe_gradient(&climb->probe, node);
    for (size_t lane = 0; lane < LANES; lane++) {
        for (size_t i = 0; i < map; i++) {
            dy[((size_t)channels[lane] * map + i) * LANES + lane] = 1 / (float)map;
        }
    }
    probe_backward(&climb->probe, node, NULL);
}

/* Along the gradient, and decay. */
static void climb_up(struct climb *climb, const float *gradient, float rate)
{
    const size_t plane = plane_of(climb), n = plane * (size_t)climb->in.c;
    for (size_t lane = 0; lane < LANES; lane++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += (double)gradient[i * LANES + lane] * (double)gradient[i * LANES + lane];
        }
        const float inverse = sum > 0 ? (float)(1 / sqrt(sum / (double)n)) : 0;
        for (size_t i = 0; i < n; i++) {
            const size_t at = i * LANES + lane;
            const float moved = rate * climb->step[i / plane] * inverse * gradient[at];
            climb->x[at] = (1 - DECAY) * (climb->x[at] + moved);
        }
    }
}

/* Each pixel gives `share` of itself to each of its four neighbours; at the edges, to itself. Then
 * into the range of pixels. */
static void blur_and_clamp(struct climb *climb, float share)
{
    const size_t h = (size_t)climb->in.h, w = (size_t)climb->in.w;
    memcpy(climb->other, climb->x, (size_t)climb->in.c * h * w * LANES * sizeof *climb->x);
    for (size_t i = 0; i < (size_t)climb->in.c * h * w; i++) {
        const size_t c = i / (h * w), y = i / w % h, x = i % w;
        const float *at = climb->other + i * LANES, *up = y > 0 ? at - w * LANES : at,
                    *down = y + 1 < h ? at + w * LANES : at, *left = x > 0 ? at - LANES : at,
                    *right = x + 1 < w ? at + LANES : at;
        for (size_t k = 0; k < LANES; k++) {
            float value = (1 - 4 * share) * at[k] + share * (up[k] + down[k] + left[k] + right[k]);
            value = value > climb->low[c] ? value : climb->low[c];
            climb->x[i * LANES + k] = value < climb->high[c] ? value : climb->high[c];
        }
    }
}

static void take_step(struct climb *climb, const int *channels, int step)
{
    const struct philox_words words =
        philox(climb->view->model->settings.seed, (uint32_t)step, 0, 1, RNG_MAXIMIZE);
    const int span = 2 * climb->jitter + 1, dy = (int)(words.v[0] % (uint32_t)span) - climb->jitter,
              dx = (int)(words.v[1] % (uint32_t)span) - climb->jitter;
    const float left = 1 - (float)step / (float)climb->steps;
    shift(climb, climb->x, dy, dx, probe_output(&climb->probe, NETWORK_INPUT));
    find_gradient(climb, channels);
    shift(climb, probe_gradient(&climb->probe, NETWORK_INPUT), -dy, -dx, climb->other);
    climb_up(climb, climb->other, RATE * left);
    blur_and_clamp(climb, BLUR * left * left);
}

/* ---- a tile ---- */

/* Noise about the middle, wide enough that hardly any rectifier below is shut for good. */
static void begin(struct climb *climb, const int *channels)
{
    const size_t plane = plane_of(climb), n = plane * (size_t)climb->in.c;
    for (size_t i = 0; i < n; i++) {
        for (size_t lane = 0; lane < LANES; lane++) {
            const struct philox_words words = philox(climb->view->model->settings.seed, (uint32_t)i,
                                                     (uint32_t)channels[lane], 0, RNG_MAXIMIZE);
            climb->x[i * LANES + lane] =
                NOISE * climb->step[i / plane] * rng_normal(words.v[0], words.v[1]);
        }
    }
    blur_and_clamp(climb, 0);
}

static void find_values(struct climb *climb, const int *channels, int live, float *values)
{
    const int node = climb->unit->node;
    const struct shape out = climb->probe.graph->nodes[node].out;
    const size_t map = (size_t)out.h * (size_t)out.w;
    shift(climb, climb->x, 0, 0, probe_output(&climb->probe, NETWORK_INPUT));
    probe_forward(&climb->probe, node);
    for (int lane = 0; lane < live; lane++) {
        const float *y =
            probe_output(&climb->probe, node) + (size_t)channels[lane] * map * LANES + (size_t)lane;
        double sum = 0;
        for (size_t i = 0; i < map; i++) {
            sum += (double)y[i * LANES];
        }
        values[lane] = (float)(sum / (double)map);
    }
}

static void run_tile(struct climb *climb, int first)
{
    const int live = climb->count - first < LANES ? climb->count - first : LANES;
    const size_t n = shape_size(climb->in);
    int channels[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        channels[lane] = climb->channels[first + (lane < live ? lane : 0)];
    }
    begin(climb, channels);
    find_values(climb, channels, live, climb->start + first);
    for (int step = 0; step < climb->steps; step++) {
        take_step(climb, channels, step);
    }
    find_values(climb, channels, live, climb->end + first);
    for (int lane = 0; lane < live; lane++) {
        probe_take(climb->x, n, lane, climb->images + (size_t)(first + lane) * n);
    }
}

/* ---- the whole ---- */

static int climb_open(struct climb *climb, struct error *e)
{
    const struct model *model = climb->view->model;
    const struct input *input = &model->input;
    climb->in = model->graph.input;
    const int side = climb->in.h < climb->in.w ? climb->in.h : climb->in.w,
              units = model->graph.nodes[climb->unit->node].out.c;
    climb->jitter = (side + 8) / 16;
    climb->count = climb->unit->channel >= 0 ? 1 : units < MOST_UNITS ? units : MOST_UNITS;
    for (int i = 0; i < climb->count; i++) {
        climb->channels[i] = climb->unit->channel >= 0 ? climb->unit->channel : i;
    }
    for (int c = 0; c < climb->in.c; c++) {
        climb->low[c] = (float)(-input->mean[c] / input->std[c]);
        climb->high[c] = (float)((255 * input->scale - input->mean[c]) / input->std[c]);
        climb->step[c] = (climb->high[c] - climb->low[c]) / 4;
    }
    const size_t n = shape_size(climb->in), floats = 2 * n * LANES + ((size_t)climb->count + 1) * n;
    climb->x = block_allocate(floats * sizeof(float));
    if (climb->x == NULL) {
        return error_memory(e, floats * sizeof(float));
    }
    climb->other = climb->x + n * LANES;
    climb->images = climb->other + n * LANES;
    return probe_open(&climb->probe, &model->graph, model->parameters, climb->view->kernels, 1, e);
}

static void name_unit(const struct climb *climb, int i, char *text, size_t size)
{
    const struct model *model = climb->view->model;
    if (climb->unit->output == model->graph.count - 1) {
        snprintf(text, size, "%.40s", model->classes.values[climb->channels[i]]);
    } else {
        snprintf(text, size, "%d", climb->channels[i]);
    }
}

static void report(const struct climb *climb)
{
    for (int i = 0; i < climb->count; i++) {
        text_append(climb->view->report, "%s:%d  %.4g of noise, %.4g of this\n", climb->unit->name,
                    climb->channels[i], (double)climb->start[i], (double)climb->end[i]);
    }
}

static int write_numbers(const struct climb *climb, struct error *e)
{
    const size_t count = (size_t)climb->count;
    const struct shape in = climb->in;
    const struct tensor_entry tensors[] = {
        output_tensor("images", climb->images,
                      (size_t[4]){count, (size_t)in.c, (size_t)in.h, (size_t)in.w}),
        output_tensor("start", climb->start, (size_t[4]){count}),
        output_tensor("end", climb->end, (size_t[4]){count}),
    };
    return output_numbers(climb->view->output, "maximize", tensors, 3, e);
}

static int draw(struct climb *climb, struct error *e)
{
    const struct graph *graph = &climb->view->model->graph;
    const struct shape in = climb->in;
    const int zoom = maps_zoom(in.h > in.w ? in.h : in.w, climb->count == 1 ? 256 : 112, 32),
              across = climb->count < 5     ? climb->count
                       : climb->count <= 10 ? 5
                                            : 8,
              rows = (climb->count + across - 1) / across, cell_w = in.w * zoom + 2 * MAPS_GAP,
              cell_h = in.h * zoom + TEXT_HEIGHT + 2 * MAPS_GAP, top = 2 * MAPS_GAP + TEXT_HEIGHT;
    struct canvas canvas;
    char text[300];
    float *pixels = climb->images + (size_t)climb->count * shape_size(in);
    TRY(canvas_open(&canvas, across * cell_w + MAPS_GAP, top + rows * cell_h, e));
    maps_layer_title(text, sizeof text, graph, climb->unit->node, climb->unit->node);
    canvas_text_within(&canvas, MAPS_GAP, MAPS_GAP, across * cell_w, text);
    for (int i = 0; i < climb->count; i++) {
        char name[64];
        const int x = MAPS_GAP + i % across * cell_w, y = top + i / across * cell_h;
        specimen_pixels(&climb->view->model->input, climb->images + (size_t)i * shape_size(in),
                        pixels);
        maps_draw_image(&canvas, x, y, zoom, pixels, in);
        name_unit(climb, i, name, sizeof name);
        snprintf(text, sizeof text, "%s: %.3g", name, (double)climb->end[i]);
        canvas_text_within(&canvas, x, y + in.h * zoom + 4, cell_w - 4, text);
    }
    const int status = canvas_write(&canvas, climb->view->output, e);
    canvas_close(&canvas);
    return status;
}

int view_maximize(const struct view *view, const char *text, int steps, struct error *e)
{
    struct unit unit;
    struct climb climb = {.view = view, .unit = &unit, .steps = steps};
    TRY(unit_find(&unit, view->model, "--maximize", text, 1, e));
    int status = climb_open(&climb, e);
    for (int first = 0; first < climb.count && status == 0; first += LANES) {
        run_tile(&climb, first);
    }
    if (status == 0) {
        status = output_is_numbers(view->output) ? write_numbers(&climb, e) : draw(&climb, e);
    }
    if (status == 0) {
        report(&climb);
    }
    probe_close(&climb.probe);
    free(climb.x);
    return status;
}
