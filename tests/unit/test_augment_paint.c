/* test_augment_paint.c: the augmentations that change values, each against its definition, taken in
 * double, on bytes and on floats. */
#include "augment_check.h"

static double low, high;

static void make(int c, int h, int w, int bytes)
{
    make_set(c, h, w, h, w, bytes);
    low = 0;
    high = 255;
    for (int i = 0; !bytes && i < SAMPLES * c * h * w; i++) {
        low = i == 0 ? (double)made.floats[i] : fmin(low, (double)made.floats[i]);
        high = i == 0 ? (double)made.floats[i] : fmax(high, (double)made.floats[i]);
    }
}

static double clamped(double x) { return fmin(fmax(x, low), high); }

static double at(int i)
{
    const int plane = made.input.h * made.input.w;
    return original(4, i / plane, i % plane / made.input.w, i % made.input.w, 0);
}

static double grey(int i)
{
    const int plane = made.input.h * made.input.w;
    if (made.input.c < 3) {
        double sum = 0;
        for (int k = 0; k < made.input.c; k++) {
            sum += at(k * plane + i);
        }
        return sum / made.input.c;
    }
    return 0.2989 * at(i) + 0.587 * at(plane + i) + 0.114 * at(2 * plane + i);
}

static double brighter(int i) { return low + (at(i) - low) * 1.4; }

static double more_contrast(int i)
{
    const int plane = made.input.h * made.input.w;
    double mean = 0;
    for (int p = 0; p < plane; p++) {
        mean += grey(p) / plane;
    }
    return mean + (at(i) - mean) * 1.7;
}

static double paler(int i)
{
    const double g = grey(i % (made.input.h * made.input.w));
    return g + (at(i) - g) * 0.25;
}

/* By the usual formulas: to HSV, turn, and back through the six sectors. */
static double turned(int i)
{
    const int plane = made.input.h * made.input.w, p = i % plane;
    const double r = at(p), g = at(plane + p), b = at(2 * plane + p);
    const double v = fmax(r, fmax(g, b)), chroma = v - fmin(r, fmin(g, b));
    double hue = chroma == 0 ? 0
                 : v == r    ? fmod((g - b) / chroma + 6, 6)
                 : v == g    ? (b - r) / chroma + 2
                             : (r - g) / chroma + 4;
    hue = fmod(hue + 6 * 0.3, 6);
    const double f = hue - floor(hue), down = v - chroma * f, up = v - chroma * (1 - f);
    const double least = v - chroma;
    const double sectors[6][3] = {{v, up, least},   {down, v, least}, {least, v, up},
                                  {least, down, v}, {up, least, v},   {v, least, down}};
    return sectors[(int)hue][i / plane];
}

static double darker(int i) { return low + (high - low) * pow((at(i) - low) / (high - low), 1.8); }
static double lighter(int i) { return low + (high - low) * pow((at(i) - low) / (high - low), 0.4); }
static double inverted(int i) { return low + high - at(i); }

static int folded(int i, int n)
{
    while (i < 0 || i >= n) {
        i = i < 0 ? -i : 2 * (n - 1) - i;
    }
    return i;
}

/* sigma 1.5: five pixels on either side */
static double blurred(int i)
{
    const int h = made.input.h, w = made.input.w, k = i / (h * w), y = i / w % h, x = i % w;
    double sum = 0, weights = 0;
    for (int dy = -5; dy <= 5; dy++) {
        for (int dx = -5; dx <= 5; dx++) {
            const double weight = exp(-(dy * dy + dx * dx) / (2 * 1.5 * 1.5));
            sum += weight * original(4, k, folded(y + dy, h), folded(x + dx, w), 0);
            weights += weight;
        }
    }
    return sum / weights;
}

