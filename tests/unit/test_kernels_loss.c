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
enum { CLASSES_COUNT = sizeof CLASSES / sizeof *CLASSES, MOST_CLASSES = 100 };

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

/* Seven losses, one shape of test. */
struct loss_case {
    const char *name;
    loss_kernel *(*kernel)(const struct kernels *k);
    ref_loss *reference;
    /* n is 16; fills the tolerances of loss and dz */
    ref_loss *bound;
    int kinds; /* of fill_logits */
};

#define KERNEL_OF(NAME)                                                                            \
    static loss_kernel *NAME##_of(const struct kernels *k) { return k->NAME; }
KERNEL_OF(cross_entropy)
KERNEL_OF(focal)
KERNEL_OF(map)
KERNEL_OF(mse)
KERNEL_OF(mae)
KERNEL_OF(huber)
KERNEL_OF(hinge)

static double weight_of(const struct ref_terms *terms, int k)
{
    return terms->weights ? terms->weights[k] : 1;
}

/* The loss is ln(sum) + (max - z) for each class, by its weight in the target; its error is that of
 * the sum (2 units for each e^x) and of the differences. */
static void cross_entropy_bound(const struct ref_terms *terms, int n, int classes, const double *z,
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
        /* of plain hard targets every product is exact */
        const int exact = share == 1 && terms->smoothing == 0 && !terms->weights;
        double all = 0, far = 0;
        for (int k = 0; k < classes; k++) {
            const double t =
                weight_of(terms, k) *
                ((1 - terms->smoothing) * ((k == first) * share + (k == second) * (1 - share)) +
                 terms->smoothing / classes);
            all += t;
            far += t * (most - of[k]);
        }
        loss[s] = first < 0 ? 0 : EPSILON * (exact ? 1 : 4) * (all * (2 + log(classes)) + far);
        for (int k = 0; k < classes; k++) {
            double *bound = &dz[(size_t)s * classes + k];
            const double target = (k == first || k == second) + (exact ? 0 : 4);
            *bound =
                first < 0
                    ? 0
                    : scale * (fmax(1, all) * *bound * (exact ? 1 : 2) + EPSILON * all * target);
        }
    }
    free(p);
}

/* As that of plain cross-entropy with one class more. */
static void map_bound(const struct ref_terms *terms, int n, int classes, const double *z,
                      const struct ref_labels *labels, double scale, double *loss, double *dz)
{
    const struct ref_terms plain = {0};
    const size_t size = (size_t)n * (classes + 1);
    double *wider = check_doubles(size), *wider_dz = check_doubles(size);
    for (int s = 0; s < n; s++) {
        memcpy(wider + (size_t)s * (classes + 1), z + (size_t)s * classes,
               (size_t)classes * sizeof *wider);
        wider[(size_t)s * (classes + 1) + classes] = -terms->j;
    }
    cross_entropy_bound(&plain, n, classes + 1, wider, labels, scale, loss, wider_dz);
    for (int s = 0; s < n; s++) {
        memcpy(dz + (size_t)s * classes, wider_dz + (size_t)s * (classes + 1),
               (size_t)classes * sizeof *dz);
    }
    free(wider);
    free(wider_dz);
}

/* As that of plain cross-entropy, by the weights, and the power's own: e^x of gamma ln(1 - p)
 * inherits 2 units of an exponent of at most 88. */
static void focal_bound(const struct ref_terms *terms, int n, int classes, const double *z,
                        const struct ref_labels *labels, double scale, double *loss, double *dz)
{
    const struct ref_terms plain = {.weights = terms->weights};
    cross_entropy_bound(&plain, n, classes, z, labels, scale, loss, dz);
    for (int s = 0; s < n; s++) {
        loss[s] *= 8 + 4 * terms->gamma;
    }
    for (int i = 0; i < n * classes; i++) {
        dz[i] *= 8 + 4 * terms->gamma;
    }
}

