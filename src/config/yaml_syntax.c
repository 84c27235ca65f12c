/* yaml_syntax.c: what libyaml says about a text that is not YAML, in words that someone who writes
 * a config understands, and with the place of the opening bracket or quote where that helps. */
#include "config/yaml_internal.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* libyaml's text -> ours. Those that are not listed are printed as libyaml has them. */
static const struct {
    const char *problem, *message;
} translations[] = {
    {"did not find expected ',' or ']'", "expected ',' or ']' in this list"},
    {"did not find expected ',' or '}'", "expected ',' or '}' in this mapping"},
    {"found unexpected end of stream", "unterminated string"},
    {"found unexpected document indicator", "unterminated string"},
    {"found unknown escape character", "unknown escape in a quoted string"},
    {"found character that cannot start any token",
     "this character cannot start a value; quote the text"},
    {"could not find expected ':'", "expected ':' after this key"},
    {"mapping values are not allowed in this context",
     "mapping not allowed here: wrong indentation, a second ':' in one line, or none in the line "
     "above"},
    {"mapping keys are not allowed in this context", "keys must be plain text"},
    {"did not find expected key",
     "expected a key here: check the indentation and the brackets above"},
    {"did not find expected '-' indicator", "expected '-' here: check the indentation"},
    {"did not find expected node content", "expected a value here"},
    {"block sequence entries are not allowed in this context",
     "a list item ('-') is not allowed here"},
    {"did not find expected alphabetic or numeric character", "expected a name after '&' or '*'"},
    {"found undefined tag handle", "tags are not supported"},
    {"found extra document start", "only one document is allowed"},
};

static const char *translate(const char *problem)
{
    for (size_t i = 0; i < sizeof translations / sizeof translations[0]; i++) {
        if (strcmp(problem, translations[i].problem) == 0) {
            return translations[i].message;
        }
    }
    return problem;
}

/* "the list opened at 10:11", from what libyaml was doing. */
static void add_note(struct error *e, const yaml_parser_t *parser)
{
    static const struct {
        const char *context, *what;
    } opened[] = {
        {"while parsing a flow sequence", "the list opened"},
        {"while parsing a flow mapping", "the mapping opened"},
        {"while parsing a flow node", "the list or mapping opened"},
        {"while scanning a quoted scalar", "the string opened"},
        {"while parsing a block mapping", "the mapping starts"},
        {"while parsing a block collection", "the list starts"},
    };

    for (size_t i = 0; parser->context != NULL && i < sizeof opened / sizeof opened[0]; i++) {
        if (strcmp(parser->context, opened[i].context) == 0) {
            snprintf(e->note, sizeof e->note, "%s at %zu:%zu", opened[i].what,
                     parser->context_mark.line + 1, parser->context_mark.column + 1);
        }
    }
}

/* The first tab in the indentation of the line that holds `at`, or NULL. */
static const char *find_tab(const struct yaml_source *source, size_t at)
{
    size_t start = at;

    while (start > 0 && source->text[start - 1] != '\n' && source->text[start - 1] != '\r') {
        start--;
    }
    while (start < source->length && source->text[start] == ' ') {
        start++;
    }
    return start < source->length && source->text[start] == '\t' ? source->text + start : NULL;
}

int yaml_syntax_error(const struct yaml_source *source, const yaml_parser_t *parser,
                      struct error_list *errors)
{
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    const int missing_colon = strcmp(problem, "could not find expected ':'") == 0;
    const yaml_mark_t mark = missing_colon ? parser->context_mark : parser->problem_mark;

    if (parser->error == YAML_MEMORY_ERROR) {
        return error_memory(error_next(errors), source->length);
    }
    const size_t at = yaml_find(source, (int)mark.line + 1, (int)mark.column + 1);
    const char *tab = find_tab(source, at);
    struct yaml where = yaml_place(source, tab != NULL ? (size_t)(tab - source->text) : at);

    if (tab != NULL) {
        return yaml_error(errors, &where, "a tab cannot indent; use spaces");
    }
    if (at < source->length && source->text[at] == '%' && where.column == 1) {
        return yaml_error(errors, &where, "directives are not supported");
    }
    if (parser->context != NULL && strstr(parser->context, " tag") != NULL) {
        return yaml_error(errors, &where, "tags are not supported");
    }
    struct error *e = error_next(errors);

    yaml_error_one(e, ERROR_CONFIG, &where, "%s", translate(problem));
    add_note(e, parser);
    return -1;
}
