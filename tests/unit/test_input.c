/* test_input.c: what the network sees (input.c, input_options.c): statistics, fitting, tiles at
 * every level of this machine, and the options. References are taken in double, pixel by pixel,
 * from the definition. */
#include "data/input.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 20 };

/* A set in memory, with values that tell sample, channel and place apart. */
struct made {
    struct dataset set;
    uint8_t bytes[1 << 14];
    float floats[1 << 14];
    int32_t labels[MOST];
};

static void make(struct made *made, int count, int c, int h, int w, int bytes)
{
    made->set = (struct dataset){.path = "x",
                                 .count = (size_t)count,
                                 .c = c,
                                 .h = h,
                                 .w = w,
                                 .labels = made->labels,
                                 .bytes = bytes ? made->bytes : NULL,
                                 .floats = bytes ? NULL : made->floats};
    assert_true(count <= MOST && count * c * h * w <= 1 << 14);
    for (int i = 0; i < count * c * h * w; i++) {
        made->bytes[i] = (uint8_t)(i * 37 + i / 11);
        made->floats[i] = (float)((i * 37) % 101) / 7 - 5;
    }
    for (int i = 0; i < count; i++) {
        made->labels[i] = i * 3;
    }
}

static double stored(const struct dataset *set, size_t sample, int c, int y, int x)
{
    const size_t at =
        ((sample * (size_t)set->c + (size_t)c) * (size_t)set->h + (size_t)y) * (size_t)set->w +
        (size_t)x;
    return set->bytes != NULL ? (double)set->bytes[at] : (double)set->floats[at];
}

static const struct input_options AS_STORED = {.fit = "pad"};

static int resolve(struct input *input, const struct dataset *set, const char *mode,
                   const uint32_t *index, size_t count, struct error *e)
{
    uint32_t all[MOST];
    for (uint32_t i = 0; i < MOST; i++) {
        all[i] = i;
    }
    uint32_t *chosen = all;
    if (index != NULL) {
        memcpy(chosen, index, count * sizeof *chosen);
    }
    const struct subset train = {
        .set = set, .index = chosen, .count = index != NULL ? count : set->count};
    const struct normalize_options normalize = {.mode = mode};
    return input_resolve(input, &AS_STORED, &normalize, &train, e);
}

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * fabs(b) + 1e-15)) {
        fail_msg("%.17g is not %.17g", a, b);
    }
}

static void test_standard(void **state)
{
    struct made *made = *state;
    static const uint32_t chosen[] = {7, 2, 11};
    for (int bytes = 0; bytes < 2; bytes++) {
        struct input input;
        make(made, 12, 3, 5, 4, bytes);
        assert_int_equal(resolve(&input, &made->set, "standard", chosen, 3, NULL), 0);
        assert_int_equal(input.c, 3);
        assert_int_equal(input.h, 5);
        assert_int_equal(input.w, 4);
        const double scale = bytes ? 1.0 / 255 : 1;
        assert_true(input.scale == scale);
        for (int c = 0; c < 3; c++) {
            long double sum = 0, squares = 0;
            for (int pass = 0; pass < 2; pass++) {
                for (int k = 0; k < 3 * 20; k++) {
                    const long double v =
                        (long double)stored(&made->set, chosen[k / 20], c, k % 20 / 4, k % 4) *
                        (long double)scale;
                    sum += pass == 0 ? v : 0;
                    squares += pass == 1 ? (v - sum / 60) * (v - sum / 60) : 0;
                }
            }
            near(input.mean[c], (double)(sum / 60));
            near(input.std[c], (double)sqrtl(squares / 60));
        }
    }
}

/* Whole-number sums: nothing is lost where a sum in floating point would lose it all. */
static void test_small_spread(void **state)
{
    struct made *made = *state;
    struct input input;
    make(made, 16, 1, 32, 32, 1);
    memset(made->bytes, 254, 1 << 14);
    made->bytes[5000] = 255;
    assert_int_equal(resolve(&input, &made->set, "standard", NULL, 0, NULL), 0);
    near(input.mean[0], (254 + 1.0 / 16384) / 255);
    near(input.std[0], sqrt(16383.0) / 16384 / 255);
}

