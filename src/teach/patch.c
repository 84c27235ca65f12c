/* patch.c: see patch.h. */
#include "teach/patch.h"

#include "teach/numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 8, MOST_ROWS = 8, MOST_WIDTH = 100, STRONGEST = 10 };

static size_t size_of(const struct explained_patch *p)
{
    return (size_t)p->rows * (size_t)p->columns;
}

static double term_of(const struct explained_patch *p, size_t i)
{
    return p->values[i] * (p->weights ? p->weights[i] : 1);
}

/* "rows 3, 5, 7", "columns 0 to 4" */
static void append_range(struct text *out, const char *what, int first, int step, int count)
{
    if (count == 1) {
        text_append(out, "%s %d", what, first);
    } else {
        text_append(out, "%ss %d to %d", what, first, first + (count - 1) * step);
    }
    if (step > 1 && count > 1) {
        text_append(out, " in steps of %d", step);
    }
}

static int has_outside(const struct explained_patch *p)
{
    return memchr(p->outside, 1, size_of(p)) != NULL;
}

static void append_heading(const struct explained_patch *p, struct text *out)
{
    if (p->channel < 0) {
        text_append(out, "input channels 0 to %d, of one value each", p->columns - 1);
    } else {
        text_append(out, "input channel %d, ", p->channel);
        append_range(out, "row", p->y, p->step_y, p->rows);
        text_append(out, ", ");
        append_range(out, "column", p->x, p->step_x, p->columns);
    }
    text_append(out, "%s:\n", has_outside(p) ? "  (. is padding)" : "");
}

/* ---- matrices ---- */

/* One of the matrices that stand side by side. */
struct matrix {
    const char *title, *sign; /* sign: what stands before it in the middle row */
    const double *values;
    const char *outside; /* NULL: none is */
    struct style style;
};

static int matrix_width(const struct matrix *m, int columns)
{
    const int width = columns * (m->style.width + 2), title = (int)strlen(m->title) + 2;
    return width > title ? width : title;
}

static void append_matrix_row(const struct matrix *m, const struct explained_patch *p, int row,
                              struct text *out)
{
    const int gap = matrix_width(m, p->columns) - p->columns * (m->style.width + 2);
    text_append(out, "  %c%*s", row == (p->rows - 1) / 2 ? *m->sign : ' ', gap, "");
    for (int k = 0; k < p->columns; k++) {
        const int i = row * p->columns + k;
        char number[32] = ".";
        if (!m->outside || !m->outside[i]) {
            style_print(number, &m->style, m->values[i]);
        }
        text_append(out, "  %*s", m->style.width, number);
    }
}

static void append_matrices(const struct matrix *m, int count, const struct explained_patch *p,
                            struct text *out)
{
    for (int j = 0; j < count; j++) {
        const int width = matrix_width(&m[j], p->columns), title = (int)strlen(m[j].title),
                  before = (width - title + 2) / 2;
        text_append(out, "   %*s%s%*s", before, "", m[j].title,
                    j + 1 < count ? width - before - title : 0, "");
    }
    text_append(out, "\n");
    for (int row = 0; row < p->rows; row++) {
        for (int j = 0; j < count; j++) {
            append_matrix_row(&m[j], p, row, out);
        }
        text_append(out, "\n");
    }
}

/* "0 x (-1) + 1 x 1 + 2 x 0" */
static void append_sum(const struct explained_patch *p, struct text *out)
{
    for (int row = 0; row < p->rows; row++) {
        text_append(out, "    ");
        for (int k = 0; k < p->columns; k++) {
            const int i = row * p->columns + k, last = i + 1 == p->rows * p->columns;
            text_append(out, p->weights[i] < 0 ? "%.0f x (%.0f)" : "%.0f x %.0f",
                        p->values[i] + 0.0, p->weights[i] + 0.0);
            text_append(out, last ? "" : k + 1 < p->columns ? " + " : " +");
        }
        text_append(out, row + 1 < p->rows ? "\n" : " = %.0f\n", p->sum + 0.0);
    }
}

