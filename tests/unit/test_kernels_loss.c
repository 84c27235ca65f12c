/* test_kernels_loss.c: softmax, cross-entropy and mean squared error of every level against the
 * double reference, with dead lanes and logits of every size. Tolerances follow the method: e^(z -
 * max) inherits an error of z - max in its last place. */
#include "../kernel_check.h"
#include "../reference.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double EPSILON = FLT_EPSILON;
/* e^x is held at e^-87.3: a probability of 0 comes out as this. */
static const double SMALLEST = 1.3e-38;
static const int CLASSES[] = {1, 2, 3, 7, 10, 16, 17, 100};
enum { CLASSES_COUNT = sizeof CLASSES / sizeof *CLASSES };

/* Logits of 16 images, of several kinds, from which each test takes its own. */
static void fill_logits(struct dice *dice, struct guarded *z, int kind)
{
    switch (kind) {
    case 0:
        dice_fill(dice, z, -4, 4);
        break;
    case 1:
        dice_fill(dice, z, -60, 60);
        break;
    case 2: /* far from zero, close to each other; whole multiples of 2^-7, so that differences are
               exact */
        dice_fill_integers(dice, z, 10000 * 128, 10004 * 128);
        for (size_t i = 0; i < z->size; i++) {
            z->data[i] /= 128;
        }
        break;
    case 3: /* one or the other end */
        dice_fill_integers(dice, z, 0, 1);
        for (size_t i = 0; i < z->size; i++) {
            z->data[i] = z->data[i] > 0 ? 1e4f : -1e4f;
        }
        break;
    default:
        dice_fill_integers(dice, z, 0, 0);
        for (size_t i = 0; i < z->size; i++) {
            z->data[i] = -1e30f;
        }
    }
    guarded_freeze(z);
}
enum { KINDS = 5 };

static double greatest(int classes, const double *z)
{
    double most = z[0];
    for (int k = 1; k < classes; k++) {
        most = fmax(most, z[k]);
    }
    return most;
}

/* p's tolerance: 2 units for e^x, the rest for the sum and the division, and z - max rounded once.
 */
static void softmax_bound(int classes, const double *z, const double *p, double *bound)
{
    for (int lane = 0; lane < LANES; lane++, z += classes, p += classes, bound += classes) {
        const double most = greatest(classes, z);
        for (int k = 0; k < classes; k++) {
            bound[k] = p[k] * EPSILON * (4 + 0.5 * (most - z[k])) + SMALLEST;
        }
    }
}

static void check_softmax(struct dice *dice, int classes, int kind)
{
    char what[80];
    snprintf(what, sizeof what, "softmax of %d classes, kind %d", classes, kind);
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    const size_t size = (size_t)classes * LANES;
    struct guarded z = guarded_new(size);
    double *z_d = check_doubles(size), *want = check_doubles(size), *bound = check_doubles(size);
    struct agreement same = {0};
    fill_logits(dice, &z, kind);
    ref_from_tile(classes, z.data, z_d);
    ref_softmax(LANES, classes, z_d, want);
    softmax_bound(classes, z_d, want, bound);
    for (int l = 0; l < count; l++) {
        struct guarded p = guarded_new(size), in_place = guarded_new(size);
        levels[l]->softmax(classes, z.data, p.data);
        guarded_copy(&in_place, z.data);
        levels[l]->softmax(classes, in_place.data, in_place.data);
        assert_memory_equal(p.data, in_place.data, size * sizeof(float));
        guarded_check(&p, what);
        guarded_check(&in_place, what);
        guarded_check(&z, what);
        agreement_check(&same, what, levels[l], &p);
        for (int lane = 0; lane < LANES; lane++) {
            double sum = 0;
            for (int k = 0; k < classes; k++) {
                sum += p.data[k * LANES + lane];
            }
            assert_true(fabs(sum - 1) <= 4 * EPSILON);
        }
        guarded_reorder(&p);
        check_near(what, levels[l], size, p.data, want, bound);
        guarded_free(&p);
        guarded_free(&in_place);
    }
    agreement_free(&same);
    guarded_free(&z);
    free(z_d);
    free(want);
    free(bound);
}

