/* embed.c: a set as the last layer sees it: the values that it reads, for every image a point, seen
 * along the two directions in which the points vary most (principal component analysis: Pearson
 * 1901; Hotelling 1933). With the points x[n][d] about their mean,
 *
 *     C = sum over n of x x^T / (n - 1),  C v = lambda v,  v1, v2 those of the greatest lambda
 *
 * and image n stands at (v1 . x, v2 . x). v1 and v2 come from subspace iteration with a few
 * directions more than are wanted, in double, in a fixed order; each points where its greatest
 * element is positive. The share of an axis is lambda over the trace.
 *
 * The picture is a plain scatter: the axes have no unit and no meaning but their share of the
 * variance, so there is nothing to mark along them; distances have one scale in both directions. As
 * SVG it needs no library, and no plotting program. */
#include "view/embed.h"

#include "view/output.h"
#include "view/specimen.h"
#include "view/unit.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { DIRECTIONS = 6, ROUNDS = 2000, MOST_VALUES = 4096 };

/* The node whose output the last layer with parameters reads. */
static int penultimate(const struct graph *graph)
{
    int i = graph->count - 1;
    while (i > 0 && graph->nodes[i].count == 0) {
        i--;
    }
    do {
        i = graph->nodes[i].inputs[0];
    } while (i >= 0 && (graph->nodes[i].type->flags & LAYER_TRAINING_ONLY));
    return i;
}

/* ---- the points ---- */

static void take_tile(struct embedding *m, struct probe *probe, size_t first)
{
    const size_t rest = m->set.count - first, n = m->values;
    const int live = rest < LANES ? (int)rest : LANES;
    struct labels labels;
    input_tile(&m->view->model->input, &m->set, m->subset.index + first, live,
               probe_output(probe, NETWORK_INPUT), &labels, m->view->kernels);
    probe_forward(probe, m->node);
    for (int lane = 0; lane < live; lane++) {
        probe_take(probe_output(probe, m->node), n, lane, m->points + (first + (size_t)lane) * n);
    }
}

static int find_points(struct embedding *m, struct error *e)
{
    const struct view *view = m->view;
    struct probe *probes = probes_open(view->threads, &view->model->graph, view->model->parameters,
                                       view->kernels, 0, e);
    if (probes == NULL) {
        return -1;
    }
#pragma omp parallel num_threads(view->threads)
    {
        struct probe *probe = &probes[omp_get_thread_num()];
#pragma omp for schedule(static)
        for (size_t first = 0; first < m->set.count; first += LANES) {
            take_tile(m, probe, first);
        }
    }
    probes_close(probes, view->threads);
    return dataset_failed(&m->set, e);
}

/* ---- the directions ---- */

/* Of the points, d values each: mean[d] and C[d][d], a row a piece of work. */
static void find_covariance(const struct embedding *m, double *mean, double *c)
{
    const size_t n = m->set.count, d = m->values;
    memset(mean, 0, d * sizeof *mean);
    memset(c, 0, d * d * sizeof *c);
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < d; i++) {
            mean[i] += (double)m->points[k * d + i] / (double)n;
        }
    }
#pragma omp parallel for schedule(static) num_threads(m->view->threads)
    for (size_t i = 0; i < d; i++) {
        for (size_t k = 0; k < n; k++) {
            const float *x = m->points + k * d;
            const double own = ((double)x[i] - mean[i]) / (double)(n - 1);
            for (size_t j = 0; j < d; j++) {
                c[i * d + j] += own * ((double)x[j] - mean[j]);
            }
        }
    }
}

static double dot(const double *a, const double *b, size_t d)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* v[k] of length 1 and at right angles to those before it; twice, for what rounding leaves. 0 when
 * nothing is left of it. */
static void straighten(double *v, size_t k, size_t d)
{
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < k; i++) {
            const double along = dot(v + i * d, v + k * d, d);
            for (size_t j = 0; j < d; j++) {
                v[k * d + j] -= along * v[i * d + j];
            }
        }
        const double length = sqrt(dot(v + k * d, v + k * d, d));
        for (size_t j = 0; j < d; j++) {
            v[k * d + j] = length > 1e-300 ? v[k * d + j] / length : 0;
        }
    }
}

