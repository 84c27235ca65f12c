/* calibration.c: see calibration.h. With z = ln p (what softmax(z / T) needs is known up to a
 * constant) and beta = 1 / T, a sample's negative log-likelihood is
 *
 *   L(beta) = ln sum_k exp(beta z_k) - beta z_label,   L' = E[z] - z_label,   L'' = Var[z]
 *
 * with mean and variance under softmax(beta z): convex in beta, so Newton's method within a bracket
 * finds the one minimum. */
#include "report/calibration.h"

#include <math.h>

static const double LEAST_BETA = 0.01, MOST_BETA = 100;
/* Terms below exp(-40) of the greatest are less than rounding makes of the sum. */
static const double NEGLIGIBLE = -40, LEAST_P = 1e-38;
enum { MOST_STEPS = 100 };

void calibration_add(struct calibration *c, double confidence, int correct)
{
    int bin = (int)ceil(confidence * CALIBRATION_BINS) - 1;
    bin = bin < 0 ? 0 : bin < CALIBRATION_BINS ? bin : CALIBRATION_BINS - 1;
    c->count[bin]++;
    c->correct[bin] += correct != 0;
    c->confidence[bin] += confidence;
}

double calibration_error(const struct calibration *c)
{
    double sum = 0;
    size_t n = 0;
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        sum += fabs((double)c->correct[b] - c->confidence[b]);
        n += c->count[b];
    }
    return n > 0 ? sum / (double)n : 0;
}

static double logarithm(float p) { return log((double)p > LEAST_P ? (double)p : LEAST_P); }

static float greatest(const float *p, int classes)
{
    float most = p[0];
    for (int k = 1; k < classes; k++) {
        most = p[k] > most ? p[k] : most;
    }
    return most;
}

/* Add a sample's L' and L''. */
static void add_slope(const float *p, int classes, int label, double beta, double *slope,
                      double *curve)
{
    const double top = logarithm(greatest(p, classes));
    double sum = 0, first = 0, second = 0;
    for (int k = 0; k < classes; k++) {
        const double z = logarithm(p[k]) - top, power = beta * z;
        if (power >= NEGLIGIBLE) {
            const double weight = exp(power);
            sum += weight;
            first += weight * z;
            second += weight * z * z;
        }
    }
    const double mean = first / sum;
    *slope += mean - (logarithm(p[label]) - top);
    *curve += second / sum - mean * mean;
}

static void find_slope(const float *p, const int32_t *labels, size_t n, int classes, double beta,
                       double *slope, double *curve)
{
    *slope = *curve = 0;
    for (size_t i = 0; i < n; i++) {
        add_slope(p + i * (size_t)classes, classes, labels[i], beta, slope, curve);
    }
}

double calibration_temperature(const float *p, const int32_t *labels, size_t n, int classes)
{
    double low = LEAST_BETA, high = MOST_BETA, beta = 1, slope, curve;
    for (int step = 0; step < MOST_STEPS; step++) {
        find_slope(p, labels, n, classes, beta, &slope, &curve);
        if (slope == 0 && curve > 0) {
            break;
        }
        if (slope > 0) {
            high = beta;
        } else {
            low = beta; /* at 0 without a curve all are right, and as sure as numbers can be */
        }
        double next = curve > 0 ? beta - slope / curve : 0;
        if (!(next > low && next < high)) {
            next = sqrt(low * high);
        }
        if (fabs(next - beta) <= 1e-10 * beta) {
            break;
        }
        beta = next;
    }
    return 1 / beta;
}

void calibration_add_scaled(struct calibration *c, const float *p, const int32_t *labels, size_t n,
                            int classes, double temperature)
{
    for (size_t i = 0; i < n; i++) {
        const float *row = p + i * (size_t)classes;
        const double top = logarithm(greatest(row, classes));
        double sum = 0;
        int best = 0;
        for (int k = 0; k < classes; k++) {
            const double power = (logarithm(row[k]) - top) / temperature;
            sum += power >= NEGLIGIBLE ? exp(power) : 0;
            best = row[k] > row[best] ? k : best;
        }
        calibration_add(c, 1 / sum, best == labels[i]);
    }
}