static void test_softmax(void **state)
{
    (void)state;
    struct dice dice = {1};
    for (int c = 0; c < CLASSES_COUNT; c++) {
        for (int kind = 0; kind < KINDS; kind++) {
            check_softmax(&dice, CLASSES[c], kind);
        }
    }
}

/* Two losses, one shape of test. */
typedef void loss_kernel(int classes, const float *z, const struct labels *labels, float scale,
                         float *loss, float *dz);
typedef void loss_reference(int n, int classes, const double *z, const struct ref_labels *labels,
                            double scale, double *loss, double *dz);

struct loss_case {
    const char *name;
    loss_kernel *(*kernel)(const struct kernels *k);
    loss_reference *reference;
    /* n is 16; fills the tolerances of loss and dz */
    loss_reference *bound;
};

static loss_kernel *cross_entropy_of(const struct kernels *k) { return k->cross_entropy; }

static loss_kernel *mse_of(const struct kernels *k) { return k->mse; }

/* The loss is ln(sum) + (max - z[label]); its error is that of the sum (2 units for each e^x) and
 * of the difference. */
static void cross_entropy_bound(int n, int classes, const double *z,
                                const struct ref_labels *labels, double scale, double *loss,
                                double *dz)
{
    double *p = check_doubles((size_t)n * classes);
    ref_softmax(n, classes, z, p);
    softmax_bound(classes, z, p, dz);
    for (int s = 0; s < n; s++) {
        const int first = labels->first[s], second = labels->second[s];
        const double *of = z + (size_t)s * classes, most = greatest(classes, of),
                     share = labels->share[s];
        loss[s] = 0;
        if (first >= 0) {
            const double far = share * (most - of[first]) + (1 - share) * (most - of[second]);
            loss[s] = EPSILON * (2 + log(classes) + (share < 1 ? 2 : 1) * far);
        }
        for (int k = 0; k < classes; k++) {
            double *bound = &dz[(size_t)s * classes + k];
            *bound = first < 0 ? 0 : scale * (*bound + EPSILON * (k == first || k == second));
        }
    }
    free(p);
}

static void mse_bound(int n, int classes, const double *z, const struct ref_labels *labels,
                      double scale, double *loss, double *dz)
{
    ref_mse(n, classes, z, labels, scale, loss, dz);
    for (int s = 0; s < n; s++) {
        const double soft = labels->share[s] < 1; /* then a target may be rounded */
        loss[s] *= 4 * EPSILON;
        for (int k = 0; k < classes; k++) {
            const double rounded = soft * (k == labels->first[s] && k == labels->second[s]);
            double *bound = &dz[(size_t)s * classes + k];
            *bound = EPSILON * (2.5 * fabs(*bound) + rounded * 2 * scale / classes);
        }
    }
}

static const struct loss_case CROSS_ENTROPY = {"cross_entropy", cross_entropy_of, ref_cross_entropy,
                                               cross_entropy_bound};
static const struct loss_case MSE = {"mse", mse_of, ref_mse, mse_bound};

/* A label for each lane; about a third of the lanes dead, the first and the last among them in
 * turn. */
static void fill_labels(struct dice *dice, int classes, int soft, struct labels *labels)
{
    for (int lane = 0; lane < LANES; lane++) {
        labels->first[lane] = dice_between(dice, 0, 2) ? dice_between(dice, 0, classes - 1) : -1;
    }
    labels->first[dice_between(dice, 0, 1) * (LANES - 1)] = -1;
    labels->first[1] = classes - 1;
    labels->first[2] = 0;
    for (int lane = 0; lane < LANES; lane++) {
        const int dead = labels->first[lane] < 0;
        labels->second[lane] =
            dead || !soft ? labels->first[lane] : dice_between(dice, 0, classes - 1);
        labels->share[lane] = dead || !soft ? 1 : dice_uniform(dice, 0.5f, 1);
    }
}

