/* conv.c: convolution of a tile, forward and towards the input.
 *
 * Both are one operation, `correlate`: for every output channel o and pixel p,
 *
 *     y[o][p] = b[o] + sum over c, rows r, columns t of
 *                      w[o, c, r, t] * x[c][row + r * step][column + t * step]
 *
 * Forward, the taps are the kernel's rows and columns in order. Towards the input (dx is gathered,
 * never scattered) the roles of c and o change places and the taps run backwards; with a stride,
 * the pixels of dx fall into stride_h * stride_w classes, and to each class belongs every stride-th
 * tap (so no multiplication with a zero is ever done).
 *
 * Blocking: CB output channels x XB pixels are summed in registers; one weight is broadcast and
 * meets XB pixels, one pixel meets CB weights. The input's rows are read from a copy with the
 * padding columns filled in, where there are any; rows outside are skipped. */
#include "kernels/bodies.h"
#include "kernels/conv_margins.h"
#include "kernels/conv_widen.h"
#include "kernels/share.h"
#include "kernels/winograd.h"

#include <stddef.h>

/* A run of taps along one axis: where the first stands in x and in w, how many, and the steps
 * (floats). */
struct taps {
    int count;
    ptrdiff_t x, w;
    ptrdiff_t x_step, w_step;
};

/* One row of output: fixed over all its blocks. */
struct row {
    const float *x, *w, *b;
    float *y;
    int channels;                /* summed over */
    size_t x_channel, w_channel; /* from one of them to the next */
    size_t w_out, y_out;         /* from one output channel to the next */
    size_t x_pixel, y_pixel; /* from one output pixel to the next; x_pixel is LANES or a multiple */
    struct taps rows, columns;
    int rectify;    /* what is below 0 becomes 0 */
    int first, end; /* backward: the positions of x that are not margin; end 0: all are looked at */
};

/* The column taps of a block of `pixels` from p: those that read nothing but margin are left out.
 * They run backwards, so tap t of pixel p reads position p - t from where tap 0 of pixel 0 does. */
INLINE struct taps block_columns(const struct row *row, int pixels, int p)
{
    struct taps taps = row->columns;
    if (row->end > 0) {
        const int at = (int)(taps.x / LANES) + p;
        const int skip = at < row->end ? 0 : at - row->end + 1;
        const int most = at + pixels - row->first;
        taps.count = (taps.count < most ? taps.count : most) - skip;
        taps.x += skip * taps.x_step;
        taps.w += skip * taps.w_step;
    }
    return taps;
}

/* Sum CB output channels from `o` x XB pixels from `p`. CB and XB are constants wherever this is
 * inlined. `dense_x`: x_pixel == LANES. */
INLINE void block(const struct row *row, int CB, int XB, int dense_x, int o, int p)
{
    enum { MAX = 28 };
    vec sum[MAX];
    const size_t x_pixel = dense_x ? LANES : row->x_pixel;
    const struct taps columns = block_columns(row, XB, p);
    const float *x = row->x + (size_t)p * x_pixel + row->rows.x + columns.x;
    const float *w = row->w + (size_t)o * row->w_out + row->rows.w + columns.w;
    const int n = XB * PARTS;
    float *const y = row->y + (size_t)o * row->y_out + (size_t)p * row->y_pixel;
    UNROLL
    for (int c = 0; c < CB; c++) {
        UNROLL
        for (int i = 0; i < XB; i++) { /* on their way to the cache while the sums are made */
            __builtin_prefetch(y + (size_t)c * row->y_out + (size_t)i * row->y_pixel, 1);
        }
        vec b = v_set(row->b ? row->b[o + c] : 0.0f);
        UNROLL
        for (int i = 0; i < n; i++) {
            sum[c * n + i] = b;
        }
    }
    for (int ch = 0; ch < row->channels; ch++) {
        const float *xr = x + (size_t)ch * row->x_channel, *wr = w + (size_t)ch * row->w_channel;
        for (int r = 0; r < row->rows.count; r++, xr += row->rows.x_step, wr += row->rows.w_step) {
            const float *xt = xr, *wt = wr;
            for (int t = 0; t < columns.count; t++, xt += columns.x_step, wt += columns.w_step) {
                if (CB >= n) { /* keep the smaller of the two operands in registers */
                    vec in[MAX];
                    UNROLL
                    for (int i = 0; i < n; i++) {
                        in[i] = v_load(xt + (size_t)(i / PARTS) * x_pixel + i % PARTS * WIDTH);
                    }
                    UNROLL
                    for (int c = 0; c < CB; c++) {
                        vec weight = v_set(wt[(size_t)c * row->w_out]);
                        UNROLL
                        for (int i = 0; i < n; i++) {
                            sum[c * n + i] = v_fma(weight, in[i], sum[c * n + i]);
                        }
                    }
                } else {
                    vec weight[MAX];
                    UNROLL
                    for (int c = 0; c < CB; c++) {
                        weight[c] = v_set(wt[(size_t)c * row->w_out]);
                    }
                    UNROLL
                    for (int i = 0; i < n; i++) {
                        vec in = v_load(xt + (size_t)(i / PARTS) * x_pixel + i % PARTS * WIDTH);
                        UNROLL
                        for (int c = 0; c < CB; c++) {
                            sum[c * n + i] = v_fma(weight[c], in, sum[c * n + i]);
                        }
                    }
                }
            }
        }
    }
    const vec least = v_least(row->rectify);
    UNROLL
    for (int c = 0; c < CB; c++) {
        float *to = y + (size_t)c * row->y_out;
        UNROLL
        for (int i = 0; i < n; i++) {
            v_store(to + (size_t)(i / PARTS) * row->y_pixel + i % PARTS * WIDTH,
                    v_max(least, sum[c * n + i]));
        }
    }
}

