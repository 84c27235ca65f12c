/* json.h: what a page shows, as JSON. Everything that returns a json_t * gives a new reference, or
 * NULL without memory; a value that does not exist is null. Names and paths come from files that
 * others wrote: what is no text of theirs is made safe here. */
#ifndef CNNTRAIN_REPORT_JSON_H
#define CNNTRAIN_REPORT_JSON_H

#include "net/graph.h"
#include "report/outcome.h"
#include "train/settings.h"

#include <jansson.h>

/* The text with bad UTF-8 and control characters but "\n" made visible. */
json_t *json_safe_text(const char *text);

/* [{"name", "support", "predicted", "precision", "recall", "f1"}] */
json_t *json_classes(const struct metrics *metrics, const struct texts *names);
/* [actual][predicted] */
json_t *json_confusion(const struct metrics *metrics);
/* The numbers of an evaluation, its classes, confusion and calibration, and its mistakes with their
 * pictures, which are read from the set. NULL with *e: ERROR_LIMIT, or what dataset_failed says. */
json_t *json_outcome(const struct outcome *outcome, const struct texts *names, struct error *e);
/* {"rows": [...], totals}: a row a layer, as train/summary.h shows them. */
json_t *json_network(const struct graph *graph);
/* The config as resolved, as YAML. */
json_t *json_config(const struct settings *settings, int with_paths);
/* {"layer", "shape", "count", "pictures"}: the weights of the first layer that has any, each filter
 * a picture, 0 in the middle of the grey; null where they are none to look at. NULL with *e. */
json_t *json_filters(const struct graph *graph, const float *parameters, struct error *e);
/* A log.csv as columns of numbers, {"epoch": [...], ...}, without its times; *seconds gets their
 * sum. Of more than 2,000 epochs each k-th and the last. */
json_t *json_log(const char *csv, double *seconds);

#endif
