/* reshape.c: the same values in the same order, c h w, under another shape. `flatten` makes one
 * channel of each (what dense does by itself); `reshape` says the new shape:
 *
 *     reshape: [28, 28]       28 channels of 28 steps, 28 x 1 x 28: the rows of an image 1 x 28 x
 * 28 reshape: [16, 7, 7]     c x h x w reshape: [-1, 7]        -1 stands for what remains */
#include "net/layer.h"

#include <stdio.h>
#include <string.h>

struct reshape {
    struct layer_options layer;
    int count, shape[3]; /* as given: 2 or 3 numbers */
};

static int shape_decode(const struct option *option, void *field, const struct yaml *value,
                        struct decoder *decoder)
{
    struct reshape *reshape = (void *)((char *)field - offsetof(struct reshape, count));
    struct option number = *option;
    int open = 0, failed = 0;
    if (value->kind != YAML_LIST || value->count < 2 || value->count > 3) {
        return yaml_error(decoder->errors, value,
                          "'%s' must be [channels, steps] or [channels, height, width]",
                          option->key);
    }
    for (int i = 0; i < value->count; i++) {
        long long size = 0;
        failed |= OPTION_INTEGER.decode(&number, &size, value->items[i], decoder);
        if (!failed && size == 0) {
            failed = yaml_error(decoder->errors, value->items[i],
                                "'%s' must be 1 to 65536, or -1, got 0", option->key);
        }
        open += size == -1;
        reshape->shape[i] = (int)size;
    }
    reshape->count = value->count;
    if (!failed && open > 1) {
        failed = yaml_error(decoder->errors, value, "'%s' may have only one -1", option->key);
    }
    return failed ? -1 : 0;
}

static void shape_emit(const struct option *option, const void *field, struct text *out, int indent)
{
    const struct reshape *reshape =
        (const void *)((const char *)field - offsetof(struct reshape, count));
    (void)option, (void)indent;
    for (int i = 0; i < reshape->count; i++) {
        text_append(out, "%s%d", i ? ", " : "[", reshape->shape[i]);
    }
    text_append(out, "]");
}

static void shape_describe(const struct option *option, struct text *out)
{
    (void)option;
    text_append(out, "1 to 65536, or -1 for what remains");
}

static const struct option_kind OPTION_SHAPE = {.name = "[c, steps] or [c, h, w]",
                                                .decode = shape_decode,
                                                .emit = shape_emit,
                                                .describe = shape_describe};

static const struct option OPTIONS[] = {
    {.key = "shape",
     .kind = &OPTION_SHAPE,
     .offset = offsetof(struct reshape, count),
     .low = -1,
     .high = 65536,
     .help = "the new shape; the values keep their order"},
    LAYER_NAME_ROW,
    OPTION_END,
};
static const struct option FLATTEN[] = {LAYER_NAME_ROW, OPTION_END};

/* "28x28", "16x7x7" */
static void show(const struct reshape *o, char *text, size_t size)
{
    int used = 0;
    for (int i = 0; i < o->count; i++) {
        used += snprintf(text + used, size - (size_t)used, "%s%d", i ? "x" : "", o->shape[i]);
    }
}

static int reshape_shape(struct node *node, struct error_list *errors)
{
    const struct reshape *o = node->options;
    const size_t values = shape_size(node->in);
    double wanted = 1;
    int sizes[3], open = -1;
    for (int i = 0; i < o->count; i++) {
        sizes[i] = o->shape[i];
        open = sizes[i] < 0 ? i : open;
        wanted *= sizes[i] < 0 ? 1 : sizes[i];
    }
    const size_t known = wanted <= (double)values ? (size_t)wanted : 0;
    if (open >= 0 && known > 0 && values % known == 0 && values / known <= 65536) {
        sizes[open] = (int)(values / known);
    } else if (open >= 0 || known != values) {
        char shown[64];
        show(o, shown, sizeof shown);
        return yaml_error(errors, node->where,
                          "reshape '%s': its input %dx%dx%d has %zu values, which do not fit the "
                          "shape %s",
                          node->name, node->in.c, node->in.h, node->in.w, values, shown);
    }
    node->out = o->count == 2 ? (struct shape){sizes[0], 1, sizes[1]}
                              : (struct shape){sizes[0], sizes[1], sizes[2]};
    return 0;
}

static int flatten_shape(struct node *node, struct error_list *errors)
{
    (void)errors;
    node->out = (struct shape){(int)shape_size(node->in), 1, 1};
    return 0;
}

static void copy(const struct node *node, const float *from, float *to)
{
    if (from != to) {
        memcpy(to, from, shape_size(node->in) * LANES * sizeof *to);
    }
}

static void reshape_forward(const struct node *node, const struct run *run, const float *x,
                            float *y)
{
    (void)run;
    copy(node, x, y);
}

static void reshape_backward(const struct node *node, const struct run *run, const float *x,
                             const float *y, const float *dy, float *dx)
{
    (void)run, (void)x, (void)y;
    if (dx) {
        copy(node, dy, dx);
    }
}

static const struct layer_example EXAMPLES[] = {
    {"[6, 4]", {1, 6, 4}},
    {"{shape: [2, 3, 4]}", {4, 6, 1}},
    {"[-1, 5]", {3, 2, 5}},
    {NULL, {0, 0, 0}},
};
static const struct layer_example FLATTEN_EXAMPLES[] = {
    {"", {3, 2, 4}}, {"", {1, 1, 1}}, {NULL, {0, 0, 0}}};

#define DEFINE(NAME, ROWS, SHAPE, SAMPLES, HELP)                                                   \
    extern const struct layer_type LAYER_##NAME;                                                   \
    const struct layer_type LAYER_##NAME = {                                                       \
        .member = {.name = #NAME, .help = HELP, .options = ROWS, .size = sizeof(struct reshape)},  \
        .flags = LAYER_IN_PLACE,                                                                   \
        .shape = SHAPE,                                                                            \
        .forward = reshape_forward,                                                                \
        .backward = reshape_backward,                                                              \
        .examples = SAMPLES,                                                                       \
    };

DEFINE(flatten, FLATTEN, flatten_shape, FLATTEN_EXAMPLES,
       "one vector, channel after channel, row after row; dense does it by itself")
DEFINE(reshape, OPTIONS, reshape_shape, EXAMPLES,
       "the same values in the same order as another shape")
