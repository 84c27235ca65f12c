/* returns.h: for the analyzers only, which see one source at a time: that what fills an error
 * returns -1, and what complains of a command line ERROR_USAGE (tests/unit/test_error.c holds the
 * former to it). Included before each source but the one that has the function. */
#include "base/error.h"
#include "tools/cli.h"

#define error_set(...) (error_set(__VA_ARGS__), -1)
#define error_at_offset(...) (error_at_offset(__VA_ARGS__), -1)
#define error_errno(...) (error_errno(__VA_ARGS__), -1)
#define error_memory(...) (error_memory(__VA_ARGS__), -1)
#define cli_usage(...) (cli_usage(__VA_ARGS__), ERROR_USAGE)
