/* filters.c: a layer's weights as pictures. What a weight's shape says is enough:
 *
 *   [oc][c][kh][kw]   filters of maps; [oc][c][kw] of sequences: c rows of kw
 *   [out][in]         a dense layer reads its input as one vector: each unit is a filter as large
 *                     as that, [c][h][w]
 *
 * Filters of one channel, or of an image's three, stand in a block, each with its own contrast.
 * Deeper ones are a table: a row a filter, a column an input channel, one contrast a row; and those
 * of one pixel a matrix with one contrast. (LeCun 1998 shows none; Krizhevsky 2012, figure 3, the
 * first layer in colour.) */
#include "view/maps.h"
#include "view/output.h"
#include "view/unit.h"
#include "view/view.h"

#include <math.h>

struct filters {
    const float *w;
    int count;
    struct shape shape; /* of one */
    int colour;
    int zoom, gap, cell_w, cell_h, columns, rows; /* as drawn */
    char title[256];
};

/* NULL: it has none. */
static const struct parameter *weight_of(const struct node *node)
{
    const struct parameter *p = &node->needs.parameters[0];
    return node->needs.parameter_count > 0 && p->rank >= 2 ? p : NULL;
}

static int report_none(const struct model *model, const struct unit *unit, struct error *e)
{
    char place[1024], names[300];
    size_t used = 0;
    for (int i = 0; i < model->graph.count && used < sizeof names; i++) {
        const struct node *node = &model->graph.nodes[i];
        if (weight_of(node) != NULL) {
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                     used > 0 ? ", " : "", node->name);
        }
    }
    snprintf(place, sizeof place, "--filters %s", unit->name);
    return error_set(e, ERROR_USAGE, place, "%s layers have no filters; these have: %s",
                     model->graph.nodes[unit->node].type->member.name, names);
}

static int find_filters(struct filters *f, const struct model *model, const char *layer,
                        struct error *e)
{
    struct unit unit;
    TRY(unit_find_layer(&unit, model, "--filters", layer, e));
    const struct node *node = &model->graph.nodes[unit.node];
    const struct parameter *p = weight_of(node);
    if (p == NULL) {
        return report_none(model, &unit, e);
    }
    *f = (struct filters){.w = model->parameters + p->offset, .count = p->dims[0]};
    f->shape = p->rank == 4   ? (struct shape){p->dims[1], p->dims[2], p->dims[3]}
               : p->rank == 3 ? (struct shape){1, p->dims[1], p->dims[2]}
                              : node->in;
    f->colour = node->inputs[0] == NETWORK_INPUT && f->shape.c == 3 && model->graph.input.c == 3;
    snprintf(f->title, sizeof f->title, "%.100s  %s  %d filters of %dx%dx%d", node->name,
             node->type->member.name, f->count, f->shape.c, f->shape.h, f->shape.w);
    return 0;
}

/* ---- a block: one picture a filter ---- */

static int in_block(const struct filters *f) { return f->colour || f->shape.c == 1; }

static void lay_block(struct filters *f)
{
    const int larger = f->shape.h > f->shape.w ? f->shape.h : f->shape.w;
    f->zoom = maps_zoom(larger, f->count <= 64 ? 64 : 32, 16);
    f->gap = MAPS_GAP;
    f->cell_w = f->shape.w * f->zoom + f->gap;
    f->cell_h = f->shape.h * f->zoom + f->gap + TEXT_HEIGHT;
    f->cell_w = f->cell_w < 26 ? 26 : f->cell_w;
    f->columns = (int)ceil(sqrt((double)f->count * f->cell_h / f->cell_w));
    f->columns = f->columns < 8 ? 8 : f->columns;
    f->columns = f->columns < f->count ? f->columns : f->count;
    f->rows = (f->count + f->columns - 1) / f->columns;
}

static void draw_block(const struct filters *f, struct canvas *canvas, int left, int top)
{
    const size_t size = shape_size(f->shape);
    for (int i = 0; i < f->count; i++) {
        const int x = left + i % f->columns * f->cell_w, y = top + i / f->columns * f->cell_h;
        const float *w = f->w + (size_t)i * size, most = maps_most(w, size);
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        if (f->colour) {
            maps_draw_colour(canvas, x, y, f->zoom, w, f->shape.h, f->shape.w, most);
        } else {
            maps_draw(canvas, x, y, f->zoom, w, f->shape.h, f->shape.w, most);
        }
        canvas_text(canvas, x, y + f->shape.h * f->zoom + 3, number);
    }
}

