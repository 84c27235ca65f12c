/* json_filters.c: the weights of the first layer as pictures. A filter of one or three channels is
 * a picture, grey or coloured; of another number its channels are pictures of their own; a row of a
 * dense layer that reads the image itself is one in the image's shape. Each is scaled by the
 * greatest of its absolute weights, so that 0 is the middle. */
#include "report/json.h"

#include "report/picture.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_FILTERS = 64 };

/* How the first weights look: `count` pictures [c][h][w], one behind the other. */
struct filters {
    const struct node *node;
    const float *w;
    size_t count;
    int c, h, w_pixels;
};

static int has_weight(const struct node *node)
{
    return node->needs.parameter_count > 0 && node->needs.parameters[0].fan_in > 0;
}

static struct filters find_filters(const struct graph *graph, const float *parameters)
{
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        const struct parameter *p = &node->needs.parameters[0];
        if (!has_weight(node)) {
            continue;
        }
        const struct shape s = p->rank == 4   ? (struct shape){p->dims[1], p->dims[2], p->dims[3]}
                               : p->rank == 3 ? (struct shape){1, p->dims[1], p->dims[2]}
                                              : node->in;
        const int c = s.c == 3 ? 3 : 1, seen = p->rank > 2 || node->inputs[0] == NETWORK_INPUT;
        return (struct filters){node,
                                parameters + p->offset,
                                !seen ? 0 : p->size / ((size_t)c * (size_t)s.h * (size_t)s.w),
                                c,
                                s.h,
                                s.w};
    }
    return (struct filters){0};
}

/* One of them; *most gets the greatest absolute weight. */
static int append_picture(struct text *out, const struct filters *f, size_t number, double *most,
                          struct error *e)
{
    const size_t plane = (size_t)f->h * (size_t)f->w_pixels, n = plane * (size_t)f->c;
    const float *w = f->w + number * n;
    uint8_t *pixels = malloc(n);
    float scale = 0;
    if (!pixels) {
        return error_memory(e, n);
    }
    for (size_t i = 0; i < n; i++) {
        scale = fabsf(w[i]) > scale ? fabsf(w[i]) : scale;
    }
    for (size_t c = 0; c < (size_t)f->c; c++) {
        for (size_t i = 0; i < plane; i++) {
            const float value = scale > 0 ? 127 * w[c * plane + i] / scale : 0;
            pixels[i * (size_t)f->c + c] = (uint8_t)(128 + value + 0.5f);
        }
    }
    *most = (double)scale;
    const int status = picture_append(out, pixels, f->w_pixels, f->h, f->c, e);
    free(pixels);
    return status;
}

static json_t *picture_json(const struct filters *filters, size_t number, struct error *e)
{
    struct text uri = {0};
    double most = 0;
    json_t *json = NULL;
    if (append_picture(&uri, filters, number, &most, e) == 0) {
        json = json_pack("{s:s, s:f}", "picture", uri.failed ? NULL : uri.data, "most", most);
        if (!json) {
            error_memory(e, uri.length);
        }
    }
    text_free(&uri);
    return json;
}

json_t *json_filters(const struct graph *graph, const float *parameters, struct error *e)
{
    const struct filters filters = find_filters(graph, parameters);
    if (filters.count == 0) {
        return json_null();
    }
    json_t *pictures = json_array();
    for (size_t i = 0; i < filters.count && i < MOST_FILTERS; i++) {
        if (json_array_append_new(pictures, picture_json(&filters, i, e)) != 0) {
            json_decref(pictures);
            return NULL;
        }
    }
    json_t *json =
        json_pack("{s:o, s:[i, i, i], s:I, s:o}", "layer", json_safe_text(filters.node->name),
                  "shape", filters.c, filters.h, filters.w_pixels, "count",
                  (json_int_t)filters.count, "pictures", pictures);
    if (!json) {
        error_set(e, ERROR_LIMIT, NULL, "out of memory for the report");
    }
    return json;
}
