/* check_data.h: `cnntrain --check-data`: what is in the sets of a config, and what is wrong with
 * them. */
#ifndef CNNTRAIN_TOOLS_CHECK_DATA_H
#define CNNTRAIN_TOOLS_CHECK_DATA_H

#include "tools/cli.h"
#include "train/settings.h"

/* A table of each set on stdout; on stderr what is wrong: images that cannot be read, equal images
 * with different labels, images that are in training and in validation or test too; and, as
 * warnings, what may be meant: equal images in one set, classes without images. Of each kind up to
 * 20 are shown and all are counted. Returns the exit code. */
int check_data(const struct cli *cli, const struct settings *settings, int threads);

#endif
