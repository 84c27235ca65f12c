/* activations.c: what the layers make of an image: every map of one layer, or a sheet through the
 * whole network, the image at the top and the classes at the bottom. A map's contrast is its own,
 * and the number beside its own is its greatest magnitude; a vector's values share one. */
#include "net/loss.h"
#include "view/maps.h"
#include "view/output.h"
#include "view/probe.h"
#include "view/specimen.h"
#include "view/unit.h"
#include "view/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHEET_WIDTH = 1040, CELL_LEAST = 56, VECTOR_CELL = 18, MAP_ROWS = 2, VECTOR_ROWS = 3 };

/* A layer as a block of cells. */
struct block {
    struct shape shape; /* of the layer's output */
    int zoom, cell_w, cell_h, columns, rows, shown;
    int height; /* with its title */
    char title[256];
};

struct sheet {
    const struct view *view;
    struct probe probe;
    struct specimen specimen;
    struct canvas canvas;
    float *planes; /* owned: of the greatest output */
    float *p;      /* owned: [classes][16] what the outputs say */
};

static int is_vector(struct shape s) { return s.h * s.w == 1; }

/* `rows`: at most so many; 0: as many as it takes. `named`: its cells have names. */
static void lay_block(struct block *block, struct shape shape, int rows, int named)
{
    const int larger = shape.h > shape.w ? shape.h : shape.w;
    block->shape = shape;
    block->zoom = is_vector(shape) ? VECTOR_CELL : maps_zoom(larger, 64, 16);
    block->cell_w = shape.w * block->zoom + MAPS_GAP;
    block->cell_w =
        block->cell_w < CELL_LEAST && (named || !is_vector(shape)) ? CELL_LEAST : block->cell_w;
    block->cell_h = shape.h * block->zoom + TEXT_HEIGHT + MAPS_GAP;
    block->columns = (SHEET_WIDTH - 2 * MAPS_GAP) / block->cell_w;
    block->columns = block->columns < 1 ? 1 : block->columns;
    block->rows = (shape.c + block->columns - 1) / block->columns;
    block->rows = rows > 0 && rows < block->rows ? rows : block->rows;
    block->shown = block->rows * block->columns < shape.c ? block->rows * block->columns : shape.c;
    block->height = TEXT_HEIGHT + 4 + block->rows * block->cell_h + MAPS_GAP;
}

static void lay_layer(struct block *block, const struct graph *graph, const struct unit *unit,
                      int all)
{
    char part[48] = "";
    const struct shape out = graph->nodes[unit->output].out;
    const int rows = all ? 0 : is_vector(out) ? VECTOR_ROWS : MAP_ROWS;
    lay_block(block, out, rows, unit->output == graph->count - 1);
    maps_layer_title(block->title, sizeof block->title, graph, unit->node, unit->output);
    if (block->shown < block->shape.c) {
        snprintf(part, sizeof part, "  (0 to %d of %d)", block->shown - 1, block->shape.c);
    }
    strncat(block->title, part, sizeof block->title - strlen(block->title) - 1);
}

/* The class of the last layer's unit, else its number. */
static void name_cell(const struct sheet *sheet, const struct unit *unit, int c, float most,
                      int vector, char *text, size_t size)
{
    if (unit->output == sheet->view->model->graph.count - 1) {
        snprintf(text, size, "%.20s", sheet->view->model->classes.values[c]);
    } else if (vector) {
        snprintf(text, size, "%d", c);
    } else {
        snprintf(text, size, "%d: %.2g", c, (double)most);
    }
}

