/* numbers.c: see numbers.h. */
#include "teach/numbers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BUFFER = 32 };

static int is_whole(double value) { return value == rint(value) && fabs(value) < 1e6; }

char *style_print(char *buffer, const struct style *style, double value)
{
    value = value == 0 ? 0 : value; /* not "-0" */
    if (style->decimals < 0) {
        snprintf(buffer, BUFFER, "%.2e", value);
    } else {
        snprintf(buffer, BUFFER, "%.*f", style->decimals, value);
    }
    return buffer;
}

struct style style_of(const double *values, size_t n)
{
    struct style style = {0, 1};
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        style.decimals = is_whole(values[i]) ? style.decimals : 4;
        most = fabs(values[i]) > most ? fabs(values[i]) : most;
    }
    if (style.decimals > 0) {
        style.decimals = most >= 1e6 || most < 0.01 ? -1 : most >= 1000 ? 2 : 4;
    }
    for (size_t i = 0; i < n; i++) {
        char buffer[BUFFER];
        const int length = (int)strlen(style_print(buffer, &style, values[i]));
        style.width = length > style.width ? length : style.width;
    }
    return style;
}

struct style style_both(struct style a, struct style b)
{
    return (struct style){a.decimals < 0 || b.decimals < 0 ? -1
                          : a.decimals > b.decimals        ? a.decimals
                                                           : b.decimals,
                          a.width > b.width ? a.width : b.width};
}

char *number_print(char *buffer, double value)
{
    value = value == 0 ? 0 : value;
    if (is_whole(value)) {
        snprintf(buffer, BUFFER, "%.0f", value);
    } else {
        snprintf(buffer, BUFFER, "%.7g", value);
    }
    return buffer;
}