static void test_no_variance(void **state)
{
    struct made *made = *state;
    for (int bytes = 0; bytes < 2; bytes++) {
        struct input input;
        make(made, 4, 2, 3, 3, bytes);
        for (int i = 0; i < 4 * 2 * 9; i++) { /* channel 0 is flat, channel 1 is not */
            if (i / 9 % 2 == 0) {
                made->bytes[i] = 51;
                made->floats[i] = 51;
            }
        }
        assert_int_equal(resolve(&input, &made->set, "standard", NULL, 0, NULL), 0);
        near(input.mean[0], bytes ? 0.2 : 51);
        assert_true(input.std[0] == 1);
        assert_true(input.std[1] != 1 && input.std[1] > 0);
    }
}

static void test_unit(void **state)
{
    struct made *made = *state;
    struct input input;
    make(made, 4, 2, 3, 3, 1);
    assert_int_equal(resolve(&input, &made->set, "unit", NULL, 0, NULL), 0);
    for (int c = 0; c < 2; c++) {
        assert_true(input.scale == 1.0 / 255 && input.mean[c] == 0 && input.std[c] == 1);
    }
    make(made, 4, 2, 3, 3, 0);
    made->floats[5] = -7;
    made->floats[40] = 20;
    made->floats[60] = 1000; /* not in the training set */
    static const uint32_t chosen[] = {0, 1, 2};
    assert_int_equal(resolve(&input, &made->set, "unit", chosen, 3, NULL), 0);
    for (int c = 0; c < 2; c++) {
        assert_true(input.scale == 1 && input.mean[c] == -7 && input.std[c] == 27);
    }
    memset(made->floats, 0, sizeof made->floats);
    assert_int_equal(resolve(&input, &made->set, "unit", NULL, 0, NULL), 0);
    assert_true(input.mean[0] == 0 && input.std[0] == 1);
}

static void test_none(void **state)
{
    struct made *made = *state;
    for (int bytes = 0; bytes < 2; bytes++) {
        struct input input;
        make(made, 4, 2, 3, 3, bytes);
        assert_int_equal(resolve(&input, &made->set, "none", NULL, 0, NULL), 0);
        for (int c = 0; c < 2; c++) {
            assert_true(input.scale == 1 && input.mean[c] == 0 && input.std[c] == 1);
        }
    }
}

/* Options as a config gives them. */
struct options {
    struct input_options input;
    struct normalize_options normalize;
};
static const struct group INPUT = {.options = INPUT_OPTIONS, .size = sizeof(struct input_options)};
static const struct option ROWS[] = {
    {.key = "input",
     .kind = &OPTION_GROUP,
     .offset = offsetof(struct options, input),
     .fallback = "{}",
     .extra = &INPUT,
     .help = "h"},
    {.key = "normalize",
     .kind = &OPTION_NORMALIZE,
     .offset = offsetof(struct options, normalize),
     .fallback = "standard",
     .help = "h"},
    OPTION_END,
};

struct read {
    struct arena arena;
    struct error_list errors;
    struct options options;
};

static int decode(struct read *read, const char *text)
{
    struct decoder decoder = {.arena = &read->arena, .errors = &read->errors};
    memset(read, 0, sizeof *read);
    const struct yaml *tree = yaml_parse(&read->arena, "c.yaml", text, strlen(text), &read->errors);
    assert_non_null(tree);
    return options_decode(ROWS, &read->options, tree, "data", NULL, &decoder);
}

static void round_trip(const char *text, const char *emitted)
{
    struct read *read = malloc(sizeof *read);
    assert_non_null(read);
    for (int i = 0; i < 2; i++) { /* what was written reads back as the same */
        struct text out = {0};
        if (decode(read, i == 0 ? text : emitted) != 0) {
            fail_msg("%s", read->errors.items[0].message);
        }
        options_emit(ROWS, &read->options, &out, 0);
        assert_string_equal(out.data, emitted);
        text_free(&out);
        arena_free(&read->arena);
    }
    free(read);
}

static void test_options(void **state)
{
    (void)state;
    round_trip("{}", "input:\n  fit: pad\nnormalize: standard\n");
    round_trip("{normalize: unit, input: {height: 32, width: 30}}",
               "input:\n  height: 32\n  width: 30\n  fit: pad\nnormalize: unit\n");
    round_trip("{normalize: none, input: {channels: 3, fit: pad}}",
               "input:\n  channels: 3\n  fit: pad\nnormalize: none\n");
    round_trip("normalize: {std: [0.25, 1], mean: [-0.5, 0.1307]}",
               "input:\n  fit: pad\nnormalize: {mean: [-0.5, 0.1307], std: [0.25, 1]}\n");
    struct text out = {0};
    INPUT_OPTIONS[0].kind->describe(&INPUT_OPTIONS[0], &out);
    text_append(&out, "; ");
    OPTION_NORMALIZE.describe(&ROWS[1], &out);
    assert_string_equal(out.data, "1 to 65536; standard | unit | none | {mean: [..], std: [..]}");
    text_free(&out);
}

