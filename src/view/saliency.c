/* saliency.c: where the network looks: a method's map of an image, drawn beside and over it. The
 * map's own picture shows every value against the greatest; the overlay takes the magnitudes (the
 * greatest of the channels, as Simonyan 2014) against their 99th hundredth, so that a single pixel
 * does not hide the rest, and of methods whose map is of one plane what speaks for the class. */
#include "net/loss.h"
#include "view/maps.h"
#include "view/method.h"
#include "view/output.h"
#include "view/palette.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define METHOD(name) extern const struct method METHOD_##name;
#include "view/methods.def"
#undef METHOD

#define METHOD(name) &METHOD_##name.member,
static const struct member *const MEMBERS[] = {
#include "view/methods.def"
    NULL};
#undef METHOD
const struct family METHODS = {"method", "methods", MEMBERS};

struct saliency {
    struct question question;
    struct probe probe;
    struct specimen specimen;
    const struct method *method;
    struct choice choice;
    struct arena arena; /* of the method's options */
    float *p;           /* owned: [classes][16] what the outputs say */
    float *map, *heat;  /* in the same block: [planes][h][w], [h][w] */
    float *sorted;      /* [h][w] */
    float *score;       /* [classes] */
};

/* ---- what is asked ---- */

static int decode_method(struct saliency *s, const char *text, struct error *e)
{
    struct error_list *errors = arena_alloc(&s->arena, sizeof *errors);
    struct decoder decoder = {&s->arena, errors};
    if (errors == NULL) {
        return error_memory(e, sizeof *errors);
    }
    const struct yaml *item = yaml_parse(&s->arena, "--method", text, strlen(text), errors);
    if (item == NULL || item_decode(&METHODS, &s->choice, item, &decoder) != 0) {
        *e = errors->items[0];
        e->kind = e->kind == ERROR_CONFIG ? ERROR_USAGE : e->kind;
        return -1;
    }
    s->method = (const void *)s->choice.type;
    return 0;
}

static int find_class(const struct model *model, const char *name, int *class, struct error *e)
{
    char place[600], safe[400];
    for (int k = 0; k < model->classes.count; k++) {
        if (strcmp(model->classes.values[k], name) == 0) {
            *class = k;
            return 0;
        }
    }
    const char **names = malloc(((size_t)model->classes.count + 1) * sizeof *names);
    if (names == NULL) {
        return error_memory(e, ((size_t)model->classes.count + 1) * sizeof *names);
    }
    memcpy(names, model->classes.values, (size_t)model->classes.count * sizeof *names);
    names[model->classes.count] = NULL;
    const char *closest = text_closest(name, names);
    text_escape(safe, sizeof safe, name, strlen(name));
    snprintf(place, sizeof place, "--class %s", safe);
    free(names);
    return closest != NULL ? error_set(e, ERROR_USAGE, place, "no class '%s'; did you mean '%s'?",
                                       safe, closest)
                           : error_set(e, ERROR_USAGE, place, "no class '%s' among the model's %d",
                                       safe, model->classes.count);
}

static int greatest(const float *score, int count)
{
    int best = 0;
    for (int k = 1; k < count; k++) {
        best = score[k] > score[best] ? k : best;
    }
    return best;
}

/* A map from what rectifiers pass back, of a network that has none, is the gradient. */
static void warn_of_rectifiers(const struct saliency *s)
{
    if (s->method->from_rectifiers &&
        method_is_without_rectifiers(&s->question.view->model->graph)) {
        error_set(error_next(s->question.view->warnings), ERROR_USAGE, "--method",
                  "the model has no relu or the like: '%s' is its gradient",
                  s->method->member.name);
    }
}

/* ---- the map ---- */

static int plane_count(const struct saliency *s)
{
    return s->method->per_channel ? s->specimen.shape.c : 1;
}

static size_t plane_size(const struct saliency *s)
{
    return (size_t)s->specimen.shape.h * (size_t)s->specimen.shape.w;
}