/* The blockings of a level: channels, and the most pixels that fit its registers with them. */
#if defined(__AVX512F__)
enum { PREFER_4 = 1, MANY = 12 };
static const int MOST_PIXELS[] = {0, 12, 12, 8, 6, 0, 4, [12] = 2}; /* by channels */
#define WIDE(X, CB) X(CB, 1) X(CB, 2) X(CB, 3) X(CB, 4)
#define WIDE_4(X) WIDE(X, 4) X(4, 5) X(4, 6)
#define WIDE_3(X) WIDE(X, 3) X(3, 5) X(3, 6) X(3, 7) X(3, 8)
#define WIDE_12(X, CB)                                                                             \
    WIDE(X, CB) X(CB, 5) X(CB, 6) X(CB, 7) X(CB, 8) X(CB, 9) X(CB, 10) X(CB, 11) X(CB, 12)
#define BLOCKINGS(X) WIDE_12(X, 1) WIDE_12(X, 2) WIDE_3(X) WIDE_4(X) WIDE(X, 6) X(12, 1) X(12, 2)
#elif defined(__AVX2__)
enum { PREFER_4 = 0, MANY = 0 };
static const int MOST_PIXELS[] = {0, 4, 2, 1, 1, 0, 1};
#define BLOCKINGS(X) X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(2, 1) X(2, 2) X(3, 1) X(4, 1) X(6, 1)
#else
enum { PREFER_4 = 1, MANY = 0 };
static const int MOST_PIXELS[] = {0, 2, 1, 1, 1, 0, 1};
#define BLOCKINGS(X) X(1, 1) X(1, 2) X(2, 1) X(3, 1) X(4, 1) X(6, 1)
#endif

typedef void block_run(const struct row *, int o, int p, int count);
#define DEFINE_BLOCK(CB, XB)                                                                       \
    static void block_##CB##_##XB(const struct row *row, int o, int p, int count)                  \
    {                                                                                              \
        if (row->x_pixel == LANES) {                                                               \
            for (; count > 0; count--, p += XB) {                                                  \
                block(row, CB, XB, 1, o, p);                                                       \
            }                                                                                      \
        } else {                                                                                   \
            for (; count > 0; count--, p += XB) {                                                  \
                block(row, CB, XB, 0, o, p);                                                       \
            }                                                                                      \
        }                                                                                          \
    }
BLOCKINGS(DEFINE_BLOCK)

#define LIST_BLOCK(CB, XB) [CB][XB] = block_##CB##_##XB,
static block_run *const BLOCKS[13][13] = {BLOCKINGS(LIST_BLOCK)};

/* How many output channels to take next: `many`, or blocks of 4 and 6 (the better of them first),
 * so that no small rest is left. */
static int next_channels(int rest, int many)
{
    const int first = PREFER_4 ? 4 : 6, second = PREFER_4 ? 6 : 4;
    if (many > 0 && rest >= many) {
        return many;
    }
    if (rest % first == 0 || rest > first + second) {
        return first;
    }
    if (rest >= second &&
        (rest == second || rest == first + second || rest == 2 * second || first > rest)) {
        return second;
    }
    return rest >= first ? first : rest == 5 ? 3 : rest;
}

