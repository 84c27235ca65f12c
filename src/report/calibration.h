/* calibration.h: whether a classifier's probabilities can be believed: of what it says with 90 %,
 * 90 % should be right. Bins of equal width by the probability of the prediction; the expected
 * calibration error
 *
 *   ECE = sum over bins of  n_b / n  |accuracy_b - confidence_b|
 *
 * (Naeini, Cooper, Hauskrecht 2015; Guo et al. 2017, "On calibration of modern neural networks",
 * with 15 bins); and Guo's temperature: the T for which softmax(z / T) has the least mean negative
 * log-likelihood. */
#ifndef CNNTRAIN_REPORT_CALIBRATION_H
#define CNNTRAIN_REPORT_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

enum { CALIBRATION_BINS = 15 };
/* Bin b: those with a confidence in (b / 15, (b + 1) / 15]. */
struct calibration {
    size_t count[CALIBRATION_BINS], correct[CALIBRATION_BINS];
    double confidence[CALIBRATION_BINS]; /* sums */
};
/* A prediction that was made with probability `confidence`. */
void calibration_add(struct calibration *calibration, double confidence, int correct);
/* 0 to 1; 0 of no predictions. */
double calibration_error(const struct calibration *calibration);

/* p[n][classes]: probabilities; of each sample its label. The temperature, within 0.01 to 100: the
 * bounds are what is found where all are right, or nothing is known. */
double calibration_temperature(const float *p, const int32_t *labels, size_t n, int classes);
/* Add the n predictions as they would be at a temperature. */
void calibration_add_scaled(struct calibration *calibration, const float *p, const int32_t *labels,
                            size_t n, int classes, double temperature);

#endif
