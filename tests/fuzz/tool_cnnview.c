/* tool_cnnview.c: see tool.h. */
#define MAIN main_of_cnnview
#include "fuzz/tool.h"

#include "tools/cnnview.c"

const struct tool TOOL_CNNVIEW = {&CLI, sizeof(struct view_options)};
