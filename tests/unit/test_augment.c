/* test_augment.c: the engine of the augmentations and its moves (augment.c, augment_image.c, the
 * moves in augmentations/): every move against its definition, taken in double, place by place;
 * whole pixels and identities exactly; draws that cover their ranges and depend on nothing but
 * seed, epoch, sample and step. */
#include "augment_check.h"

#define RADIANS (3.14159265358979323846 / 180)

/* Where pixel (x, y) of the result comes from, by the definition of the step. */
typedef void place(double *x, double *y);

static double centre_x(void) { return (made.input.w - 1) / 2.0; }
static double centre_y(void) { return (made.input.h - 1) / 2.0; }

static void turn(double degrees, double *x, double *y)
{
    const double dx = *x - centre_x(), dy = *y - centre_y(), a = degrees * RADIANS;
    *x = centre_x() + cos(a) * dx - sin(a) * dy;
    *y = centre_y() + sin(a) * dx + cos(a) * dy;
}

static void enlarge(double factor, double *x, double *y)
{
    *x = centre_x() + (*x - centre_x()) / factor;
    *y = centre_y() + (*y - centre_y()) / factor;
}

static void by_30(double *x, double *y) { turn(30, x, y); }
static void by_minus_100(double *x, double *y) { turn(-100, x, y); }
static void by_90(double *x, double *y) { turn(90, x, y); }
static void larger(double *x, double *y) { enlarge(1.3, x, y); }
static void smaller(double *x, double *y) { enlarge(0.5, x, y); }
static void left_right(double *x, double *y)
{
    (void)y;
    *x = made.input.w - 1 - *x;
}
static void top_bottom(double *x, double *y)
{
    (void)x;
    *y = made.input.h - 1 - *y;
}
static void both(double *x, double *y)
{
    left_right(x, y);
    top_bottom(x, y);
}
/* a quarter of the size to the right and down */
static void quarter(double *x, double *y)
{
    *x -= floor(made.input.w * 0.25 + 0.5);
    *y -= floor(made.input.h * 0.25 + 0.5);
}
static void quarter_down(double *x, double *y)
{
    (void)x;
    *y -= floor(made.input.h * 0.25 + 0.5);
}
static void quarter_right(double *x, double *y)
{
    (void)y;
    *x -= floor(made.input.w * 0.25 + 0.5);
}
/* by 20 degrees each: columns lean by tan 20, then rows */
static void sheared(double *x, double *y)
{
    const double t = tan(20 * RADIANS), dx = *x - centre_x(), dy = *y - centre_y();
    *x = centre_x() + (1 + t * t) * dx + t * dy;
    *y = centre_y() + t * dx + dy;
}
static void leaning(double *x, double *y) { *x += tan(30 * RADIANS) * (*y - centre_y()); }
/* the last step of the list is the first to say where a pixel comes from */
static void turned_moved_zoomed(double *x, double *y)
{
    enlarge(1.3, x, y);
    quarter(x, y);
    turn(30, x, y);
}
static void zoomed_moved_turned(double *x, double *y)
{
    turn(30, x, y);
    quarter(x, y);
    enlarge(1.3, x, y);
}

/* n pixels, mirrored at the first and the last */
static double mirrored(double at, int n) { return fabs(n - 1 - fabs(n - 1 - fabs(at))); }
static void quarter_mirrored(double *x, double *y)
{
    quarter(x, y);
    *x = mirrored(*x, made.input.w);
    *y = mirrored(*y, made.input.h);
}

