/* test_kernels_dense.c: the dense kernels of every level against the double reference, at sizes
 * around every block; tolerance: 4 float epsilons of the sum of the absolute terms. */
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

/* The same numbers as the kernels and as the reference take them. */
struct numbers {
    struct guarded f;
    double *d;
};

static struct numbers numbers_new(struct dice *dice, size_t size, int is_tile)
{
    struct numbers n = {guarded_new(size), check_doubles(size)};
    dice_fill(dice, &n.f, -1, 1);
    guarded_freeze(&n.f);
    if (is_tile) {
        ref_from_tile(size / LANES, n.f.data, n.d);
    } else {
        ref_from_floats(size, n.f.data, n.d);
    }
    return n;
}

static void numbers_free(struct numbers *n)
{
    guarded_free(&n->f);
    free(n->d);
}

/* Want and bound of one result. */
struct result {
    size_t size;
    double *want, *bound;
    struct agreement same;
};

static struct result result_new(size_t size)
{
    return (struct result){size, check_doubles(size), check_doubles(size), {NULL}};
}

static void result_free(struct result *r)
{
    free(r->want);
    free(r->bound);
    agreement_free(&r->same);
}

struct dense_case {
    char what[100];
    int in, out, bias;
    struct numbers x, w, b, dy, dw0, db0;
    struct result y, dx, dw, db;
};

static void make_absolute(struct numbers *n) { ref_absolute(n->f.size, n->d, n->d); }

/* The reference's results, from the numbers as they are now. */
static void reference(const struct dense_case *c, double *y, double *dx, double *dw, double *db)
{
    ref_dense_forward(LANES, c->in, c->out, c->x.d, c->w.d, c->bias ? c->b.d : NULL, y);
    ref_dense_backward_input(LANES, c->in, c->out, c->dy.d, c->w.d, dx);
    memcpy(dw, c->dw0.d, c->dw.size * sizeof *dw);
    memcpy(db, c->db0.d, c->db.size * sizeof *db);
    ref_dense_backward_weight(LANES, c->in, c->out, c->x.d, c->dy.d, dw, c->bias ? db : NULL);
}

static void case_init(struct dense_case *c, struct dice *dice, int in, int out, int bias)
{
    const size_t weights = (size_t)in * out;
    *c = (struct dense_case){.in = in, .out = out, .bias = bias};
    snprintf(c->what, sizeof c->what, "dense %d to %d, bias %d", in, out, bias);
    c->x = numbers_new(dice, (size_t)in * LANES, 1);
    c->dy = numbers_new(dice, (size_t)out * LANES, 1);
    c->w = numbers_new(dice, weights, 0);
    c->b = numbers_new(dice, out, 0);
    c->dw0 = numbers_new(dice, weights, 0);
    c->db0 = numbers_new(dice, out, 0);
    c->y = result_new((size_t)out * LANES);
    c->dx = result_new((size_t)in * LANES);
    c->dw = result_new(weights);
    c->db = result_new(out);

    reference(c, c->y.want, c->dx.want, c->dw.want, c->db.want);
    struct numbers *const all[] = {&c->x, &c->w, &c->b, &c->dy, &c->dw0, &c->db0};
    for (int i = 0; i < 6; i++) {
        make_absolute(all[i]);
    }
    reference(c, c->y.bound, c->dx.bound, c->dw.bound, c->db.bound);
    const struct result *const results[] = {&c->y, &c->dx, &c->dw, &c->db};
    for (int r = 0; r < 4; r++) {
        for (size_t i = 0; i < results[r]->size; i++) {
            results[r]->bound[i] = 4 * (double)FLT_EPSILON * results[r]->bound[i] + (double)FLT_MIN;
        }
    }
}

static void case_free(struct dense_case *c)
{
    struct numbers *const all[] = {&c->x, &c->w, &c->b, &c->dy, &c->dw0, &c->db0};
    for (int i = 0; i < 6; i++) {
        numbers_free(all[i]);
    }
    struct result *const results[] = {&c->y, &c->dx, &c->dw, &c->db};
    for (int i = 0; i < 4; i++) {
        result_free(results[i]);
    }
}

/* Check one result and free it; tiles are brought into the reference's order first. */
static void check_result(struct dense_case *c, const struct kernels *k, const char *name,
                         struct result *r, struct guarded *got, int is_tile)
{
    char what[140];
    snprintf(what, sizeof what, "%s, %s", name, c->what);
    guarded_check(got, what);
    agreement_check(&r->same, what, k, got);
    if (is_tile) {
        guarded_reorder(got);
    }
    check_near(what, k, got->size, got->data, r->want, r->bound);
    guarded_free(got);
}

