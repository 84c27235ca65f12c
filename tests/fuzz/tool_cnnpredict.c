/* tool_cnnpredict.c: see tool.h. */
#define MAIN main_of_cnnpredict
#include "fuzz/tool.h"

#include "tools/cnnpredict.c"

const struct tool TOOL_CNNPREDICT = {&CLI, sizeof(struct predict_options)};
