/* cli_internal.h: between cli.c, cli_parse.c and cli_threads.c. */
#ifndef CNNTRAIN_TOOLS_CLI_INTERNAL_H
#define CNNTRAIN_TOOLS_CLI_INTERNAL_H

#include "base/text.h"
#include "tools/cli.h"

enum { CLI_MOST_OPTIONS = 48, CLI_MOST_THREADS = 1024 };

/* The command's own options and the common ones. */
struct cli_rows {
    int count;
    const struct cli_option *items[CLI_MOST_OPTIONS];
};
struct cli_rows cli_rows(const struct cli *cli);

/* Descriptors and signals; -1 when nothing can be done here. */
int cli_start(const struct cli *cli);
void cli_help(const struct cli *cli);
void cli_version(const struct cli *cli);
/* A call without arguments: how it is meant. Returns ERROR_USAGE. */
int cli_usage_only(const struct cli *cli);
/* The same after "ARGUMENT is missing". */
int cli_missing(const struct cli *cli, const char *argument);

#endif
