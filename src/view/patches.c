/* patches.c: what excites a unit most: of each image of a set the place where the unit's map is
 * greatest, of all images the nine greatest, as patches of the size that the unit sees, beside what
 * a deconvnet projects back from that one place: Zeiler, Fergus 2014, "Visualizing and
 * understanding convolutional networks", figure 2. The unit's value is the one before its
 * activation: the same order, and no two images that saturate it are equal. Ties go to the first
 * image, the first place in row order. */
#include "view/maps.h"
#include "view/method.h"
#include "view/output.h"
#include "view/unit.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BEST = 9, ACROSS = 3 };

/* Rows and columns of a map, ends included; they may lie outside it, where padding is. */
struct region {
    int top, bottom, left, right, known;
};

struct search {
    const struct view *view;
    const char *path;
    struct unit unit;
    struct dataset set;
    struct subset subset;
    struct probe *probes; /* owned; one a thread, the first with gradients */
    float *values;        /* owned; of each image, the greatest of the unit's map */
    int *places;          /* owned; where that is */
    int count;            /* of the best */
    size_t best[BEST];
    float *images, *projections, *pixels; /* owned; [BEST][c][h][w] twice, then [c][h][w] twice */
};

/* ---- the search ---- */

static void judge_tile(struct search *s, struct probe *probe, size_t first)
{
    const struct shape out = probe->graph->nodes[s->unit.node].out;
    const int map = out.h * out.w;
    const size_t rest = s->set.count - first;
    const int live = rest < LANES ? (int)rest : LANES;
    struct labels labels;
    input_tile(&s->view->model->input, &s->set, s->subset.index + first, live,
               probe_output(probe, NETWORK_INPUT), &labels, s->view->kernels);
    probe_forward(probe, s->unit.node);
    const float *y =
        probe_output(probe, s->unit.node) + (size_t)s->unit.channel * (size_t)map * LANES;
    for (int lane = 0; lane < live; lane++) {
        int best = 0;
        for (int i = 1; i < map; i++) {
            best = y[i * LANES + lane] > y[best * LANES + lane] ? i : best;
        }
        s->values[first + (size_t)lane] = y[best * LANES + lane];
        s->places[first + (size_t)lane] = best;
    }
}

static void choose_best(struct search *s)
{
    for (size_t i = 0; i < s->set.count; i++) {
        int at = s->count;
        while (at > 0 && s->values[s->best[at - 1]] < s->values[i]) {
            at--;
        }
        if (at < BEST) {
            s->count += s->count < BEST;
            memmove(&s->best[at + 1], &s->best[at],
                    (size_t)(s->count - 1 - at) * sizeof s->best[0]);
            s->best[at] = i;
        }
    }
}

static int search_set(struct search *s, struct error *e)
{
#pragma omp parallel num_threads(s->view->threads)
    {
        struct probe *probe = &s->probes[omp_get_thread_num()];
#pragma omp for schedule(static)
        for (size_t first = 0; first < s->set.count; first += LANES) {
            judge_tile(s, probe, first);
        }
    }
    TRY(dataset_failed(&s->set, e));
    choose_best(s);
    return 0;
}

/* ---- projections ---- */

static void project(struct search *s)
{
    struct probe *probe = &s->probes[0];
    const size_t n = shape_size(probe->graph->input);
    const struct shape out = probe->graph->nodes[s->unit.node].out;
    for (int lane = 0; lane < LANES; lane++) {
        const int i = lane < s->count ? lane : 0;
        float *image = s->images + (size_t)i * n;
        if (i == lane) {
            input_image(&s->view->model->input, &s->set, (uint32_t)s->best[i], image,
                        s->view->kernels);
        }
        probe_put(probe, lane, image);
    }
    probe_forward(probe, s->unit.node);
    probe_clear(probe);
    float *dy = probe_gradient(probe, s->unit.node) +
                (size_t)s->unit.channel * (size_t)(out.h * out.w) * LANES;
    for (int i = 0; i < s->count; i++) {
        dy[s->places[s->best[i]] * LANES + i] = 1;
    }
    probe_backward(probe, s->unit.node, deconvnet_rule);
    for (int i = 0; i < s->count; i++) {
        probe_take(probe_gradient(probe, NETWORK_INPUT), n, i, s->projections + (size_t)i * n);
    }
}

/* ---- what the unit sees ---- */

static void widen(struct region *region, struct region by)
{
    if (!region->known) {
        *region = by;
        return;
    }
    region->top = region->top < by.top ? region->top : by.top;
    region->bottom = region->bottom > by.bottom ? region->bottom : by.bottom;
    region->left = region->left < by.left ? region->left : by.left;
    region->right = region->right > by.right ? region->right : by.right;
}

