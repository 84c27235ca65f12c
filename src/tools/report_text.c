/* report_text.c: the results as a page to read. Columns are as wide as their content; widths count
 * characters, not bytes, and a name is cut where it would take the table apart. */
#include "tools/report.h"

#include <string.h>

enum { MOST_IN_MATRIX = 20, MOST_PAIRS = 20, NAME_WIDTH = 24, HEADING_WIDTH = 6 };

static int characters(const char *text)
{
    int count = 0;

    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

/* The name, safe to print, of at most `width` characters; returns how many. */
static int cut_name(char *buffer, size_t size, const char *name, int width)
{
    text_sanitize(buffer, size, name, strlen(name));
    while (characters(buffer) > width) {
        buffer[text_utf8_prefix(buffer, strlen(buffer) - 1)] = '\0';
    }
    return characters(buffer);
}

/* Left-aligned when `width` is negative. */
static void print_name(FILE *out, const char *name, int most, int width)
{
    char safe[1100];
    const int length = cut_name(safe, sizeof safe, name, most);

    if (width < 0) {
        fprintf(out, "%s%*s", safe, -width - length, "");
    } else {
        fprintf(out, "%*s%s", width - length, "", safe);
    }
}

static int widest_name(const struct texts *classes, int most)
{
    char safe[1100];
    int widest = (int)strlen("class");

    for (int k = 0; k < classes->count; k++) {
        const int length = cut_name(safe, sizeof safe, classes->values[k], most);

        widest = length > widest ? length : widest;
    }
    return widest;
}

static void print_percent(FILE *out, double share)
{
    if (share < 0) {
        fprintf(out, "%11s", "-");
    } else {
        fprintf(out, "%11.2f", 100 * share);
    }
}

static void print_numbers(const struct report *report, FILE *out)
{
    const struct metrics *m = report->metrics;
    char correct[32], count[32];
    double low, high;

    wilson_interval(m->correct, m->count, &low, &high);
    fprintf(out, "accuracy %.2f %% (%s of %s; 95 %% interval %.2f to %.2f %%)\n",
            100 * metrics_accuracy(m), text_from_count(correct, m->correct),
            text_from_count(count, m->count), 100 * low, 100 * high);
    if (m->top_k > 1) {
        fprintf(out, "top-%d    %.2f %%\n", m->top_k, 100 * (double)m->in_top_k / (double)m->count);
    }
    fprintf(out, "loss     %.4g\n", metrics_loss(m));
}

static void print_classes(const struct report *report, int width, FILE *out)
{
    fprintf(out, "\n%*s%10s%11s%11s%11s\n", -width, "class", "images", "precision", "recall", "f1");
    for (int k = 0; k < report->classes->count; k++) {
        const struct class_metrics m = metrics_of_class(report->metrics, k);
        char support[32];

        print_name(out, report->classes->values[k], NAME_WIDTH, -width);
        fprintf(out, "%10s", text_from_count(support, m.support));
        print_percent(out, m.precision);
        print_percent(out, m.recall);
        print_percent(out, m.f1);
        fputc('\n', out);
    }
}

static size_t largest_count(const struct metrics *m)
{
    size_t largest = 0;

    for (int k = 0; k < m->classes; k++) {
        largest = m->support[k] > largest ? m->support[k] : largest;
    }
    return largest;
}

/* Of the matrix: two blanks, and the widest heading or count. */
static int column_width(const struct report *report)
{
    int widest = 1;
    char safe[1100];

    for (size_t largest = largest_count(report->metrics); largest >= 10; largest /= 10) {
        widest++;
    }
    for (int k = 0; k < report->classes->count; k++) {
        const int length = cut_name(safe, sizeof safe, report->classes->values[k], HEADING_WIDTH);

        widest = length > widest ? length : widest;
    }
    return 2 + widest;
}

/* Zeros are dots, so that the mistakes stand out. */
static void print_matrix(const struct report *report, int width, FILE *out)
{
    const struct metrics *m = report->metrics;
    const int column = column_width(report);

    fprintf(out,
            "\nconfusion matrix: a row is what an image is, a column what it was taken for\n%*s",
            width, "");
    for (int k = 0; k < m->classes; k++) {
        print_name(out, report->classes->values[k], HEADING_WIDTH, column);
    }
    fputc('\n', out);
    for (int actual = 0; actual < m->classes; actual++) {
        print_name(out, report->classes->values[actual], NAME_WIDTH, -width);
        for (int predicted = 0; predicted < m->classes; predicted++) {
            const size_t count =
                m->confusion[(size_t)actual * (size_t)m->classes + (size_t)predicted];

            if (count == 0) {
                fprintf(out, "%*s", column, ".");
            } else {
                fprintf(out, "%*zu", column, count);
            }
        }
        fputc('\n', out);
    }
}

struct pair {
    int actual, predicted;
    size_t count;
};

/* The greatest counts off the diagonal, greatest first; equal ones in the order of the classes. */
static int find_pairs(const struct metrics *m, struct pair pairs[MOST_PAIRS])
{
    int found = 0;

    for (int actual = 0; actual < m->classes; actual++) {
        for (int predicted = 0; predicted < m->classes && m->support[actual] > 0; predicted++) {
            const size_t count =
                m->confusion[(size_t)actual * (size_t)m->classes + (size_t)predicted];
            int at = found;

            if (actual == predicted || count == 0) {
                continue;
            }
            while (at > 0 && pairs[at - 1].count < count) {
                at--;
            }
            if (at == MOST_PAIRS) {
                continue;
            }
            found += found < MOST_PAIRS;
            memmove(&pairs[at + 1], &pairs[at], (size_t)(found - 1 - at) * sizeof pairs[0]);
            pairs[at] = (struct pair){actual, predicted, count};
        }
    }
    return found;
}

static void print_pairs(const struct report *report, int width, FILE *out)
{
    struct pair pairs[MOST_PAIRS];
    const int count = find_pairs(report->metrics, pairs);

    if (count == 0) {
        return;
    }
    fprintf(out, "\nmost often confused\n%*s  %*s%10s\n", -width, "is", -width, "taken for",
            "images");
    for (int i = 0; i < count; i++) {
        print_name(out, report->classes->values[pairs[i].actual], NAME_WIDTH, -width - 2);
        print_name(out, report->classes->values[pairs[i].predicted], NAME_WIDTH, -width);
        fprintf(out, "%10zu\n", pairs[i].count);
    }
}

void report_text(const struct report *report, FILE *out)
{
    const int width = widest_name(report->classes, NAME_WIDTH);

    print_numbers(report, out);
    print_classes(report, width, out);
    if (report->classes->count <= MOST_IN_MATRIX) {
        print_matrix(report, width, out);
    } else {
        print_pairs(report, width < 9 ? 9 : width, out);
    }
}