static void test_bad_options(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message; /* a part of it */
        int column;
    } cases[] = {
        {"input: {height: 0}", "'height' must be", 17},
        {"input: {width: 65537}", "'width' must be", 16},
        {"input: {channels: 5}", "'channels' must be", 19},
        {"input: {fit: strech}", "did you mean 'stretch'", 14},
        {"normalize: standart", "standard", 12},
        {"normalize: [1, 2]", "standard, unit or none, got a list", 12},
        {"normalize: {mean: [0]}", "missing key 'std' in normalize", 12},
        {"normalize: {mean: [0, 1], std: [1]}", "2 means, but 1 standard deviation", 12},
        {"normalize: {mean: [0], std: [0]}", "'std' must be", 30},
        {"normalize: {mean: [0], std: [-1]}", "'std' must be", 30},
        {"normalize: {mean: 0, std: 1}", "'mean' must be", 19},
    };
    struct read *read = malloc(sizeof *read);
    assert_non_null(read);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decode(read, cases[i].text), -1);
        if (strstr(read->errors.items[0].message, cases[i].message) == NULL) {
            fail_msg("%s: %s", cases[i].text, read->errors.items[0].message);
        }
        assert_int_equal(read->errors.items[0].column, cases[i].column);
        arena_free(&read->arena);
    }
    free(read);
}

/* A config against a set of 28 x 28 images with 3 channels. */
static void refuse(struct made *made, const char *text, const char *message, int line, int column)
{
    struct read *read = malloc(sizeof *read);
    struct input input;
    struct error e = {.offset = -1};
    uint32_t index[] = {0, 1};
    make(made, 2, 3, 28, 28, 1);
    const struct subset train = {.set = &made->set, .index = index, .count = 2};
    assert_non_null(read);
    assert_int_equal(decode(read, text), 0);
    assert_int_equal(
        input_resolve(&input, &read->options.input, &read->options.normalize, &train, &e), -1);
    assert_string_equal(e.message, message);
    assert_int_equal(e.kind, ERROR_CONFIG);
    assert_int_equal(e.line, line);
    assert_int_equal(e.column, column);
    assert_string_equal(e.file, "c.yaml");
    arena_free(&read->arena);
    free(read);
}

static void test_resolve_refuses(void **state)
{
    struct made *made = *state;
    refuse(made, "input:\n  height: 24\n  width: 24\n",
           "input is 24x24, but the images are 28x28; fit: pad can only enlarge", 2, 11);
    refuse(made, "input:\n  height: 28\n  width: 27\n",
           "input is 28x27, but the images are 28x28; fit: pad can only enlarge", 3, 10);
    refuse(made, "input: {width: 1}",
           "input is 28x1, but the images are 28x28; fit: pad can only enlarge", 1, 16);
    refuse(made, "input: {channels: 1}", "input has 1 channel, but the images have 3", 1, 19);
    refuse(made, "input: {channels: 4}", "input has 4 channels, but the images have 3", 1, 19);
    refuse(made, "normalize: {mean: [0], std: [1]}",
           "1 mean and standard deviation, but the images have 3 channels", 1, 12);
    refuse(made, "normalize: {mean: [0, 0, 1], std: [1, 1, 1e-60]}",
           "normalised pixels are beyond the range of a float", 1, 12);
    refuse(made, "normalize: {mean: [0, 0, 1e60], std: [1, 1, 1]}",
           "normalised pixels are beyond the range of a float", 1, 12);
}

static void test_given(void **state)
{
    struct made *made = *state;
    struct read *read = malloc(sizeof *read);
    assert_non_null(read);
    assert_int_equal(
        decode(read,
               "{normalize: {mean: [0.5, 0.1], std: [0.25, 2]}, input: {height: 9, channels: 2}}"),
        0);
    for (int bytes = 0; bytes < 2; bytes++) {
        struct input input;
        uint32_t index[] = {0, 1};
        make(made, 2, 2, 4, 5, bytes);
        const struct subset train = {.set = &made->set, .index = index, .count = 2};
        assert_int_equal(
            input_resolve(&input, &read->options.input, &read->options.normalize, &train, NULL), 0);
        assert_true(input.scale == (bytes ? 1.0 / 255 : 1));
        assert_true(input.mean[0] == 0.5 && input.mean[1] == 0.1 && input.std[0] == 0.25 &&
                    input.std[1] == 2);
        assert_int_equal(input.h, 9);
        assert_int_equal(input.w, 5);
    }
    arena_free(&read->arena);
    free(read);
}