static void check_loss(const struct loss_case *c, struct dice *dice, int classes, int kind,
                       int soft)
{
    enum { LOSS, DZ };
    const size_t size = (size_t)classes * LANES;
    const float scale = 1.0f / 48;
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    char what[100];
    struct labels labels;
    struct ref_labels labels_d;
    struct guarded z = guarded_new(size);
    double *z_d = check_doubles(size);
    double *want[] = {check_doubles(LANES), check_doubles(size)},
           *bound[] = {check_doubles(LANES), check_doubles(size)};
    struct agreement same_loss = {0}, same_dz = {0};
    snprintf(what, sizeof what, "%s of %d classes, kind %d%s", c->name, classes, kind,
             soft ? ", soft" : "");
    fill_labels(dice, classes, soft, &labels);
    labels_to_ref(&labels, &labels_d);
    fill_logits(dice, &z, kind);
    ref_from_tile(classes, z.data, z_d);
    c->reference(LANES, classes, z_d, &labels_d, scale, want[LOSS], want[DZ]);
    c->bound(LANES, classes, z_d, &labels_d, scale, bound[LOSS], bound[DZ]);
    for (int l = 0; l < count; l++) {
        struct guarded loss = guarded_new(LANES), loss_only = guarded_new(LANES),
                       dz = guarded_new(size);
        loss_kernel *const run = c->kernel(levels[l]);
        run(classes, z.data, &labels, scale, loss.data, dz.data);
        run(classes, z.data, &labels, scale, loss_only.data, NULL);
        assert_memory_equal(loss.data, loss_only.data, LANES * sizeof(float));
        guarded_check(&loss, what);
        guarded_check(&loss_only, what);
        guarded_check(&dz, what);
        guarded_check(&z, what);
        agreement_check(&same_loss, what, levels[l], &loss);
        agreement_check(&same_dz, what, levels[l], &dz);
        check_near(what, levels[l], LANES, loss.data, want[LOSS], bound[LOSS]);
        guarded_reorder(&dz);
        check_near(what, levels[l], size, dz.data, want[DZ], bound[DZ]);
        guarded_free(&loss);
        guarded_free(&loss_only);
        guarded_free(&dz);
    }
    agreement_free(&same_loss);
    agreement_free(&same_dz);
    guarded_free(&z);
    free(z_d);
    for (int i = 0; i < 2; i++) {
        free(want[i]);
        free(bound[i]);
    }
}

static void test_cross_entropy(void **state)
{
    (void)state;
    struct dice dice = {2};
    for (int c = 0; c < CLASSES_COUNT; c++) {
        for (int kind = 0; kind < KINDS; kind++) {
            check_loss(&CROSS_ENTROPY, &dice, CLASSES[c], kind, 0);
            check_loss(&CROSS_ENTROPY, &dice, CLASSES[c], kind, 1);
        }
    }
}

static void test_mse(void **state)
{
    (void)state;
    struct dice dice = {3};
    for (int c = 0; c < CLASSES_COUNT; c++) {
        for (int kind = 0; kind < 2; kind++) {
            check_loss(&MSE, &dice, CLASSES[c], kind, 0);
            check_loss(&MSE, &dice, CLASSES[c], kind, 1);
        }
    }
}

/* A dead lane may hold anything, and says nothing. */
static void test_dead_lane_with_nan(void **state)
{
    (void)state;
    enum { CLASSES_3 = 3 };
    static const struct loss_case *const LOSSES[] = {&CROSS_ENTROPY, &MSE};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct labels labels = {{0}, {0}, {0}};
    struct guarded z = guarded_new(CLASSES_3 * LANES), loss = guarded_new(LANES),
                   dz = guarded_new(CLASSES_3 * LANES);
    dice_fill(&(struct dice){4}, &z, -1, 1);
    labels.first[5] = labels.second[5] = -1;
    z.data[LANES + 5] = NAN;
    z.data[LANES + 6] = NAN; /* alive: must show */
    for (int l = 0; l < count; l++) {
        for (int i = 0; i < 2; i++) {
            LOSSES[i]->kernel(levels[l])(CLASSES_3, z.data, &labels, 1, loss.data, dz.data);
            assert_true(loss.data[5] == 0 && isnan(loss.data[6]) && loss.data[7] > 0);
            for (int k = 0; k < CLASSES_3; k++) {
                assert_true(dz.data[k * LANES + 5] == 0);
                assert_true(isfinite(dz.data[k * LANES + 7]));
            }
            assert_true(isnan(dz.data[LANES + 6]));
        }
    }
    guarded_free(&z);
    guarded_free(&loss);
    guarded_free(&dz);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_cross_entropy),
        cmocka_unit_test(test_mse),
        cmocka_unit_test(test_dead_lane_with_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
