/* yaml_build.c: from libyaml's events to the tree. What libyaml does not look at is decided here,
 * while the events stream in, so that a bomb is refused before it grows: depth, number of nodes (an
 * alias counts with all that it names), length of scalars, tags, keys that are not plain text,
 * aliases to nothing or to a node around them, more than one document. Mappings are finished
 * (merges, duplicates) by yaml_map.c. */
#include "base/text.h"
#include "config/yaml_internal.h"

#include <string.h>
#include <yaml.h>

#define TO_LINE_END 4096 /* a width that yaml_error cuts to what there is */

/* A list or mapping whose end has not come yet. */
struct frame {
    struct yaml *node;
    struct yaml_child *first, *last; /* list items, or keys and values in turn */
    struct yaml_anchor *anchor;
    int children, nodes_before;
    int height; /* of what has been read of it: 1 without a list or mapping inside */
};

struct builder {
    struct arena *arena;
    const struct yaml_source *source;
    struct error_list *errors;
    const struct yaml *root;
    int nodes, depth;
    struct frame frames[YAML_MAX_DEPTH];
    struct yaml_anchors anchors;
    struct yaml_cursor cursor; /* at the last key */
};

static int out_of_memory(struct builder *b, size_t size)
{
    return error_memory(error_next(b->errors), size);
}

static struct yaml at_marks(const struct builder *b, yaml_mark_t start, yaml_mark_t end)
{
    const int same_line = start.line == end.line;
    const int width = same_line && end.column > start.column ? (int)(end.column - start.column) : 1;

    return (struct yaml){.source = b->source,
                         .line = (int)start.line + 1,
                         .column = (int)start.column + 1,
                         .width = same_line ? width : TO_LINE_END};
}

static struct yaml at_event(const struct builder *b, const yaml_event_t *event)
{
    return at_marks(b, event->start_mark, event->end_mark);
}

/* The anchor of a node that is about to be read; *out is NULL when it has none. */
static int name_node(struct builder *b, const yaml_char_t *name, struct yaml_anchor **out)
{
    *out = NULL;
    if (name == NULL) {
        return 0;
    }
    *out = yaml_anchor_add(b->arena, &b->anchors, (const char *)name);
    return *out != NULL ? 0 : out_of_memory(b, sizeof **out);
}

static int count_nodes(struct builder *b, int more, const struct yaml *where)
{
    b->nodes += more;
    if (b->nodes > YAML_MAX_NODES) {
        return yaml_error(b->errors, where,
                          "more than %d values, aliases counted with all that they name",
                          YAML_MAX_NODES);
    }
    return 0;
}

static int awaits_key(const struct frame *frame)
{
    return frame->node->kind == YAML_MAP && frame->children % 2 == 0;
}

/* libyaml gives `? key` and `key` as the same event. */
static int is_explicit_key(struct builder *b, const struct yaml *key)
{
    const char *text = b->source->text;

    yaml_advance(b->source, &b->cursor, key->line, key->column);
    size_t before = b->cursor.at;

    while (before > 0 && (text[before - 1] == ' ' || text[before - 1] == '\t')) {
        before--;
    }
    return before > 0 && text[before - 1] == '?';
}

static int check_key(struct builder *b, const struct yaml *key)
{
    if ((key->kind != YAML_SCALAR && key->kind != YAML_NULL) || is_explicit_key(b, key)) {
        return yaml_error(b->errors, key, "keys must be plain text");
    }
    if (key->kind == YAML_NULL || key->length == 0) {
        return yaml_error(b->errors, key, "empty key");
    }
    return 0;
}

/* Hang a finished or just opened node under the innermost open one. */
static int add_child(struct builder *b, const struct yaml *node, int height)
{
    if (b->depth == 0) {
        b->root = node;
        return 0;
    }
    struct frame *parent = &b->frames[b->depth - 1];
    struct yaml_child *child = arena_alloc(b->arena, sizeof *child);

    if (child == NULL) {
        return out_of_memory(b, sizeof *child);
    }
    child->node = node;
    if (parent->last != NULL) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
    parent->children++;
    parent->height = parent->height > height + 1 ? parent->height : height + 1;
    return 0;
}