/* The eigenvalues of a small symmetric b[count][count], into its diagonal, and eigenvectors, into
 * the columns of q: Jacobi's rotations. */
static void diagonalize(double b[DIRECTIONS][DIRECTIONS], double q[DIRECTIONS][DIRECTIONS],
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            q[i][j] = i == j;
        }
    }
    for (size_t pair = 0; pair < 12 * count * count; pair++) {
        const size_t i = pair % count, j = pair / count % count;
        if (i >= j || b[i][j] == 0) {
            continue;
        }
        const double slant = (b[j][j] - b[i][i]) / (2 * b[i][j]),
                     t = (slant < 0 ? -1 : 1) / (fabs(slant) + sqrt(slant * slant + 1)),
                     cosine = 1 / sqrt(t * t + 1), sine = t * cosine;
        for (size_t k = 0; k < count; k++) {
            const double x = b[k][i], y = b[k][j];
            b[k][i] = cosine * x - sine * y;
            b[k][j] = sine * x + cosine * y;
        }
        for (size_t k = 0; k < count; k++) {
            const double x = b[i][k], y = b[j][k], u = q[k][i], w = q[k][j];
            b[i][k] = cosine * x - sine * y;
            b[j][k] = sine * x + cosine * y;
            q[k][i] = cosine * u - sine * w;
            q[k][j] = sine * u + cosine * w;
        }
    }
}

/* The directions v, which span what they span, as the axes of C within it, the greatest first
 * (Rayleigh and Ritz); w = C v. Then v = C v, straightened: a round. lambda[k] is what C stretches
 * the new v[k] by. Returns how much the first two have changed, as a share. */
static double take_round(const double *c, double *v, double *w, double *lambda, size_t count,
                         size_t d)
{
    double b[DIRECTIONS][DIRECTIONS], q[DIRECTIONS][DIRECTIONS], change = 0;
    size_t order[DIRECTIONS];
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < d; i++) {
            w[k * d + i] = dot(c + i * d, v + k * d, d);
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j <= i; j++) {
            b[i][j] = b[j][i] = dot(v + i * d, w + j * d, d);
        }
    }
    diagonalize(b, q, count);
    for (size_t k = 0; k < count; k++) {
        size_t at = k;
        for (; at > 0 && b[order[at - 1]][order[at - 1]] < b[k][k]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = k;
    }
    for (size_t k = 0; k < count; k++) {
        memset(v + k * d, 0, d * sizeof *v);
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < d; j++) {
                v[k * d + j] += q[i][order[k]] * w[i * d + j];
            }
        }
        const double before = lambda[k];
        lambda[k] = b[order[k]][order[k]];
        change += k < 2 && lambda[k] > 0 ? fabs(lambda[k] - before) / lambda[k] : 0;
    }
    for (size_t k = 0; k < count; k++) {
        straighten(v, k, d);
    }
    return change;
}

static void point_up(double *v, size_t d)
{
    size_t most = 0;
    for (size_t i = 1; i < d; i++) {
        most = fabs(v[i]) > fabs(v[most]) ? i : most;
    }
    const double sign = v[most] < 0 ? -1 : 1;
    for (size_t i = 0; i < d; i++) {
        v[i] *= sign;
    }
}

/* Waves: at right angles to each other, and to the answer only by chance. */
static void start(double *v, size_t count, size_t d)
{
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < d; i++) {
            v[k * d + i] = cos(M_PI * (double)(k + 1) * ((double)i + 0.5) / (double)d) + 1e-3;
        }
        straighten(v, k, d);
    }
}

