/* doctor.h: `cnntrain --doctor`: what a run's log, config, model and data say of it. */
#ifndef CNNTRAIN_TOOLS_DOCTOR_H
#define CNNTRAIN_TOOLS_DOCTOR_H

#include "tools/cli.h"

/* Print the diagnosis of the run in a directory. Returns the exit code: 0, whatever is found. */
int doctor(const struct cli *cli, const char *directory, int threads);

#endif
