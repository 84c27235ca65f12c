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

const struct family LAYERS = {"layer", "layers", LAYER_MEMBERS};
const struct family ACTIVATIONS = {"activation", "activations", ACTIVATION_MEMBERS};

static const struct member *const INITIALIZER_MEMBERS[] = {
    &INITIALIZER_he.member, &INITIALIZER_xavier.member, &INITIALIZER_lecun.member,
    &INITIALIZER_zeros.member, NULL};
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
