/* gradcheck_text.c: the table of a gradient check. */
#include "teach/gradcheck.h"

#include <stdio.h>
#include <string.h>

static int name_width(const struct gradcheck *check)
{
    int width = 14;
    for (int i = 0; i < check->count; i++) {
        const int length = (int)(strlen(check->rows[i].layer) + strlen(check->rows[i].tensor)) + 1;
        width = length > width ? length : width;
    }
    return width < 40 ? width : 40;
}

static const char *verdict(const struct gradcheck_row *row)
{
    return row->wrong                   ? "WRONG"
           : row->frozen                ? "frozen"
           : row->checked == 0          ? "nothing"
           : row->faint == row->checked ? "zero"
                                        : "ok";
}

static void append_row(const struct gradcheck_row *row, int width, struct text *out)
{
    char name[300], size[32], numbers[64] = "         -          -      -";
    snprintf(name, sizeof name, "%s.%s", row->layer, row->tensor);
    if (row->checked > row->faint) {
        snprintf(numbers, sizeof numbers, "%10.1e %10.1e %5.0f%%", row->relative, row->absolute,
                 100 * row->used);
    }
    text_append(out, "%-*s %11s %8d %6d %6d %s  %s", width, name, text_from_count(size, row->size),
                row->checked, row->faint, row->kinks, numbers, verdict(row));
    if (row->wrong) {
        text_append(out, ": %d of %d", row->wrong, row->checked);
    }
    text_append(out, "\n");
}

/* What the words of the table mean, where they occur. */
static void append_notes(const struct gradcheck *check, const struct trainer *t, struct text *out)
{
    int kinks = 0, faint = 0, zero = 0;
    for (int i = 0; i < check->count; i++) {
        zero += check->rows[i].checked > 0 && check->rows[i].faint == check->rows[i].checked;
        kinks += check->rows[i].kinks;
        faint += check->rows[i].faint;
    }
    text_append(out, "\nrelative, absolute: the greatest deviations of backward's gradient from "
                     "differences\nallowed: the greatest share of its tolerance that one took\n");
    if (faint) {
        text_append(out,
                    "faint: so near 0 that differences of floats cannot tell more than that\n");
    }
    if (zero) {
        text_append(out, "zero: the whole gradient is faint; after an epoch it may not be: "
                         "-s initialize.from=MODEL\n");
    }
    if (kinks) {
        text_append(out, "kinks: elements whose step would take some value over a kink (of relu, "
                         "max pooling); it is\nheld on the branch that it takes in this network\n");
    }
    if (t->model.graph.frozen) {
        text_append(out, "frozen: does not move, so it has no gradient\n");
    }
    text_append(out, "penalties (regularize) are not part of it: they are added to the gradient "
                     "that is checked here\n");
}

void gradcheck_append(const struct gradcheck *check, const struct trainer *t, struct text *out)
{
    const int width = name_width(check);
    text_append(out, "%d sample%s of the first batch, as they are trained on; %s %.6f\n\n",
                check->samples, check->samples == 1 ? "" : "s", t->loss->member.name, check->loss);
    text_append(out, "%-*s %11s %8s %6s %6s %10s %10s %6s  %s\n", width, "gradient by", "elements",
                "checked", "faint", "kinks", "relative", "absolute", "allowed", "verdict");
    for (int i = 0; i < width + 74; i++) {
        text_append(out, "-");
    }
    text_append(out, "\n");
    for (int i = 0; i < check->count; i++) {
        append_row(&check->rows[i], width, out);
    }
    append_notes(check, t, out);
}
