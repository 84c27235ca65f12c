/* view_curves.h: cnnview --curves: the logs of runs as curves (report/curves.h). */
#ifndef CNNTRAIN_TOOLS_VIEW_CURVES_H
#define CNNTRAIN_TOOLS_VIEW_CURVES_H

#include "tools/cli.h"

/* Draw them into the file `output`, or on stdout where it is NULL. Returns the exit code. */
int view_curves(const struct cli *cli, const struct cli_arguments *logs, const char *output);

#endif
