/* check_gradients.h: `cnntrain --gradcheck`: the gradients of a config's network against
 * differences. */
#ifndef CNNTRAIN_TOOLS_CHECK_GRADIENTS_H
#define CNNTRAIN_TOOLS_CHECK_GRADIENTS_H

#include "tools/cli.h"
#include "train/trainer.h"

/* Print the table for a prepared trainer. Returns the exit code: ERROR_CHECK when one deviates. */
int check_gradients(const struct cli *cli, struct trainer *trainer);

#endif