static const struct {
    const char *list;
    place *from;
    double fill; /* in the set's values */
    int exact;
} MOVES[] = {
    {"[rotate: [30, 30]]", by_30, 0, 0},
    {"[rotate: [-100, -100]]", by_minus_100, 0, 0},
    {"[rotate: {degrees: [30, 30], fill: 0.6}]", by_30, 153, 0},
    {"[zoom: [1.3, 1.3]]", larger, 0, 0},
    {"[zoom: {factor: [0.5, 0.5], fill: 1}]", smaller, 255, 0},
    {"[flip: {p: 1}]", left_right, 0, 1},
    {"[flip: {direction: vertical, p: 1}]", top_bottom, 0, 1},
    {"[flip: {direction: both, p: 1}]", both, 0, 1},
    {"[translate: [0.25, 0.25]]", quarter, 0, 1},
    {"[translate: {share: [0.25, 0.25], axis: vertical, fill: 1}]", quarter_down, 255, 1},
    {"[translate: {share: [0.25, 0.25], axis: horizontal}]", quarter_right, 0, 1},
    {"[translate: {share: [0.25, 0.25], fill_mode: reflect}]", quarter_mirrored, 0, 1},
    {"[translate: {share: [0.25, 0.25], fill: 1, fill_mode: reflect}, flip: {p: 0}]",
     quarter_mirrored, 0, 1},
    {"[shear: [30, 30]]", leaning, 0, 0},
    {"[shear: {x: [20, 20], y: [20, 20], fill: 1}]", sheared, 255, 0},
    {"[rotate: [30, 30], translate: [0.25, 0.25], zoom: [1.3, 1.3]]", turned_moved_zoomed, 0, 0},
    {"[zoom: [1.3, 1.3], translate: [0.25, 0.25], rotate: [30, 30]]", zoomed_moved_turned, 0, 0},
};

/* Float coordinates are within 1e-5 pixels, values within 255. */
static void check_move(const char *list, place *from, double fill, int exact)
{
    const float *y = augment(0, 3);
    for (int i = 0; i < made.input.c * made.input.h * made.input.w; i++) {
        const int k = i / (made.input.h * made.input.w);
        double row = i / made.input.w % made.input.h, column = i % made.input.w;
        from(&column, &row);
        const double want = between(3, k, row, column, fill);
        if (!(fabs((double)y[i] - want) <= (exact ? 0 : 0.004))) {
            fail_msg("%s, %s: [%d] is %.9g, not %.9g", list, made.augmenter.kernels->name, i,
                     (double)y[i], want);
        }
    }
}

static void test_moves(void **state)
{
    static const int SIZES[][5] = {{1, 28, 28, 32, 32}, {3, 9, 14, 9, 14}, {1, 5, 7, 8, 19}};
    (void)state;
    for (size_t s = 0; s < COUNT(SIZES); s++) {
        const int *z = SIZES[s];
        make_set(z[0], z[1], z[2], z[3], z[4], 1);
        for (size_t m = 0; m < COUNT(MOVES); m++) {
            for (int level = 0; level <= (int)cpu_level(); level++) {
                const struct kernels *kernels = kernels_resolve((enum kernel_level)level);
                if (kernels != NULL) {
                    use_kernels(kernels, MOVES[m].list);
                    check_move(MOVES[m].list, MOVES[m].from, MOVES[m].fill, MOVES[m].exact);
                }
            }
        }
    }
}

/* A quarter turn of a square picture moves whole pixels. */
static void test_quarter_turns(void **state)
{
    (void)state;
    make_set(2, 12, 12, 12, 12, 1);
    use("[rotate: [90, 90]]");
    check_move("90 degrees", by_90, 0, 0);
    for (int i = 0; i < 2 * 144; i++) {
        const int k = i / 144, y = i / 12 % 12, x = i % 12;
        assert_true((double)augment(0, 1)[i] == original(1, k, x, 11 - y, -1));
    }
    use("[rotate: [90, 90], rotate: [-270, -270], rotate: [180, 180]]");
    augment(0, 1);
    for (int i = 0; i < 2 * 144; i++) {
        assert_true((double)made.planes[i] == original(1, i / 144, i / 12 % 12, i % 12, -1));
    }
}