static const struct {
    const char *list;
    double (*want)(int i);
    int channels; /* the least */
} PAINTS[] = {
    {"[brightness: [1.4, 1.4]]", brighter, 1},
    {"[contrast: [1.7, 1.7]]", more_contrast, 1},
    {"[saturation: [0.25, 0.25]]", paler, 3},
    {"[hue: [0.3, 0.3]]", turned, 3},
    {"[gamma: [1.8, 1.8]]", darker, 1},
    {"[gamma: [0.4, 0.4]]", lighter, 1},
    {"[invert]", inverted, 1},
    {"[blur: 1.5]", blurred, 1},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(PAINTS); t++) {
        for (int c = PAINTS[t].channels; c <= 4; c++) {
            for (int bytes = 0; bytes < 2; bytes++) {
                make(c, 7, 9, bytes);
                for (int level = 0; level <= (int)cpu_level(); level++) {
                    use_kernels(kernels_resolve((enum kernel_level)level), PAINTS[t].list);
                    augment(0, 4);
                    for (int i = 0; i < c * 63; i++) {
                        /* saturation and hue leave a fourth channel as it is */
                        const int spared = PAINTS[t].channels == 3 && i >= 3 * 63;
                        const double want = clamped(spared ? at(i) : PAINTS[t].want(i));
                        if (!(fabs((double)made.planes[i] - want) <= 2e-6 * (high - low) * 4)) {
                            fail_msg("%s, %d channels: [%d] is %.9g, not %.9g", PAINTS[t].list, c,
                                     i, (double)made.planes[i], want);
                        }
                    }
                }
            }
        }
    }
}

static const char *const IDENTITIES[] = {
    "[contrast: 0]",
    "[saturation: [1, 1]]",
    "[hue: 0]",
    "[gamma: 0]",
    "[invert, invert]",
    "[salt_pepper: 0]",
    "[blur: 0]",
    "[cutout: {size: 3, p: 0}]",
    "[erase: {area: 0}]",
    "[contrast: {factor: 0.5, p: 0}, blur: {p: 0}, erase: {p: 0}, hue: {shift: 0.5, p: 0}]",
};

static void test_identities(void **state)
{
    (void)state;
    for (int bytes = 0; bytes < 2; bytes++) {
        make(3, 7, 9, bytes);
        for (size_t t = 0; t < COUNT(IDENTITIES); t++) {
            use(IDENTITIES[t]);
            augment(3, 4);
            for (int i = 0; i < 3 * 63; i++) {
                /* twice inverted, a float is itself but for rounding */
                const double bound = !bytes && strstr(IDENTITIES[t], "invert") ? 1e-6 : 0;
                if (!(fabs((double)made.planes[i] - at(i)) <= bound)) {
                    fail_msg("%s: [%d] is %.9g, not %.9g", IDENTITIES[t], i, (double)made.planes[i],
                             at(i));
                }
            }
        }
    }
}

static void test_colours_needed(void **state)
{
    static const char *const NAMES[] = {"saturation: 0.5", "hue: 0.1"};
    (void)state;
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        struct error e = {.offset = -1};
        char list[100], message[100];
        make(2, 4, 4, 1);
        snprintf(list, sizeof list, "[flip, %s]", NAMES[i]);
        assert_int_equal(read_list(list), 0);
        assert_int_equal(augmenter_open(&made.augmenter, &made.list, &made.input, &made.train,
                                        kernels_select(NULL), 42, &e),
                         -1);
        snprintf(message, sizeof message, "%.*s needs colours: 3 channels, the images have 2",
                 (int)strcspn(NAMES[i], ":"), NAMES[i]);
        assert_string_equal(e.message, message);
        assert_int_equal(e.kind, ERROR_CONFIG);
        assert_int_equal(e.column, 8);
    }
}

/* A share of the pixels, all channels of them, half white and half black; anew in each epoch. */
static void test_salt_pepper(void **state)
{
    int white = 0, black = 0, same = 0;
    (void)state;
    make(2, 40, 40, 1);
    memset(made.bytes, 100, sizeof made.bytes);
    use("[salt_pepper: 0.3]");
    for (uint32_t epoch = 0; epoch < 10; epoch++) {
        augment(epoch, 1);
        for (int i = 0; i < 1600; i++) {
            const float x = made.planes[i];
            assert_true(x == made.planes[1600 + i]);
            white += x == 255;
            black += x == 0;
            same += x == 100;
        }
    }
    assert_int_equal(white + black + same, 16000);
    assert_true(abs(white - 2400) < 5 * 45 && abs(black - 2400) < 5 * 45);
    use("[salt_pepper: 1]");
    augment(0, 1);
    for (int i = 0; i < 1600; i++) {
        assert_true(made.planes[i] == 0 || made.planes[i] == 255);
    }
}