static void check_level(struct dense_case *c, const struct kernels *k)
{
    struct guarded y = guarded_new(c->y.size), dx = guarded_new(c->dx.size);
    struct guarded dw = guarded_new(c->dw.size), db = guarded_new(c->db.size);
    struct guarded scratch = guarded_new(dense_scratch(c->in));
    guarded_copy(&dw, c->dw0.f.data);
    guarded_copy(&db, c->db0.f.data);

    k->dense_forward(c->in, c->out, 1, c->x.f.data, 0, c->w.f.data, c->bias ? c->b.f.data : NULL,
                     y.data, 0);
    k->dense_backward_input(c->in, c->out, 0, c->in, c->dy.f.data, c->w.f.data, dx.data);
    k->dense_turn(c->in, c->x.f.data, scratch.data);
    k->dense_backward_weight(c->in, c->out, 1, scratch.data, c->dy.f.data, 0, 1, dw.data,
                             c->bias ? db.data : NULL);

    check_result(c, k, "forward", &c->y, &y, 1);
    check_result(c, k, "dx", &c->dx, &dx, 1);
    check_result(c, k, "dw", &c->dw, &dw, 0);
    check_result(c, k, "db", &c->db, &db, 0);
    const struct numbers *const inputs[] = {&c->x, &c->w, &c->b, &c->dy};
    for (int i = 0; i < 4; i++) {
        guarded_check(&inputs[i]->f, c->what);
    }
    guarded_check(&scratch, c->what);
    guarded_free(&scratch);
}

static void test_sizes(void **state)
{
    (void)state;
    static const int INS[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  13, 15, 16, 17,
                              20, 23, 24, 25, 31, 32, 33, 40, 63, 64, 65, 81, 120};
    static const int OUTS[] = {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 16, 18, 19, 25};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {1};
    for (size_t i = 0; i < sizeof INS / sizeof *INS; i++) {
        for (size_t o = 0; o < sizeof OUTS / sizeof *OUTS; o++) {
            struct dense_case c;
            case_init(&c, &dice, INS[i], OUTS[o], (i + o) % 3 > 0);
            for (int l = 0; l < count; l++) {
                check_level(&c, levels[l]);
            }
            case_free(&c);
        }
    }
}

/* The lanes are added in one tree on every level: 8 and 8, 4 and 4, 2 and 2, the last two; then to
 * db. */
static void test_lane_tree(void **state)
{
    (void)state;
    enum { OUT = 40 };
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {3};
    struct guarded x = guarded_new(LANES), dy = guarded_new(OUT * LANES), dw = guarded_new(OUT);
    struct guarded db = guarded_new(OUT), scratch = guarded_new(dense_scratch(1));
    dice_fill(&dice, &x, -1, 1);
    dice_fill(&dice, &dy, -1, 1);
    for (int l = 0; l < count; l++) {
        dice_fill(&dice, &dw, -1, 1);
        dice_fill_integers(&dice, &db, 1, 1);
        levels[l]->dense_turn(1, x.data, scratch.data);
        levels[l]->dense_backward_weight(1, OUT, 1, scratch.data, dy.data, 0, 1, dw.data, db.data);
        for (int o = 0; o < OUT; o++) {
            float lanes[LANES];
            memcpy(lanes, dy.data + (size_t)o * LANES, sizeof lanes);
            for (int half = LANES / 2; half > 0; half /= 2) {
                for (int i = 0; i < half; i++) {
                    lanes[i] += lanes[i + half];
                }
            }
            assert_true(db.data[o] == 1.0f + lanes[0]);
        }
    }
    struct guarded *const all[] = {&x, &dy, &dw, &db, &scratch};
    for (int i = 0; i < 5; i++) {
        guarded_free(all[i]);
    }
}

/* Several tiles at once are the tiles one after the other, to the bit; of some of the outputs, too.
 */
static void test_tiles(void **state)
{
    (void)state;
    enum { OUT = 13, TILES = 3, FIRST = 4, OUTS = 7 };
    static const int INS[] = {1, 15, 16, 47, 64, 100, 1030};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {4};
    for (int k = 0; k < count * (int)(sizeof INS / sizeof *INS); k++) {
        const struct kernels *level = levels[k % count];
        const int in = INS[k / count];
        const size_t turned = dense_scratch(in), size = (size_t)OUTS * (size_t)in;
        struct guarded x = guarded_new(TILES * (size_t)in * LANES),
                       xt = guarded_new(TILES * turned);
        struct guarded dy = guarded_new(TILES * OUT * LANES), db[2], dw[2];
        dice_fill(&dice, &x, -1, 1);
        dice_fill(&dice, &dy, -1, 1);
        for (int way = 0; way < 2; way++) {
            db[way] = guarded_new(OUTS);
            dw[way] = guarded_new(size);
            memset(db[way].data, 0xff, OUTS * sizeof(float)); /* NaN: written, not added to */
            memset(dw[way].data, 0xff, size * sizeof(float));
        }
        for (int tile = 0; tile < TILES; tile++) {
            level->dense_turn(in, x.data + (size_t)tile * (size_t)in * LANES,
                              xt.data + (size_t)tile * turned);
        }
        for (int tile = 0; tile < TILES; tile++) {
            level->dense_backward_weight(in, OUTS, 1, xt.data + (size_t)tile * turned,
                                         dy.data + (tile * OUT + FIRST) * LANES, 0, tile > 0,
                                         dw[0].data, db[0].data);
        }
        level->dense_backward_weight(in, OUTS, TILES, xt.data, dy.data + FIRST * LANES,
                                     (size_t)OUT * LANES, 0, dw[1].data, db[1].data);
        assert_memory_equal(dw[0].data, dw[1].data, size * sizeof(float));
        assert_memory_equal(db[0].data, db[1].data, OUTS * sizeof(float));
        assert_false(isnan(dw[1].data[size - 1]) || isnan(db[1].data[OUTS - 1]));
        struct guarded *const all[] = {&x, &xt, &dy, &db[0], &db[1], &dw[0], &dw[1]};
        for (int i = 0; i < 7; i++) {
            guarded_check(all[i], "tiles");
            guarded_free(all[i]);
        }
    }
}