static void test_nearest(void **state)
{
    (void)state;
    make_set(1, 28, 28, 32, 32, 1);
    use("[rotate: {degrees: [30, 30], interpolation: nearest}, zoom: {factor: [1.3, 1.3], "
        "interpolation: nearest}]");
    augment(0, 3);
    for (int i = 0; i < 32 * 32; i++) {
        double x = i % 32, y = i / 32;
        enlarge(1.3, &x, &y);
        turn(30, &x, &y);
        if (fabs(x - floor(x) - 0.5) > 1e-3 && fabs(y - floor(y) - 0.5) > 1e-3) {
            assert_true((double)made.planes[i] ==
                        original(3, 0, (int)floor(y + 0.5), (int)floor(x + 0.5), 0));
        }
    }
}

/* Moves whose fill or interpolation differ are carried out one after the other. */
static void test_other_fills(void **state)
{
    (void)state;
    make_set(1, 8, 8, 8, 8, 1);
    use("[translate: {share: [0.25, 0.25], fill: 1}, flip: {p: 1}, translate: {share: [-0.5, "
        "-0.5], fill: 0}]");
    augment(0, 0);
    for (int i = 0; i < 64; i++) {
        const int x = i % 8 + 4, y = i / 8 + 4; /* in the flipped picture */
        const double want = x > 7 || y > 7 ? 0 : original(0, 0, y - 2, 7 - x - 2, 255);
        assert_true((double)made.planes[i] == want);
    }
}

static const char *const IDENTITIES[] = {
    "[]",
    "[rotate: 0, zoom: 0, translate: 0, brightness: 0, noise: 0]",
    "[rotate: 0]",
    "[rotate: [360, 360]]",
    "[zoom: 0]",
    "[zoom: [1, 1]]",
    "[perspective: 0]",
    "[elastic: 0]",
    "[elastic: 0, flip: {p: 1}, flip: {p: 1}]",
    "[translate: 0]",
    "[translate: 0.01]", /* less than half a pixel */
    "[flip: {p: 0}]",
    "[rotate: {degrees: 15, p: 0}, crop: {padding: 3, p: 0}, brightness: {factor: 0.5, p: 0}]",
    "[flip: {p: 1}, flip: {p: 1}]",
    "[flip: {p: 1}, brightness: 0, flip: {p: 1}]",
    "[crop: {size: [12, 15]}]",
    "[brightness: 0]",
    "[brightness: [1, 1]]",
    "[noise: 0]",
};

/* A list that changes nothing gives the bytes of input_tile, at every level; dead lanes too. */
static void test_identities(void **state)
{
    static const uint32_t index[LANES] = {5, 3, 8, 0, 39, 2, 7, 11, 5, 6, 1};
    static float want[2 * 12 * 15 * LANES] __attribute__((aligned(64))),
        got[2 * 12 * 15 * LANES] __attribute__((aligned(64)));
    (void)state;
    for (int bytes = 0; bytes < 2; bytes++) {
        make_set(2, 9, 14, 12, 15, bytes);
        for (size_t i = 0; i < COUNT(IDENTITIES); i++) {
            for (int level = 0; level <= (int)cpu_level(); level++) {
                const struct kernels *kernels = kernels_resolve((enum kernel_level)level);
                struct labels labels[2];
                if (kernels == NULL) {
                    continue;
                }
                use_kernels(kernels, IDENTITIES[i]);
                input_tile(&made.input, &made.set, index, 11, want, &labels[0], kernels);
                augment_tile(&made.augmenter, 5, index, 11, got, &labels[1], made.scratch);
                assert_memory_equal(&labels[0], &labels[1], sizeof labels[0]);
                for (size_t p = 0; p < COUNT(want); p++) {
                    if (memcmp(&got[p], &want[p], sizeof *got) != 0) {
                        fail_msg("%s, %s, %s: [%zu] is %.9g, not %.9g", IDENTITIES[i],
                                 kernels->name, bytes ? "bytes" : "floats", p, (double)got[p],
                                 (double)want[p]);
                    }
                }
            }
        }
    }
}

#define EVERYTHING                                                                                 \
    "[rotate: 20, translate: 0.2, zoom: 0.2, flip: both, crop: 2, brightness: 0.3, noise: 0.1]"

