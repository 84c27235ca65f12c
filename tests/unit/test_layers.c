/* test_layers.c: every layer type, from the table of its family, in every one of its examples and
 * many shapes more, on the three legs of layer_check.h. */
#include "../layer_check.h"
#include "../network_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_every_example_of_every_type(void **state)
{
    (void)state;
    struct dice dice = {1};
    int types = 0;
    for (const struct member *const *member = LAYERS.members; *member; member++, types++) {
        const struct layer_type *type = (const void *)*member;
        if (!type->examples || !type->examples[0].options) {
            fail_msg("layer type '%s' has no example", type->member.name);
        }
        for (const struct layer_example *example = type->examples;
             example->options && !type->expand; example++) { /* blocks: test_net.c */
            char item[160];
            snprintf(item, sizeof item, "%s%s%s", type->member.name, *example->options ? ": " : "",
                     example->options);
            layer_check(&dice, item, example->in);
        }
    }
    assert_true(types >= 14);
}

static const char *const PADDINGS[] = {"0", "1", "2", "[2, 0]", "[1, 2]", "valid", "same"};
static const char *const STRIDES[] = {"1", "2", "[1, 3]"};
static const char *const SIZES[] = {"1", "3", "[2, 3]"};
static const struct shape MAPS[] = {{1, 5, 6}, {2, 3, 4}};

/* One window in all paddings, strides and maps; refused exactly where the reference says that it
 * makes no sense. */
static void sweep_windows(struct dice *dice, const char *before, const char *after)
{
    int accepted = 0, refused = 0;
    for (int i = 0; i < 7 * 3 * 3 * 2; i++) {
        char item[160], text[200];
        struct network_case net;
        const struct shape in = MAPS[i / 63];
        snprintf(item, sizeof item, "%s%s, stride: %s, padding: %s%s}", before, SIZES[i / 21 % 3],
                 STRIDES[i / 7 % 3], PADDINGS[i % 7], after);
        snprintf(text, sizeof text, "- %s\n- dense: 1\n", item);
        const int status = network_make(&net, text, in);
        if (status == 0) {
            accepted++;
        } else if (!*net.ref.fault) {
            fail_msg("%s: refused: %s", item, net.errors.items[0].message);
        } else {
            refused++;
        }
        network_free(&net);
        if (status == 0) {
            layer_check(dice, item, in);
        }
    }
    assert_true(accepted > 60 && refused > 30);
}

static void test_windows_of_conv(void **state)
{
    (void)state;
    sweep_windows(&(struct dice){2}, "conv: {filters: 2, kernel: ", "");
    sweep_windows(&(struct dice){8}, "conv: {filters: 4, kernel: ", ", dilation: 2");
    sweep_windows(&(struct dice){9},
                  "conv: {filters: 6, kernel: ", ", dilation: [1, 2], groups: 1");
}

static void test_windows_of_maxpool(void **state)
{
    (void)state;
    sweep_windows(&(struct dice){3}, "maxpool: {size: ", "");
}

static void test_windows_of_avgpool(void **state)
{
    (void)state;
    sweep_windows(&(struct dice){4}, "avgpool: {size: ", ", count_padding: false");
    sweep_windows(&(struct dice){5}, "avgpool: {size: ", ", count_padding: true");
}

static void test_other_shapes(void **state)
{
    (void)state;
    struct dice dice = {6};
    layer_check(&dice, "conv: {filters: 1, kernel: 1}", (struct shape){1, 1, 1});
    layer_check(&dice, "conv: {filters: 9, kernel: [1, 4]}", (struct shape){3, 1, 9});
    layer_check(&dice, "conv: {filters: 2, kernel: [5, 1], stride: [3, 1]}",
                (struct shape){1, 11, 2});
    layer_check(&dice, "conv: {filters: 3, kernel: 5, padding: 4, bias: false}",
                (struct shape){1, 2, 3});
    layer_check(&dice, "conv: {filters: 17, kernel: 2, padding: same}", (struct shape){2, 3, 3});
    layer_check(&dice, "conv: {filters: 2, kernel: 3, stride: 4}", (struct shape){2, 9, 7});
    layer_check(&dice, "conv: {filters: 16, kernel: 2, connections: lenet5}",
                (struct shape){6, 3, 3});
    layer_check(&dice, "maxpool: {size: 4, stride: 3, padding: 2}", (struct shape){1, 7, 8});
    layer_check(&dice, "maxpool: [3, 1]", (struct shape){5, 3, 4});
    layer_check(&dice, "avgpool: {size: 2, stride: 3}", (struct shape){1, 8, 7});
    layer_check(&dice, "dense: {units: 5}", (struct shape){17, 1, 1});
    layer_check(&dice, "dense: {units: 33, bias: false}", (struct shape){2, 3, 4});
    layer_check(&dice, "dropout: 0.999", (struct shape){1, 3, 3});
    layer_check(&dice, "elu: 3", (struct shape){1, 4, 4});
    layer_check(&dice, "leaky_relu: {slope: 0.5}", (struct shape){1, 4, 4});
}

/* Most windows hold their maximum several times: the first gets the gradient. */
static void test_ties_in_maxpool(void **state)
{
    (void)state;
    struct dice dice = {7};
    static const char *const ITEMS[] = {"maxpool: 2", "maxpool: {size: 3, stride: 2}",
                                        "maxpool: {size: 3, stride: 1, padding: 2}",
                                        "maxpool: {size: [2, 4], padding: same}"};
    for (size_t i = 0; i < sizeof ITEMS / sizeof *ITEMS; i++) {
        layer_check_ties(&dice, ITEMS[i], (struct shape){2, 6, 8});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_example_of_every_type),
        cmocka_unit_test(test_windows_of_conv),
        cmocka_unit_test(test_windows_of_maxpool),
        cmocka_unit_test(test_windows_of_avgpool),
        cmocka_unit_test(test_other_shapes),
        cmocka_unit_test(test_ties_in_maxpool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
