/* target_cli.c: the command lines of all four commands: cli.c, cli_parse.c, cli_kinds.c.
 *
 *   command (1 byte), arguments, each ended by 0 but the last
 *
 * A line is taken, or ends the command with an exit code and a word: help on stdout, or faults on
 * stderr, in which nothing stands that a terminal would obey. */
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "fuzz/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ARGUMENTS = 64, MOST_OUTPUT = 1 << 15 };

/* What a command prints. */
struct output {
    char bytes[MOST_OUTPUT];
    size_t size;
};
static struct output out, err;

static ssize_t collect(void *to, const char *bytes, size_t size)
{
    struct output *output = to;
    CHECK(size <= MOST_OUTPUT - output->size);
    memcpy(output->bytes + output->size, bytes, size);
    output->size += size;
    return (ssize_t)size;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    const cookie_io_functions_t functions = {.write = collect};
    stdout = fopencookie(&out, "w", functions);
    stderr = fopencookie(&err, "w", functions);
    CHECK(stdout != NULL && stderr != NULL);
    return 0;
}

/* Lines, the last one ended too, of characters that may be shown. */
static void check_shown(const struct output *output)
{
    CHECK(output->size > 0 && output->bytes[output->size - 1] == '\n');
    CHECK(text_utf8_prefix(output->bytes, output->size) == output->size);
    for (size_t i = 0; i < output->size; i++) {
        const unsigned char c = (unsigned char)output->bytes[i];
        CHECK((c >= ' ' || c == '\n') && c != 0x7f);
    }
}

static void check_parsed(const struct cli *cli, int argc, char **argv,
                         const struct cli_arguments *arguments)
{
    CHECK(out.size == 0 && err.size == 0);
    CHECK(arguments->count >= 0 && arguments->count < argc);
    CHECK(arguments->values + arguments->count == argv + argc);
    for (int i = 0; i < arguments->count; i++) {
        CHECK(arguments->values[i] != NULL);
    }
    (void)cli;
}

static void parse(const struct tool *tool, int argc, char **argv)
{
    struct cli_arguments arguments = {0};
    void *options = calloc(1, tool->options);
    CHECK(options != NULL);
    out.size = err.size = 0;
    const int code = cli_parse(tool->cli, argc, argv, options, &arguments);
    CHECK(fflush(stdout) == 0 && fflush(stderr) == 0);
    if (code == -1) {
        check_parsed(tool->cli, argc, argv, &arguments);
    } else if (code == 0) {
        CHECK(err.size == 0);
        check_shown(&out);
    } else {
        CHECK(code == ERROR_USAGE && out.size == 0);
        check_shown(&err);
    }
    free(options);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static const struct tool *const TOOLS[] = {&TOOL_CNNTRAIN, &TOOL_CNNEVAL, &TOOL_CNNPREDICT,
                                               &TOOL_CNNVIEW};
    if (size < 1) {
        return 0;
    }
    const struct tool *tool = TOOLS[data[0] % 4];
    char *text = malloc(size); /* the command's byte becomes the last end */
    char *argv[MOST_ARGUMENTS + 1] = {(char *)(uintptr_t)tool->cli->program};
    int argc = 1;
    CHECK(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    for (size_t at = 0; at + 1 < size && argc < MOST_ARGUMENTS; at += strlen(text + at) + 1) {
        argv[argc++] = text + at;
    }
    parse(tool, argc, argv);
    free(text);
    return 0;
}
