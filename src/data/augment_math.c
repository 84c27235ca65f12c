/* augment_math.c: what several augmentations compute with: angles, greys, rectangles, Gaussians. */
#include "data/augmentation.h"

#include <math.h>

/* sin x = x - x^3 / 3! + ..., cos x = 1 - x^2 / 2! + ...; |x| <= pi / 4: the terms left out are
 * below 2^-58. */
void sine_cosine(double degrees, double *sine, double *cosine)
{
    const double turns = floor(degrees / 90 + 0.5);
    const double x = (degrees - 90 * turns) * 0x1.1df46a2529d39p-6; /* pi / 180 */
    double s = 0, c = 0;
    for (int n = 16; n >= 2; n -= 2) {
        c = (1 + c) * (-x * x / (n * (n - 1)));
        s = (1 + s) * (-x * x / (n * (n + 1)));
    }
    s = x * (1 + s);
    c = 1 + c;
    const int quarter = (int)turns & 3;
    const double sines[4] = {s, c, -s, -c};
    *sine = sines[quarter];
    *cosine = sines[(quarter + 1) & 3];
}

struct map map_about_centre(int h, int w, double a, double b, double c, double d)
{
    const double x = (w - 1) * 0.5, y = (h - 1) * 0.5;
    return (struct map){{a, b, x - a * x - b * y, c, d, y - c * x - d * y, 0, 0, 1}};
}

float picture_grey(const struct picture *picture, size_t i)
{
    const size_t n = (size_t)picture->h * (size_t)picture->w;
    const float *x = picture->planes + i;
    if (picture->c >= 3) {
        return 0.2989f * x[0] + 0.587f * x[n] + 0.114f * x[2 * n];
    }
    return picture->c == 2 ? (x[0] + x[n]) / 2 : x[0];
}

void picture_erase(const struct picture *picture, int top, int left, int height, int width,
                   float fill)
{
    const int bottom = top + height < picture->h ? top + height : picture->h;
    const int right = left + width < picture->w ? left + width : picture->w;
    const float value = picture->low + fill * (picture->high - picture->low);
    for (int k = 0; k < picture->c; k++) {
        for (int y = top > 0 ? top : 0; y < bottom; y++) {
            float *row =
                picture->planes + ((size_t)k * (size_t)picture->h + (size_t)y) * (size_t)picture->w;
            for (int x = left > 0 ? left : 0; x < right; x++) {
                row[x] = value;
            }
        }
    }
}

struct gaussian gaussian_of(double sigma)
{
    struct gaussian gaussian = {.radius = (int)ceil(3 * sigma)};
    double weights[2 * BLUR_RADIUS + 1] = {0}, sum = 0;
    gaussian.radius = gaussian.radius < BLUR_RADIUS ? gaussian.radius : BLUR_RADIUS;
    for (int i = 0; i <= 2 * gaussian.radius; i++) {
        const double x = sigma > 0 ? (i - gaussian.radius) / sigma : 0;
        weights[i] = exp(-x * x / 2);
        sum += weights[i];
    }
    for (int i = 0; i <= 2 * gaussian.radius; i++) {
        gaussian.weights[i] = (float)(weights[i] / sum);
    }
    return gaussian;
}
