/* settings.h: a config file as typed options: the root of all option tables. */
#ifndef CNNTRAIN_TRAIN_SETTINGS_H
#define CNNTRAIN_TRAIN_SETTINGS_H

#include "data/augment.h"
#include "data/dataset.h"
#include "data/input.h"
#include "net/graph.h"

/* `data.validation`: a share of train, one of its folds, or a set of its own. */
struct validation {
    double share;          /* 0: none */
    long long folds, fold; /* folds 0: none */
    struct source source;  /* source_path NULL: none */
};

struct data_settings {
    struct source train, test;
    struct validation validation;
    struct texts classes;
    struct input_options input;
    struct normalize_options normalize;
    uint64_t memory;         /* bytes that pixels may take; 0: half of the machine's */
    long long limit;         /* samples of train; 0: all */
    const char *over_sample; /* "none" or "balanced" */
};

struct early_stopping {
    const char *monitor; /* one of STOPPING_MONITORS; NULL: no early stopping */
    const char *mode;    /* one of STOPPING_MODES */
    long long patience, start_epoch;
    double min_delta;
    int restore_best;
};

/* `train.class_weights`: numbers, or `balanced`, which become numbers with the training set. */
struct class_weights {
    int balanced;
    struct numbers values; /* count 0: not (yet) there */
};

/* `train.lookahead`: see average.h. */
struct lookahead {
    long long every; /* steps; 0: off */
    double alpha, power;
};

struct train_settings {
    struct choice loss, optimizer, schedule;
    long long epochs, batch_size;
    struct regularize regularize;
    float bias_lr;               /* times the rate, for biases */
    float clip_norm, clip_value; /* 0: off */
    long long accumulate;        /* batches a step */
    double ema;                  /* share of the average that a step keeps; 0: off */
    long long swa_start;         /* epoch, from 1; 0: off */
    struct lookahead lookahead;
    struct early_stopping early_stopping;
    long long max_time;         /* seconds; 0: no limit */
    uint64_t memory;            /* bytes that weights and outputs may take; 0: not said */
    long long checkpoint_every; /* epochs */
    float label_smoothing;
    struct class_weights class_weights;
};

struct initialize {
    const char *from;    /* a safetensors file; NULL: none */
    struct texts layers; /* values NULL: all that match */
};

struct settings {
    const char *name, *precision, *output;
    uint64_t seed;
    struct data_settings data;
    struct augmentations augment;
    struct network network;
    struct train_settings train;
    struct initialize initialize; /* how a new run begins: no part of a checkpoint's config */
    const struct yaml *root;      /* for later faults */
};
extern const struct option SETTINGS_OPTIONS[];

/* Decode and cross-check; all faults are reported. `default_name` is used when the config has no
 * `name`. What only a training run needs (data.train) is checked by settings_check_training. 0 or
 * -1. */
int settings_decode(struct settings *settings, const struct yaml *root, const char *default_name,
                    struct arena *arena, struct error_list *errors);
int settings_check_training(const struct settings *settings, struct error_list *errors);
/* The node of a dotted path of up to three keys in the user's file (NULL ends it sooner), for
 * faults; the nearest one that exists. */
const struct yaml *settings_place(const struct settings *settings, const char *one, const char *two,
                                  const char *three);
/* Check class_weights against the number of classes, having replaced `balanced` by what it stands
 * for in the training set; `train` NULL: in a model, where that has been done. 0 or -1. */
int settings_weigh_classes(struct settings *settings, const struct subset *train, int classes,
                           struct arena *arena, struct error_list *errors);
/* The config as resolved, as YAML text. `with_paths`: 0 leaves out where data come from and where
 * results go. */
void settings_emit(const struct settings *settings, int with_paths, struct text *out);

#endif
