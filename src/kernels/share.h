/* share.h: how a team of threads divides one convolution of a tile: by output rows, where these can
 * be dealt out evenly, and else by output channels. Every output is made by one of them, in the
 * same way as by a thread alone. */
#ifndef CNNTRAIN_KERNELS_SHARE_H
#define CNNTRAIN_KERNELS_SHARE_H

#include "kernels/kernels.h"

/* What one member makes: rows [row, row_end) of channels [channel, channel_end). */
struct share {
    int row, row_end;
    int channel, channel_end;
};

/* Where share `part` of `parts` of n begins; that of part + 1 is its end. */
static inline int share_begin(int n, int part, int parts)
{
    return (int)((long long)n * part / parts);
}

/* The share s->part of s->parts of `rows` rows, which come in steps of `step`, and `channels`. */
static inline struct share share_of(const struct window *s, int rows, int step, int channels)
{
    struct share share = {0, rows, 0, channels};
    if (s->parts > 1) {
        const int steps = (rows + step - 1) / step, most = (steps + s->parts - 1) / s->parts;
        if (7 * most * s->parts <= 8 * steps) { /* none waits long for another */
            share.row = step * share_begin(steps, s->part, s->parts);
            share.row_end = step * share_begin(steps, s->part + 1, s->parts);
            share.row_end = share.row_end < rows ? share.row_end : rows;
        } else {
            share.channel = share_begin(channels, s->part, s->parts);
            share.channel_end = share_begin(channels, s->part + 1, s->parts);
        }
    }
    return share;
}

/* Of the weight gradient always by output channels. */
static inline struct share share_of_weights(const struct window *s)
{
    struct share share = {0, s->oh, 0, s->oc};
    if (s->parts > 1) {
        share.channel = share_begin(s->oc, s->part, s->parts);
        share.channel_end = share_begin(s->oc, s->part + 1, s->parts);
    }
    return share;
}

#endif