/* Where there is one tap, and no margin, the channels may as well be taps: one loop, not three. */
static struct row channels_as_taps(struct row row, int pixels)
{
    const int at = (int)(row.columns.x / LANES);
    if (row.rows.count == 1 && row.columns.count == 1 &&
        (row.end == 0 || (at >= row.first && at + pixels <= row.end))) {
        row.columns.count = row.channels;
        row.columns.x_step = (ptrdiff_t)row.x_channel;
        row.columns.w_step = (ptrdiff_t)row.w_channel;
        row.channels = 1;
        row.end = 0;
    }
    return row;
}

/* One output row of `pixels`, channels [o, outs): blocks of equal width, the wider ones first, none
 * overlapping. */
static void correlate(const struct row *given, int o, int outs, int pixels)
{
    const struct row flat = channels_as_taps(*given, pixels), *row = &flat;
    /* with a stride, pixels have few lines of x in common: let more outputs share them */
    const int strided = given->x_pixel > LANES || given->y_pixel > LANES,
              many = strided && given->channels >= LANES ? MANY : 0;
    while (o < outs) {
        int channels = next_channels(outs - o, many), most = MOST_PIXELS[channels];
        int blocks = (pixels + most - 1) / most, width = pixels / blocks, wider = pixels % blocks;
        if (wider > 0) {
            BLOCKS[channels][width + 1](row, o, 0, wider);
        }
        BLOCKS[channels][width](row, o, wider * (width + 1), blocks - wider);
        o += channels;
    }
}

/* A kernel of one tap that moves by one pixel: a matrix product of weights and pixels (Lin, Chen,
 * Yan 2014, section 3.1), whose rows of pixels are one. */
static int is_pointwise(const struct window *s)
{
    return s->kh == 1 && s->kw == 1 && s->stride_h == 1 && s->stride_w == 1 && s->oh == s->h &&
           s->ow == s->w && s->pad_top == 0 && s->pad_left == 0;
}

/* Ask for channels [c, end) of `pixels` pixels from x on; a channel is `step` floats from the next,
 * which is further than processors look ahead by themselves. */
static void fetch_pixels(const float *x, ptrdiff_t step, int c, int end, int pixels)
{
    for (; c < end; c++) {
        for (int i = 0; i < pixels; i++) {
            __builtin_prefetch(x + c * step + (ptrdiff_t)i * LANES, 0, 2);
        }
    }
}

/* Its pixels [p, end), as many at a time as stay in the second cache, with all channels, until all
 * outputs have been made of them, and the next ones have come. OUTS: whole blocks at every level.
 */
static void correlate_pixels(struct row row, const struct share *share, int p, int end)
{
    enum { CACHED = 24 * 1024, BLOCK = 6, OUTS = 12 }; /* floats; pixels; channels */
    const int channels = row.channels, outs = share->channel_end - share->channel,
              most = greater(CACHED / LANES / channels / BLOCK, 1) * BLOCK;
    const ptrdiff_t step = (ptrdiff_t)row.x_channel;
    row.rows = row.columns = (struct taps){.count = 1};
    row.end = 0; /* there are no margins */
    row.x += (size_t)p * LANES;
    row.y += (size_t)p * LANES;
    for (int pixels; p < end; p += pixels) {
        pixels = lesser(end - p, most);
        const float *next = row.x + (size_t)pixels * LANES;
        for (int o = 0, made; o < outs; o = made) {
            made = lesser(o + OUTS, outs);
            fetch_pixels(next, step, share_begin(channels, o, outs),
                         share_begin(channels, made, outs), lesser(end - p - pixels, most));
            correlate(&row, share->channel + o, share->channel + made, pixels);
        }
        row.x = next;
        row.y += (size_t)pixels * LANES;
    }
}

static void dense_share(const struct window *s, const float *x, const float *w, const float *b,
                        float *y)
{
    const struct share share = share_of_weights(s);
    const int in = s->c * s->kh * s->kw, o = share.channel;
    KERNEL(dense_forward)
    (in, share.channel_end - o, 1, x, 0, w + (size_t)o * in, b ? b + o : NULL,
     y + (size_t)o * LANES, 0);
}