static void append_side_by_side(const struct explained_patch *p, struct text *out)
{
    double products[MOST_ROWS * MOST_COLUMNS];
    const size_t n = size_of(p);
    for (size_t i = 0; i < n; i++) {
        products[i] = term_of(p, i);
    }
    struct matrix m[3] = {{"patch", " ", p->values, p->outside, style_of(p->values, n)}};
    if (!p->weights) {
        append_matrices(m, 1, p, out);
        return;
    }
    m[1] = (struct matrix){"kernel", "x", p->weights, NULL, style_of(p->weights, n)};
    m[2] = (struct matrix){"products", "=", products, NULL, style_of(products, n)};
    int width = 0;
    for (int j = 0; j < 3; j++) {
        width += 3 + matrix_width(&m[j], p->columns);
    }
    append_matrices(m, width <= MOST_WIDTH ? 3 : 2, p, out);
    if (width > MOST_WIDTH) {
        append_matrices(m + 2, 1, p, out);
    }
    if (m[0].style.decimals == 0 && m[1].style.decimals == 0) {
        append_sum(p, out);
    }
}

/* ---- lists ---- */

struct term {
    size_t at;
    double strength;
};

static int by_strength(const void *one, const void *other)
{
    const struct term *a = one, *b = other;
    return a->strength != b->strength ? (a->strength < b->strength) - (a->strength > b->strength)
                                      : (a->at > b->at) - (a->at < b->at);
}

static void append_place(const struct explained_patch *p, size_t at, struct text *out)
{
    const int row = (int)at / p->columns, column = (int)at % p->columns;
    char place[64];
    if (p->channel < 0) {
        snprintf(place, sizeof place, "channel %d", column);
    } else {
        snprintf(place, sizeof place, "row %d, column %d", p->y + row * p->step_y,
                 p->x + column * p->step_x);
    }
    text_append(out, "    %-20s", place);
}

static void append_term(const struct explained_patch *p, size_t at, struct text *out)
{
    char value[32], weight[32], product[32];
    append_place(p, at, out);
    number_print(value, p->values[at]);
    if (p->outside[at]) {
        text_append(out, "%14s\n", ".");
    } else if (p->weights) {
        text_append(out, "%14s x %14s = %14s\n", value, number_print(weight, p->weights[at]),
                    number_print(product, term_of(p, at)));
    } else {
        text_append(out, "%14s\n", value);
    }
}

static void append_list(const struct explained_patch *p, int everything, struct text *out)
{
    const size_t n = size_of(p), shown = everything || n < STRONGEST ? n : STRONGEST;
    struct term *terms = malloc(n * sizeof *terms);
    double rest = p->sum;
    char number[32], count[32];
    if (!terms) {
        out->failed = 1;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        terms[i] = (struct term){i, p->outside[i] ? -1 : fabs(term_of(p, i))};
    }
    if (!everything) {
        qsort(terms, n, sizeof *terms, by_strength);
        text_append(out, "    the %d strongest of %s:\n", (int)shown, text_from_count(count, n));
    }
    for (size_t i = 0; i < shown; i++) {
        append_term(p, terms[i].at, out);
        rest -= term_of(p, terms[i].at);
    }
    if (shown < n) {
        text_append(out, "    %-20s%*s\n", "all others together", p->weights ? 48 : 14,
                    number_print(number, fabs(rest) < 1e-12 ? 0 : rest));
    }
    free(terms);
}

void patch_append(const struct explained_patch *patch, int everything, struct text *out)
{
    append_heading(patch, out);
    if (patch->rows <= MOST_ROWS && patch->columns <= MOST_COLUMNS) {
        append_side_by_side(patch, out);
    } else {
        append_list(patch, everything, out);
    }
}
