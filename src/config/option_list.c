/* option_list.c: the tables as text for --list: key, type, default, range, help, in columns. */
#include "config/option_internal.h"

#include <string.h>

enum { KEY, TYPE, FALLBACK, RANGE, COLUMNS };

#define WIDEST 32 /* a column that is wider pushes the rest of its own line only */

/* The columns of one row, as texts to be freed. */
static void describe(const struct option *row, struct text columns[COLUMNS])
{
    const char *fallback = row->fallback == NULL      ? "required"
                           : row->fallback[0] == '\0' ? "-"
                                                      : row->fallback;

    text_append(&columns[KEY], "%s", row->key);
    text_append(&columns[TYPE], "%s", row->kind->name);
    text_append(&columns[FALLBACK], "%s", fallback);
    if (row->kind->describe != NULL) {
        row->kind->describe(row, &columns[RANGE]);
    }
}

static void free_columns(struct text columns[COLUMNS])
{
    for (int c = 0; c < COLUMNS; c++) {
        text_free(&columns[c]);
    }
}

static void measure(const struct option *rows, size_t widths[COLUMNS])
{
    for (; rows->key != NULL; rows++) {
        struct text columns[COLUMNS] = {{0}};

        describe(rows, columns);
        for (int c = 0; c < COLUMNS; c++) {
            const size_t width = columns[c].length < WIDEST ? columns[c].length : WIDEST;

            widths[c] = width > widths[c] ? width : widths[c];
        }
        free_columns(columns);
    }
}

static void list_row(const struct option *row, const size_t widths[COLUMNS], struct text *out,
                     int indent)
{
    struct text columns[COLUMNS] = {{0}};

    describe(row, columns);
    text_append(out, "%*s", indent, "");
    for (int c = 0; c < COLUMNS; c++) {
        if (widths[c] > 0) {
            text_append(out, "%-*s  ", (int)widths[c],
                        columns[c].data != NULL ? columns[c].data : "");
        }
        out->failed |= columns[c].failed;
    }
    text_append(out, "%s\n", row->help != NULL ? row->help : "");
    free_columns(columns);
}

void options_list(const struct option *rows, struct text *out, int indent)
{
    size_t widths[COLUMNS] = {0};

    measure(rows, widths);
    for (; rows->key != NULL; rows++) {
        list_row(rows, widths, out, indent);
        if (rows->kind == &OPTION_GROUP) {
            options_list(((const struct group *)rows->extra)->options, out, indent + 2);
        }
    }
}

void family_list(const struct family *family, struct text *out)
{
    size_t widest = 0;

    for (int i = 0; family->members[i] != NULL; i++) {
        const size_t width = strlen(family->members[i]->name);

        widest = width > widest ? width : widest;
    }
    for (int i = 0; family->members[i] != NULL; i++) {
        const struct member *member = family->members[i];

        text_append(out, "%-*s  %s\n", (int)widest, member->name, member->help);
        if (member->options != NULL) {
            options_list(member->options, out, 4);
        }
    }
}
