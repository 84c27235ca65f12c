/* table.c: the kernels of one level as a table; compiled once a level. */
#include "kernels/bodies.h"

#define STRING2(text) #text
#define STRING(text) STRING2(text)

extern const struct kernels KERNEL(kernels);

const struct kernels KERNEL(kernels) = {
    .name = STRING(LEVEL),
    .fused = FUSED,
    .conv_forward = KERNEL(conv_forward),
    .conv_backward_input = KERNEL(conv_backward_input),
    .conv_backward_weight = KERNEL(conv_backward_weight),
    .dense_forward = KERNEL(dense_forward),
    .dense_backward_input = KERNEL(dense_backward_input),
    .dense_backward_weight = KERNEL(dense_backward_weight),
    .maxpool_forward = KERNEL(maxpool_forward),
    .maxpool_backward = KERNEL(maxpool_backward),
    .avgpool_forward = KERNEL(avgpool_forward),
    .avgpool_backward = KERNEL(avgpool_backward),
    .moments = KERNEL(moments),
    .normalize = KERNEL(normalize),
    .normalize_sums = KERNEL(normalize_sums),
    .normalize_backward = KERNEL(normalize_backward),
    .activation = KERNEL(activations),
    .dropout = KERNEL(dropout),
    .softmax = KERNEL(softmax),
    .cross_entropy = KERNEL(cross_entropy),
    .focal = KERNEL(focal),
    .mse = KERNEL(mse),
    .mae = KERNEL(mae),
    .huber = KERNEL(huber),
    .hinge = KERNEL(hinge),
    .add = KERNEL(add),
    .reduce = KERNEL(reduce),
    .sgd = KERNEL(sgd),
    .adam = KERNEL(adam),
    .amsgrad = KERNEL(amsgrad),
    .nadam = KERNEL(nadam),
    .adagrad = KERNEL(adagrad),
    .rmsprop = KERNEL(rmsprop),
    .adadelta = KERNEL(adadelta),
    .lion = KERNEL(lion),
    .tile_from_bytes = KERNEL(tile_from_bytes),
    .tile_from_floats = KERNEL(tile_from_floats),
    .image_from_bytes = KERNEL(image_from_bytes),
    .image_from_floats = KERNEL(image_from_floats),
};