/* The rectangle of erased pixels: its sides, or 0; it must be whole. */
static void find_erased(float value, int *height, int *width, int *top, int *left)
{
    const int h = made.input.h, w = made.input.w;
    int bottom = -1, right = -1, count = 0;
    *top = h;
    *left = w;
    for (int i = 0; i < h * w; i++) {
        if (made.planes[i] == value) {
            *top = i / w < *top ? i / w : *top;
            *left = i % w < *left ? i % w : *left;
            bottom = i / w > bottom ? i / w : bottom;
            right = i % w > right ? i % w : right;
            count++;
        } else {
            assert_true((double)made.planes[i] == at(i));
        }
    }
    *height = bottom < 0 ? 0 : bottom - *top + 1;
    *width = right < 0 ? 0 : right - *left + 1;
    assert_int_equal(count, *height * *width);
}

/* Centres anywhere: inside whole, at the edges cut. */
static void test_cutout(void **state)
{
    int whole = 0, cut = 0, places[20][30] = {{0}};
    (void)state;
    make(1, 20, 30, 1);
    for (int i = 0; i < SAMPLES * 600; i++) {
        made.bytes[i] = (uint8_t)(i % 200);
    }
    use("[cutout: {size: [4, 6], fill: 1}]");
    for (uint32_t epoch = 0; epoch < 12000; epoch++) {
        int height, width, top, left;
        augment(epoch, 4);
        find_erased(255, &height, &width, &top, &left);
        assert_true(height >= 2 && height <= 4 && width >= 3 && width <= 6);
        whole += height == 4 && width == 6;
        cut += height < 4 || width < 6;
        places[top + (top == 0 ? height - 2 : 2)][left + (left == 0 ? width - 3 : 3)]++;
    }
    assert_int_equal(whole + cut, 12000);
    for (int i = 0; i < 600; i++) {
        assert_true(places[i / 30][i % 30] > 0 && places[i / 30][i % 30] < 50);
    }
    use("[cutout: {size: 40, count: 2}]");
    augment(0, 4);
    int black = 0;
    for (int i = 0; i < 600; i++) {
        black += made.planes[i] == 0;
    }
    assert_true(black >= 300);
}

/* All inside; area and aspect as asked for, up to rounding. */
static void test_erase(void **state)
{
    double least = 1, most = 0, tall = 0;
    (void)state;
    make(1, 40, 50, 1);
    for (int i = 0; i < SAMPLES * 2000; i++) {
        made.bytes[i] = (uint8_t)(i % 200);
    }
    use("[erase: {area: [0.1, 0.3], aspect: [0.5, 2], fill: 1}]");
    for (uint32_t epoch = 0; epoch < 1000; epoch++) {
        int height, width, top, left;
        augment(epoch, 4);
        find_erased(255, &height, &width, &top, &left);
        const double area = height * width / 2000.0, aspect = (double)height / width;
        assert_true(area > 0.092 && area < 0.32 && aspect > 0.46 && aspect < 2.2);
        least = fmin(least, area);
        most = fmax(most, area);
        tall += aspect > 1;
    }
    assert_true(least < 0.11 && most > 0.29);
    assert_true(tall > 420 && tall < 580); /* uniform in the logarithm */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),         cmocka_unit_test(test_identities),
        cmocka_unit_test(test_colours_needed), cmocka_unit_test(test_salt_pepper),
        cmocka_unit_test(test_cutout),         cmocka_unit_test(test_erase),
    };
    return cmocka_run_group_tests(tests, NULL, end_augment);
}
