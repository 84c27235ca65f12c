/* model.h: model.bin: the network, what it takes and what it says, in one file. A safetensors file
 * (base/safetensors.h) whose metadata hold
 *
 *   - cnntrain.format: 1
 *   - config: as resolved, without paths: the same network from other files is the same model
 *   - classes: JSON list of the class names
 *   - input: "c h w scale mean std ...", what data/input.h needs
 *   - epoch, step: after which these weights stood
 *   - training: what facts.h says; not in models of before
 *
 * and whose tensors are <layer>.<parameter>, in the order of the network. */
#ifndef CNNTRAIN_TRAIN_MODEL_H
#define CNNTRAIN_TRAIN_MODEL_H

#include "base/safetensors.h"
#include "data/input.h"
#include "net/graph.h"
#include "train/facts.h"
#include "train/settings.h"

struct model {
    struct settings settings;
    struct graph graph;
    struct input input;
    struct texts classes;
    float *parameters; /* owned when loaded; the flat vector, 64-byte aligned */
    long long epoch, step;
    struct facts facts;
    struct arena arena; /* owns the rest of a loaded model */
};

/* Read and check everything: container, config, shapes, names. ERROR_MODEL; faults of the config
 * inside are reported as "PATH!config:LINE:COL". On failure nothing is left allocated. */
int model_load(struct model *model, const char *path, struct error *e);
void model_free(struct model *model);
/* What the metadata of a file say: all of a model but its parameters. All faults of the config are
 * reported. 0 or -1; to be freed in either case. */
int model_describe(struct model *model, const struct safetensors *file, struct error_list *errors);
/* Only model->settings, of the metadata's "config", which must be there. */
int model_settings(struct model *model, const struct safetensors *file, struct error_list *errors);
/* Write it. ERROR_IO, or ERROR_NUMERIC when a weight is not finite.
 */
int model_write(const struct model *model, const struct file_target *target, struct error *e);

/* Shared with the checkpoint: tensors named after the layers, pointing into a flat vector laid out
 * like the parameters, or, with NULL, nowhere;
 * `prefix` may be "". Returns how many; entries[] and names (in the arena) are filled. -1 without
 * memory. */
int model_tensors(const struct graph *graph, const float *flat, const char *prefix,
                  struct arena *arena, struct tensor_entry **entries);
/* The other way: copy the tensors of a file into a flat vector, names and shapes checked.
 * ERROR_MODEL. */
int model_read_tensors(const struct graph *graph, const struct safetensors *file,
                       const char *prefix, float *flat, struct error *e);
/* "[4, 1, 3, 3]" */
void model_print_shape(char *out, size_t size, int rank, const size_t *shape);
/* How many tensors the graph has. */
int model_tensor_count(const struct graph *graph);

#endif