/* What an image becomes depends on epoch, sample, seed and step alone, not on its company. */
static void test_pure_function(void **state)
{
    static float whole[16 * 16 * LANES] __attribute__((aligned(64))),
        part[16 * 16 * LANES] __attribute__((aligned(64)));
    uint32_t index[LANES], reversed[LANES];
    struct labels labels;
    (void)state;
    make_set(1, 16, 16, 16, 16, 1);
    use(EVERYTHING);
    for (uint32_t i = 0; i < LANES; i++) {
        index[i] = i + 3;
        reversed[LANES - 1 - i] = i + 3;
    }
    augment_tile(&made.augmenter, 2, index, LANES, whole, &labels, made.scratch);
    augment_tile(&made.augmenter, 2, reversed, LANES, part, &labels, made.scratch);
    for (size_t p = 0; p < 256; p++) {
        for (size_t i = 0; i < LANES; i++) {
            assert_true(whole[p * LANES + i] == part[p * LANES + LANES - 1 - i]);
        }
    }
    float first[256];
    memcpy(first, augment(2, 7), sizeof first);
    assert_memory_equal(first, augment(2, 7), sizeof first);
    assert_memory_not_equal(first, augment(3, 7), sizeof first);
    made.augmenter.seed = 43;
    assert_memory_not_equal(first, augment(2, 7), sizeof first);
}

/* The same step twice in a list draws twice. */
static void test_steps_draw_apart(void **state)
{
    (void)state;
    make_set(1, 16, 16, 16, 16, 1);
    int same = 0;
    use("[flip: horizontal, flip: horizontal]");
    for (uint32_t epoch = 0; epoch < 200; epoch++) {
        same += (double)augment(epoch, 1)[0] == original(1, 0, 0, 0, 0);
    }
    assert_in_range(same, 65, 135);
}

/* How often a step takes effect, within five standard deviations; samples and epochs alike. */
static void test_probability(void **state)
{
    (void)state;
    make_set(1, 4, 4, 4, 4, 1);
    use("[flip: {p: 0.3}]");
    double flipped = 0;
    for (uint32_t n = 0; n < 4000; n++) {
        flipped +=
            (double)augment(n / SAMPLES, n % SAMPLES)[0] == original(n % SAMPLES, 0, 0, 3, 0);
    }
    assert_true(fabs(flipped - 1200) < 5 * sqrt(4000 * 0.3 * 0.7));
    use("[brightness: {factor: [0, 0], p: 0.8}]");
    double black = 0;
    for (uint32_t n = 0; n < 4000; n++) {
        black += augment(n / SAMPLES, n % SAMPLES)[5] == 0;
    }
    assert_true(fabs(black - 3200) < 5 * sqrt(4000 * 0.2 * 0.8) + 40);
}

/* With `alternate`, in every other epoch, and about half of the images in the first. */
static void test_flip_alternate(void **state)
{
    (void)state;
    make_set(1, 4, 5, 4, 5, 1);
    use("[flip: {alternate: true}]");
    int first = 0;
    for (uint32_t sample = 0; sample < SAMPLES; sample++) {
        int flipped[4];
        for (uint32_t epoch = 0; epoch < 4; epoch++) {
            const float *y = augment(epoch, sample);
            int same[2] = {1, 1};
            for (int i = 0; i < 20; i++) {
                same[0] &= (double)y[i] == original((int)sample, 0, i / 5, i % 5, -1);
                same[1] &= (double)y[i] == original((int)sample, 0, i / 5, 4 - i % 5, -1);
            }
            assert_int_equal(same[0] + same[1], 1);
            flipped[epoch] = same[1];
        }
        assert_int_equal(flipped[0], flipped[2]);
        assert_int_equal(flipped[1], flipped[3]);
        assert_int_equal(flipped[0], !flipped[1]);
        first += flipped[0];
    }
    assert_in_range(first, SAMPLES / 4, SAMPLES * 3 / 4);
}