/* ---- a table: filters by input channels ---- */

enum { TABLE_SIDE = 3600, TABLE_AREA = 3000000, LABELS = 32 };

static void lay_table(struct filters *f)
{
    const int pixel = f->shape.h * f->shape.w == 1;
    const double across = (double)f->shape.c * f->shape.w, down = (double)f->count * f->shape.h;
    f->zoom = 10;
    while (f->zoom > 1 && (f->zoom * across > TABLE_SIDE || f->zoom * down > TABLE_SIDE ||
                           f->zoom * f->zoom * across * down > TABLE_AREA)) {
        f->zoom--;
    }
    f->gap = pixel ? 0 : f->zoom > 2 ? 3 : 1;
    f->cell_w = f->shape.w * f->zoom + f->gap;
    f->cell_h = f->shape.h * f->zoom + f->gap;
    f->columns = f->shape.c;
    f->rows = f->count;
}

/* A number beside its row or above its column, as often as there is room. */
static void number_lines(struct canvas *canvas, int x, int y, int step_x, int step_y, int count)
{
    const int step = step_x > 0 ? step_x : step_y, room = step_x > 0 ? 26 : TEXT_HEIGHT;
    const int every = (room + step - 1) / step;
    for (int i = 0; i < count; i += every) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        canvas_text(canvas, x + i * step_x, y + i * step_y, number);
    }
}

static void draw_table(const struct filters *f, struct canvas *canvas, int left, int top)
{
    const size_t size = shape_size(f->shape), plane = (size_t)f->shape.h * (size_t)f->shape.w;
    number_lines(canvas, left + LABELS, top, f->cell_w, 0, f->columns);
    number_lines(canvas, left, top + TEXT_HEIGHT + f->cell_h / 2 - 4, 0, f->cell_h, f->rows);
    if (plane == 1) {
        maps_draw(canvas, left + LABELS, top + TEXT_HEIGHT, f->zoom, f->w, f->count, f->shape.c,
                  maps_most(f->w, size * (size_t)f->count));
        return;
    }
    for (int i = 0; i < f->count; i++) {
        const float *w = f->w + (size_t)i * size, most = maps_most(w, size);
        const int y = top + TEXT_HEIGHT + i * f->cell_h;
        for (int c = 0; c < f->shape.c; c++) {
            maps_draw(canvas, left + LABELS + c * f->cell_w, y, f->zoom, w + (size_t)c * plane,
                      f->shape.h, f->shape.w, most);
        }
    }
}

static int draw(struct filters *f, const char *path, struct error *e)
{
    const int block = in_block(f), top = 2 * MAPS_GAP + 2 * TEXT_HEIGHT + 4;
    struct canvas canvas;
    block ? lay_block(f) : lay_table(f);
    int w = f->columns * f->cell_w + (block ? 0 : LABELS) + 2 * MAPS_GAP;
    const int h = top + f->rows * f->cell_h + (block ? 0 : TEXT_HEIGHT) + MAPS_GAP;
    w = w < 320 ? 320 : w;
    TRY(canvas_open(&canvas, w, h, e));
    canvas_text_within(&canvas, MAPS_GAP, MAPS_GAP, w - 2 * MAPS_GAP, f->title);
    if (f->colour) {
        canvas_text(&canvas, MAPS_GAP, MAPS_GAP + TEXT_HEIGHT + 4, "grey: weights of zero");
    } else {
        maps_legend(&canvas, MAPS_GAP, MAPS_GAP + TEXT_HEIGHT + 4);
    }
    if (block) {
        draw_block(f, &canvas, MAPS_GAP, top);
    } else {
        draw_table(f, &canvas, MAPS_GAP, top);
    }
    const int status = canvas_write(&canvas, path, e);
    canvas_close(&canvas);
    return status;
}

int view_filters(const struct view *view, const char *layer, struct error *e)
{
    struct filters f;
    TRY(find_filters(&f, view->model, layer, e));
    if (output_is_numbers(view->output)) {
        const struct tensor_entry filters = output_tensor(
            "filters", f.w,
            (size_t[4]){(size_t)f.count, (size_t)f.shape.c, (size_t)f.shape.h, (size_t)f.shape.w});
        return output_numbers(view->output, f.title, &filters, 1, e);
    }
    return draw(&f, view->output, e);
}
