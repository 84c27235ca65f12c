/* embed_draw.c: the scatter of embed.c, as SVG or on a canvas: a class a colour, its name where its
 * points are on average, and a legend with its number of images. */
#include "view/canvas.h"
#include "view/embed.h"
#include "view/output.h"
#include "view/palette.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 640, MARGIN = 24, HEAD = 52, LEGEND = 190, ROW = 18, MOST_ROWS = 34 };

/* Where points are on the picture. */
struct frame {
    const struct embedding *m;
    double middle[2], scale; /* pixels a unit */
    int classes;
    size_t *counts;  /* owned; of each class */
    double *centres; /* owned; [classes][2] */
};

static double x_of(const struct frame *f, double along)
{
    return MARGIN + SIDE / 2.0 + (along - f->middle[0]) * f->scale;
}

static double y_of(const struct frame *f, double along)
{
    return HEAD + SIDE / 2.0 - (along - f->middle[1]) * f->scale;
}

static int frame_open(struct frame *f, const struct embedding *m, struct error *e)
{
    double low[2] = {0}, high[2] = {0};
    *f = (struct frame){.m = m, .classes = m->view->model->classes.count};
    f->counts = calloc((size_t)f->classes, sizeof *f->counts);
    f->centres = calloc((size_t)f->classes * 2, sizeof *f->centres);
    if (f->counts == NULL || f->centres == NULL) {
        return error_memory(e, (size_t)f->classes * 3 * sizeof *f->centres);
    }
    for (size_t i = 0; i < m->set.count; i++) {
        const int label = m->set.labels[i];
        f->counts[label]++;
        for (int k = 0; k < 2; k++) {
            const double at = (double)m->at[2 * i + (size_t)k];
            f->centres[2 * label + k] += at;
            low[k] = i == 0 || at < low[k] ? at : low[k];
            high[k] = i == 0 || at > high[k] ? at : high[k];
        }
    }
    const double wide = high[0] - low[0], tall = high[1] - low[1], most = wide > tall ? wide : tall;
    f->scale = most > 0 ? SIDE / most : 1;
    for (int k = 0; k < 2; k++) {
        f->middle[k] = (low[k] + high[k]) / 2;
    }
    for (int label = 0; label < f->classes; label++) {
        for (int k = 0; k < 2; k++) {
            f->centres[2 * label + k] /= f->counts[label] > 0 ? (double)f->counts[label] : 1;
        }
    }
    return 0;
}

static void frame_close(struct frame *f)
{
    free(f->counts);
    free(f->centres);
}

/* Two lines at the top. */
static void show_titles(const struct frame *f, char *title, char *axes, size_t size)
{
    const struct embedding *m = f->m;
    snprintf(title, size, "%.120s of %zu images of %.80s", m->title, m->set.count, m->data);
    snprintf(axes, size, "across: %.1f %% of the variance, up: %.1f %% (PCA of %zu values)",
             100 * (double)m->share[0], 100 * (double)m->share[1], m->values);
}

static int legend_rows(const struct frame *f)
{
    return f->classes < MOST_ROWS ? f->classes : MOST_ROWS;
}

/* ---- SVG ---- */

/* Text of a user as XML. */
static void append_escaped(struct text *out, const char *name)
{
    char safe[400];
    text_escape(safe, sizeof safe, name, strlen(name));
    for (const char *at = safe; *at != '\0'; at++) {
        const char *entity = *at == '<'   ? "&lt;"
                             : *at == '>' ? "&gt;"
                             : *at == '&' ? "&amp;"
                                          : NULL;
        entity != NULL ? text_append(out, "%s", entity) : text_append_bytes(out, at, 1);
    }
}

/* A dot is a line of no length with a round end: ten bytes. */
static void append_points(const struct frame *f, int label, struct text *out)
{
    uint8_t colour[3];
    palette_class(label, f->classes, colour);
    text_append(out, "<path stroke=\"#%02x%02x%02x\" d=\"", colour[0], colour[1], colour[2]);
    for (size_t i = 0; i < f->m->set.count; i++) {
        if (f->m->set.labels[i] == label) {
            text_append(out, "M%.1f %.1fh0", x_of(f, (double)f->m->at[2 * i]),
                        y_of(f, (double)f->m->at[2 * i + 1]));
        }
    }
    text_append(out, "\"/>\n");
}

static void append_legend(const struct frame *f, struct text *out)
{
    const struct texts *classes = &f->m->view->model->classes;
    const int x = 2 * MARGIN + SIDE;
    for (int k = 0; k < legend_rows(f); k++) {
        uint8_t colour[3];
        palette_class(k, f->classes, colour);
        text_append(out, "<circle cx=\"%d\" cy=\"%d\" r=\"5\" fill=\"#%02x%02x%02x\"/>", x + 6,
                    HEAD + k * ROW + 6, colour[0], colour[1], colour[2]);
        text_append(out, "<text x=\"%d\" y=\"%d\">", x + 18, HEAD + k * ROW + 11);
        append_escaped(out, classes->values[k]);
        text_append(out, " (%zu)</text>\n", f->counts[k]);
    }
    if (legend_rows(f) < f->classes) {
        text_append(out, "<text x=\"%d\" y=\"%d\">and %d more</text>\n", x,
                    HEAD + legend_rows(f) * ROW + 11, f->classes - legend_rows(f));
    }
}

