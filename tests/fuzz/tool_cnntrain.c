/* tool_cnntrain.c: see tool.h. */
#define MAIN main_of_cnntrain
#include "fuzz/tool.h"

#include "tools/cnntrain.c"

const struct tool TOOL_CNNTRAIN = {&CLI, sizeof(struct train_options)};
