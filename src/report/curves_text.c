/* curves_text.c: curves for a terminal. Of each run two panels, train beside validation; all of
 * them have one scale for the loss, and one for the accuracy, so that they can be compared. A
 * column is an epoch, or several columns, or the last of several epochs; it is as high as the
 * eighths of the block characters allow. */
#include "report/curves.h"

#include <math.h>
#include <string.h>

enum { HEIGHT = 4, GAP = 3, LEAST_PANEL = 8, MOST_PANEL = 60 };

struct quantity {
    const char *name;
    enum curve_column train, validation;
    int percent, higher; /* how it is written; whether more is better */
};
static const struct quantity QUANTITIES[] = {
    {"loss", CURVE_TRAIN_LOSS, CURVE_VAL_LOSS, 0, 0},
    {"accuracy", CURVE_TRAIN_ACCURACY, CURVE_VAL_ACCURACY, 1, 1},
};

struct scale {
    double low, high;
};

static struct scale find_scale(const struct curves *runs, int count, const struct quantity *q)
{
    struct scale scale = {INFINITY, -INFINITY};
    for (int r = 0; r < count; r++) {
        for (size_t i = 0; i < runs[r].epochs; i++) {
            scale.low = fmin(scale.low,
                             fmin(runs[r].values[q->train][i], runs[r].values[q->validation][i]));
            scale.high = fmax(scale.high,
                              fmax(runs[r].values[q->train][i], runs[r].values[q->validation][i]));
        }
    }
    return scale;
}

static void show(char *text, size_t size, const struct quantity *q, double value)
{
    if (q->percent) {
        snprintf(text, size, "%.2f %%", 100 * value);
    } else {
        snprintf(text, size, "%.4g", value);
    }
}

/* Of how many columns a panel with so many epochs is. */
static size_t panel_width(size_t epochs, size_t most)
{
    return epochs >= most ? most : epochs * (most / epochs);
}

static double at_column(const struct curves *run, enum curve_column column, size_t x, size_t width)
{
    return run->values[column][((x + 1) * run->epochs + width - 1) / width - 1];
}

/* In eighths of a row; 0: nothing. */
static int level_of(double value, struct scale scale)
{
    if (isnan(value)) {
        return 0;
    }
    const double share =
        scale.high > scale.low ? (value - scale.low) / (scale.high - scale.low) : 1;
    return 1 + (int)(share * (8 * HEIGHT - 1) + 0.5);
}

static void append_spaces(struct text *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_append(out, " ");
    }
}

static void append_row(struct text *out, const struct curves *run, enum curve_column column,
                       size_t width, int row, struct scale scale, int unicode)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    for (size_t x = 0; x < width; x++) {
        const int level = level_of(at_column(run, column, x, width), scale) - 8 * row;
        const int part = level < 0 ? 0 : level > 8 ? 8 : level;
        text_append(out, "%s", unicode ? blocks[part] : part >= 4 || (part && !row) ? "#" : " ");
    }
}

/* "0.198 .. 0.00195, best 0.0019 at 15" */
static void describe(char *text, size_t size, const struct curves *run, const struct quantity *q,
                     enum curve_column column)
{
    const double *values = run->values[column];
    size_t best = 0;
    char first[32], last[32], top[32];
    for (size_t i = 1; i < run->epochs; i++) {
        if (isnan(values[best]) ||
            (q->higher ? values[i] > values[best] : values[i] < values[best])) {
            best = i;
        }
    }
    if (isnan(values[best])) {
        snprintf(text, size, "-");
        return;
    }
    show(first, sizeof first, q, values[0]);
    show(last, sizeof last, q, values[run->epochs - 1]);
    show(top, sizeof top, q, values[best]);
    snprintf(text, size, "%s to %s, best %s at %.0f", first, last, top,
             run->values[CURVE_EPOCH][best]);
}

static void append_run(struct text *out, const struct curves *run, const struct quantity *q,
                       struct scale scale, size_t most, int unicode)
{
    const size_t width = panel_width(run->epochs, most);
    char train[128], validation[128];
    for (int row = HEIGHT - 1; row >= 0; row--) {
        append_row(out, run, q->train, width, row, scale, unicode);
        append_spaces(out, most - width + GAP);
        append_row(out, run, q->validation, width, row, scale, unicode);
        text_append(out, "\n");
    }
    describe(train, sizeof train, run, q, q->train);
    describe(validation, sizeof validation, run, q, q->validation);
    text_append(out, "train       %s\nvalidation  %s\n", train, validation);
}

void curves_append(const struct curves *runs, int count, int width, int unicode, struct text *out)
{
    const int room = (width - GAP) / 2;
    const size_t most = (size_t)(room < LEAST_PANEL  ? LEAST_PANEL
                                 : room > MOST_PANEL ? MOST_PANEL
                                                     : room);
    for (size_t k = 0; k < sizeof QUANTITIES / sizeof *QUANTITIES; k++) {
        const struct quantity *q = &QUANTITIES[k];
        const struct scale scale = find_scale(runs, count, q);
        char low[32], high[32];
        if (!(scale.low <= scale.high)) {
            continue; /* no run has it */
        }
        show(low, sizeof low, q, scale.low);
        show(high, sizeof high, q, scale.high);
        text_append(out, "%s%s, from %s to %s\n", k > 0 ? "\n" : "", q->name, low, high);
        for (int r = 0; r < count; r++) {
            text_append(out, "\n%s, %zu epoch%s\n", runs[r].name, runs[r].epochs,
                        runs[r].epochs == 1 ? "" : "s");
            append_run(out, &runs[r], q, scale, most, unicode);
        }
    }
}
