/* sheet.c: the sheet of cnnview --augment. What is drawn comes from augment_image, as in training:
 * the same random numbers, the same bytes before they are normalised. */
#include "view/sheet.h"

#include "view/canvas.h"

#include <stdlib.h>
#include <string.h>

/* In pixels; CELL is what an image has at least. */
enum { CELL = 96, GAP = 6, LETTER = 6, MOST_LETTERS = 15 };

struct sheet {
    const struct trainer *trainer;
    struct canvas canvas;
    int names;                /* the width of the names */
    int zoom, cell_h, cell_w; /* a cell has the image and a line of text */
    float *planes, *scratch;
};

static int names_width(const struct texts *classes, int rows)
{
    size_t longest = 0;
    for (int i = 0; i < rows; i++) {
        const size_t length = strlen(classes->values[i]);
        longest = length > longest ? length : longest;
    }
    return 2 * GAP + LETTER * (longest < MOST_LETTERS ? (int)longest : MOST_LETTERS);
}

static int sheet_open(struct sheet *sheet, const struct trainer *trainer, int rows, int columns,
                      struct error *e)
{
    const struct augmenter *augmenter = &trainer->augmenter;
    const struct input *input = &trainer->model.input;
    const int side = input->h > input->w ? input->h : input->w;
    *sheet = (struct sheet){.trainer = trainer,
                            .names = names_width(&trainer->model.classes, rows),
                            .zoom = side < CELL ? CELL / side : 1};
    sheet->cell_h = input->h * sheet->zoom + TEXT_HEIGHT + GAP;
    sheet->cell_w = input->w * sheet->zoom + GAP;
    const size_t floats = ((size_t)input->c * (size_t)input->h * (size_t)input->w + 15) / 16 * 16;
    const size_t bytes = (floats + augment_image_scratch(augmenter)) * sizeof(float);
    sheet->planes = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (sheet->planes == NULL) {
        return error_memory(e, bytes);
    }
    sheet->scratch = sheet->planes + floats;
    return canvas_open(&sheet->canvas, sheet->names + columns * sheet->cell_w + GAP,
                       GAP + TEXT_HEIGHT + rows * sheet->cell_h + GAP, e);
}

static void sheet_close(struct sheet *sheet)
{
    canvas_close(&sheet->canvas);
    free(sheet->planes);
}

static int column_x(const struct sheet *sheet, int column)
{
    return sheet->names + column * sheet->cell_w;
}

static void draw_image(struct sheet *sheet, int row, int column)
{
    const struct augmenter *augmenter = &sheet->trainer->augmenter;
    const struct input *input = augmenter->input;
    const int y = GAP + TEXT_HEIGHT + row * sheet->cell_h;
    canvas_image(&sheet->canvas, column_x(sheet, column), y, sheet->zoom, sheet->planes, input->c,
                 input->h, input->w, augmenter->low, augmenter->high);
}

/* Below a mixed image: the classes and their shares. */
static void draw_mixture(struct sheet *sheet, int row, int column, uint32_t sample,
                         const struct mixture *mixture)
{
    const struct texts *classes = &sheet->trainer->model.classes;
    const int32_t *labels = sheet->trainer->train.set->labels;
    char text[64];
    if (mixture->mixed) {
        snprintf(text, sizeof text, "%.6s %.2f %.6s %.2f", classes->values[labels[sample]],
                 (double)mixture->share, classes->values[labels[mixture->partner]],
                 1 - (double)mixture->share);
        canvas_text(&sheet->canvas, column_x(sheet, column),
                    GAP + TEXT_HEIGHT + (row + 1) * sheet->cell_h - TEXT_HEIGHT - GAP + 1, text);
    }
}

static void draw_row(struct sheet *sheet, int row, uint32_t sample, int count, int epoch)
{
    const struct augmenter *augmenter = &sheet->trainer->augmenter;
    const int32_t label = sheet->trainer->train.set->labels[sample];
    char name[MOST_LETTERS + 1];
    snprintf(name, sizeof name, "%s", sheet->trainer->model.classes.values[label]);
    canvas_text(&sheet->canvas, GAP,
                GAP + TEXT_HEIGHT + row * sheet->cell_h + (sheet->cell_h - TEXT_HEIGHT) / 2, name);
    input_image(&augmenter->stored, augmenter->set, sample, sheet->planes, augmenter->kernels);
    draw_image(sheet, row, 0);
    for (int i = 0; i < count; i++) {
        struct mixture mixture;
        augment_image(augmenter, (uint32_t)(epoch - 1 + i), sample, sheet->planes, &mixture,
                      sheet->scratch);
        draw_image(sheet, row, i + 1);
        draw_mixture(sheet, row, i + 1, sample, &mixture);
    }
}

/* The first training sample of a class; -1 when there is none. */
static long long first_of(const struct subset *train, int32_t class)
{
    for (size_t i = 0; i < train->count; i++) {
        if (train->set->labels[train->index[i]] == class) {
            return train->index[i];
        }
    }
    return -1;
}

int sheet_write(const struct trainer *trainer, const char *path, int rows, int count, int epoch,
                struct error *e)
{
    struct sheet sheet;
    const int classes = trainer->model.classes.count;
    rows = rows < classes ? rows : classes;
    int status = sheet_open(&sheet, trainer, rows, count + 1, e);
    if (status == 0) {
        canvas_text(&sheet.canvas, column_x(&sheet, 0), GAP, "original");
        for (int i = 0; i < count; i++) {
            char title[32];
            snprintf(title, sizeof title, "epoch %d", epoch + i);
            canvas_text(&sheet.canvas, column_x(&sheet, i + 1), GAP, title);
        }
        for (int row = 0; row < rows; row++) {
            const long long sample = first_of(&trainer->train, row);
            if (sample >= 0) {
                draw_row(&sheet, row, (uint32_t)sample, count, epoch);
            }
        }
        status = canvas_write(&sheet.canvas, path, e);
    }
    sheet_close(&sheet);
    return status;
}