static void draw_block(struct sheet *sheet, const struct block *block, const struct unit *unit,
                       int y)
{
    const size_t plane = (size_t)block->shape.h * (size_t)block->shape.w;
    const int vector = is_vector(block->shape);
    probe_take(probe_output(&sheet->probe, unit->output), plane * (size_t)block->shape.c, 0,
               sheet->planes);
    const float whole = maps_most(sheet->planes, plane * (size_t)block->shape.c);
    canvas_text_within(&sheet->canvas, MAPS_GAP, y, SHEET_WIDTH - 2 * MAPS_GAP, block->title);
    y += TEXT_HEIGHT + 4;
    for (int c = 0; c < block->shown; c++) {
        const int left = MAPS_GAP + c % block->columns * block->cell_w,
                  top = y + c / block->columns * block->cell_h;
        const float *map = sheet->planes + (size_t)c * plane,
                    most = vector ? whole : maps_most(map, plane);
        char text[64];
        maps_draw(&sheet->canvas, left, top, block->zoom, map, block->shape.h, block->shape.w,
                  most);
        name_cell(sheet, unit, c, most, vector, text, sizeof text);
        canvas_text_within(&sheet->canvas, left, top + block->shape.h * block->zoom + 3,
                           block->cell_w - 1, text);
    }
}

/* The image, and what the network says of it. */
static int header_height(const struct sheet *sheet)
{
    const struct shape in = sheet->specimen.shape;
    return MAPS_GAP + TEXT_HEIGHT + 4 + in.h * maps_zoom(in.h, 128, 16) + 2 * MAPS_GAP;
}

/* The class with the greatest output beside the `count` ones before. */
static int most_likely(const float *p, int classes, const int *before, int count)
{
    int best = -1;
    for (int k = 0; k < classes; k++) {
        int taken = 0;
        for (int i = 0; i < count; i++) {
            taken |= before[i] == k;
        }
        if (!taken && (best < 0 || p[(size_t)k * LANES] > p[(size_t)best * LANES])) {
            best = k;
        }
    }
    return best;
}

static void draw_header(struct sheet *sheet, const char *image)
{
    const struct shape in = sheet->specimen.shape;
    const struct model *model = sheet->view->model;
    const int zoom = maps_zoom(in.h, 128, 16), x = 2 * MAPS_GAP + in.w * zoom + 12;
    int y = MAPS_GAP;
    char text[400];
    snprintf(text, sizeof text, "%.200s  %dx%dx%d", image, in.c, in.h, in.w);
    canvas_text_within(&sheet->canvas, MAPS_GAP, y, SHEET_WIDTH - MAPS_LEGEND_WIDTH, text);
    maps_legend(&sheet->canvas, SHEET_WIDTH - MAPS_LEGEND_WIDTH, y);
    y += TEXT_HEIGHT + 4;
    maps_draw_image(&sheet->canvas, MAPS_GAP, y, zoom, sheet->specimen.pixels, in);
    if (sheet->specimen.label >= 0) {
        snprintf(text, sizeof text, "label: %.100s", model->classes.values[sheet->specimen.label]);
        canvas_text(&sheet->canvas, x, y, text);
        y += 2 * TEXT_HEIGHT;
    }
    int shown[5];
    for (int i = 0; i < 5 && i < model->classes.count; i++) {
        const int best = shown[i] = most_likely(sheet->p, model->classes.count, shown, i);
        snprintf(text, sizeof text, "%.100s  %.4f", model->classes.values[best],
                 (double)sheet->p[(size_t)best * LANES]);
        canvas_text(&sheet->canvas, x, y + i * (TEXT_HEIGHT + 2), text);
    }
}

/* Layers that have a row: not those that pass their input on. */
static int is_shown(const struct graph *graph, int i)
{
    return !graph->nodes[i].attached && !(graph->nodes[i].type->flags & LAYER_TRAINING_ONLY);
}