void KERNEL(conv_forward)(const struct window *s, const float *x, const float *w, const float *u,
                          const float *b, float *y, float *scratch)
{
    if (conv_is_dense(s)) {
        dense_share(s, x, w, b, y);
        return;
    }
    if (u && winograd_way(s) != WINOGRAD_NONE) {
        KERNEL(winograd_forward)(s, x, u, b, y, scratch);
        return;
    }
    int width;
    x = conv_widen(s, x, scratch, &width);
    struct row row = {
        .b = b,
        .channels = s->c,
        .x_channel = (size_t)s->h * width * LANES,
        .w_channel = (size_t)s->kh * s->kw,
        .w_out = (size_t)s->c * s->kh * s->kw,
        .y_out = (size_t)s->oh * s->ow * LANES,
        .x_pixel = (size_t)s->stride_w * LANES,
        .y_pixel = LANES,
        .x = x,
        .w = w,
        .columns = {.count = s->kw, .x_step = LANES, .w_step = 1},
        .rectify = s->rectify,
    };
    const struct share share = share_of(s, s->oh, 1, s->oc);
    if (is_pointwise(s)) {
        row.y = y;
        correlate_pixels(row, &share, share.row * s->ow, share.row_end * s->ow);
        return;
    }
    for (int oy = share.row; oy < share.row_end; oy++) {
        int top = oy * s->stride_h - s->pad_top, first = greater(0, -top),
            end = lesser(s->kh, s->h - top);
        row.y = y + (size_t)oy * s->ow * LANES;
        row.rows = (struct taps){
            .count = greater(0, end - first),
            .x = (ptrdiff_t)(top + first) * width * LANES,
            .w = (ptrdiff_t)first * s->kw,
            .x_step = (ptrdiff_t)width * LANES,
            .w_step = s->kw,
        };
        correlate(&row, share.channel, share.channel_end, s->ow);
    }
}

/* The taps that reach input position `at` (with the padding added) along one axis: k = at % stride,
 * + stride, ..., below `kernel`, whose output position (at - k) / stride is within [low, high]. x
 * counts positions, w counts taps. */
static struct taps reach(int at, int kernel, int stride, int low, int high)
{
    int k0 = at % stride, position = (at - k0) / stride;
    int count = k0 < kernel ? (kernel - k0 + stride - 1) / stride : 0;
    int skip = greater(0, position - high);
    count = lesser(count, position - low + 1) - skip;
    return (struct taps){.count = greater(0, count),
                         .x = position - skip,
                         .w = k0 + skip * stride,
                         .x_step = -1,
                         .w_step = stride};
}

void KERNEL(conv_backward_input)(const struct window *s, const float *dy, const float *w,
                                 const float *u, float *dx, float *scratch)
{
    if (conv_is_dense(s)) {
        const int in = s->c * s->kh * s->kw, parts = s->parts > 1 ? s->parts : 1;
        KERNEL(dense_backward_input)
        (in, s->oc, share_begin(in, s->part, parts), share_begin(in, s->part + 1, parts), dy, w,
         dx);
        return;
    }
    if (u && winograd_input_way(s) != WINOGRAD_NONE) {
        KERNEL(winograd_backward_input)(s, dy, u + winograd_forward_weights(s), dx, scratch);
        return;
    }
    int left, right;
    conv_margins(s, &left, &right);
    const int width = left + s->ow + right;
    if (left > 0 || right > 0) {
        widen(dy, (size_t)s->oc * s->oh, s->ow, left, width, scratch);
        dy = scratch;
    }
    struct row row = {
        .channels = s->oc,
        .x_channel = (size_t)s->oh * width * LANES,
        .w_channel = (size_t)s->c * s->kh * s->kw,
        .w_out = (size_t)s->kh * s->kw,
        .y_out = (size_t)s->h * s->w * LANES,
        .x_pixel = LANES,
        .y_pixel = (size_t)s->stride_w * LANES,
        .x = dy,
        .w = w,
        .first = left,
        .end = left + s->ow,
    };
    const struct share share = share_of(s, s->h, 1, s->c);
    if (is_pointwise(s)) {
        row.y = dx;
        correlate_pixels(row, &share, share.row * s->w, share.row_end * s->w);
        return;
    }
    for (int iy = share.row; iy < share.row_end; iy++) {
        row.rows = reach(iy + s->pad_top, s->kh, s->stride_h, 0, s->oh - 1);
        row.rows.x *= (ptrdiff_t)width * LANES;
        row.rows.x_step *= (ptrdiff_t)width * LANES;
        row.rows.w *= s->kw;
        row.rows.w_step *= s->kw;
        for (int ix = 0; ix < lesser(s->stride_w, s->w); ix++) {
            row.columns = reach(ix + s->pad_left, s->kw, s->stride_w, -left, s->ow - 1 + right);
            row.columns.x = (row.columns.x + left) * LANES;
            row.columns.x_step *= LANES;
            row.y = dx + ((size_t)iy * s->w + ix) * LANES;
            correlate(&row, share.channel, share.channel_end,
                      (s->w - ix + s->stride_w - 1) / s->stride_w);
        }
    }
}
