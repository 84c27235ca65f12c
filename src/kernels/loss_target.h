/* loss_target.h: the labels of a tile as vectors, shared by the kernels of the losses. */
#ifndef CNNTRAIN_KERNELS_LOSS_TARGET_H
#define CNNTRAIN_KERNELS_LOSS_TARGET_H

#include "kernels/bodies.h"

/* The two classes of each lane as floats, and their shares: 1 and 0 where there is only one; all -1
 * and 0 in a dead lane. */
struct target {
    float label[2][LANES] __attribute__((aligned(64)));
    float share[2][LANES] __attribute__((aligned(64)));
};

INLINE void target_make(struct target *target, const struct labels *labels)
{
    for (int lane = 0; lane < LANES; lane++) {
        const int live = labels->first[lane] >= 0;
        target->label[0][lane] = live ? (float)labels->first[lane] : -1.0f;
        target->label[1][lane] = live ? (float)labels->second[lane] : -1.0f;
        target->share[0][lane] = live ? labels->share[lane] : 0.0f;
        target->share[1][lane] = live ? 1.0f - labels->share[lane] : 0.0f;
    }
}

/* Where the i-th class of a lane is k. */
INLINE vmask target_is(const struct target *target, int i, int part, int k)
{
    return v_equal(v_load(target->label[i] + part * WIDTH), v_set((float)k));
}

/* The i-th class's share where it is k, else 0. */
INLINE vec target_share(const struct target *target, int i, int part, int k)
{
    return v_select(target_is(target, i, part, k), v_load(target->share[i] + part * WIDTH),
                    v_set(0.0f));
}

/* The target of class k. */
INLINE vec target_of(const struct target *target, int part, int k)
{
    return target_share(target, 0, part, k) + target_share(target, 1, part, k);
}

/* `value` in live lanes, 0 in dead ones. */
INLINE vec target_live(const struct target *target, int part, vec value)
{
    const vec label = v_load(target->label[0] + part * WIDTH);
    return v_select(v_greater(label, v_set(-0.5f)), value, v_set(0.0f));
}

#endif
