/* palette.c: see palette.h. Straight lines between a few colours. */
#include "view/palette.h"

#include <math.h>

enum { STOPS = 4 };
static const float POSITIVE[STOPS][3] = {
    {255, 255, 255}, {248, 180, 148}, {216, 72, 56}, {122, 8, 30}};
static const float NEGATIVE[STOPS][3] = {
    {255, 255, 255}, {152, 196, 228}, {56, 124, 188}, {8, 46, 112}};

static uint8_t byte_of(float value)
{
    return (uint8_t)((value < 0 ? 0 : value > 255 ? 255 : value) + 0.5f);
}

static float within(float share, float low, float high)
{
    return share > low ? (share < high ? share : high) : low;
}

void palette_signed(float share, uint8_t colour[3])
{
    const float(*stops)[3] = share < 0 ? NEGATIVE : POSITIVE;
    const float at = within(fabsf(share), 0, 1) * (STOPS - 1);
    const int before = at < STOPS - 2 ? (int)at : STOPS - 2;
    for (int k = 0; k < 3; k++) {
        const float from = stops[before][k], to = stops[before + 1][k];
        colour[k] = byte_of(from + (to - from) * (at - (float)before));
    }
}

void palette_grey(float share, uint8_t colour[3])
{
    colour[0] = colour[1] = colour[2] = byte_of(within(share, 0, 1) * 255);
}

void palette_heat(float share, uint8_t colour[3])
{
    const float heat = within(share, 0, 1), cover = within(heat * 1.4f - 0.12f, 0, 0.8f);
    const float own[3] = {255, 230 * (1 - heat), 20 * (1 - heat)};
    for (int k = 0; k < 3; k++) {
        colour[k] = byte_of((float)colour[k] * (1 - cover) + own[k] * cover);
    }
}

/* Ten that are easily told apart; more are steps around the circle of hues, in three shades. */
void palette_class(int class, int count, uint8_t colour[3])
{
    static const uint8_t TEN[10][3] = {
        {31, 110, 190}, {230, 110, 20},  {40, 150, 60}, {200, 35, 45},  {130, 90, 190},
        {130, 80, 60},  {220, 100, 180}, {90, 90, 90},  {165, 165, 20}, {20, 175, 190}};
    if (count <= 10) {
        for (int k = 0; k < 3; k++) {
            colour[k] = TEN[class % 10][k];
        }
        return;
    }
    static const float SHADES[3] = {0.85f, 0.6f, 0.38f};
    const float hue = 6 * (float)class / (float)count, shade = SHADES[class % 3];
    for (int k = 0; k < 3; k++) {
        const float from = fmodf(hue + 6 - 2 * (float)k, 6), away = fminf(from, 6 - from);
        colour[k] = byte_of(255 * shade * within(2 - away, 0.08f, 1));
    }
}