static int draw(struct sheet *sheet, const char *image, const struct unit *only, struct error *e)
{
    const struct graph *graph = &sheet->view->model->graph;
    struct unit unit;
    struct block block;
    int height = header_height(sheet);
    for (int i = 0; i < graph->count; i++) {
        unit_of_node(&unit, graph, i);
        if (only != NULL ? unit.node == only->node && i == unit.node : is_shown(graph, i)) {
            lay_layer(&block, graph, &unit, only != NULL);
            height += block.height;
        }
    }
    TRY(canvas_open(&sheet->canvas, SHEET_WIDTH, height, e));
    draw_header(sheet, image);
    int y = header_height(sheet);
    for (int i = 0; i < graph->count; i++) {
        unit_of_node(&unit, graph, i);
        if (only != NULL ? unit.node == only->node && i == unit.node : is_shown(graph, i)) {
            lay_layer(&block, graph, &unit, only != NULL);
            draw_block(sheet, &block, &unit, y);
            y += block.height;
        }
    }
    const int status = canvas_write(&sheet->canvas, sheet->view->output, e);
    canvas_close(&sheet->canvas);
    return status;
}

/* A tensor a layer, [c][h][w], called like it; and the input. */
static int write_numbers(struct sheet *sheet, const struct unit *only, struct error *e)
{
    const struct graph *graph = &sheet->view->model->graph;
    struct tensor_entry *tensors = malloc((size_t)(graph->count + 1) * sizeof *tensors);
    float *values = malloc(sheet->probe.size / LANES * sizeof *values), *at = values;
    int count = 0, status;
    for (int i = NETWORK_INPUT; i < graph->count && tensors != NULL && values != NULL; i++) {
        struct unit unit = {.output = i, .name = "input"};
        if (i >= 0) {
            unit_of_node(&unit, graph, i);
            if (only != NULL ? only->node != i : !is_shown(graph, i)) {
                continue;
            }
        }
        const struct shape s = i < 0 ? graph->input : graph->nodes[unit.output].out;
        probe_take(probe_output(&sheet->probe, unit.output), shape_size(s), 0, at);
        tensors[count++] = output_tensor(i < 0 ? "image" : graph->nodes[i].name, at,
                                         (size_t[4]){(size_t)s.c, (size_t)s.h, (size_t)s.w});
        at += shape_size(s);
    }
    if (tensors == NULL || values == NULL) {
        status = error_memory(e, sheet->probe.size / LANES * sizeof *values);
    } else {
        status = output_numbers(sheet->view->output, "activations", tensors, count, e);
    }
    free(tensors);
    free(values);
    return status;
}

static int run(struct sheet *sheet, const char *image, struct error *e)
{
    const struct view *view = sheet->view;
    const struct model *model = view->model;
    const struct loss_type *loss = (const void *)model->settings.train.loss.type;
    const size_t bytes = (sheet->probe.size / LANES + (size_t)model->classes.count * LANES + LANES);
    TRY(specimen_load(&sheet->specimen, model, image, view->kernels, view->threads, e));
    sheet->p = block_allocate(bytes * sizeof(float));
    if (sheet->p == NULL) {
        return error_memory(e, bytes * sizeof(float));
    }
    sheet->planes = sheet->p + (size_t)model->classes.count * LANES;
    probe_put(&sheet->probe, -1, sheet->specimen.x);
    probe_forward(&sheet->probe, model->graph.count - 1);
    loss->predict(view->kernels, model->classes.count,
                  probe_output(&sheet->probe, model->graph.count - 1), sheet->p);
    return 0;
}

int view_activations(const struct view *view, const char *image, const char *layer, struct error *e)
{
    struct sheet sheet = {.view = view};
    struct unit unit;
    if (layer != NULL) {
        TRY(unit_find_layer(&unit, view->model, "--layer", layer, e));
    }
    const struct unit *only = layer != NULL ? &unit : NULL;
    int status =
        probe_open(&sheet.probe, &view->model->graph, view->model->parameters, view->kernels, 0, e);
    if (status == 0) {
        status = run(&sheet, image, e);
    }
    if (status == 0) {
        status = output_is_numbers(view->output) ? write_numbers(&sheet, only, e)
                                                 : draw(&sheet, image, only, e);
    }
    probe_close(&sheet.probe);
    specimen_free(&sheet.specimen);
    free(sheet.p);
    return status;
}
