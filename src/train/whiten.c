/* whiten.c: see whiten.h. The mean squares and products of the patches are those of the first 1,024
 * images and all places of a kernel that steps by one, within the picture; the mean is not taken
 * away, as in Jordan's. Their matrix is made diagonal by Jacobi's rotations, in double and in a
 * fixed order; each component points where its greatest weight is positive. */
#include "train/whiten.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 1024, ROUNDS = 60, MOST_VALUES = 512 };
static const double LEAST_VARIANCE = 5e-4; /* added, for components that hardly occur */

static int is_whitened(const struct node *node)
{
    const struct choice *init = node_choice(node, node->type->init);
    const struct initializer *type = init ? (const void *)init->type : NULL;
    return type && type->of_images;
}

/* The values that a filter sees. */
static int values_of(const struct node *node)
{
    const struct parameter *p = &node->needs.parameters[0];
    return (int)(p->size / (size_t)p->dims[0]);
}

int whiten_check(const struct graph *graph, struct error_list *errors)
{
    int failed = 0;
    for (int i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];
        if (!is_whitened(node)) {
            continue;
        }
        const struct parameter *p = &node->needs.parameters[0];
        const int values = values_of(node);
        if (node->inputs[0] != NETWORK_INPUT || p->rank != 4 || p->dims[1] != graph->input.c ||
            p->used) {
            failed = yaml_error(errors, node->where,
                                "%s '%s': 'init: whiten' is for a conv that reads the images, with "
                                "all channels for each filter",
                                node->type->member.name, node->name);
        } else if (values > MOST_VALUES || p->dims[0] > 2 * values || p->dims[2] > graph->input.h ||
                   p->dims[3] > graph->input.w) {
            failed =
                yaml_error(errors, node->where,
                           "%s '%s': 'init: whiten' has at most %d filters here, the "
                           "components of %d values and their opposites (and at most %d "
                           "values, within the picture)",
                           node->type->member.name, node->name, 2 * values, values, MOST_VALUES);
        }
    }
    return failed;
}

/* The patch at (y, x) of a tile, each value of it 16 wide. */
static void list_patch(const struct shape *in, const struct parameter *p, int y, int x,
                       const float *tile, const float **patch)
{
    for (int c = 0; c < p->dims[1]; c++) {
        for (int r = 0; r < p->dims[2]; r++) {
            for (int k = 0; k < p->dims[3]; k++) {
                *patch++ = tile + (((size_t)c * in->h + y + r) * in->w + x + k) * LANES;
            }
        }
    }
}

static void add_products(int n, const float *const *patch, int live, double *sums)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int lane = 0; lane < live; lane++) {
                sum += (double)patch[i][lane] * (double)patch[j][lane];
            }
            sums[(size_t)i * n + j] += sum;
        }
    }
}

/* The mean products of the n values of a patch, a[n][n]. */
static void find_products(const struct trainer *t, const struct parameter *p, int n, float *tile,
                          const float **patch, double *a)
{
    const struct shape in = t->model.graph.input;
    const size_t images = t->train.count < IMAGES ? t->train.count : IMAGES;
    double patches = 0;
    memset(a, 0, (size_t)n * n * sizeof *a);
    for (size_t first = 0; first < images; first += LANES) {
        const size_t rest = images - first;
        const int live = rest < LANES ? (int)rest : (int)LANES;
        struct labels labels;
        input_tile(&t->model.input, &t->train_set, t->train.index + first, live, tile, &labels,
                   t->kernels);
        for (int y = 0; y + p->dims[2] <= in.h; y++) {
            for (int x = 0; x + p->dims[3] <= in.w; x++) {
                list_patch(&in, p, y, x, tile, patch);
                add_products(n, patch, live, a);
                patches += live;
            }
        }
    }
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            a[(size_t)i * n + j] /= patches;
            a[(size_t)j * n + i] = a[(size_t)i * n + j];
        }
    }
}

