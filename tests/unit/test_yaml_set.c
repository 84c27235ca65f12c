/* test_yaml_set.c: --set. */
#include "yaml_check.h"

static const char base[] =
    "train: {epochs: 20, optimizer: adam}\n"
    "network:\n  - conv: {filters: 6}\n  - relu\n  - dense: 10\n  - dropout:\n";

static const struct yaml *set(const char *assignment)
{
    const struct yaml *root = read_text(base);

    assert_non_null(root);
    parse.root = yaml_set(&parse.arena, root, assignment, &parse.errors);
    /* The tree that it came from is as it was. */
    assert_string_equal(value(yaml_get(root, "train"), "epochs"), "20");
    assert_int_equal(root->count, 2);
    return parse.root;
}

static void sets_values(void **state)
{
    (void)state;
    assert_string_equal(value(yaml_get(set("train.epochs=3"), "train"), "epochs"), "3");
    assert_string_equal(value(yaml_get(parse.root, "train"), "optimizer"), "adam");
    assert_string_equal(
        value(yaml_get(set("network.0.conv.filters=32"), "network")->items[0]->items[0], "filters"),
        "32");
    assert_string_equal(yaml_get(parse.root, "network")->items[1]->text, "relu");
    assert_string_equal(value(set("seed=1"), "seed"), "1");
    assert_string_equal(value(yaml_get(set("data.input.height=32"), "data")->items[0], "height"),
                        "32");
    assert_string_equal(yaml_get(set("network.1=tanh"), "network")->items[1]->text, "tanh");
    assert_int_equal(yaml_get(set("x={a: [1, 2]}"), "x")->items[0]->count, 2);
    assert_string_equal(value(set("name=a=b"), "name"), "a=b");
    assert_int_equal(yaml_get(set("name="), "name")->kind, YAML_NULL);
    assert_string_equal(value(yaml_set(&parse.arena, NULL, "a=1", &parse.errors), "a"), "1");
}

static void spells_scalars_out(void **state)
{
    (void)state;
    const struct yaml *optimizer =
        yaml_get(yaml_get(set("train.optimizer.lr=0.1"), "train"), "optimizer");

    assert_string_equal(value(optimizer, "type"), "adam");
    assert_string_equal(value(optimizer, "lr"), "0.1");

    const struct yaml *relu = yaml_get(set("network.1.relu.slope=0.1"), "network")->items[1];

    assert_int_equal(relu->count, 1);
    assert_string_equal(value(yaml_get(relu, "relu"), "slope"), "0.1");
    assert_string_equal(
        value(yaml_get(yaml_get(set("network.3.dropout.rate=0.1"), "network")->items[3], "dropout"),
              "rate"),
        "0.1");
}

static void a_set_value_knows_where_it_came_from(void **state)
{
    (void)state;
    set("train.epochs=[1, abc]");
    yaml_error(&parse.errors, yaml_get(yaml_get(parse.root, "train"), "epochs")->items[1], "bad");
    assert_string_equal(parse.errors.items[0].file, "--set train.epochs=[1, abc]");
    assert_int_equal(parse.errors.items[0].line, 1);
    assert_int_equal(parse.errors.items[0].column, 5);
    assert_string_equal(parse.errors.items[0].source, "[1, abc]");
    /* A key of the path stands in no text. */
    set("train.epohcs=3");
    yaml_error(&parse.errors, yaml_get(parse.root, "train")->keys[2], "bad");
    assert_string_equal(parse.errors.items[0].file, "--set train.epohcs=3");
    assert_int_equal(parse.errors.items[0].line, 0);
    assert_string_equal(parse.errors.items[0].source, "");
}

static void refuses_bad_assignments(void **state)
{
    static const struct {
        const char *assignment, *message;
    } cases[] = {
        {"train", "expected KEY=VALUE"},
        {"=3", "'' has an empty name in its path"},
        {"train..epochs=3", "'train.' has an empty name in its path"},
        {"train.=3", "'train.' has an empty name in its path"},
        {"network.9=relu", "'network.9' is not there: the list has 4 items"},
        {"network.conv=relu",
         "'network.conv' goes into a list: give the number of an item, from 0"},
        {"network.00=relu", "'network.00' goes into a list"},
        {"network.2.dense.units=3", "'network.2.dense.units' goes into the plain value '10'"},
        {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g=3", "goes too deep"},
        {"a=[1", "expected ',' or ']'"},
        {"a={b: 1, b: 2}", "duplicate key 'b'"},
        {"a=*x", "no anchor '&x'"},
        {"a=1\n---\n2", "only one document"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char file[128];

        assert_null(set(cases[i].assignment));
        snprintf(file, sizeof file, "--set %s", cases[i].assignment);
        assert_int_equal(parse.errors.total, 1);
        assert_int_equal(parse.errors.items[0].kind, ERROR_CONFIG);
        assert_string_equal(parse.errors.items[0].file, file);
        if (strstr(parse.errors.items[0].message, cases[i].message) == NULL) {
            fail_msg("expected \"%s\" in \"%s\"", cases[i].message, parse.errors.items[0].message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARSES(sets_values),
        PARSES(spells_scalars_out),
        PARSES(a_set_value_knows_where_it_came_from),
        PARSES(refuses_bad_assignments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
