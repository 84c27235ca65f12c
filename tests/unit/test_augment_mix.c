/* test_augment_mix.c: mixup, cutmix and choose (augment_image.c, the three in augmentations/) and
 * the Beta distribution (beta.c): images and labels go together, partners and shares have the laws
 * that they should. */
#include "augment_check.h"

#include "data/beta.h"

/* Every image of one value: its sample's number. */
static void make_flat(int c, int h, int w)
{
    make_set(c, h, w, h, w, 1);
    for (int i = 0; i < SAMPLES * c * h * w; i++) {
        made.bytes[i] = (uint8_t)(i / (c * h * w));
    }
}

static void test_mixup(void **state)
{
    int partners[SAMPLES] = {0};
    double sum = 0;
    (void)state;
    make_flat(2, 5, 7);
    use("[mixup: 1]");
    for (uint32_t epoch = 0; epoch < 4000; epoch++) {
        augment(epoch, 7);
        const struct mixture *m = &made.mixture;
        assert_true(m->mixed && m->partner < SAMPLES && m->share >= 0 && m->share <= 1);
        partners[m->partner]++;
        sum += (double)m->share;
        const double want = (double)m->share * 7 + (1 - (double)m->share) * m->partner;
        for (int i = 0; i < 70; i++) {
            assert_true(fabs((double)made.planes[i] - want) < 1e-4);
        }
    }
    assert_true(fabs(sum / 4000 - 0.5) < 5 / sqrt(12 * 4000.0));
    for (int i = 0; i < SAMPLES; i++) {
        assert_in_range(partners[i], 50, 150);
    }
}

/* Only samples of the training subset are mixed in. */
static void test_partners_are_trained_on(void **state)
{
    static uint32_t few[] = {3, 31};
    (void)state;
    make_flat(1, 4, 4);
    made.train = (struct subset){.set = &made.set, .index = few, .count = 2};
    use("[mixup: 1]");
    for (uint32_t epoch = 0; epoch < 100; epoch++) {
        augment(epoch, 31);
        assert_true(made.mixture.partner == 3 || made.mixture.partner == 31);
    }
}

/* A rectangle of the partner; the share is what is left of the area. */
static void test_cutmix(void **state)
{
    double sum = 0;
    (void)state;
    make_flat(2, 10, 12);
    use("[cutmix: 1]");
    for (uint32_t epoch = 0; epoch < 4000; epoch++) {
        augment(epoch, 7);
        const struct mixture *m = &made.mixture;
        int top = 10, left = 12, bottom = -1, right = -1, count = 0;
        for (int i = 0; i < 120; i++) {
            const float x = made.planes[i];
            assert_true(x == 7 || x == (float)m->partner);
            assert_true(x == made.planes[120 + i]);
            if (x != 7) {
                top = i / 12 < top ? i / 12 : top;
                left = i % 12 < left ? i % 12 : left;
                bottom = i / 12 > bottom ? i / 12 : bottom;
                right = i % 12 > right ? i % 12 : right;
                count++;
            }
        }
        assert_true(count == 0 || count == (bottom - top + 1) * (right - left + 1));
        if (m->partner != 7) {
            assert_true(fabs((double)m->share - (1 - count / 120.0)) < 1e-6);
        }
        sum += (double)m->share;
    }
    /* more than half is kept: rectangles are cut off at the edges */
    assert_true(sum / 4000 > 0.55 && sum / 4000 < 0.75);
}

/* The partner comes with what the steps before have made of it, in this epoch. */
static void test_partner_is_augmented(void **state)
{
    float own[144], other[144];
    (void)state;
    make_set(1, 12, 12, 12, 12, 1);
    for (uint32_t epoch = 0; epoch < 20; epoch++) {
        use("[rotate: 30, noise: 0.1, mixup: 1, flip: {p: 1}]");
        augment(epoch, 7);
        const struct mixture m = made.mixture;
        float mixed[144];
        memcpy(mixed, made.planes, sizeof mixed);
        use("[rotate: 30, noise: 0.1]");
        memcpy(own, augment(epoch, 7), sizeof own);
        memcpy(other, augment(epoch, m.partner), sizeof other);
        for (int i = 0; i < 144; i++) {
            const int from = i / 12 * 12 + 11 - i % 12;
            const double want =
                (double)m.share * (double)own[from] + (1 - (double)m.share) * (double)other[from];
            assert_true(fabs((double)mixed[i] - want) < 1e-3);
        }
    }
}

