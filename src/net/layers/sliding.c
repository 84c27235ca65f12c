/* sliding.c: the geometry of windows.
 *
 *     output = floor((input + padding before + padding after - reach) / stride) + 1
 *     reach = (kernel - 1) * dilation + 1 */
#include "net/layers/sliding.h"

#include <stdio.h>
#include <string.h>

/* The words that a padding may be; 1 when it is none. */
static int padding_word(struct padding *padding, const struct yaml *value)
{
    if (value->kind == YAML_SCALAR && strcmp(value->text, "same") == 0) {
        *padding = (struct padding){.same = 1};
        return 0;
    }
    if (value->kind == YAML_SCALAR && strcmp(value->text, "valid") == 0) {
        *padding = (struct padding){0};
        return 0;
    }
    return 1;
}

static int refuse_word(const struct option *option, const struct yaml *value, const char *numbers,
                       struct decoder *decoder)
{
    char shown[400];
    return yaml_error(decoder->errors, value, "'%s' must be %s, valid or same, got '%s'",
                      option->key, numbers,
                      text_escape(shown, sizeof shown, value->text, value->length));
}

static int is_word(const struct yaml *value)
{
    const char first = value->kind == YAML_SCALAR ? value->text[0] : '0';
    return (first | 0x20) >= 'a' && (first | 0x20) <= 'z';
}

static int padding_decode(const struct option *option, void *field, const struct yaml *value,
                          struct decoder *decoder)
{
    struct padding *padding = field;
    int pair[2];
    if (padding_word(padding, value) == 0) {
        return 0;
    }
    if (is_word(value)) {
        return refuse_word(option, value, "a whole number, [height, width]", decoder);
    }
    TRY(OPTION_PAIR.decode(option, pair, value, decoder));
    *padding = (struct padding){.h = pair[0], .w = pair[1]};
    return 0;
}

static void padding_emit(const struct option *option, const void *field, struct text *out,
                         int indent)
{
    const struct padding *padding = field;
    if (padding->same) {
        text_append(out, "same");
    } else {
        const int pair[2] = {padding->h, padding->w};
        OPTION_PAIR.emit(option, pair, out, indent);
    }
}

static void padding_describe(const struct option *option, struct text *out)
{
    OPTION_PAIR.describe(option, out);
    text_append(out, ", valid or same");
}

const struct option_kind OPTION_PADDING = {.name = "number, [h, w] or word",
                                           .decode = padding_decode,
                                           .emit = padding_emit,
                                           .describe = padding_describe};

static int steps_decode(const struct option *option, void *field, const struct yaml *value,
                        struct decoder *decoder)
{
    long long number;
    TRY(OPTION_INTEGER.decode(option, &number, value, decoder));
    ((int *)field)[0] = 1;
    ((int *)field)[1] = (int)number;
    return 0;
}

static void steps_emit(const struct option *option, const void *field, struct text *out, int indent)
{
    const int steps = ((const int *)field)[1];
    (void)indent;
    if (steps != 0 || option->low <= 0) { /* else it is absent, as in OPTION_PAIR */
        text_append(out, "%d", steps);
    }
}

static void steps_describe(const struct option *option, struct text *out)
{
    OPTION_INTEGER.describe(option, out);
}

const struct option_kind OPTION_STEPS = {
    .name = "integer", .decode = steps_decode, .emit = steps_emit, .describe = steps_describe};

static int padding_steps_decode(const struct option *option, void *field, const struct yaml *value,
                                struct decoder *decoder)
{
    struct padding *padding = field;
    int pair[2];
    if (padding_word(padding, value) == 0) {
        return 0;
    }
    if (is_word(value)) {
        return refuse_word(option, value, "a whole number", decoder);
    }
    TRY(steps_decode(option, pair, value, decoder));
    *padding = (struct padding){.w = pair[1]};
    return 0;
}

