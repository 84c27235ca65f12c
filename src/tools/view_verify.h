/* view_verify.h: cnnview --verify: what is wrong with a model (train/verify.h). */
#ifndef CNNTRAIN_TOOLS_VIEW_VERIFY_H
#define CNNTRAIN_TOOLS_VIEW_VERIFY_H

#include "tools/cli.h"

/* What was found goes to stdout, faults to stderr. Returns the exit code. */
int view_verify(const struct cli *cli, const char *path, const struct cli_common *common);

#endif
