/* patient.c: see patient.h. */
#include "teach/patient.h"

#include "optim/optimizer.h"
#include "teach/examine.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void path_of(char *path, size_t size, const struct patient *p, const char *name)
{
    snprintf(path, size, "%s/%s", p->dir, name);
}

static int is_there(const char *path) { return access(path, F_OK) == 0 || errno != ENOENT; }

/* config.yaml as typed options, or nothing when there is none. */
static int read_config(struct patient *p, struct settings *settings, struct error_list *errors)
{
    char path[1100];
    path_of(path, sizeof path, p, "config.yaml");
    if (!is_there(path)) {
        return 0;
    }
    const struct yaml *root = yaml_read(&p->arena, path, errors);
    TRY(root ? settings_decode(settings, root, "doctor", &p->arena, errors) : -1);
    p->settings = settings;
    return 0;
}

static int read_model(struct patient *p, struct error *e)
{
    char path[1100];
    path_of(path, sizeof path, p, "model.bin");
    if (!is_there(path)) {
        snprintf(p->no_data, sizeof p->no_data, "there is no %.500s", path);
        return 0;
    }
    TRY(model_load(&p->model, path, e));
    p->has_model = 1;
    p->graph = &p->model.graph;
    p->classes = p->model.classes.count;
    p->names = &p->model.classes;
    p->settings = p->settings ? p->settings : &p->model.settings;
    return 0;
}

/* The sets as training takes them; what is wrong with them is a reason, not a fault. */
static void load_data(struct patient *p, const struct kernels *kernels, int threads,
                      struct error_list *faults)
{
    struct trainer *t = &p->trainer;
    struct settings settings = *p->settings;
    if (!source_path(&settings.data.train)) {
        snprintf(p->no_data, sizeof p->no_data, "no config says where the data are");
        return;
    }
    /* the trainer takes over an arena, and in the patient's own is the config */
    struct arena arena = {0};
    if (trainer_prepare(t, &settings, &arena, kernels, threads, faults) != 0) {
        const struct error *e = &faults->items[0];
        snprintf(p->no_data, sizeof p->no_data, "%.280s%s%.280s", e->file, *e->file ? ": " : "",
                 e->message);
        return;
    }
    p->graph = p->graph ? p->graph : &t->model.graph;
    p->classes = p->classes ? p->classes : t->model.classes.count;
    p->names = p->names ? p->names : &t->model.classes;
    const struct facts *facts = &p->model.facts;
    if (p->has_model && facts->known && facts->train.crc32 != t->train_set.crc32) {
        snprintf(p->no_data, sizeof p->no_data,
                 "%.400s is not what the model was trained on: its CRC-32 is %08x, not %08x",
                 t->train_set.path, t->train_set.crc32, facts->train.crc32);
        return;
    }
    p->has_data = p->has_model;
}

int patient_open(struct patient *p, const char *dir, const struct kernels *kernels, int threads,
                 struct error_list *errors)
{
    char path[1100];
    *p = (struct patient){.dir = dir, .trainer = {.log = {.fd = -1}}};
    struct settings *settings = arena_alloc(&p->arena, sizeof *settings);
    struct error_list *faults = arena_alloc(&p->arena, sizeof *faults); /* of the data */
    if (!settings || !faults) {
        return error_memory(error_next(errors), sizeof *settings + sizeof *faults);
    }
    path_of(path, sizeof path, p, "log.csv");
    TRY_ONE(log_read(&p->log, path, e));
    TRY(read_config(p, settings, errors));
    TRY_ONE(read_model(p, e));
    if (p->settings) {
        load_data(p, kernels, threads, faults);
    } else {
        snprintf(p->no_data, sizeof p->no_data, "there is neither config.yaml nor model.bin");
    }
    if (p->has_data) {
        TRY_ONE(examine(p, e));
    }
    return 0;
}

void patient_free(struct patient *p)
{
    log_rows_free(&p->log);
    metrics_close(&p->metrics);
    model_free(&p->model);
    trainer_free(&p->trainer);
    arena_free(&p->arena);
}

/* ---- what can be read from it ---- */

const struct log_row *patient_last(const struct patient *p)
{
    return p->log.count > 0 ? &p->log.rows[p->log.count - 1] : NULL;
}

const struct log_row *patient_kept(const struct patient *p)
{
    for (int i = 0; i < p->log.count && p->has_model; i++) {
        if (p->log.rows[i].epoch == p->model.epoch) {
            return &p->log.rows[i];
        }
    }
    return patient_last(p);
}

struct trend patient_trend(const struct patient *p, int validation)
{
    struct trend t = {.jump = 1};
    int least = 0;
    for (int i = 0; i < p->log.count; i++) {
        const double loss = validation ? p->log.rows[i].val_loss : p->log.rows[i].train_loss;
        const double step = i > 0 ? loss - t.last : 0;
        t.first = i > 0 ? t.first : loss;
        t.middle = i == p->log.count / 2 ? loss : t.middle;
        t.up += step > 0 ? step : 0;
        t.down -= step < 0 ? step : 0;
        t.rises += step > 0.02 * t.last;
        if (i > 0 && t.least > 0 && loss / t.least > t.jump) {
            t.jump = loss / t.least;
            t.jump_from = (int)p->log.rows[least].epoch;
            t.jump_to = (int)p->log.rows[i].epoch;
        }
        if (i == 0 || loss < t.least) {
            t.least = loss;
            least = i;
        }
        t.last = loss;
    }
    return t;
}

double patient_chance(const struct patient *p) { return p->classes > 0 ? 1.0 / p->classes : 0; }

double patient_rate(const struct patient *p, double *usual)
{
    double most = 0;
    for (int i = 0; i < p->log.count; i++) {
        most = fmax(most, (double)p->log.rows[i].lr);
    }
    *usual = 0;
    if (p->settings) {
        for (const struct option *row = p->settings->train.optimizer.type->options; row->key;
             row++) {
            if (row->kind == &OPTION_RATE && row->fallback && *row->fallback) {
                text_to_double(row->fallback, strlen(row->fallback), usual);
            }
        }
    }
    return most;
}
