/* families.c: the families of this floor, made from their .def lists. */
#include "optim/optimizer.h"
#include "optim/schedule.h"

#define OPTIMIZER(name) extern const struct optimizer_type OPTIMIZER_##name;
#include "optim/optimizers.def"
#undef OPTIMIZER

#define OPTIMIZER(name) &OPTIMIZER_##name.member,
static const struct member *const OPTIMIZER_MEMBERS[] = {
#include "optim/optimizers.def"
    NULL};
#undef OPTIMIZER
const struct family OPTIMIZERS = {"optimizer", "optimizers", OPTIMIZER_MEMBERS};

#define SCHEDULE(name) extern const struct schedule_type SCHEDULE_##name;
#include "optim/schedules.def"
#undef SCHEDULE

#define SCHEDULE(name) &SCHEDULE_##name.member,
static const struct member *const SCHEDULE_MEMBERS[] = {
#include "optim/schedules.def"
    NULL};
#undef SCHEDULE
const struct family SCHEDULES = {"schedule", "schedules", SCHEDULE_MEMBERS};