/* Each direction of flip: both is a draw of its own. */
static void test_flip_both(void **state)
{
    (void)state;
    make_set(1, 8, 8, 8, 8, 1);
    use("[flip: both]");
    int seen[4] = {0};
    for (uint32_t n = 0; n < 2000; n++) {
        const double corner = (double)augment(n, 1)[0];
        for (int i = 0; i < 4; i++) {
            seen[i] += corner == original(1, 0, i / 2 * 7, i % 2 * 7, 0);
        }
    }
    for (int i = 0; i < 4; i++) {
        assert_in_range(seen[i], 400, 600);
    }
}

/* Every shift of a crop with padding comes, each as often; nothing else does. */
static void test_crop_covers(void **state)
{
    int seen[5][5] = {{0}};
    (void)state;
    make_set(1, 10, 11, 10, 11, 1);
    use("[crop: {padding: 2, fill: 1}]");
    for (uint32_t n = 0; n < 5000; n++) {
        augment(n, 2);
        int found = 0;
        for (int s = 0; s < 25; s++) {
            int equal = 1;
            for (int i = 0; i < 110 && equal; i++) {
                equal = (double)made.planes[i] ==
                        original(2, 0, i / 11 + s / 5 - 2, i % 11 + s % 5 - 2, 255);
            }
            seen[s / 5][s % 5] += equal;
            found += equal;
        }
        assert_int_equal(found, 1);
    }
    for (int s = 0; s < 25; s++) {
        assert_in_range(seen[s / 5][s % 5], 130, 270);
    }
}

/* A window of half the size at some place, enlarged: pixel centres at halves. */
static void test_crop_size(void **state)
{
    (void)state;
    make_set(1, 12, 16, 12, 16, 1);
    use("[crop: {size: [6, 8]}]");
    for (uint32_t n = 0; n < 20; n++) {
        augment(n, 2);
        int found = 0;
        for (int s = 0; s < 7 * 9; s++) {
            int equal = 1;
            for (int i = 0; i < 12 * 16 && equal; i++) {
                const double y = (i / 16 + 0.5) / 2 - 0.5 + s / 9;
                const double x = (i % 16 + 0.5) / 2 - 0.5 + s % 9;
                equal = fabs((double)made.planes[i] - between(2, 0, y, x, 0)) < 1e-3;
            }
            found += equal;
        }
        assert_int_equal(found, 1);
    }
}

static void test_brightness(void **state)
{
    (void)state;
    for (int bytes = 0; bytes < 2; bytes++) {
        make_set(3, 6, 5, 6, 5, bytes);
        use("[brightness: [1.4, 1.4]]");
        double low = 0, high = 255;
        for (int i = 0; !bytes && i < SAMPLES * 90; i++) {
            low = i == 0 || (double)made.floats[i] < low ? (double)made.floats[i] : low;
            high = i == 0 || (double)made.floats[i] > high ? (double)made.floats[i] : high;
        }
        augment(0, 4);
        for (int i = 0; i < 90; i++) {
            const double x = original(4, i / 30, i / 5 % 6, i % 5, 0);
            const double want = fmin(low + (x - low) * 1.4, high);
            assert_true(fabs((double)made.planes[i] - want) < 1e-4);
        }
    }
}

/* Mean, deviation and range of noise on grey, and that it is anew for each pixel. */
static void test_noise(void **state)
{
    (void)state;
    make_set(1, 60, 60, 60, 60, 1);
    memset(made.bytes, 128, 3600);
    use("[noise: 0.1]");
    augment(0, 0);
    double sum = 0, squares = 0, pairs = 0;
    for (int i = 0; i < 3600; i++) {
        const double d = (double)made.planes[i] - 128;
        sum += d;
        squares += d * d;
        pairs += i > 0 ? d * ((double)made.planes[i - 1] - 128) : 0;
        assert_true(fabs(d) <= 25.5 * 3.4507);
    }
    assert_true(fabs(sum / 3600) < 5 * 25.5 / 60);
    assert_true(fabs(sqrt(squares / 3600) - 25.5) < 5 * 25.5 / 60 / 1.5);
    assert_true(fabs(pairs / 3600) < 5 * 25.5 * 25.5 / 60);
    use("[noise: 1]"); /* clamped */
    augment(0, 0);
    for (int i = 0; i < 3600; i++) {
        assert_true(made.planes[i] >= 0 && made.planes[i] <= 255);
    }
}

