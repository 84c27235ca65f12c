/* families.c: the families of this floor, made from their .def lists. */
#include "net/layer.h"
#include "net/loss.h"

#define LAYER(name) extern const struct layer_type LAYER_##name;
#define ACTIVATION(name) LAYER(name)
#include "net/layers.def"
#undef LAYER
#undef ACTIVATION

#define LAYER(name) &LAYER_##name.member,
#define ACTIVATION(name) LAYER(name)
static const struct member *const LAYER_MEMBERS[] = {
#include "net/layers.def"
    NULL};
#undef LAYER

#define LAYER(name)
static const struct member *const ACTIVATION_MEMBERS[] = {
#undef ACTIVATION
#define ACTIVATION(name) &LAYER_##name.member,
#include "net/layers.def"
    NULL};
#undef LAYER
#undef ACTIVATION

/* From darknet, Keras and PyTorch. */
#define NO_SOFTMAX "leave it out: the loss cross_entropy has a softmax of its own"
static const struct foreign FOREIGN_LAYERS[] = {
    {"softmax", NO_SOFTMAX},
    {"log_softmax", NO_SOFTMAX},
    {"logsoftmax", NO_SOFTMAX},
    {"convolutional", "write 'conv'"},
    {"conv2d", "write 'conv'"},
    {"connected", "write 'dense'"},
    {"linear", "write 'dense'"},
    {"fc", "write 'dense'"},
    {"maxpool2d", "write 'maxpool'"},
    {"maxpooling2d", "write 'maxpool'"},
    {"avgpool2d", "write 'avgpool'"},
    {"averagepooling2d", "write 'avgpool'"},
    {"adaptiveavgpool2d", "write 'global_avgpool'"},
    {"globalaveragepooling2d", "write 'global_avgpool'"},
    {"globalmaxpooling2d", "write 'global_maxpool'"},
    {"batchnorm2d", "write 'batchnorm'"},
    {"batchnormalization", "write 'batchnorm'"},
    {"shortcut", "put the layers that it leads past into 'residual: [...]'"},
    {"route", "put the layers side by side into 'concat: [[...], [...]]'"},
    {NULL, NULL}};
static const struct foreign FOREIGN_ACTIVATIONS[] = {
    {"softmax", NO_SOFTMAX},
    {"linear", "leave it out: without an activation the output is linear"},
    {"swish", "write 'silu'"},
    {"leaky", "write 'leaky_relu'"},
    {"logistic", "write 'sigmoid'"},
    {NULL, NULL}};

const struct family LAYERS = {"layer", "layers", LAYER_MEMBERS, FOREIGN_LAYERS};
const struct family ACTIVATIONS = {"activation", "activations", ACTIVATION_MEMBERS,
                                   FOREIGN_ACTIVATIONS};

static const struct member *const INITIALIZER_MEMBERS[] = {&INITIALIZER_he.member,
                                                           &INITIALIZER_xavier.member,
                                                           &INITIALIZER_lecun.member,
                                                           &INITIALIZER_zeros.member,
                                                           &INITIALIZER_dirac.member,
                                                           &INITIALIZER_whiten.member,
                                                           NULL};
const struct family INITIALIZERS = {"initializer", "initializers", INITIALIZER_MEMBERS};

#define LOSS(name) extern const struct loss_type LOSS_##name;
#include "net/losses.def"
#undef LOSS

#define LOSS(name) &LOSS_##name.member,
static const struct member *const LOSS_MEMBERS[] = {
#include "net/losses.def"
    NULL};
#undef LOSS
const struct family LOSSES = {"loss", "losses", LOSS_MEMBERS};