static void append_names(const struct frame *f, struct text *out)
{
    text_append(out, "<g text-anchor=\"middle\" font-weight=\"bold\" stroke=\"#fff\" "
                     "stroke-width=\"3\" paint-order=\"stroke\">\n");
    for (int k = 0; k < legend_rows(f); k++) {
        if (f->counts[k] > 0) {
            text_append(out, "<text x=\"%.1f\" y=\"%.1f\">", x_of(f, f->centres[2 * (size_t)k]),
                        y_of(f, f->centres[2 * k + 1]) + 5);
            append_escaped(out, f->m->view->model->classes.values[k]);
            text_append(out, "</text>\n");
        }
    }
    text_append(out, "</g>\n");
}

static int draw_svg(const struct frame *f, struct error *e)
{
    struct text out = {0};
    char title[300], axes[300];
    const int w = 3 * MARGIN + SIDE + LEGEND, h = HEAD + SIDE + MARGIN;
    show_titles(f, title, axes, sizeof title);
    text_append(&out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                "height=\"%d\" font-family=\"sans-serif\" font-size=\"14\" fill=\"#222\">\n<title>",
                w, h, w, h);
    append_escaped(&out, title);
    text_append(&out,
                "</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
                "<text x=\"%d\" y=\"20\">",
                MARGIN);
    append_escaped(&out, title);
    text_append(&out, "</text>\n<text x=\"%d\" y=\"38\" fill=\"#666\" font-size=\"12\">%s</text>\n",
                MARGIN, axes);
    text_append(&out, "<g fill=\"none\" stroke-width=\"4\" stroke-linecap=\"round\" "
                      "stroke-opacity=\"0.55\">\n");
    for (int label = 0; label < f->classes; label++) {
        if (f->counts[label] > 0) {
            append_points(f, label, &out);
        }
    }
    text_append(&out, "</g>\n");
    append_names(f, &out);
    append_legend(f, &out);
    text_append(&out, "</svg>\n");
    const struct chunk chunk = {out.data, out.length};
    const int status =
        out.failed ? error_memory(e, out.length) : output_write(f->m->view->output, &chunk, 1, e);
    text_free(&out);
    return status;
}

/* ---- PNG ---- */

static int draw_png(const struct frame *f, struct error *e)
{
    static const uint8_t white[3] = {255, 255, 255};
    struct canvas canvas;
    char title[300], axes[300], text[200];
    const struct texts *classes = &f->m->view->model->classes;
    const int w = 3 * MARGIN + SIDE + LEGEND, legend = 2 * MARGIN + SIDE;
    TRY(canvas_open(&canvas, w, HEAD + SIDE + MARGIN, e));
    show_titles(f, title, axes, sizeof title);
    canvas_text_within(&canvas, MARGIN, 12, w - 2 * MARGIN, title);
    canvas_text_within(&canvas, MARGIN, 28, w - 2 * MARGIN, axes);
    for (size_t i = 0; i < f->m->set.count; i++) {
        uint8_t colour[3];
        palette_class(f->m->set.labels[i], f->classes, colour);
        canvas_rectangle(&canvas, (int)x_of(f, (double)f->m->at[2 * i]) - 1,
                         (int)y_of(f, (double)f->m->at[2 * i + 1]) - 1, 3, 3, colour);
    }
    for (int k = 0; k < legend_rows(f); k++) {
        uint8_t colour[3];
        const int y = HEAD + k * ROW;
        palette_class(k, f->classes, colour);
        canvas_rectangle(&canvas, legend, y, 10, 10, colour);
        snprintf(text, sizeof text, "%.100s (%zu)", classes->values[k], f->counts[k]);
        canvas_text_within(&canvas, legend + 16, y + 2, LEGEND, text);
        snprintf(text, sizeof text, "%.40s", classes->values[k]);
        const int across = canvas_text_width(text), x = (int)x_of(f, f->centres[2 * (size_t)k]),
                  middle = (int)y_of(f, f->centres[2 * k + 1]);
        if (f->counts[k] > 0) {
            canvas_rectangle(&canvas, x - across / 2 - 2, middle - 6, across + 4, 12, white);
            canvas_text(&canvas, x - across / 2, middle - 4, text);
        }
    }
    const int status = canvas_write(&canvas, f->m->view->output, e);
    canvas_close(&canvas);
    return status;
}

int embedding_draw(const struct embedding *m, struct error *e)
{
    struct frame f;
    const char *dot = strrchr(m->view->output, '.');
    int status = frame_open(&f, m, e);
    if (status == 0) {
        status = dot != NULL && strcmp(dot, ".svg") == 0 ? draw_svg(&f, e) : draw_png(&f, e);
    }
    frame_close(&f);
    return status;
}