/* The first `count` uniform numbers that step 0 draws for a sample in epoch 0. */
static void first_draws(uint32_t sample, int count, double *u)
{
    for (int i = 0; i < count; i++) {
        u[i] = (double)rng_uniform(philox(42, (uint32_t)i / 4, sample, 0, RNG_AUGMENT).v[i % 4]);
    }
}

/* Solve a x = b, eight unknowns, by elimination; a has the b behind it. */
static void solve(double a[8][9], double *x)
{
    for (int k = 0; k < 8; k++) {
        int best = k;
        for (int i = k; i < 8; i++) {
            best = fabs(a[i][k]) > fabs(a[best][k]) ? i : best;
        }
        for (int j = 0; j < 9; j++) {
            const double swapped = a[k][j];
            a[k][j] = a[best][j];
            a[best][j] = swapped;
        }
        for (int i = 0; i < 8; i++) {
            const double factor = i != k ? a[i][k] / a[k][k] : 0;
            for (int j = k; j < 9; j++) {
                a[i][j] -= factor * a[k][j];
            }
        }
    }
    for (int k = 0; k < 8; k++) {
        x[k] = a[k][8] / a[k][k];
    }
}

/* The corners go where the draws say, and straight lines stay straight: that is one map only. */
static void test_perspective(void **state)
{
    (void)state;
    make_set(2, 17, 23, 17, 23, 1);
    use("[perspective: {distortion: 0.6, fill: 0.4}]");
    for (uint32_t sample = 0; sample < 10; sample++) {
        double u[9], a[8][9], m[8];
        first_draws(sample, 9, u);
        for (int i = 0; i < 4; i++) {
            const double from_x = i == 1 || i == 2 ? 22 : 0, from_y = i >= 2 ? 16 : 0;
            const double dx = 0.3 * 22 * u[1 + 2 * i], dy = 0.3 * 16 * u[2 + 2 * i];
            const double x = from_x > 0 ? 22 - dx : dx, y = from_y > 0 ? 16 - dy : dy;
            const double rows[2][9] = {{x, y, 1, 0, 0, 0, -x * from_x, -y * from_x, from_x},
                                       {0, 0, 0, x, y, 1, -x * from_y, -y * from_y, from_y}};
            memcpy(a[2 * i], rows, sizeof rows);
        }
        solve(a, m);
        augment(0, sample);
        for (int i = 0; i < 2 * 17 * 23; i++) {
            const double x = i % 23, y = i / 23 % 17, scale = m[6] * x + m[7] * y + 1;
            const double want = between(sample, i / (17 * 23), (m[3] * x + m[4] * y + m[5]) / scale,
                                        (m[0] * x + m[1] * y + m[2]) / scale, 102);
            if (!(fabs((double)made.planes[i] - want) < 0.01)) {
                fail_msg("[%d] is %.9g, not %.9g", i, (double)made.planes[i], want);
            }
        }
    }
}

/* The smoothed field of a sample, in double: dx, then dy. */
static void make_field(uint32_t sample, uint32_t step, double sigma, double alpha, int h, int w,
                       double *field)
{
    const int n = h * w, radius = (int)ceil(3 * sigma);
    for (int f = 0; f < 2; f++) {
        for (int i = 0; i < n; i++) {
            double sum = 0, weights = 0;
            for (int dy = -radius; dy <= radius; dy++) {
                for (int dx = -radius; dx <= radius; dx++) {
                    const double weight = exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
                    const int y = i / w + dy, x = i % w + dx;
                    weights += weight;
                    if (y >= 0 && y < h && x >= 0 && x < w) {
                        const uint32_t e = (uint32_t)(f * n + y * w + x);
                        const uint32_t word =
                            philox(42, 0x80000000u + e / 4, sample, 0, RNG_AUGMENT | step << 8)
                                .v[e % 4];
                        sum += weight * (2 * (double)rng_uniform(word) - 1);
                    }
                }
            }
            field[f * n + i] = alpha * sum / weights;
        }
    }
}