/* Of an input of the node, what a region of its output comes from. */
static struct region region_before(const struct node *node, int input, struct region y)
{
    const struct window *s = &node->window;
    const struct shape in = node->ins[input];
    if (node->type->flags & LAYER_SLIDES) {
        const int step_h = s->dilation_h > 0 ? s->dilation_h : 1,
                  step_w = s->dilation_w > 0 ? s->dilation_w : 1;
        struct region x = {y.top * s->stride_h - s->pad_top,
                           y.bottom * s->stride_h - s->pad_top + (s->kh - 1) * step_h,
                           y.left * s->stride_w - s->pad_left,
                           y.right * s->stride_w - s->pad_left + (s->kw - 1) * step_w, 1};
        if (s->h != in.h) { /* a sequence, whose channels are the rows of the map */
            x.top = 0;
            x.bottom = in.h - 1;
        }
        return x;
    }
    if (node->input_count > 1 || node->type->flags & (LAYER_POINTWISE | LAYER_TRAINING_ONLY)) {
        return y;
    }
    return (struct region){0, in.h - 1, 0, in.w - 1, 1};
}

/* Of the image, what the unit sees at a place of its map. ERROR_LIMIT. */
static int find_region(const struct search *s, int place, struct region *region, struct error *e)
{
    const struct graph *graph = &s->view->model->graph;
    struct region *regions = calloc((size_t)graph->count + 1, sizeof *regions);
    if (regions == NULL) {
        return error_memory(e, ((size_t)graph->count + 1) * sizeof *regions);
    }
    const int w = graph->nodes[s->unit.node].out.w;
    regions[s->unit.node + 1] = (struct region){place / w, place / w, place % w, place % w, 1};
    for (int i = s->unit.node; i >= 0; i--) {
        const struct node *node = &graph->nodes[i];
        for (int k = 0; k < node->input_count && regions[i + 1].known; k++) {
            widen(&regions[node->inputs[k] + 1], region_before(node, k, regions[i + 1]));
        }
    }
    *region = regions[0];
    free(regions);
    return 0;
}

/* ---- the picture ---- */

/* Copy the part of planes [c][h][w] that is in the image; returns its shape. */
static struct shape cut(const float *planes, struct shape in, struct region r, float *out)
{
    const int top = r.top > 0 ? r.top : 0, left = r.left > 0 ? r.left : 0,
              bottom = r.bottom < in.h ? r.bottom : in.h - 1,
              right = r.right < in.w ? r.right : in.w - 1;
    const struct shape shape = {in.c, bottom - top + 1, right - left + 1};
    for (int c = 0; c < in.c; c++) {
        for (int y = top; y <= bottom; y++, out += shape.w) {
            memcpy(out, planes + ((size_t)c * (size_t)in.h + (size_t)y) * (size_t)in.w + left,
                   (size_t)shape.w * sizeof *out);
        }
    }
    return shape;
}

static void draw_pair(const struct search *s, struct canvas *canvas, int i, struct region r,
                      int zoom, int x, int y, int step)
{
    const struct shape in = s->view->model->graph.input;
    const size_t n = shape_size(in);
    const int inside_x = x + (r.left < 0 ? -r.left : 0) * zoom,
              inside_y = y + (r.top < 0 ? -r.top : 0) * zoom;
    float *part = s->pixels + n;
    specimen_pixels(&s->view->model->input, s->images + (size_t)i * n, s->pixels);
    struct shape shape = cut(s->pixels, in, r, part);
    maps_draw_image(canvas, inside_x, inside_y, zoom, part, shape);
    shape = cut(s->projections + (size_t)i * n, in, r, part);
    const float most = maps_most(part, shape_size(shape));
    if (shape.c == 3) {
        maps_draw_colour(canvas, inside_x + step, inside_y, zoom, part, shape.h, shape.w, most);
    } else {
        maps_draw(canvas, inside_x + step, inside_y, zoom, part, shape.h, shape.w, most);
    }
}

static void label(const struct search *s, int i, char *text, size_t size)
{
    const size_t sample = s->best[i];
    snprintf(text, size, "%zu: %.20s", sample,
             s->view->model->classes.values[s->set.labels[sample]]);
}

static int draw(const struct search *s, struct error *e)
{
    const struct graph *graph = &s->view->model->graph;
    struct region r[BEST] = {0};
    for (int i = 0; i < s->count; i++) {
        TRY(find_region(s, s->places[s->best[i]], &r[i], e));
    }
    const int h = r[0].bottom - r[0].top + 1, w = r[0].right - r[0].left + 1,
              zoom = maps_zoom(h > w ? h : w, 96, 32), cell_h = h * zoom + TEXT_HEIGHT + 8,
              cell_w = w * zoom + 8 < 76 ? 76 : w * zoom + 8, step = ACROSS * cell_w + 16,
              rows = (s->count + ACROSS - 1) / ACROSS, top = 2 * (MAPS_GAP + TEXT_HEIGHT) + 4;
    struct canvas canvas;
    char text[300], title[300];
    TRY(canvas_open(&canvas, 2 * step + MAPS_GAP, top + rows * cell_h + MAPS_GAP, e));
    maps_layer_title(title, sizeof title, graph, s->unit.node, s->unit.node);
    snprintf(text, sizeof text, "unit %d of %.200s", s->unit.channel, title);
    canvas_text_within(&canvas, MAPS_GAP, MAPS_GAP, 2 * step - MAPS_GAP, text);
    canvas_text(&canvas, MAPS_GAP, MAPS_GAP + TEXT_HEIGHT + 4, "patches (image: class)");
    canvas_text(&canvas, MAPS_GAP + step, MAPS_GAP + TEXT_HEIGHT + 4, "deconvnet projections");
    for (int i = 0; i < s->count; i++) {
        const int x = MAPS_GAP + i % ACROSS * cell_w, y = top + i / ACROSS * cell_h;
        draw_pair(s, &canvas, i, r[i], zoom, x, y, step);
        label(s, i, text, sizeof text);
        canvas_text_within(&canvas, x, y + h * zoom + 3, cell_w - 4, text);
        snprintf(text, sizeof text, "%.4g", (double)s->values[s->best[i]]);
        canvas_text_within(&canvas, x + step, y + h * zoom + 3, cell_w - 4, text);
    }
    const int status = canvas_write(&canvas, s->view->output, e);
    canvas_close(&canvas);
    return status;
}