/* Of the losses that take z - t: a few roundings of what they are sums of. */
static void difference_bound(ref_loss *of, const struct ref_terms *terms, int n, int classes,
                             const double *z, const struct ref_labels *labels, double scale,
                             double *loss, double *dz)
{
    of(terms, n, classes, z, labels, scale, loss, dz);
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

static void mse_bound(const struct ref_terms *terms, int n, int classes, const double *z,
                      const struct ref_labels *labels, double scale, double *loss, double *dz)
{
    difference_bound(ref_mse, terms, n, classes, z, labels, scale, loss, dz);
}

/* |d| is rounded as d is, whose parts are below 61 */
static void mae_bound(const struct ref_terms *terms, int n, int classes, const double *z,
                      const struct ref_labels *labels, double scale, double *loss, double *dz)
{
    difference_bound(ref_mae, terms, n, classes, z, labels, scale, loss, dz);
}

static void huber_bound(const struct ref_terms *terms, int n, int classes, const double *z,
                        const struct ref_labels *labels, double scale, double *loss, double *dz)
{
    difference_bound(ref_huber, terms, n, classes, z, labels, scale, loss, dz);
}

/* Sums of up to 100 terms margin - z[y] + z[k], each rounded twice; slopes are counts, exact but
 * for the shares. */
static void hinge_bound(const struct ref_terms *terms, int n, int classes, const double *z,
                        const struct ref_labels *labels, double scale, double *loss, double *dz)
{
    ref_hinge(terms, n, classes, z, labels, scale, loss, dz);
    for (int s = 0; s < n; s++) {
        double sum = 0;
        for (int k = 0; labels->first[s] >= 0 && k < classes; k++) {
            sum += terms->margin + fabs(z[(size_t)s * classes + labels->first[s]]) +
                   fabs(z[(size_t)s * classes + labels->second[s]]) +
                   fabs(z[(size_t)s * classes + k]);
        }
        loss[s] = EPSILON * (2 * sum / classes + 4 * loss[s]);
        for (int k = 0; k < classes; k++) {
            dz[(size_t)s * classes + k] = 6 * EPSILON * scale * (labels->first[s] >= 0);
        }
    }
}

static const struct loss_case CASES[] = {
    {"cross_entropy", cross_entropy_of, ref_cross_entropy, cross_entropy_bound, KINDS},
    {"focal", focal_of, ref_focal, focal_bound, 2},
    {"map", map_of, ref_map, map_bound, KINDS},
    {"mse", mse_of, ref_mse, mse_bound, 2},
    {"mae", mae_of, ref_mae, mae_bound, 2},
    {"huber", huber_of, ref_huber, huber_bound, 2},
    {"hinge", hinge_of, ref_hinge, hinge_bound, 2},
};
enum { CASES_COUNT = sizeof CASES / sizeof *CASES };

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

/* What a config may add, drawn anew each time. */
static void fill_terms(struct dice *dice, int classes, struct loss_terms *terms, float *weights,
                       struct ref_terms *ref, double *weights_d)
{
    for (int k = 0; k < classes; k++) {
        weights[k] = dice_uniform(dice, 0.25f, 3);
        weights_d[k] = (double)weights[k];
    }
    *terms = (struct loss_terms){.smoothing = dice_uniform(dice, 0, 0.5f),
                                 .weights = weights,
                                 .gamma = dice_uniform(dice, 0, 4),
                                 .j = dice_uniform(dice, 0, 40),
                                 .delta = dice_uniform(dice, 0.25f, 3),
                                 .margin = dice_uniform(dice, 0.25f, 3)};
    *ref = (struct ref_terms){.smoothing = (double)terms->smoothing,
                              .weights = weights_d,
                              .gamma = (double)terms->gamma,
                              .j = (double)terms->j,
                              .delta = (double)terms->delta,
                              .margin = (double)terms->margin};
}

static void check_loss(const struct loss_case *c, struct dice *dice, int classes, int kind,
                       int rich)
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
             rich ? ", soft" : "");
    struct loss_terms terms = {.j = 1, .delta = 1, .margin = 1};
    struct ref_terms terms_d = {.j = 1, .delta = 1, .margin = 1};
    float weights[MOST_CLASSES];
    double weights_d[MOST_CLASSES];
    fill_labels(dice, classes, rich, &labels);
    if (rich) {
        fill_terms(dice, classes, &terms, weights, &terms_d, weights_d);
    }
    labels_to_ref(&labels, &labels_d);
    fill_logits(dice, &z, kind);
    ref_from_tile(classes, z.data, z_d);
    c->reference(&terms_d, LANES, classes, z_d, &labels_d, scale, want[LOSS], want[DZ]);
    c->bound(&terms_d, LANES, classes, z_d, &labels_d, scale, bound[LOSS], bound[DZ]);
    for (int l = 0; l < count; l++) {
        struct guarded loss = guarded_new(LANES), loss_only = guarded_new(LANES),
                       dz = guarded_new(size);
        loss_kernel *const run = c->kernel(levels[l]);
        run(&terms, classes, z.data, &labels, scale, loss.data, dz.data);
        run(&terms, classes, z.data, &labels, scale, loss_only.data, NULL);
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

static void test_losses(void **state)
{
    (void)state;
    struct dice dice = {2};
    for (int i = 0; i < CASES_COUNT; i++) {
        for (int c = 0; c < CLASSES_COUNT; c++) {
            for (int kind = 0; kind < CASES[i].kinds; kind++) {
                check_loss(&CASES[i], &dice, CLASSES[c], kind, 0);
                check_loss(&CASES[i], &dice, CLASSES[c], kind, 1);
            }
        }
    }
}

/* A dead lane may hold anything, and says nothing. */
static void test_dead_lane_with_nan(void **state)
{
    (void)state;
    enum { CLASSES_3 = 3 };
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    const struct loss_terms terms = {.gamma = 2, .j = 1, .delta = 1, .margin = 1};
    struct labels labels = {{0}, {0}, {0}};
    struct guarded z = guarded_new(CLASSES_3 * LANES), loss = guarded_new(LANES),
                   dz = guarded_new(CLASSES_3 * LANES);
    dice_fill(&(struct dice){4}, &z, -1, 1);
    labels.first[5] = labels.second[5] = -1;
    z.data[LANES + 5] = NAN;
    z.data[LANES + 6] = NAN; /* alive: must show */
    for (int l = 0; l < count; l++) {
        for (int i = 0; i < CASES_COUNT; i++) {
            CASES[i].kernel(levels[l])(&terms, CLASSES_3, z.data, &labels, 1, loss.data, dz.data);
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
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_dead_lane_with_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
