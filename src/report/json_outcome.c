/* json_outcome.c: an evaluation as JSON. A confusion matrix of more than 60 classes is no picture
 * any more: then the pairs most often confused stand for it. */
#include "report/json.h"

#include "report/picture.h"

enum { MOST_IN_MATRIX = 60, MOST_PAIRS = 60 };

struct pair {
    int actual, predicted;
    size_t count;
};

/* The greatest counts off the diagonal, greatest first; equal ones in the order of the classes. */
static int find_pairs(const struct metrics *m, struct pair pairs[MOST_PAIRS])
{
    const size_t *count = m->confusion;
    int found = 0;
    for (int actual = 0; actual < m->classes; actual++) {
        for (int predicted = 0; predicted < m->classes; predicted++, count++) {
            int at = found;
            if (actual == predicted || *count == 0 ||
                (found == MOST_PAIRS && pairs[found - 1].count >= *count)) {
                continue;
            }
            found += found < MOST_PAIRS;
            at -= at == MOST_PAIRS;
            for (; at > 0 && pairs[at - 1].count < *count; at--) {
                pairs[at] = pairs[at - 1];
            }
            pairs[at] = (struct pair){actual, predicted, *count};
        }
    }
    return found;
}

static json_t *pairs_json(const struct metrics *metrics)
{
    struct pair pairs[MOST_PAIRS];
    const int count = find_pairs(metrics, pairs);
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        if (json_array_append_new(list, json_pack("[i, i, I]", pairs[i].actual, pairs[i].predicted,
                                                  (json_int_t)pairs[i].count)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *bins_json(const struct calibration *c)
{
    json_t *list = json_array();
    for (int b = 0; b < CALIBRATION_BINS; b++) {
        const double n = (double)c->count[b];
        if (json_array_append_new(
                list, json_pack("{s:I, s:o, s:o}", "count", (json_int_t)c->count[b], "confidence",
                                n > 0 ? json_real(c->confidence[b] / n) : json_null(), "accuracy",
                                n > 0 ? json_real((double)c->correct[b] / n) : json_null())) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *calibration_json(const struct outcome *o)
{
    if (!o->probable || o->kept == 0) {
        return json_null();
    }
    struct calibration scaled = {0};
    const double temperature =
        calibration_temperature(o->p, o->labels, o->kept, o->metrics.classes);
    calibration_add_scaled(&scaled, o->p, o->labels, o->kept, o->metrics.classes, temperature);
    return json_pack("{s:o, s:f, s:f, s:I, s:o, s:f}", "bins", bins_json(&o->calibration), "ece",
                     calibration_error(&o->calibration), "temperature", temperature, "fitted_on",
                     (json_int_t)o->kept, "scaled_bins", bins_json(&scaled), "scaled_ece",
                     calibration_error(&scaled));
}

static json_t *mistake_json(const struct outcome *o, const struct mistake *m, struct error *e)
{
    const struct dataset *set = o->subset->set;
    struct text picture = {0};
    char path[1024];
    json_t *mistake = NULL;
    if (picture_append_sample(&picture, set, m->sample, e) == 0) {
        const char *name = dataset_path(set, m->sample, path, sizeof path);
        mistake = json_pack("{s:I, s:o, s:i, s:i, s:f, s:f, s:s}", "index", (json_int_t)m->sample,
                            "path", name ? json_safe_text(name) : json_null(), "label", m->label,
                            "prediction", m->prediction, "p", (double)m->p, "p_label",
                            (double)m->p_label, "picture", picture.failed ? NULL : picture.data);
        if (!mistake) {
            error_memory(e, picture.length);
        }
    }
    text_free(&picture);
    return mistake;
}

static json_t *mistakes_json(const struct outcome *o, struct error *e)
{
    json_t *list = json_array();
    for (int i = 0; i < o->mistakes; i++) {
        if (json_array_append_new(list, mistake_json(o, &o->mistake[i], e)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *json_outcome(const struct outcome *o, const struct texts *names, struct error *e)
{
    const struct metrics *m = &o->metrics;
    const int small = m->classes <= MOST_IN_MATRIX;
    double low, high;
    json_t *mistakes = mistakes_json(o, e);
    if (!mistakes) {
        return NULL;
    }
    wilson_interval(m->correct, m->count, &low, &high);
    json_t *json = json_pack(
        "{s:I, s:I, s:f, s:[f, f], s:f, s:b, s:o, s:o, s:o, s:o, s:o}", "count",
        (json_int_t)m->count, "correct", (json_int_t)m->correct, "accuracy", metrics_accuracy(m),
        "accuracy_interval_95", low, high, "loss", metrics_loss(m), "probable", o->probable,
        "classes", json_classes(m, names), "confusion", small ? json_confusion(m) : json_null(),
        "pairs", small ? json_null() : pairs_json(m), "calibration", calibration_json(o),
        "mistakes", mistakes);
    if (!json) {
        error_set(e, ERROR_LIMIT, NULL, "out of memory for the report");
    }
    return json;
}
