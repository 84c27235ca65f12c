/* tool.h: the option table of a command, for target_cli.c. It is private to the command's own file,
 * so that file is included whole, with another name for its main. */
#ifndef CNNTRAIN_TESTS_FUZZ_TOOL_H
#define CNNTRAIN_TESTS_FUZZ_TOOL_H

#include "tools/cli.h"

struct tool {
    const struct cli *cli;
    size_t options; /* bytes of the struct that they are read into */
};
extern const struct tool TOOL_CNNTRAIN, TOOL_CNNEVAL, TOOL_CNNPREDICT, TOOL_CNNVIEW;

/* MAIN is the other name. */
#define main                                                                                       \
    MAIN(int argc, char **argv);                                                                   \
    int MAIN

#endif
