/* tool_cnneval.c: see tool.h. */
#define MAIN main_of_cnneval
#include "fuzz/tool.h"

#include "tools/cnneval.c"

const struct tool TOOL_CNNEVAL = {&CLI, sizeof(struct eval_options)};
