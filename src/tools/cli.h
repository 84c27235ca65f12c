/* cli.h: what the commands share: options, --help, messages, exit codes.
 *
 * An option is one row of a table; getopt_long, the checks and --help read the same rows. A command
 * is then
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct eval_options options = {.top_k = 5};
 *         struct cli_arguments arguments;
 *         const int code = cli_parse(&CLI, argc, argv, &options, &arguments);
 *         return code >= 0 ? code : cli_finish(&CLI, evaluate_model(&options, ...));
 *     } */
#ifndef CNNTRAIN_TOOLS_CLI_H
#define CNNTRAIN_TOOLS_CLI_H

#include "base/error.h"

#include <stddef.h>

struct cli_option;
struct kernels;

/* What a value is, and where it goes. Not an error: 0; else -1 and `e` says what it must be ("must
 * be 1 to 1024"). */
struct cli_kind {
    int takes_value;
    int repeatable;
    int (*read)(const struct cli_option *option, void *field, const char *value, struct error *e);
};
/* kind         field             given
 * CLI_FLAG     int               sets 1
 * CLI_TEXT     const char *      anything but nothing
 * CLI_TEXTS    struct cli_texts  the same, as often as one likes
 * CLI_INTEGER  int               a whole number within [low, high]
 * CLI_SHARE    double            0 to 1, or 0% to 100%
 * CLI_WORD     const char *      one of `words`; the field points into them
 * CLI_CHOICE   int               one of `words`, as its index
 */
extern const struct cli_kind CLI_FLAG, CLI_TEXT, CLI_TEXTS, CLI_INTEGER, CLI_SHARE, CLI_WORD,
    CLI_CHOICE;

enum { CLI_MOST_TEXTS = 256 };
struct cli_texts {
    int count;
    const char *values[CLI_MOST_TEXTS];
};

struct cli_option {
    const char *name; /* "threads"; NULL ends a table */
    char letter;      /* 't'; 0: none */
    const struct cli_kind *kind;
    size_t offset;            /* of the field in the command's options */
    const char *argument;     /* what --help calls the value: "N" */
    const char *help;         /* lines, of at most 50 characters */
    int low, high;            /* CLI_INTEGER */
    const char *const *words; /* CLI_WORD, CLI_CHOICE: NULL-terminated */
    int optional;             /* the value may be left out: a CLI_TEXT or CLI_WORD is then "" */
    int alone;                /* does a job of its own, in which the command takes no arguments */
    const char *instead;      /* or, where alone, one or more of these: "LOG" */
};

/* The options of every command: the first field of each command's options. */
struct cli_common {
    int help, version, quiet, verbose;
    int threads; /* 0: not given, see cli_threads */
};

struct cli {
    const char *program;          /* "cnneval" */
    const char *purpose;          /* a sentence */
    const char *const *arguments; /* "MODEL", "TESTSET", NULL: all needed */
    int many;                     /* the last one may be given more than once */
    int survives_pipe; /* the work goes on when nobody reads what it prints: SIGPIPE is ignored */
    const struct cli_option *options; /* the command's own; the common ones follow by themselves */
    const char *epilogue;             /* end of --help: exit codes, examples; NULL: none */
};
struct cli_arguments {
    int count;
    char **values;
};

/* Start-up (descriptors 0 to 2, signals), then options into `options`, which holds the defaults and
 * begins with struct cli_common. -1: go on. Else the exit code to end with: --help and --version
 * are done, a fault has been reported. */
int cli_parse(const struct cli *cli, int argc, char **argv, void *options,
              struct cli_arguments *arguments);

/* "PROGRAM: error: ..." and where to find help. Returns ERROR_USAGE, to return from main. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Print one error, or all of a list, to stderr. Returns the exit code: the kind of the first. */
int cli_fail(const struct cli *cli, const struct error *e);
int cli_fail_all(const struct cli *cli, const struct error_list *errors);
/* Print a list as warnings: nothing comes of them. */
void cli_warn_all(const struct cli *cli, const struct error_list *warnings);
/* Whether all that was printed on stdout got there. ERROR_IO. */
int cli_flush(struct error *e);
/* At the end of main, with its exit code: what a last cli_flush finds turns success into ERROR_IO,
 * and is reported. */
int cli_finish(const struct cli *cli, int code);

/* Colour on stderr: a terminal, not a dumb one, and no NO_COLOR. */
int cli_colour(void);
/* --threads, or all cores of this machine that we may use; fewer where there cannot be so many, of
 * which it warns. They are made at the first call: nothing that computes may come before. */
int cli_threads(const struct cli *cli, const struct cli_common *common);
/* The kernels for this CPU, capped by CNNTRAIN_CPU; NULL when that names no level: reported, exit
 * with ERROR_USAGE. */
const struct kernels *cli_kernels(const struct cli *cli);

#endif
