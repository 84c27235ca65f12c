/* sliding.c: the geometry of windows.
 *
 *     output = floor((input + padding before + padding after - kernel) / stride) + 1 */
#include "net/layers/sliding.h"

#include <string.h>

static int padding_decode(const struct option *option, void *field, const struct yaml *value,
                          struct decoder *decoder)
{
    struct padding *padding = field;
    if (value->kind == YAML_SCALAR && strcmp(value->text, "same") == 0) {
        *padding = (struct padding){.same = 1};
        return 0;
    }
    if (value->kind == YAML_SCALAR && strcmp(value->text, "valid") == 0) {
        *padding = (struct padding){0};
        return 0;
    }
    const char first = value->kind == YAML_SCALAR ? value->text[0] : '0';
    if ((first | 0x20) >= 'a' && (first | 0x20) <= 'z') {
        char shown[400];
        return yaml_error(decoder->errors, value,
                          "'%s' must be a whole number, [height, width], valid or same, got '%s'",
                          option->key,
                          text_escape(shown, sizeof shown, value->text, value->length));
    }
    int pair[2];
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

int sliding_shape(struct node *node, int outs, const int kernel[2], const int stride[2],
                  const struct padding *padding, const char *what, struct error_list *errors)
{
    const struct shape in = node->in;
    if (padding->h >= kernel[0] || padding->w >= kernel[1]) {
        return yaml_error(errors, node->where,
                          "%s '%s': padding %dx%d must be smaller than its %s %dx%d",
                          node->type->member.name, node->name, padding->h, padding->w, what,
                          kernel[0], kernel[1]);
    }
    struct window *s = &node->window;
    *s = (struct window){.c = in.c,
                         .h = in.h,
                         .w = in.w,
                         .oc = outs ? outs : in.c,
                         .kh = kernel[0],
                         .kw = kernel[1],
                         .stride_h = stride[0],
                         .stride_w = stride[1]};
    s->oh = axis(in.h, kernel[0], stride[0], padding->h, padding->same, &s->pad_top);
    s->ow = axis(in.w, kernel[1], stride[1], padding->w, padding->same, &s->pad_left);
    if (s->oh < 1 || s->ow < 1) {
        return yaml_error(errors, node->where,
                          "%s '%s': its %s %dx%d is larger than its input %dx%dx%d with padding "
                          "%dx%d; the output would be empty",
                          node->type->member.name, node->name, what, kernel[0], kernel[1], in.c,
                          in.h, in.w, padding->h, padding->w);
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
    return sliding_shape(node, 0, o->size, o->stride, &o->padding, "window", errors);
}