/* A fault of the data themselves, where no option was written. */
static void test_values_without_range(void **state)
{
    struct made *made = *state;
    struct input input;
    struct error e = {.offset = -1};
    make(made, 2, 1, 2, 2, 0);
    memset(made->floats, 0, sizeof made->floats);
    made->floats[3] = 1e-42f;
    assert_int_equal(resolve(&input, &made->set, "standard", NULL, 0, &e), -1);
    assert_string_equal(e.message, "normalised pixels are beyond the range of a float");
    assert_int_equal(e.kind, ERROR_DATA);
    assert_string_equal(e.file, "x");
    assert_int_equal(e.line, 0);
}

static void test_check(void **state)
{
    struct made *made = *state;
    struct error e = {.offset = -1};
    struct input input = {.c = 3, .h = 28, .w = 28, .scale = 1.0 / 255};
    make(made, 1, 3, 28, 28, 1);
    assert_int_equal(input_check(&input, &made->set, ERROR_MODEL, &e), 0);
    make(made, 1, 3, 20, 24, 1);
    assert_int_equal(input_check(&input, &made->set, ERROR_DATA, &e), 0);
    const struct {
        int c, h, w, bytes;
        enum error_kind kind;
        const char *message;
    } cases[] = {
        {3, 32, 32, 1, ERROR_MODEL, "images are 32x32, the model takes 28x28"},
        {3, 28, 29, 1, ERROR_DATA, "images are 28x29, the network takes 28x28"},
        {1, 28, 28, 1, ERROR_MODEL, "images have 1 channel, the model takes 3 channels"},
        {4, 28, 28, 1, ERROR_DATA, "images have 4 channels, the network takes 3 channels"},
        {3, 28, 28, 0, ERROR_MODEL, "pixels are floats, the model takes bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(made, 1, cases[i].c, cases[i].h, cases[i].w, cases[i].bytes);
        assert_int_equal(input_check(&input, &made->set, cases[i].kind, &e), -1);
        assert_string_equal(e.message, cases[i].message);
        assert_int_equal(e.kind, cases[i].kind);
        assert_string_equal(e.file, "x");
    }
    input.scale = 1;
    make(made, 1, 3, 28, 28, 0);
    assert_int_equal(input_check(&input, &made->set, ERROR_DATA, &e), 0);
}

/* Every value of a tile against the definition; the bytes around it untouched. */
static void check_tile(const struct made *made, const struct input *input, int live,
                       const struct kernels *kernels)
{
    enum { GUARD = 64 };
    const struct dataset *set = &made->set;
    const size_t size = (size_t)(input->c * input->h * input->w) * LANES;
    float *x = aligned_alloc(64, (size + 2 * GUARD) * sizeof *x);
    uint32_t index[LANES];
    struct labels labels[3]; /* the middle one is the tile's */
    assert_non_null(x);
    memset(labels, 0x55, sizeof labels);
    memset(x, 0x55, (size + 2 * GUARD) * sizeof *x);
    for (int i = 0; i < LANES; i++) {
        index[i] = i < live ? (uint32_t)(i * 7 + 3) % (uint32_t)set->count : 12345678;
    }
    input_tile(input, set, index, live, x + GUARD, &labels[1], kernels);
    const int top = (input->h - set->h) / 2, left = (input->w - set->w) / 2;
    for (size_t i = 0; i < size; i++) {
        const int lane = (int)(i % LANES), column = (int)(i / LANES) % input->w;
        const int row = (int)(i / LANES) / input->w % input->h,
                  c = (int)(i / LANES) / input->w / input->h;
        const int y = row - top, k = column - left;
        const int inside = y >= 0 && y < set->h && k >= 0 && k < set->w;
        const double pixel = inside ? stored(set, index[lane < live ? lane : 0], c, y, k) : 0;
        const double expected = (pixel * input->scale - input->mean[c]) / input->std[c];
        /* The two constants and the result are each rounded once; `generic` also rounds the
         * product. */
        const double product = fabs(pixel * input->scale / input->std[c]);
        const double bound =
            FLT_EPSILON * (product + fabs(input->mean[c] / input->std[c]) + fabs(expected));
        if (!(fabs((double)x[GUARD + i] - expected) <= bound)) {
            fail_msg("lane %d, row %d, column %d: %.9g is not %.9g", lane, row, column,
                     (double)x[GUARD + i], expected);
        }
    }
    const size_t values = size / LANES;
    float *planes = malloc((values + 1) * sizeof *planes);
    assert_non_null(planes);
    for (int lane = 0; lane < live; lane++) { /* one image by itself has the same bits */
        memset(planes, 0x55, (values + 1) * sizeof *planes);
        input_image(input, set, index[lane], planes, kernels);
        for (size_t i = 0; i < values; i++) {
            assert_memory_equal(&planes[i], &x[GUARD + i * LANES + (size_t)lane], sizeof *x);
        }
        assert_memory_equal(&planes[values], "UUUU", 4);
    }
    free(planes);
    for (int i = 0; i < GUARD; i++) {
        assert_memory_equal(&x[i], "UUUU", 4);
        assert_memory_equal(&x[GUARD + size + (size_t)i], "UUUU", 4);
    }
    for (int i = 0; i < LANES; i++) {
        assert_int_equal(labels[1].first[i], i < live ? made->labels[index[i]] : -1);
        assert_int_equal(labels[1].second[i], labels[1].first[i]);
        assert_true(labels[1].share[i] == 1);
    }
    assert_int_equal(labels[0].second[LANES - 1], 0x55555555);
    assert_int_equal(labels[2].first[0], 0x55555555);
    free(x);
}

static void test_tiles(void **state)
{
    struct made *made = *state;
    static const int shapes[][5] = {
        /* c, h, w, input h, input w */
        {1, 1, 1, 1, 1}, {1, 8, 8, 8, 8}, {3, 5, 7, 5, 7},     {1, 5, 7, 9, 11},  {2, 5, 7, 6, 8},
        {2, 5, 7, 8, 7}, {4, 3, 2, 3, 5}, {1, 28, 28, 32, 32}, {1, 1, 33, 1, 34},
    };
    static const int lives[] = {1, 2, 15, 16};
    for (enum kernel_level level = 0; level <= cpu_level(); level++) {
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            for (int bytes = 0; bytes < 2; bytes++) {
                const int *shape = shapes[s];
                make(made, 20, shape[0], shape[1], shape[2], bytes);
                struct input input = {.c = shape[0],
                                      .h = shape[3],
                                      .w = shape[4],
                                      .scale = bytes ? 1.0 / 255 : 1,
                                      .mean = {0.13, -0.7, 0, 2},
                                      .std = {0.31, 1, 3, 0.01}};
                for (size_t l = 0; l < sizeof lives / sizeof *lives; l++) {
                    check_tile(made, &input, lives[l], kernels_resolve(level));
                }
            }
        }
    }
}