static int write_numbers(const struct search *s, struct error *e)
{
    const struct shape in = s->view->model->graph.input;
    const size_t count = (size_t)s->count, c = (size_t)in.c, h = (size_t)in.h, w = (size_t)in.w;
    const int map_w = s->view->model->graph.nodes[s->unit.node].out.w;
    float values[BEST], samples[BEST], places[2 * BEST];
    for (size_t i = 0; i < count; i++) {
        const int place = s->places[s->best[i]];
        values[i] = s->values[s->best[i]];
        samples[i] = (float)s->best[i];
        places[2 * i] = (float)(place / map_w);
        places[2 * i + 1] = (float)(place % map_w);
    }
    const struct tensor_entry tensors[] = {
        output_tensor("images", s->images, (size_t[4]){count, c, h, w}),
        output_tensor("projections", s->projections, (size_t[4]){count, c, h, w}),
        output_tensor("values", values, (size_t[4]){count}),
        output_tensor("samples", samples, (size_t[4]){count}),
        output_tensor("places", places, (size_t[4]){count, 2}),
    };
    return output_numbers(s->view->output, "top-patches", tensors, 5, e);
}

/* ---- the whole ---- */

static void report(const struct search *s)
{
    const int map_w = s->view->model->graph.nodes[s->unit.node].out.w;
    struct text *out = s->view->report;
    text_append(out, "%8s  %-16s %10s %5s %5s\n", "image", "class", "value", "y", "x");
    for (int i = 0; i < s->count; i++) {
        char buffer[2048], safe[2100], class[64];
        const size_t sample = s->best[i];
        const char *name = s->view->model->classes.values[s->set.labels[sample]],
                   *path = dataset_path(&s->set, sample, buffer, sizeof buffer);
        const int place = s->places[sample];
        text_append(out, "%8zu  %-16s %10.5g %5d %5d%s%s\n", sample,
                    text_sanitize(class, sizeof class, name, strlen(name)),
                    (double)s->values[sample], place / map_w, place % map_w,
                    path != NULL ? "  " : "",
                    path != NULL ? text_sanitize(safe, sizeof safe, path, strlen(path)) : "");
    }
}

static int allocate(struct search *s, struct error *e)
{
    const struct view *view = s->view;
    const size_t n = shape_size(view->model->graph.input), count = s->set.count,
                 floats = (2 * BEST + 2) * n;
    s->values = malloc(count * sizeof *s->values);
    s->places = malloc(count * sizeof *s->places);
    s->images = malloc(floats * sizeof *s->images);
    if (s->values == NULL || s->places == NULL || s->images == NULL) {
        return error_memory(e, count * sizeof *s->values + floats * sizeof *s->images);
    }
    s->projections = s->images + BEST * n;
    s->pixels = s->projections + BEST * n;
    s->probes = probes_open(view->threads, &view->model->graph, view->model->parameters,
                            view->kernels, 1, e);
    return s->probes == NULL ? -1 : subset_all(&s->subset, &s->set, e);
}

int view_top_patches(const struct view *view, const char *text, const char *data, struct error *e)
{
    struct search s = {.view = view, .path = data};
    TRY(unit_find(&s.unit, view->model, "--top-patches", text, 0, e));
    int status = specimen_set(&s.set, view->model, data, view->threads, e);
    if (status == 0 && (status = allocate(&s, e)) == 0 && (status = search_set(&s, e)) == 0) {
        project(&s);
        if (method_is_without_rectifiers(&view->model->graph)) {
            error_set(error_next(view->warnings), ERROR_USAGE, "--top-patches",
                      "the model has no relu or the like: the projections are gradients");
        }
        status = output_is_numbers(view->output) ? write_numbers(&s, e) : draw(&s, e);
    }
    if (status == 0) {
        report(&s);
    }
    probes_close(s.probes, view->threads);
    free(s.values);
    free(s.places);
    free(s.images);
    subset_free(&s.subset);
    dataset_free(&s.set);
    return status;
}