/* Turn rows and columns i and j of a, and the rows of v, so that a[i][j] becomes 0. */
static void rotate(int n, double *a, double *v, int i, int j)
{
    const double theta = (a[(size_t)j * n + j] - a[(size_t)i * n + i]) / (2 * a[(size_t)i * n + j]);
    const double tangent = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
    const double cosine = 1 / sqrt(tangent * tangent + 1), sine = tangent * cosine;
    for (int k = 0; k < n; k++) {
        double *first = &a[(size_t)k * n + i], *second = &a[(size_t)k * n + j], was = *first;
        *first = cosine * was - sine * *second;
        *second = sine * was + cosine * *second;
    }
    for (int k = 0; k < n; k++) {
        double *first = &a[(size_t)i * n + k], *second = &a[(size_t)j * n + k], was = *first;
        *first = cosine * was - sine * *second;
        *second = sine * was + cosine * *second;
        first = &v[(size_t)i * n + k];
        second = &v[(size_t)j * n + k];
        was = *first;
        *first = cosine * was - sine * *second;
        *second = sine * was + cosine * *second;
    }
}

/* The components of a symmetric a, which becomes diagonal, as the rows of v. */
static void diagonalize(int n, double *a, double *v)
{
    memset(v, 0, (size_t)n * n * sizeof *v);
    for (int i = 0; i < n; i++) {
        v[(size_t)i * n + i] = 1;
    }
    for (int round = 0; round < ROUNDS; round++) {
        double off = 0, all = 0;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                const double square = a[(size_t)i * n + j] * a[(size_t)i * n + j];
                all += square;
                off += i != j ? square : 0;
            }
        }
        if (off <= 1e-24 * all) {
            return;
        }
        for (int i = 0; i < n; i++) {
            for (int j = i + 1; j < n; j++) {
                if (a[(size_t)i * n + j] != 0) {
                    rotate(n, a, v, i, j);
                }
            }
        }
    }
}

/* The number of the greatest variance that is left, which is taken off the diagonal. */
static int take_greatest(int n, double *a, double *variance)
{
    int best = 0;
    for (int i = 1; i < n; i++) {
        best = a[(size_t)i * n + i] > a[(size_t)best * n + best] ? i : best;
    }
    *variance = a[(size_t)best * n + best];
    a[(size_t)best * n + best] = -1;
    return best;
}

static void fill_filters(int filters, int n, double *a, const double *v, float *w)
{
    const int half = (filters + 1) / 2;
    for (int f = 0; f < half; f++) {
        double variance, greatest = 0;
        const double *component = v + (size_t)take_greatest(n, a, &variance) * n;
        for (int i = 0; i < n; i++) {
            greatest = fabs(component[i]) > fabs(greatest) ? component[i] : greatest;
        }
        const double scale = (greatest < 0 ? -1 : 1) / sqrt(fmax(variance, 0) + LEAST_VARIANCE);
        for (int i = 0; i < n; i++) {
            w[(size_t)f * n + i] = (float)(scale * component[i]);
            if (half + f < filters) {
                w[(size_t)(half + f) * n + i] = -w[(size_t)f * n + i];
            }
        }
    }
}

static int whiten_node(struct trainer *t, const struct node *node, struct error *e)
{
    const struct parameter *p = &node->needs.parameters[0];
    const int n = values_of(node);
    const size_t square = (size_t)n * n * sizeof(double);
    double *a = malloc(square), *v = malloc(square);
    const float **patch = malloc((size_t)n * sizeof *patch);
    const size_t bytes = shape_size(t->model.graph.input) * LANES * sizeof(float);
    float *tile = block_allocate(bytes);
    const int failed = !a || !v || !patch || !tile;
    if (!failed) {
        find_products(t, p, n, tile, patch, a);
        diagonalize(n, a, v);
        fill_filters(p->dims[0], n, a, v, t->parameters + p->offset);
    }
    free(a);
    free(v);
    free(patch);
    free(tile);
    return failed ? error_memory(e, 2 * square + bytes) : 0;
}

int whiten(struct trainer *t, struct error *e)
{
    for (int i = 0; i < t->model.graph.count; i++) {
        if (is_whitened(&t->model.graph.nodes[i])) {
            TRY(whiten_node(t, &t->model.graph.nodes[i], e));
        }
    }
    return 0;
}