static int allocate(struct saliency *s, struct error *e)
{
    const size_t classes = (size_t)s->question.view->model->classes.count;
    const size_t floats =
        classes * (LANES + 1) + plane_size(s) * ((size_t)plane_count(s) + 2) + LANES;
    s->p = block_allocate(floats * sizeof(float));
    if (s->p == NULL) {
        return error_memory(e, floats * sizeof(float));
    }
    s->map = s->p + classes * LANES;
    s->heat = s->map + plane_size(s) * (size_t)plane_count(s);
    s->sorted = s->heat + plane_size(s);
    s->score = s->sorted + plane_size(s);
    return 0;
}

static int by_value(const void *a, const void *b)
{
    const float *fa = a, *fb = b;
    return (*fa > *fb) - (*fa < *fb);
}

static void find_heat(struct saliency *s)
{
    const size_t n = plane_size(s);
    for (size_t i = 0; i < n; i++) {
        s->heat[i] = 0;
        for (int c = 0; c < plane_count(s); c++) {
            const float value = s->map[(size_t)c * n + i],
                        strength = s->method->per_channel ? fabsf(value) : value;
            s->heat[i] = strength > s->heat[i] ? strength : s->heat[i];
        }
    }
    memcpy(s->sorted, s->heat, n * sizeof *s->sorted);
    qsort(s->sorted, n, sizeof *s->sorted, by_value);
    float most = s->sorted[n - 1 - n / 100];
    most = most > 0 ? most : maps_most(s->heat, n);
    for (size_t i = 0; i < n; i++) {
        s->heat[i] = s->heat[i] < most ? s->heat[i] / most : 1;
    }
}

static int compute(struct saliency *s, const char *class, struct error *e)
{
    const struct model *model = s->question.view->model;
    const struct loss_type *loss = (const void *)model->settings.train.loss.type;
    const int last = model->graph.count - 1;
    probe_put(&s->probe, -1, s->specimen.x);
    probe_forward(&s->probe, last);
    probe_take(probe_output(&s->probe, last), (size_t)model->classes.count, 0, s->score);
    loss->predict(s->question.view->kernels, model->classes.count, probe_output(&s->probe, last),
                  s->p);
    if (class == NULL) {
        s->question.class = greatest(s->score, model->classes.count);
    } else {
        TRY(find_class(model, class, &s->question.class, e));
    }
    TRY(s->method->find(s->choice.options, &s->question, s->map, e));
    find_heat(s);
    return 0;
}

/* ---- the picture ---- */

static void draw_overlay(const struct saliency *s, struct canvas *canvas, int x, int y, int zoom)
{
    const struct shape in = s->specimen.shape;
    const size_t n = plane_size(s);
    for (size_t i = 0; i < n; i++) {
        const float *pixel = s->specimen.pixels + i;
        const float grey =
            in.c >= 3 ? 0.299f * pixel[0] + 0.587f * pixel[n] + 0.114f * pixel[2 * n] : pixel[0];
        uint8_t colour[3];
        palette_grey(0.12f + 0.68f * grey, colour); /* heat must be seen on black and white */
        palette_heat(s->heat[i], colour);
        canvas_rectangle(canvas, x + (int)(i % (size_t)in.w) * zoom,
                         y + (int)(i / (size_t)in.w) * zoom, zoom, zoom, colour);
    }
}

static void draw_map(const struct saliency *s, struct canvas *canvas, int x, int y, int zoom)
{
    const struct shape in = s->specimen.shape;
    const float most = maps_most(s->map, plane_size(s) * (size_t)plane_count(s));
    if (plane_count(s) == 3) {
        maps_draw_colour(canvas, x, y, zoom, s->map, in.h, in.w, most);
    } else {
        maps_draw(canvas, x, y, zoom, s->map, in.h, in.w, most);
    }
}