static struct yaml *new_node(struct builder *b, const yaml_event_t *event, const yaml_char_t *tag,
                             enum yaml_kind kind)
{
    const struct yaml where = at_event(b, event);

    if (tag != NULL) {
        yaml_error(b->errors, &where, "tags are not supported");
        return NULL;
    }
    if (count_nodes(b, 1, &where) != 0) {
        return NULL;
    }
    struct yaml *node = arena_alloc(b->arena, sizeof *node);

    if (node == NULL) {
        out_of_memory(b, sizeof *node);
        return NULL;
    }
    *node = where;
    node->kind = kind;
    return node;
}

static int is_null(const char *text)
{
    static const char *const names[] = {"", "~", "null", "Null", "NULL"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static int on_scalar(struct builder *b, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    const size_t length = event->data.scalar.length;
    struct yaml *node = new_node(b, event, event->data.scalar.tag, YAML_SCALAR);
    struct yaml_anchor *anchor;

    if (node == NULL) {
        return -1;
    }
    if (length > YAML_MAX_SCALAR) {
        return yaml_error(b->errors, node, "longer than %zu bytes", YAML_MAX_SCALAR);
    }
    if (memchr(text, '\0', length) != NULL) {
        return yaml_error(b->errors, node, "NUL in text");
    }
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = arena_strndup(b->arena, text, length);
    node->length = length;
    if (node->text == NULL) {
        return out_of_memory(b, length);
    }
    if (!node->quoted && is_null(text)) {
        node->kind = YAML_NULL;
    }
    if (b->depth > 0 && awaits_key(&b->frames[b->depth - 1])) {
        TRY(check_key(b, node));
    }
    TRY(name_node(b, event->data.scalar.anchor, &anchor));
    if (anchor != NULL) {
        anchor->node = node;
        anchor->nodes = 1;
    }
    return add_child(b, node, 0);
}

static int too_deep(struct builder *b, const struct yaml *where)
{
    return yaml_error(b->errors, where, "nested deeper than %d", YAML_MAX_DEPTH);
}

static int on_start(struct builder *b, const yaml_event_t *event)
{
    const int is_map = event->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *tag =
        is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    const yaml_char_t *name =
        is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const int nodes_before = b->nodes;
    struct yaml *node = new_node(b, event, tag, is_map ? YAML_MAP : YAML_LIST);
    struct yaml_anchor *anchor;

    if (node == NULL) {
        return -1;
    }
    if (b->depth > 0 && awaits_key(&b->frames[b->depth - 1])) {
        return check_key(b, node);
    }
    if (b->depth == YAML_MAX_DEPTH) {
        return too_deep(b, node);
    }
    TRY(name_node(b, name, &anchor));
    b->frames[b->depth++] =
        (struct frame){.node = node, .anchor = anchor, .nodes_before = nodes_before, .height = 1};
    return 0;
}

static int finish_list(struct builder *b, const struct frame *frame)
{
    struct yaml *list = frame->node;
    int i = 0;

    list->items = arena_alloc(b->arena, (size_t)frame->children * sizeof list->items[0]);
    if (list->items == NULL) {
        return out_of_memory(b, (size_t)frame->children * sizeof list->items[0]);
    }
    for (const struct yaml_child *child = frame->first; child != NULL; child = child->next) {
        list->items[i++] = child->node;
    }
    list->count = i;
    return 0;
}

static int on_end(struct builder *b, const yaml_event_t *event)
{
    const struct frame frame = b->frames[--b->depth];
    struct yaml *node = frame.node;

    if (node->kind == YAML_LIST) {
        TRY(finish_list(b, &frame));
    } else {
        TRY(yaml_finish_map(b->arena, node, frame.first, frame.children / 2, b->errors));
    }
    /* libyaml ends a block where the next thing starts; its first key or dash is what a reader
     * looks for. */
    if (event->start_mark.column == event->end_mark.column) {
        node->width = node->kind == YAML_MAP && node->count > 0 ? node->keys[0]->width : 1;
    } else if (event->end_mark.line + 1 == (size_t)node->line) {
        node->width = (int)event->end_mark.column + 1 - node->column;
    } else {
        node->width = TO_LINE_END;
    }
    if (frame.anchor != NULL) {
        frame.anchor->node = node;
        frame.anchor->nodes = b->nodes - frame.nodes_before;
        frame.anchor->height = frame.height;
    }
    return add_child(b, node, frame.height);
}

static int on_alias(struct builder *b, const yaml_event_t *event)
{
    const struct yaml where = at_event(b, event);
    const char *name = (const char *)event->data.alias.anchor;
    const struct yaml_anchor *anchor = yaml_anchor_find(&b->anchors, name);
    char shown[128];

    text_escape(shown, sizeof shown, name, strlen(name));
    if (b->depth > 0 && awaits_key(&b->frames[b->depth - 1])) {
        return yaml_error(b->errors, &where, "keys must be plain text");
    }
    if (anchor == NULL) {
        return yaml_error(b->errors, &where, "no anchor '&%s' before this alias", shown);
    }
    if (anchor->node == NULL) {
        return yaml_error(b->errors, &where, "alias '*%s' stands inside the value that it names",
                          shown);
    }
    if (b->depth + anchor->height > YAML_MAX_DEPTH) {
        return too_deep(b, &where);
    }
    TRY(count_nodes(b, anchor->nodes, &where));
    return add_child(b, anchor->node, anchor->height);
}

/* After the end of the document libyaml would go on to the next one, directives and all; it is not
 * asked. */
static int check_rest(struct builder *b, const yaml_event_t *end)
{
    const struct yaml where = at_marks(b, end->end_mark, end->end_mark);
    size_t at = yaml_find(b->source, where.line, where.column);

    for (;;) {
        at = yaml_skip_blank(b->source, at);
        if (at == b->source->length) {
            return 0;
        }
        if (b->source->length - at < 3 || memcmp(b->source->text + at, "...", 3) != 0) {
            break;
        }
        at += 3;
    }
    const struct yaml rest = yaml_place(b->source, at);

    return yaml_error(b->errors, &rest,
                      "only one document is allowed: unexpected text after its end");
}

/* One event; *more is cleared at the end of the document. */
static int on_event(struct builder *b, const yaml_event_t *event, int *more)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event);
    case YAML_ALIAS_EVENT:
        return on_alias(b, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return on_start(b, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(b, event);
    case YAML_DOCUMENT_END_EVENT:
        *more = 0;
        return check_rest(b, event);
    case YAML_STREAM_END_EVENT:
        *more = 0;
        return 0;
    default:
        return 0;
    }
}

static int run(struct builder *b, yaml_parser_t *parser)
{
    int more = 1, status = 0;

    while (more && status == 0) {
        yaml_event_t event;

        if (!yaml_parser_parse(parser, &event)) {
            return yaml_syntax_error(b->source, parser, b->errors);
        }
        status = on_event(b, &event, &more);
        yaml_event_delete(&event);
    }
    return status;
}

const struct yaml *yaml_build(struct arena *arena, const struct yaml_source *source,
                              struct error_list *errors)
{
    static const char empty[] = "";
    struct builder b = {.arena = arena, .source = source, .errors = errors, .cursor = {0, 1, 1}};
    yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser)) {
        out_of_memory(&b, sizeof parser);
        return NULL;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)source->text, source->length);
    const int status = run(&b, &parser);

    yaml_parser_delete(&parser);
    if (status != 0) {
        return NULL;
    }
    if (b.root == NULL) {
        struct yaml *nothing = arena_alloc(arena, sizeof *nothing);

        if (nothing == NULL) {
            out_of_memory(&b, sizeof *nothing);
            return NULL;
        }
        *nothing = (struct yaml){
            .kind = YAML_NULL, .source = source, .line = 1, .column = 1, .width = 1, .text = empty};
        return nothing;
    }
    return b.root;
}
