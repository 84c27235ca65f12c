/* graph_check.h: what the tests of the graph share: one network at a time, and what is wrong with
 * it. */
#ifndef CNNTRAIN_TESTS_GRAPH_CHECK_H
#define CNNTRAIN_TESTS_GRAPH_CHECK_H

#include "../network_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct network_case net;

static const struct graph *make(const char *text, struct shape input)
{
    network_free(&net);
    if (network_make(&net, text, input) != 0) {
        fail_msg("%s: %s", text, net.errors.items[0].message);
    }
    return &net.graph;
}

static int clean_up(void **state)
{
    (void)state;
    network_free(&net);
    return 0;
}

static void refuse_with(const char *text, struct shape input, int line, int column,
                        const char *message)
{
    network_free(&net);
    if (network_make(&net, text, input) == 0) {
        fail_msg("accepted: %s", text);
    }
    const struct error *e = &net.errors.items[0];
    assert_int_equal(e->kind, ERROR_CONFIG);
    assert_string_equal(e->file, "t.yaml");
    if (!strstr(e->message, message)) {
        fail_msg("expected \"%s\" in \"%s\"", message, e->message);
    }
    if (e->line != line || e->column != column) {
        fail_msg("%s: expected at %d:%d, found at %d:%d", message, line, column, e->line,
                 e->column);
    }
}

static void refuse(const char *text, int line, int column, const char *message)
{
    refuse_with(text, (struct shape){1, 8, 8}, line, column, message);
}

static const struct initializer *init_of(const struct graph *graph, int i)
{
    return (const void *)node_choice(&graph->nodes[i], graph->nodes[i].type->init)->type;
}

#define TEST(test) cmocka_unit_test_teardown(test, clean_up)

#endif