/* A padded pixel is a stored 0, to the bit: also where there is no mean, and 0 has a sign. */
static void test_padding_is_zero(void **state)
{
    struct made *made = *state;
    static const double means[] = {0, 0.1307, -3};
    uint32_t index[LANES] = {0};
    struct labels labels;
    float *x = aligned_alloc(64, 9 * LANES * sizeof *x);
    assert_non_null(x);
    for (enum kernel_level level = 0; level <= cpu_level(); level++) {
        for (size_t m = 0; m < sizeof means / sizeof *means; m++) {
            make(made, 1, 1, 1, 1, 1);
            made->bytes[0] = 0;
            const struct input input = {
                .c = 1, .h = 3, .w = 3, .scale = 1.0 / 255, .mean = {means[m]}, .std = {0.3081}};
            input_tile(&input, &made->set, index, 1, x, &labels, kernels_resolve(level));
            for (int i = 0; i < 9 * LANES; i++) {
                assert_memory_equal(&x[i], &x[4 * LANES], sizeof *x);
            }
        }
    }
    free(x);
}

static int make_state(void **state)
{
    *state = malloc(sizeof(struct made));
    return *state == NULL ? -1 : 0;
}

static int free_state(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standard),
        cmocka_unit_test(test_small_spread),
        cmocka_unit_test(test_no_variance),
        cmocka_unit_test(test_unit),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_resolve_refuses),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_values_without_range),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_padding_is_zero),
    };
    return cmocka_run_group_tests(tests, make_state, free_state);
}