static int find_directions(struct embedding *m, struct error *e)
{
    const size_t d = m->values, count = d < DIRECTIONS ? d : DIRECTIONS;
    const size_t floats = d * d + d + (size_t)2 * DIRECTIONS * d;
    double *c = malloc(floats * sizeof *c), lambda[DIRECTIONS] = {0}, trace = 0;
    if (c == NULL) {
        return error_memory(e, floats * sizeof *c);
    }
    double *mean = c + d * d, *v = mean + d, *w = v + DIRECTIONS * d;
    memset(v, 0, DIRECTIONS * d * sizeof *v);
    find_covariance(m, mean, c);
    start(v, count, d);
    for (int round = 0, calm = 0; round < ROUNDS && calm < 3; round++) {
        calm = take_round(c, v, w, lambda, count, d) < 1e-14 ? calm + 1 : 0;
    }
    for (size_t i = 0; i < d; i++) {
        trace += c[i * d + i];
    }
    for (size_t k = 0; k < 2; k++) {
        point_up(v + k * d, d);
        m->share[k] = (float)(trace > 0 ? lambda[k] / trace : 0);
        m->variance[k] = (float)lambda[k];
        for (size_t i = 0; i < d; i++) {
            m->axes[k * d + i] = (float)v[k * d + i];
        }
    }
    for (size_t n = 0; n < m->set.count; n++) {
        for (size_t k = 0; k < 2; k++) {
            double sum = 0;
            for (size_t i = 0; i < d; i++) {
                sum += ((double)m->points[n * d + i] - mean[i]) * v[k * d + i];
            }
            m->at[2 * n + k] = (float)sum;
        }
    }
    free(c);
    return 0;
}

/* ---- the whole ---- */

static int open_embedding(struct embedding *m, const char *data, struct error *e)
{
    const struct model *model = m->view->model;
    char safe[400];
    m->node = penultimate(&model->graph);
    m->values = shape_size(m->node < 0 ? model->graph.input : model->graph.nodes[m->node].out);
    if (m->node < 0) {
        snprintf(m->title, sizeof m->title, "the image itself");
    } else {
        struct unit unit;
        unit_of_node(&unit, &model->graph, m->node);
        snprintf(m->title, sizeof m->title, "%.150s", unit.name);
    }
    snprintf(m->data, sizeof m->data, "%s", text_escape(safe, sizeof safe, data, strlen(data)));
    if (m->values > MOST_VALUES) {
        return error_set(e, ERROR_LIMIT, "--embed", "%s has %zu values, more than %d", m->title,
                         m->values, MOST_VALUES);
    }
    TRY(specimen_set(&m->set, model, data, m->view->threads, e));
    if (m->set.count < 3) {
        return error_set(e, ERROR_DATA, data, "%zu images have no two directions; 3 have",
                         m->set.count);
    }
    TRY(subset_all(&m->subset, &m->set, e));
    const size_t floats = m->set.count * (m->values + 3) + 2 * m->values;
    m->points = malloc(floats * sizeof *m->points);
    if (m->points == NULL) {
        return error_memory(e, floats * sizeof *m->points);
    }
    m->at = m->points + m->set.count * m->values;
    m->labels = m->at + 2 * m->set.count;
    m->axes = m->labels + m->set.count;
    for (size_t i = 0; i < m->set.count; i++) {
        m->labels[i] = (float)m->set.labels[i];
    }
    return 0;
}

static int write_numbers(const struct embedding *m, struct error *e)
{
    const size_t n = m->set.count;
    const struct tensor_entry tensors[] = {
        output_tensor("points", m->at, (size_t[4]){n, 2}),
        output_tensor("axes", m->axes, (size_t[4]){2, m->values}),
        output_tensor("variance", m->variance, (size_t[4]){2}),
        output_tensor("share", m->share, (size_t[4]){2}),
        output_tensor("labels", m->labels, (size_t[4]){n}),
    };
    return output_numbers(m->view->output, "embed", tensors, 5, e);
}

int view_embed(const struct view *view, const char *data, struct error *e)
{
    struct embedding m = {.view = view};
    int status = open_embedding(&m, data, e);
    if (status == 0 && (status = find_points(&m, e)) == 0 &&
        (status = find_directions(&m, e)) == 0) {
        status = output_is_numbers(view->output) ? write_numbers(&m, e) : embedding_draw(&m, e);
    }
    if (status == 0) {
        text_append(view->report,
                    "%zu images, %zu values of %s; share of the variance: %.4f across, %.4f up\n",
                    m.set.count, m.values, m.title, (double)m.share[0], (double)m.share[1]);
    }
    free(m.points);
    subset_free(&m.subset);
    dataset_free(&m.set);
    return status;
}