/* Forward likewise: tiles with room between them, which stays as it is. */
static void test_forward_tiles(void **state)
{
    (void)state;
    enum { MOST = 7, OUT = 23, ROOM = 2 * LANES };
    static const int INS[] = {1, 2, 31};
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {5};
    for (int k = 0; k < count * 3 * MOST; k++) {
        const struct kernels *level = levels[k % count];
        const int in = INS[k / count % 3], tiles = k / count / 3 + 1;
        const size_t x_tile = (size_t)in * LANES + ROOM, y_tile = (size_t)OUT * LANES + ROOM;
        struct guarded x = guarded_new((size_t)tiles * x_tile), w = guarded_new((size_t)(OUT * in)),
                       b = guarded_new(OUT), y[2];
        struct guarded *const all[] = {&x, &w, &b, &y[0], &y[1]};
        for (int way = 0; way < 2; way++) {
            y[way] = guarded_new((size_t)tiles * y_tile);
            memset(y[way].data, 0xff, y[way].size * sizeof(float));
        }
        dice_fill(&dice, &x, -1, 1);
        dice_fill(&dice, &w, -1, 1);
        dice_fill(&dice, &b, -1, 1);
        for (int tile = 0; tile < tiles; tile++) {
            level->dense_forward(in, OUT, 1, x.data + (size_t)tile * x_tile, 0, w.data, b.data,
                                 y[0].data + (size_t)tile * y_tile, 0);
        }
        level->dense_forward(in, OUT, tiles, x.data, x_tile, w.data, b.data, y[1].data, y_tile);
        assert_memory_equal(y[0].data, y[1].data, y[0].size * sizeof(float));
        for (int i = 0; i < 5; i++) {
            guarded_check(all[i], "tiles forward");
            guarded_free(all[i]);
        }
    }
}

/* A NaN in one image is seen in all of that image's outputs, and in no other image. */
static void test_nan(void **state)
{
    (void)state;
    enum { IN = 19, OUT = 14, BAD = 9 };
    const struct kernels *levels[KERNEL_LEVELS];
    const int count = check_levels(levels);
    struct dice dice = {2};
    for (int l = 0; l < count; l++) {
        struct guarded x = guarded_new(IN * LANES), y = guarded_new(OUT * LANES);
        struct guarded w = guarded_new(IN * OUT), dw = guarded_new(IN * OUT),
                       scratch = guarded_new(dense_scratch(IN));
        dice_fill(&dice, &x, -1, 1);
        dice_fill(&dice, &w, -1, 1);
        dice_fill(&dice, &dw, -1, 1);
        x.data[7 * LANES + BAD] = NAN;
        levels[l]->dense_forward(IN, OUT, 1, x.data, 0, w.data, NULL, y.data, 0);
        for (int i = 0; i < OUT * LANES; i++) {
            assert_int_equal(isnan(y.data[i]) != 0, i % LANES == BAD);
        }
        dice_fill(&dice, &y, 1, 2);
        levels[l]->dense_turn(IN, x.data, scratch.data);
        levels[l]->dense_backward_weight(IN, OUT, 1, scratch.data, y.data, 0, 1, dw.data, NULL);
        for (int i = 0; i < IN * OUT; i++) {
            assert_int_equal(isnan(dw.data[i]) != 0, i % IN == 7);
        }
        y.data[3 * LANES + BAD] = NAN;
        levels[l]->dense_backward_input(IN, OUT, 0, IN, y.data, w.data, x.data);
        for (int i = 0; i < IN * LANES; i++) {
            assert_int_equal(isnan(x.data[i]) != 0, i % LANES == BAD);
        }
        guarded_free(&x);
        guarded_free(&y);
        guarded_free(&w);
        guarded_free(&dw);
        guarded_free(&scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes), cmocka_unit_test(test_lane_tree),
        cmocka_unit_test(test_tiles), cmocka_unit_test(test_forward_tiles),
        cmocka_unit_test(test_nan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