static void padding_steps_emit(const struct option *option, const void *field, struct text *out,
                               int indent)
{
    const struct padding *padding = field;
    (void)option, (void)indent;
    if (padding->same) {
        text_append(out, "same");
    } else {
        text_append(out, "%d", padding->w);
    }
}

const struct option_kind OPTION_PADDING_STEPS = {.name = "integer or word",
                                                 .decode = padding_steps_decode,
                                                 .emit = padding_steps_emit,
                                                 .describe = padding_describe};

/* One axis: the output's size, and the padding before. */
static int axis(int in, int kernel, int stride, int padding, int same, int *before)
{
    if (same) {
        int out = (in + stride - 1) / stride, total = (out - 1) * stride + kernel - in;
        *before = total > 0 ? total / 2 : 0;
        return out;
    }
    *before = padding;
    return in + 2 * padding < kernel ? 0 : (in + 2 * padding - kernel) / stride + 1;
}

/* Sizes in messages: "3x3", of a sequence "3". */
struct shown {
    char window[80], padding[40], input[60];
};

static void show(struct shown *shown, const struct node *node, const struct padding *padding)
{
    const struct window *s = &node->window;
    if (node->type->detail == SLIDES_OVER_SEQUENCE) {
        snprintf(shown->input, sizeof shown->input, "%d steps of %d", s->w, s->c);
        snprintf(shown->padding, sizeof shown->padding, "%d", padding->w);
        const int used = snprintf(shown->window, sizeof shown->window, "%d", s->kw);
        if (s->dilation_w > 1) {
            snprintf(shown->window + used, sizeof shown->window - (size_t)used, " with dilation %d",
                     s->dilation_w);
        }
        return;
    }
    snprintf(shown->input, sizeof shown->input, "%dx%dx%d", s->c, s->h, s->w);
    snprintf(shown->padding, sizeof shown->padding, "%dx%d", padding->h, padding->w);
    const int used = snprintf(shown->window, sizeof shown->window, "%dx%d", s->kh, s->kw);
    if (s->dilation_h > 1 || s->dilation_w > 1) {
        snprintf(shown->window + used, sizeof shown->window - (size_t)used, " with dilation %dx%d",
                 s->dilation_h, s->dilation_w);
    }
}

/* What slides over a sequence takes rows of one channel as channels. */
static int input_shape(const struct node *node, struct shape *in, struct error_list *errors)
{
    *in = node->in;
    if (node->type->detail == SLIDES_OVER_SEQUENCE && in->h > 1) {
        if (in->c > 1) {
            return yaml_error(errors, node->where,
                              "%s '%s' takes a sequence, channels x 1 x steps; its input is "
                              "%dx%dx%d: put a reshape before it",
                              node->type->member.name, node->name, in->c, in->h, in->w);
        }
        in->c = in->h;
        in->h = 1;
    }
    return 0;
}

/* The name of the type that does the same to a sequence. */
static const char *sequence_type(const struct node *node)
{
    for (const struct member *const *member = LAYERS.members; *member; member++) {
        const struct layer_type *type = (const void *)*member;
        if (type->shape == node->type->shape && type->forward == node->type->forward &&
            type->detail == SLIDES_OVER_SEQUENCE) {
            return type->member.name;
        }
    }
    return "none such";
}

