/* test_losses.c: every loss of the family on the three legs of test_layers.c: float against the
 * double reference, the reference's gradient against central differences, the float gradient
 * against the reference's; and what the outputs say of each class.
 *
 * Outputs are within [-3, 3], so a loss is a sum of terms below 16: 10 float epsilons for it; 8
 * epsilons of its scale for the gradient, whose terms are at most 8 (test_kernels_loss.c is
 * tighter, and goes to the extremes). */
#include "../kernel_check.h"
#include "../reference.h"
#include "net/loss.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double EPSILON = FLT_EPSILON;
enum { MOST_CLASSES = 17 };

struct twin {
    const char *name;
    ref_loss *evaluate;
    void (*predict)(int n, int classes, const double *z, double *p);
};

static void outputs_themselves(int n, int classes, const double *z, double *p)
{
    memcpy(p, z, (size_t)n * classes * sizeof *p);
}

static const struct twin TWINS[] = {
    {"cross_entropy", ref_cross_entropy, ref_softmax},
    {"focal", ref_focal, ref_softmax},
    {"map", ref_map, ref_softmax},
    {"mse", ref_mse, outputs_themselves},
    {"mae", ref_mae, outputs_themselves},
    {"huber", ref_huber, outputs_themselves},
    {"hinge", ref_hinge, outputs_themselves},
};

static const struct twin *twin_of(const char *name)
{
    for (size_t i = 0; i < sizeof TWINS / sizeof *TWINS; i++) {
        if (strcmp(TWINS[i].name, name) == 0) {
            return &TWINS[i];
        }
    }
    fail_msg("there is no reference for loss '%s'", name);
    return NULL;
}

/* The numbers of a loss, for the kernels and for the reference. */
struct terms {
    struct loss_options options;
    struct ref_terms ref;
    float weights[MOST_CLASSES];
    double weights_d[MOST_CLASSES];
};

/* With what a config's `train` may add, or without. All are exact in float, and keep the kinks away
 * from the outputs that fill_outputs draws. */
static void terms_make(struct terms *terms, int classes, int rich)
{
    *terms = (struct terms){.options.terms = {.gamma = 2, .j = 1, .delta = 1, .margin = 1.015625f}};
    if (rich) {
        terms->options.terms = (struct loss_terms){.smoothing = 0.125f,
                                                   .weights = terms->weights,
                                                   .gamma = 0.75f,
                                                   .j = 2.5f,
                                                   .delta = 0.25f,
                                                   .margin = 2.015625f};
        terms->ref.weights = terms->weights_d;
    }
    for (int k = 0; k < classes; k++) {
        terms->weights[k] = 0.25f + (float)(k * 7 % 5) / 2;
        terms->weights_d[k] = (double)terms->weights[k];
    }
    terms->ref.smoothing = (double)terms->options.terms.smoothing;
    terms->ref.gamma = (double)terms->options.terms.gamma;
    terms->ref.j = (double)terms->options.terms.j;
    terms->ref.delta = (double)terms->options.terms.delta;
    terms->ref.margin = (double)terms->options.terms.margin;
}

/* Outputs in [-3, 3], odd multiples of 1/64: no two differ by a multiple of 1/32 plus 1/64, and
 * none is near a target, whose shares are multiples of 1/32. */
static void fill_outputs(struct dice *dice, struct guarded *z)
{
    for (size_t i = 0; i < z->size; i++) {
        z->data[i] = (float)(2 * dice_between(dice, -96, 95) + 1) / 64;
    }
}

/* Leg 2: the gradient of the sum of the losses, times the scale. */
static void check_differences(const struct twin *twin, const struct ref_terms *terms, int classes,
                              double *z, const struct ref_labels *labels)
{
    static const double AT[] = {-2, -1, 1, 2}, WEIGHT[] = {1, -8, 8, -1};
    const double h = 1e-3, scale = 0.25;
    double dz[LANES * MOST_CLASSES], loss[LANES];
    twin->evaluate(terms, LANES, classes, z, labels, scale, loss, dz);
    for (int i = 0; i < LANES * classes; i++) {
        const double centre = z[i];
        double slope = 0;
        for (int k = 0; k < 4; k++) {
            z[i] = centre + AT[k] * h;
            twin->evaluate(terms, LANES, classes, z, labels, scale, loss, NULL);
            for (int lane = 0; lane < LANES; lane++) {
                slope += WEIGHT[k] * scale * loss[lane] / (12 * h);
            }
        }
        z[i] = centre;
        if (!(fabs(slope - dz[i]) <= 1e-9)) {
            fail_msg("%s, %d classes: reference's dz[%d] is %.12g, differences say %.12g",
                     twin->name, classes, i, dz[i], slope);
        }
    }
}

static void check_array(const char *what, const struct kernels *k, int classes,
                        const struct guarded *tile, const double *want, double bound)
{
    double array[LANES * MOST_CLASSES], bounds[LANES * MOST_CLASSES];
    float in_order[LANES * MOST_CLASSES];
    ref_from_tile((size_t)classes, tile->data, array);
    for (int i = 0; i < LANES * classes; i++) {
        in_order[i] = (float)array[i];
        bounds[i] = bound;
    }
    check_near(what, k, tile->size, in_order, want, bounds);
}