/* An image is mixed once: the second step of a list has a turn where the first has none. */
static void test_mixed_once(void **state)
{
    int first = 0, second = 0, none = 0;
    (void)state;
    make_flat(1, 8, 8);
    use("[cutmix: {p: 0.5}, mixup: {alpha: 100, p: 0.5}]");
    for (uint32_t epoch = 0; epoch < 4000; epoch++) {
        augment(epoch, 7);
        const struct mixture *m = &made.mixture;
        if (!m->mixed) {
            none++;
            assert_true(m->share == 1 && m->partner == 7 && made.planes[5] == 7);
        } else if (m->partner != 7) {
            const float x = made.planes[5];
            first += x == 7 || x == (float)m->partner;
            second += x != 7 && x != (float)m->partner;
        }
    }
    assert_in_range(none, 840, 1160);
    assert_in_range(first, 1750, 2150);
    assert_in_range(second, 820, 1160);
}

/* The greater share first; dead lanes without a label. */
static void test_labels(void **state)
{
    static float x[16 * LANES] __attribute__((aligned(64)));
    static const uint32_t index[LANES] = {7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    struct labels labels;
    int swapped = 0;
    (void)state;
    make_flat(1, 4, 4);
    use("[mixup: 1]");
    for (uint32_t epoch = 0; epoch < 50; epoch++) {
        augment_tile(&made.augmenter, epoch, index, 10, x, &labels, made.scratch);
        for (int i = 0; i < LANES; i++) {
            if (i >= 10) {
                assert_true(labels.first[i] == -1 && labels.second[i] == -1);
                continue;
            }
            augment(epoch, index[i]);
            const struct mixture *m = &made.mixture;
            const int32_t own = made.labels[index[i]], other = made.labels[m->partner];
            const int is_first = m->share >= 0.5f;
            assert_int_equal(labels.first[i], is_first ? own : other);
            assert_int_equal(labels.second[i], is_first ? other : own);
            assert_true(labels.share[i] == (is_first ? m->share : 1 - m->share));
            assert_true(labels.share[i] >= 0.5f && labels.share[i] <= 1);
            swapped += !is_first;
        }
    }
    assert_in_range(swapped, 180, 320);
}

/* F of Beta(a, a) at x, by Simpson's rule in a variable that spreads the ends out: t = sin^2 s. */
static double distribution(double x, double a)
{
    enum { N = 20000 };
    double part = 0, whole = 0;
    for (int half = 0; half < 2; half++) {
        const double end = half ? asin(1) : asin(sqrt(x));
        double sum = 0;
        for (int i = 1; i < 2 * N; i++) { /* where the ends are infinite, they do not count */
            const double s = end * i / (2 * N);
            sum += (i % 2 ? 4 : 2) * pow(sin(s) * cos(s), 2 * a - 1);
        }
        *(half ? &whole : &part) = sum * end;
    }
    return part / whole;
}

static void test_beta(void **state)
{
    static const double ALPHAS[] = {0.5, 0.7, 1, 2, 8, 100};
    static struct beta beta;
    (void)state;
    for (size_t k = 0; k < COUNT(ALPHAS); k++) {
        beta_make(&beta, ALPHAS[k]);
        for (int i = 1; i < 40; i++) {
            const float u = (float)i / 40;
            const double x = (double)beta_quantile(&beta, u), f = distribution(x, ALPHAS[k]);
            if (!(fabs(f - (double)u) < 2e-3)) {
                fail_msg("alpha %g: the quantile of %g is %g, where F is %g", ALPHAS[k], (double)u,
                         x, f);
            }
            assert_true(fabs((double)beta_quantile(&beta, 1 - u) - (1 - x)) < 1e-5);
        }
        assert_true(beta_quantile(&beta, 1e-7f) >= 0 && beta_quantile(&beta, 1 - 0x1p-24f) <= 1);
    }
    /* mean square about 1/2 is 1 / (4 (2 a + 1)), for small a too */
    for (double a = 0.01; a < 0.3; a *= 2) {
        double squares = 0;
        beta_make(&beta, a);
        for (int i = 0; i < 8192; i++) {
            const double x = (double)beta_quantile(&beta, ((float)i + 0.5f) / 8192) - 0.5;
            squares += x * x / 8192;
        }
        assert_true(fabs(squares * 4 * (2 * a + 1) - 1) < 0.002);
    }
}

/* Two of three, in the order of the list: every pair as often. */
static void test_choose(void **state)
{
    int seen[8] = {0};
    (void)state;
    make_set(1, 4, 4, 4, 4, 1);
    memset(made.bytes, 100, sizeof made.bytes);
    use("[choose: {n: 2, of: [brightness: [0.5, 0.5], invert, brightness: [2, 2]]}]");
    for (uint32_t epoch = 0; epoch < 3000; epoch++) {
        const float x = augment(epoch, 1)[0];
        const int which = x == 205   ? 0
                          : x == 100 ? 1
                          : x == 255 ? 2
                                     : 3; /* 50 -> 205; 155 -> 255 */
        seen[which]++;
    }
    assert_int_equal(seen[3], 0);
    for (int i = 0; i < 3; i++) {
        assert_in_range(seen[i], 860, 1140);
    }
}

/* Steps inside draw apart from each other and from those outside. */
static void test_choose_draws(void **state)
{
    int same = 0, inner = 0;
    (void)state;
    make_set(1, 8, 8, 8, 8, 1);
    use("[flip, choose: {n: 2, of: [flip, choose: [flip]]}]");
    for (uint32_t epoch = 0; epoch < 1000; epoch++) {
        same += (double)augment(epoch, 1)[0] == original(1, 0, 0, 0, 0);
    }
    assert_in_range(same, 420, 580);
    use("[choose: {of: [invert], p: 0.25}]");
    for (uint32_t epoch = 0; epoch < 1000; epoch++) {
        inner += (double)augment(epoch, 1)[0] != original(1, 0, 0, 0, 0);
    }
    assert_in_range(inner, 180, 320);
}

/* Moves inside and outside are one: a shift there and back changes nothing. */
static void test_choose_composes(void **state)
{
    (void)state;
    make_set(1, 8, 8, 8, 8, 1);
    use("[translate: [0.5, 0.5], choose: [translate: [-0.5, -0.5]]]");
    augment(0, 1);
    for (int i = 0; i < 64; i++) {
        assert_true((double)made.planes[i] == original(1, 0, i / 8, i % 8, 0));
    }
}

static void test_choose_faults(void **state)
{
    static const struct {
        const char *list, *message;
        int column;
    } FAULTS[] = {
        {"[choose]", "missing key 'of' in choose", 2},
        {"[choose: {n: 2}]", "missing key 'of' in choose", 10},
        {"[choose: {of: []}]", "choose 1 of 0", 2},
        {"[choose: {n: 3, of: [flip, invert]}]", "choose 3 of 2", 2},
        {"[choose: {of: [flip, mixup: 1]}]", "mixup cannot be one of several", 22},
        {"[choose: [flop]]", "unknown augmentation 'flop'; did you mean 'flip'?", 11},
        {"[choose: [choose: [choose: [flip]]]]", "choose within choose more than 2 deep", 2},
        {"[choose: {n: 0, of: [flip]}]", "'n' must be 1 to 100, got 0", 14},
        {"[mixup: 0]", "'alpha' must be 0.01 to 100, got 0", 9},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(FAULTS); i++) {
        assert_int_equal(read_list(FAULTS[i].list), -1);
        const struct error *e = &parse.errors.items[0];
        if (strcmp(e->message, FAULTS[i].message) != 0 || e->column != FAULTS[i].column) {
            fail_msg("%s: %d: %s", FAULTS[i].list, e->column, e->message);
        }
    }
    struct text out = {0}, again = {0};
    static const char WRITTEN[] = "\n  - choose: {of: [flip: {direction: horizontal, alternate: "
                                  "false, p: 0.5}, invert: {p: 1}], n: 2, p: 1}";
    assert_int_equal(read_list("[choose: {n: 2, of: [flip, invert]}]"), 0);
    OPTION_AUGMENT.emit(NULL, &made.list, &out, 0);
    assert_string_equal(out.data, WRITTEN);
    assert_int_equal(read_list(out.data), 0);
    OPTION_AUGMENT.emit(NULL, &made.list, &again, 0);
    assert_string_equal(again.data, WRITTEN);
    text_free(&out);
    text_free(&again);
}

static void test_choose_needs_colours(void **state)
{
    struct error e = {.offset = -1};
    (void)state;
    make_set(1, 4, 4, 4, 4, 1);
    assert_int_equal(read_list("[choose: [flip, hue: 0.1]]"), 0);
    assert_int_equal(augmenter_open(&made.augmenter, &made.list, &made.input, &made.train,
                                    kernels_select(NULL), 42, &e),
                     -1);
    assert_string_equal(e.message, "hue needs colours: 3 channels, the images have 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixup),         cmocka_unit_test(test_partners_are_trained_on),
        cmocka_unit_test(test_cutmix),        cmocka_unit_test(test_partner_is_augmented),
        cmocka_unit_test(test_mixed_once),    cmocka_unit_test(test_labels),
        cmocka_unit_test(test_beta),          cmocka_unit_test(test_choose),
        cmocka_unit_test(test_choose_draws),  cmocka_unit_test(test_choose_composes),
        cmocka_unit_test(test_choose_faults), cmocka_unit_test(test_choose_needs_colours),
    };
    return cmocka_run_group_tests(tests, NULL, end_augment);
}
