/* cli_parse.c: the command line, by the rows of a command. getopt_long does the splitting (--key
 * value,
 * --key=value, -kvalue, -qv, --); the messages are ours. */
#include "tools/cli_internal.h"

#include <getopt.h>
#include <string.h>

enum {
    LONG = 256
}; /* getopt's value of a long option is its row's number above this: never a letter */

struct parser {
    const struct cli *cli;
    struct cli_rows rows;
    char letters[3 * CLI_MOST_OPTIONS + 2];
    struct option longs[CLI_MOST_OPTIONS + 1];
    int given[CLI_MOST_OPTIONS];
};

static void prepare(struct parser *parser, const struct cli *cli)
{
    *parser = (struct parser){.cli = cli, .rows = cli_rows(cli)};
    char *at = parser->letters;

    /* Without a value getopt shall return ':', and print nothing. */
    *at++ = ':';
    for (int i = 0; i < parser->rows.count; i++) {
        const struct cli_option *row = parser->rows.items[i];
        const int value = !row->kind->takes_value ? no_argument
                          : row->optional         ? optional_argument
                                                  : required_argument;

        parser->longs[i] = (struct option){.name = row->name, .has_arg = value, .val = LONG + i};
        if (row->letter != 0) {
            *at++ = row->letter;
            memset(at, ':', (size_t)value);
            at += value;
        }
    }
}

/* The row of what getopt returned, or -1. */
static int find_row(const struct parser *parser, int value)
{
    if (value >= LONG) {
        return value - LONG;
    }
    for (int i = 0; i < parser->rows.count; i++) {
        if (value != 0 && parser->rows.items[i]->letter == value) {
            return i;
        }
    }
    return -1;
}

static int report_letter(const struct parser *parser, int letter)
{
    const char text[] = {(char)letter};
    char shown[16];

    return cli_usage(parser->cli, "unknown option '-%s'",
                     text_escape(shown, sizeof shown, text, 1));
}

static int report_name(const struct parser *parser, const char *argument)
{
    const char *names[CLI_MOST_OPTIONS + 1] = {NULL};
    char name[64], shown[400];
    const size_t length = strcspn(argument + 2, "=");
    const struct cli_option *first = NULL;

    for (int i = 0; i < parser->rows.count; i++) {
        const struct cli_option *row = parser->rows.items[i];

        names[i] = row->name;
        if (strncmp(row->name, argument + 2, length) != 0) {
            continue;
        }
        if (first != NULL) {
            return cli_usage(parser->cli, "'--%.*s' could be '--%s' or '--%s'", (int)length,
                             argument + 2, first->name, row->name);
        }
        first = row;
    }
    text_escape(shown, sizeof shown, argument, length + 2);
    snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length : 0, argument + 2);
    const char *closest = text_closest(name, names);

    return closest != NULL
               ? cli_usage(parser->cli, "unknown option '%s'; did you mean '--%s'?", shown, closest)
               : cli_usage(parser->cli, "unknown option '%s'", shown);
}

/* getopt does not know the option, or it has a value that it does not take. */
static int report_unknown(const struct parser *parser, const char *argument)
{
    const int row = find_row(parser, optopt);

    if (optopt == 0) {
        return report_name(parser, argument);
    }
    return row < 0 ? report_letter(parser, optopt)
                   : cli_usage(parser->cli, "--%s takes no value", parser->rows.items[row]->name);
}

static int take(struct parser *parser, int i, const char *value, void *options)
{
    const struct cli_option *row = parser->rows.items[i];
    struct error e;
    char shown[400];

    if (parser->given[i]++ > 0 && row->kind->takes_value && !row->kind->repeatable) {
        return cli_usage(parser->cli, "--%s is given twice", row->name);
    }
    if (row->kind->read(row, (char *)options + row->offset, value, &e) != 0) {
        return cli_usage(parser->cli, "--%s %s, got '%s'", row->name, e.message,
                         text_escape(shown, sizeof shown, value, strlen(value)));
    }
    return -1;
}

/* All options; -1, or the exit code. */
static int parse_options(struct parser *parser, int argc, char **argv, void *options)
{
    const struct cli_common *common = options;

    opterr = 0;
    optind = 0; /* for GNU: start anew */
    for (;;) {
        const int value = getopt_long(argc, argv, parser->letters, parser->longs, NULL);
        const int row = find_row(parser, value == ':' ? optopt : value);

        if (value == -1) {
            return -1;
        }
        if (value == '?') {
            return report_unknown(parser, argv[optind - 1]);
        }
        if (value == ':') {
            return cli_usage(parser->cli, "--%s needs a value", parser->rows.items[row]->name);
        }
        if (parser->rows.items[row]->optional && optarg == NULL) {
            optarg = optind < argc && argv[optind][0] != '-' ? argv[optind++] : NULL;
        }
        const int code = take(parser, row, optarg != NULL ? optarg : "", options);

        if (code >= 0) {
            return code;
        }
        if (common->help || common->version) {
            (common->help ? cli_help : cli_version)(parser->cli);
            return cli_finish(parser->cli, 0);
        }
    }
}

static int check_arguments(const struct parser *parser, const struct cli_arguments *arguments)
{
    const char *const *names = parser->cli->arguments;
    int wanted = 0, alone = 0;
    const char *instead = NULL;
    char shown[400];

    while (names[wanted] != NULL) {
        wanted++;
    }
    for (int i = 0; i < parser->rows.count; i++) {
        const struct cli_option *row = parser->rows.items[i];

        if (row->alone && parser->given[i] > 0) {
            alone = 1;
            instead = row->instead != NULL ? row->instead : instead;
        }
    }
    if (instead != NULL) {
        return arguments->count > 0 ? -1 : cli_missing(parser->cli, instead);
    }
    if (alone) {
        wanted = 0;
    }
    if (arguments->count < wanted) {
        return cli_missing(parser->cli, names[arguments->count]);
    }
    if (arguments->count > wanted && (alone || !parser->cli->many)) {
        const char *extra = arguments->values[wanted];

        return cli_usage(parser->cli, "unexpected argument '%s'",
                         text_escape(shown, sizeof shown, extra, strlen(extra)));
    }
    return -1;
}

int cli_parse(const struct cli *cli, int argc, char **argv, void *options,
              struct cli_arguments *arguments)
{
    struct parser parser;
    struct cli_common *common = options;
    struct error e;

    if (cli_start(cli) != 0) {
        error_errno(&e, ERROR_IO, "/dev/null", "cannot open");
        return cli_fail(cli, &e);
    }
    if (argc <= 1) {
        return cli_usage_only(cli);
    }
    prepare(&parser, cli);
    const int code = parse_options(&parser, argc, argv, options);

    if (code >= 0) {
        return code;
    }
    if (common->quiet && common->verbose) {
        return cli_usage(cli, "--quiet and --verbose cannot be combined");
    }
    *arguments = (struct cli_arguments){argc - optind, argv + optind};
    return check_arguments(&parser, arguments);
}