static void check_loss(const struct loss_type *type, int classes, int rich, struct dice *dice)
{
    struct terms terms;
    const struct twin *twin = twin_of(type->member.name);
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    const float scale = 0.25f;
    double z_d[LANES * MOST_CLASSES], loss_d[LANES], dz_d[LANES * MOST_CLASSES],
        p_d[LANES * MOST_CLASSES];
    double bounds[LANES];
    struct guarded z = guarded_new((size_t)classes * LANES);
    struct labels labels;
    struct ref_labels labels_d;
    terms_make(&terms, classes, rich);
    fill_outputs(dice, &z);
    guarded_freeze(&z);
    for (int lane = 0; lane < LANES; lane++) {
        labels.first[lane] = lane < 13 ? lane % classes : -1;
        labels.second[lane] = lane < 13 ? (lane + lane / 8) % classes : -1;
        labels.share[lane] = lane < 8 ? 1 : 0.5f + (float)lane / 32; /* from 8 on two classes */
    }
    labels_to_ref(&labels, &labels_d);
    ref_from_tile((size_t)classes, z.data, z_d);
    twin->evaluate(&terms.ref, LANES, classes, z_d, &labels_d, (double)scale, loss_d, dz_d);
    twin->predict(LANES, classes, z_d, p_d);
    for (int lane = 0; lane < LANES; lane++) {
        bounds[lane] = 10 * EPSILON * (1 + loss_d[lane]);
    }
    check_differences(twin, &terms.ref, classes, z_d, &labels_d);
    for (int l = 0; l < count; l++) {
        struct guarded loss = guarded_new(LANES), dz = guarded_new(z.size), p = guarded_new(z.size),
                       alone = guarded_new(LANES);
        type->evaluate(&terms.options, levels[l], classes, z.data, &labels, scale, loss.data,
                       dz.data);
        type->evaluate(&terms.options, levels[l], classes, z.data, &labels, 1, alone.data, NULL);
        type->predict(levels[l], classes, z.data, p.data);
        check_near(twin->name, levels[l], LANES, loss.data, loss_d, bounds);
        assert_memory_equal(alone.data, loss.data,
                            LANES * sizeof(float)); /* the scale is the gradient's */
        check_array(twin->name, levels[l], classes, &dz, dz_d, 8 * EPSILON * (double)scale);
        check_array(twin->name, levels[l], classes, &p, p_d, 4 * EPSILON);
        type->predict(levels[l], classes, z.data, dz.data);
        type->predict(levels[l], classes, dz.data, dz.data); /* p may be z */
        type->predict(levels[l], classes, p.data, p.data);
        assert_memory_equal(p.data, dz.data, p.size * sizeof(float));
        struct guarded *const all[] = {&loss, &dz, &p, &alone, &z};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            guarded_check(all[i], twin->name);
            if (all[i] != &z) {
                guarded_free(all[i]);
            }
        }
    }
    guarded_free(&z);
}

static void test_every_loss(void **state)
{
    (void)state;
    struct dice dice = {1};
    int types = 0;
    for (const struct member *const *member = LOSSES.members; *member; member++, types++) {
        static const int CLASSES[] = {2, 3, 10, MOST_CLASSES};
        for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++) {
            check_loss((const void *)*member, CLASSES[i], 0, &dice);
            check_loss((const void *)*member, CLASSES[i], 1, &dice);
        }
    }
    assert_true(types >= 7);
}

/* What a lane counts in a mean. */
static void test_weights_of_lanes(void **state)
{
    (void)state;
    static const float WEIGHTS[] = {0.5f, 2, 4};
    const struct loss_options plain = {{0}}, weighed = {{.weights = WEIGHTS}};
    const struct labels labels = {
        .first = {1, 0, 2, -1}, .second = {1, 2, 2, -1}, .share = {1, 0.75f, 0.3f, 1}};
    const double want[] = {2, 0.75 * 0.5 + 0.25 * 4, 4, 0};
    for (int lane = 0; lane < 4; lane++) {
        assert_true(loss_weight(&plain, &labels, lane) == (lane < 3));
        assert_true(loss_weight(&weighed, &labels, lane) == want[lane]);
    }
}

static void test_names_by_flag(void **state)
{
    (void)state;
    char text[64], little[8];
    losses_with(LOSS_SMOOTHING, text, sizeof text);
    assert_string_equal(text, "cross_entropy");
    losses_with(LOSS_WEIGHTS, text, sizeof text);
    assert_string_equal(text, "cross_entropy or focal");
    losses_with(LOSS_WEIGHTS, little, sizeof little);
    assert_string_equal(little, "cross_e");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_loss),
        cmocka_unit_test(test_weights_of_lanes),
        cmocka_unit_test(test_names_by_flag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