static double look_up(const double *field, int h, int w, double y, double x)
{
    const double top = floor(y), left = floor(x);
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        const double row = top + i / 2, column = left + i % 2;
        if (row >= 0 && row < h && column >= 0 && column < w) {
            sum += (1 - fabs(y - row)) * (1 - fabs(x - column)) * field[(int)row * w + (int)column];
        }
    }
    return sum;
}

/* By itself, and between two other moves. */
static void test_elastic(void **state)
{
    static double field[2 * 13 * 18];
    enum { H = 13, W = 18, N = H * W };
    (void)state;
    make_set(2, H, W, H, W, 1);
    for (int whole = 0; whole < 2; whole++) {
        use(whole ? "[zoom: [1.3, 1.3], elastic: {alpha: 15, sigma: 2}, rotate: [30, 30]]"
                  : "[elastic: {alpha: 15, sigma: 2}]");
        make_field(5, (uint32_t)whole, 2, 15, H, W, field);
        augment(0, 5);
        double moved = 0;
        for (int i = 0; i < 2 * N; i++) {
            double x = i % W, y = i / W % H;
            if (whole) {
                turn(30, &x, &y);
            }
            const double dx = look_up(field, H, W, y, x), dy = look_up(field + N, H, W, y, x);
            x += dx;
            y += dy;
            moved = fmax(moved, fabs(dx));
            if (whole) {
                enlarge(1.3, &x, &y);
            }
            const double want = between(5, i / N, y, x, 0);
            if (!(fabs((double)made.planes[i] - want) < 0.02)) {
                fail_msg("[%d] is %.9g, not %.9g", i, (double)made.planes[i], want);
            }
        }
        assert_true(moved > 1);
    }
}

static void test_two_fields(void **state)
{
    float once[256], twice[256];
    (void)state;
    make_set(1, 16, 16, 16, 16, 1);
    use("[elastic: 34]");
    memcpy(once, augment(0, 1), sizeof once);
    use("[elastic: 34, elastic: 34]");
    memcpy(twice, augment(0, 1), sizeof twice);
    assert_memory_not_equal(once, twice, sizeof once);
    use("[elastic: 34, elastic: 0]"); /* the second resamples without moving */
    assert_memory_equal(once, augment(0, 1), sizeof once);
}

static void test_too_large(void **state)
{
    struct error e = {.offset = -1};
    (void)state;
    make_set(1, 4, 4, 4, 4, 1);
    use("[flip: horizontal]");
    made.input.h = made.input.w = 32768;
    assert_int_equal(augmenter_open(&made.augmenter, &made.list, &made.input, &made.train,
                                    kernels_select(NULL), 42, &e),
                     -1);
    assert_int_equal(e.kind, ERROR_LIMIT);
    assert_string_equal(e.message, "images of 32768x32768 are too large to be augmented");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_quarter_turns),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_other_fills),
        cmocka_unit_test(test_identities),
        cmocka_unit_test(test_pure_function),
        cmocka_unit_test(test_steps_draw_apart),
        cmocka_unit_test(test_probability),
        cmocka_unit_test(test_flip_alternate),
        cmocka_unit_test(test_flip_both),
        cmocka_unit_test(test_crop_covers),
        cmocka_unit_test(test_crop_size),
        cmocka_unit_test(test_brightness),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_perspective),
        cmocka_unit_test(test_elastic),
        cmocka_unit_test(test_two_fields),
    };
    return cmocka_run_group_tests(tests, NULL, end_augment);
}