int sliding_shape(struct node *node, const struct sliding *sliding, struct error_list *errors)
{
    const struct padding *padding = sliding->padding;
    struct window *s = &node->window;
    struct shape in;
    struct shown shown;
    TRY(input_shape(node, &in, errors));
    *s = (struct window){.c = in.c,
                         .h = in.h,
                         .w = in.w,
                         .oc = sliding->outs ? sliding->outs : in.c,
                         .kh = sliding->size[0],
                         .kw = sliding->size[1],
                         .stride_h = sliding->stride[0],
                         .stride_w = sliding->stride[1],
                         .dilation_h = sliding->dilation ? sliding->dilation[0] : 1,
                         .dilation_w = sliding->dilation ? sliding->dilation[1] : 1,
                         .groups = 1};
    /* from the first tap to the last */
    const int reach_h = (s->kh - 1) * s->dilation_h + 1, reach_w = (s->kw - 1) * s->dilation_w + 1;
    show(&shown, node, padding);
    if (padding->h >= reach_h || padding->w >= reach_w) {
        return yaml_error(errors, node->where, "%s '%s': padding %s must be smaller than its %s %s",
                          node->type->member.name, node->name, shown.padding, sliding->what,
                          shown.window);
    }
    s->oh = axis(in.h, reach_h, s->stride_h, padding->h, padding->same, &s->pad_top);
    s->ow = axis(in.w, reach_w, s->stride_w, padding->w, padding->same, &s->pad_left);
    if (s->oh < 1 || s->ow < 1) {
        const int meant_1d = node->type->detail == SLIDES_OVER_MAP && in.h == 1 && in.w > 1;
        return yaml_error(errors, node->where,
                          "%s '%s': its %s %s is larger than its input %s with padding %s; %s%s",
                          node->type->member.name, node->name, sliding->what, shown.window,
                          shown.input, shown.padding,
                          meant_1d ? "for a sequence there is " : "the output would be empty",
                          meant_1d ? sequence_type(node) : "");
    }
    node->out = (struct shape){s->oc, s->oh, s->ow};
    return 0;
}

int pooling_shape(struct node *node, struct error_list *errors)
{
    struct pooling *o = node->options;
    if (o->stride[0] == 0) {
        o->stride[0] = o->size[0];
        o->stride[1] = o->size[1];
    }
    const struct sliding sliding = {
        .what = "window", .size = o->size, .stride = o->stride, .padding = &o->padding};
    node->shares = 1;
    return sliding_shape(node, &sliding, errors);
}

struct window pooling_share(const struct node *node, const struct run *run, size_t *x, size_t *y)
{
    struct window s = node->window;
    size_t first;
    const size_t end = run_share(run, (size_t)s.c, &first);
    s.c = s.oc = (int)(end - first);
    *x = first * (size_t)s.h * (size_t)s.w * LANES;
    *y = first * (size_t)s.oh * (size_t)s.ow * LANES;
    return s;
}

/* ---- windows that take their greatest value ---- */

/* The window of an output in a map: its first row and column, clipped, and the last. */
struct inside {
    int y0, y1, x0, x1;
};

static struct inside clip_window(const struct window *s, int oy, int ox)
{
    const int y = oy * s->stride_h - s->pad_top, x = ox * s->stride_w - s->pad_left;
    return (struct inside){y > 0 ? y : 0, y + s->kh < s->h ? y + s->kh : s->h, x > 0 ? x : 0,
                           x + s->kw < s->w ? x + s->kw : s->w};
}

/* Where in the map, in lane `lane`, the greatest value stands: of equal ones the first, as in
 * backward. */
static size_t find_greatest(const struct window *s, const struct inside *in, const float *map,
                            int lane)
{
    size_t best = ((size_t)in->y0 * s->w + in->x0) * LANES + lane;
    for (int y = in->y0; y < in->y1; y++) {
        for (int x = in->x0; x < in->x1; x++) {
            const size_t at = ((size_t)y * s->w + x) * LANES + lane;
            best = map[at] > map[best] ? at : best;
        }
    }
    return best;
}

size_t hold_greatest(const struct node *node, const struct run *run, const float *x0,
                     const float *x, float *y)
{
    const struct window *s = &node->window;
    const size_t map = (size_t)s->h * s->w * LANES;
    size_t crossed = 0;
    for (int c = 0; c < s->c; c++, x0 += map, x += map) {
        for (int out = 0; out < s->oh * s->ow; out++, y += LANES) {
            const struct inside in = clip_window(s, out / s->ow, out % s->ow);
            for (int lane = 0; lane < LANES; lane++) {
                const size_t held = find_greatest(s, &in, x0, lane);
                y[lane] = x[held];
                crossed += find_greatest(s, &in, x, lane) != held && run->live[lane] > 0;
            }
        }
    }
    return crossed;
}
