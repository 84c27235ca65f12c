/* json.c: see json.h. */
#include "report/json.h"

#include "base/text.h"

#include <string.h>

json_t *json_safe_text(const char *text)
{
    struct text safe = {0};
    for (const char *line = text;; line++) {
        const size_t length = strcspn(line, "\n");
        for (size_t at = 0; at < length;) { /* in pieces: text_sanitize wants room for \xNN */
            char piece[4 * 256 + 4];
            size_t n = length - at < 256 ? length - at : 256;
            const size_t whole = text_utf8_prefix(line + at, n);
            n = whole > 0 ? whole : 1;
            text_append(&safe, "%s", text_sanitize(piece, sizeof piece, line + at, n));
            at += n;
        }
        line += length;
        if (*line == '\0') {
            break;
        }
        text_append(&safe, "\n");
    }
    json_t *string = safe.failed ? NULL : json_string(safe.data ? safe.data : "");
    text_free(&safe);
    return string;
}

static json_t *share_or_null(double share) { return share < 0 ? json_null() : json_real(share); }

json_t *json_classes(const struct metrics *metrics, const struct texts *names)
{
    json_t *list = json_array();
    for (int k = 0; k < names->count; k++) {
        const struct class_metrics m = metrics_of_class(metrics, k);
        if (json_array_append_new(
                list, json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "name", names->values[k],
                                "support", (json_int_t)m.support, "predicted",
                                (json_int_t)m.predicted, "precision", share_or_null(m.precision),
                                "recall", share_or_null(m.recall), "f1", share_or_null(m.f1))) !=
            0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *json_confusion(const struct metrics *metrics)
{
    json_t *rows = json_array();
    const size_t *count = metrics->confusion;
    int failed = !rows;
    for (int actual = 0; actual < metrics->classes && !failed; actual++) {
        json_t *row = json_array();
        for (int predicted = 0; predicted < metrics->classes; predicted++) {
            failed |= json_array_append_new(row, json_integer((json_int_t)*count++)) != 0;
        }
        failed |= json_array_append_new(rows, row) != 0;
    }
    if (failed) {
        json_decref(rows);
        return NULL;
    }
    return rows;
}

json_t *json_config(const struct settings *settings, int with_paths)
{
    struct text config = {0};
    settings_emit(settings, with_paths, &config);
    json_t *string = config.failed ? NULL : json_safe_text(config.data ? config.data : "");
    text_free(&config);
    return string;
}

/* A layer and the activation that its options attached to it are one row. */
static json_t *network_row(const struct graph *graph, int i)
{
    const struct node *node = &graph->nodes[i];
    const struct node *next =
        i + 1 < graph->count && graph->nodes[i + 1].attached ? &graph->nodes[i + 1] : NULL;
    return json_pack("{s:o, s:s, s:s?, s:i, s:[i, i, i], s:I, s:I, s:b}", "name",
                     json_safe_text(node->name), "type", node->type->member.name, "activation",
                     next ? next->type->member.name : NULL, "depth", node->depth, "output",
                     node->out.c, node->out.h, node->out.w, "parameters", (json_int_t)node->count,
                     "multiply_adds", (json_int_t)node->needs.multiply_adds, "frozen",
                     node->count > 0 && !node->trained);
}

json_t *json_network(const struct graph *graph)
{
    json_t *rows = json_array();
    for (int i = 0; i < graph->count; i++) {
        if (!graph->nodes[i].attached && json_array_append_new(rows, network_row(graph, i)) != 0) {
            json_decref(rows);
            return NULL;
        }
    }
    return json_pack("{s:[i, i, i], s:o, s:I, s:I, s:I}", "input", graph->input.c, graph->input.h,
                     graph->input.w, "rows", rows, "trained", (json_int_t)graph->trained, "frozen",
                     (json_int_t)graph->frozen, "multiply_adds", (json_int_t)graph->multiply_adds);
}