static int draw(const struct saliency *s, const char *image, const char *summary, struct error *e)
{
    const struct shape in = s->specimen.shape;
    const int zoom = maps_zoom(in.h > in.w ? in.h : in.w, 256, 32), side = in.w * zoom,
              step = side + 2 * MAPS_GAP, top = MAPS_GAP + 2 * (TEXT_HEIGHT + 4);
    const int w = 3 * side + 6 * MAPS_GAP;
    const char *const titles[3] = {"image", s->method->member.name, "overlay"};
    struct canvas canvas;
    char text[400], label[120] = "";
    TRY(canvas_open(&canvas, w, top + in.h * zoom + TEXT_HEIGHT + 2 * MAPS_GAP, e));
    if (s->specimen.label >= 0) {
        snprintf(label, sizeof label, "  (label %.100s)",
                 s->question.view->model->classes.values[s->specimen.label]);
    }
    snprintf(text, sizeof text, "%.100s%s   %.150s", image, label, summary);
    canvas_text_within(&canvas, MAPS_GAP, MAPS_GAP, w - 2 * MAPS_GAP, text);
    for (int i = 0; i < 3; i++) {
        canvas_text(&canvas, MAPS_GAP + i * step, MAPS_GAP + TEXT_HEIGHT + 4, titles[i]);
    }
    maps_draw_image(&canvas, MAPS_GAP, top, zoom, s->specimen.pixels, in);
    draw_map(s, &canvas, MAPS_GAP + step, top, zoom);
    draw_overlay(s, &canvas, MAPS_GAP + 2 * step, top, zoom);
    if (plane_count(s) == 3) {
        canvas_text(&canvas, MAPS_GAP + step, top + in.h * zoom + 4, "grey: zero");
    } else {
        maps_legend(&canvas, MAPS_GAP + step, top + in.h * zoom + 4);
    }
    const int status = canvas_write(&canvas, s->question.view->output, e);
    canvas_close(&canvas);
    return status;
}

static int write_numbers(const struct saliency *s, struct error *e)
{
    const struct shape in = s->specimen.shape;
    const size_t h = (size_t)in.h, w = (size_t)in.w;
    const struct tensor_entry tensors[] = {
        output_tensor("saliency", s->map, (size_t[4]){(size_t)plane_count(s), h, w}),
        output_tensor("image", s->specimen.x, (size_t[4]){(size_t)in.c, h, w}),
        output_tensor("logits", s->score,
                      (size_t[4]){(size_t)s->question.view->model->classes.count}),
    };
    return output_numbers(s->question.view->output, "saliency", tensors, 3, e);
}

static int finish(const struct saliency *s, const char *image, struct error *e)
{
    const struct texts *classes = &s->question.view->model->classes;
    const int k = s->question.class;
    char summary[400], safe[400];
    text_sanitize(safe, sizeof safe, classes->values[k], strlen(classes->values[k]));
    snprintf(summary, sizeof summary, "class %.100s  score %.4g  probability %.4f", safe,
             (double)s->score[k], (double)s->p[(size_t)k * LANES]);
    TRY(output_is_numbers(s->question.view->output) ? write_numbers(s, e)
                                                    : draw(s, image, summary, e));
    text_append(s->question.view->report, "%s\n", summary);
    return 0;
}

int view_saliency(const struct view *view, const char *image, const char *method, const char *class,
                  struct error *e)
{
    struct saliency s = {.question = {.view = view}};
    s.question.probe = &s.probe;
    s.question.specimen = &s.specimen;
    int status = decode_method(&s, method, e);
    if (status == 0) {
        warn_of_rectifiers(&s);
        status = specimen_load(&s.specimen, view->model, image, view->kernels, view->threads, e);
    }
    if (status == 0) {
        status =
            probe_open(&s.probe, &view->model->graph, view->model->parameters, view->kernels, 1, e);
    }
    if (status == 0 && (status = allocate(&s, e)) == 0 && (status = compute(&s, class, e)) == 0) {
        status = finish(&s, image, e);
    }
    probe_close(&s.probe);
    specimen_free(&s.specimen);
    arena_free(&s.arena);
    free(s.p);
    return status;
}
