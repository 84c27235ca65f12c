/* families.c: the family of this floor, made from its .def list. */
#include "optim/optimizer.h"

#define OPTIMIZER(name) extern const struct optimizer_type OPTIMIZER_##name;
#include "optim/optimizers.def"
#undef OPTIMIZER

#define OPTIMIZER(name) &OPTIMIZER_##name.member,
static const struct member *const MEMBERS[] = {
#include "optim/optimizers.def"
    NULL};
const struct family OPTIMIZERS = {"optimizer", "optimizers", MEMBERS};
