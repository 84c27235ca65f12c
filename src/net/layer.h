/* layer.h: what a layer type is, and what it is told while it works.
 *
 * Glossary, used bare everywhere: n c h w (samples, channels, height, width), oc oh ow (of the
 * output), kh kw (of the kernel), x y (input, output of a layer), dx dy (gradients of the loss by
 * them), w dw, b db (weights and biases, their gradients).
 *
 * A tensor of a tile is [c][h][w][16] floats (kernels/kernels.h). A layer sees one tile at a time;
 * it never allocates, never fails once its shape is found, and keeps nothing between calls but what
 * it declared. */
#ifndef CNNTRAIN_NET_LAYER_H
#define CNNTRAIN_NET_LAYER_H

#include "base/stopwatch.h"
#include "config/option.h"
#include "kernels/kernels.h"
#include "net/regularize.h"

#include <stdint.h>

struct shape {
    int c, h, w;
};

/* A tensor that belongs to a layer and to the model. */
struct parameter {
    const char *suffix;     /* "weight", "bias" */
    int rank, dims[4];      /* weight: [oc][c][kh][kw] or [out][in]; bias: [oc] */
    double fan_in, fan_out; /* of a weight; 0 for what begins at `start` */
    float start;            /* 0 for a bias, 1 for the weight of a normalisation */
    int fixed;     /* the optimizer never moves it: a running statistic; the graph says so of
                      frozen weights too */
    size_t size;   /* elements */
    size_t used;   /* those that are not zero for ever; 0: all */
    size_t offset; /* in the flat vector of all parameters; the graph sets it */
};

enum { MOST_PARAMETERS = 4 };

enum { NETWORK_INPUT = -1 };

/* What a layer needs, declared once its shape is known. */
struct needs {
    struct parameter parameters[MOST_PARAMETERS];
    int parameter_count;
    size_t scratch;       /* floats, while forward or backward of this layer runs */
    size_t sums;          /* of a type with a coupling: doubles a tile */
    size_t shared;        /* floats that all tiles of a step see: of a coupling, or prepared */
    double multiply_adds; /* for one sample, forward */
    int shortcuts;        /* where fewer multiplications do the work of these (SHORTCUT_...) */
};

struct layer_type;
struct deferred;

/* A layer of a network, as a step of the computation. */
struct node {
    const struct layer_type *type;
    void *options;    /* the type's own struct; begins with struct layer_options */
    const char *name; /* unique; tensors are called <name>.<suffix> */
    const struct yaml *where;
    int trained;  /* has weights that move: backward computes their gradients */
    int couples;  /* in training, the samples of a batch: its type has a coupling, and it is not
                     frozen */
    size_t count; /* its parameters in the usual sense, trained or frozen */
    int depth;    /* of the lists within lists that it stands in */
    int attached; /* made by the layer before, from its `activation` option: shown in that layer's
                     row */
    int index;
    int input_count;         /* 1, but for the types that join */
    const int *inputs;       /* the nodes whose outputs it reads, all before it, or NETWORK_INPUT */
    const struct shape *ins; /* of each input */
    struct shape in, out;    /* in: of the first input */
    struct window window;    /* how it slides, where it does */
    int shares;              /* forward and backward can do a part only, as run->part says */
    int rectifies;           /* evaluating, it can do a relu behind it too, as run->does says */
    int absorbs;             /* its type has a forward_through, and its shape is one for it */
    int dense;               /* y = W x + b of all that comes in, W its first parameter */
    int defers;      /* in a batch its gradient is that of all tiles at once (net/deferred.h) */
    size_t deferred; /* where what it needs for that is, in run->deferred, a tile */
    float beyond;    /* LAYER_SLIDES: what a border of padding could be filled with; NAN: no
                        number would do */
    struct needs needs;
    size_t shared; /* where the floats are that all tiles see, in run->shared */
    int folded;    /* in a folded plan it is part of the node before it... */
    int folds;     /* ... and this is such a node, whose bias is then here in the flat vector */
    size_t folded_bias;
};

/* What a worker knows while it takes one tile through the network. */
struct run {
    const struct kernels *kernels;
    int training; /* 1: dropout is on and backward will follow */
    uint64_t seed;
    uint32_t epoch;
    uint32_t samples[LANES]; /* which sample of the set is in each lane */
    const float *parameters; /* the flat vector */
    float *gradients;        /* this shard's flat vector; NULL when evaluating */
    int add; /* backward adds to the gradients; 0: it writes them, this is the shard's first tile */
    const struct deferred *deferred; /* NULL: no node defers its gradient */
    int tile;                        /* of the batch, if some do */
    float *entered; /* the network's input, if it stands elsewhere than in the tile's memory */
    float *scratch;
    float *passing; /* the worker's, for plan->floats - plan->kept floats of whichever tile it has;
                       NULL: they stand behind those that are kept */
    int folded;     /* the parameters are those of net_fold, the plan is PLAN_FOLDED */
    float *shared;  /* what coupling nodes know of the batch, and what nodes prepared of their
                       weights; NULL in an evaluation: nothing is prepared */
    float live[LANES]
        __attribute__((aligned(64))); /* 1 in the lanes that hold a sample, 0 in dead
                                         ones, which repeat the first; their dy is 0 */
    int input;                        /* which of the node's inputs x and dx belong to */
    const struct node *does;          /* the activation behind the node, if it is to do that too */
    struct stopwatch *watch;          /* the worker's; NULL: nobody measures */
    /* A team works on the tile at once (net/team.h): nodes that can share do only share `part` of
     * `parts` of what is written, of y, dx, and the parameters' gradients. 0 parts: all. */
    int part, parts;
};

enum layer_flags {
    LAYER_READS_X = 1,       /* backward reads the input */
    LAYER_READS_Y = 2,       /* backward reads the output */
    LAYER_IN_PLACE = 4,      /* y may stand where the first x stands, and its dx where dy stands */
    LAYER_TRAINING_ONLY = 8, /* passes x through unchanged when evaluating */
    LAYER_ACTIVATION = 16,   /* may be given as another layer's `activation` */
    LAYER_RECTIFIES = 32,    /* an activation that lets the positive pass and holds back the rest */
    LAYER_POINTWISE = 64,    /* evaluating, y at a place of the maps depends on x at that place; as
                                all do that join */
    LAYER_SLIDES = 128,      /* y at a place depends on node->window there, and on nothing else */
    LAYER_DX_IN_PLACE =
        256,               /* the first dx may stand where dy stands; so too with LAYER_IN_PLACE */
    LAYER_DOES_NEXT = 512, /* does an activation behind it too, forward and backward, where
                              run->does says so... */
    LAYER_CHEAP = 1024     /* ... and this is one, whose output is sooner made anew than read */
};

/* One line that builds a layer, for the tests of all types alike: gradient check, docs, fuzz seeds.
 */
struct layer_example {
    const char *options; /* YAML, as after "type: "; "" for none */
    struct shape in;
};

struct initializer;
struct builder;
struct spot;
struct explanation;

/* The sums of all tiles of a batch, in their order. */
struct meeting {
    int tiles;
    size_t samples;     /* live lanes of all of them */
    const double *sums; /* the first tile's needs.sums; those of the next are at the stride */
    size_t stride;
};

/* How a layer couples the samples of a batch: it must know something of all of them before it can
 * work on one. In training such a layer ends a segment of the network: every tile of the batch
 * comes as far, brings its sums, and once these have met, every tile goes on with the layer's
 * forward; on the way back likewise. What the meetings find is in node_shared(). Only live lanes
 * count. */
struct coupling {
    int fewest; /* values of a channel in a batch that this makes sense for */
    void (*gather)(const struct node *node, const struct run *run, const float *x, double *sums);
    /* May move running statistics, which are in `parameters`. */
    void (*meet)(const struct node *node, const struct run *run, const struct meeting *meeting,
                 float *parameters);
    /* Where node->trained, also writes or adds the parameters' gradients; backward, which comes
     * after the meeting, does not. */
    void (*gather_back)(const struct node *node, const struct run *run, const float *x,
                        const float *dy, double *sums);
    void (*meet_back)(const struct node *node, const struct run *run,
                      const struct meeting *meeting);
};

/* A type of layer. One with several inputs is called once for each of them, forward from the first
 * to the last and backward from the last to the first, and run->input says which: so every type is
 * written as if it had one. Such a type has no weights. */
struct layer_type {
    struct member member; /* name, help, option rows */
    unsigned flags;
    int detail; /* what distinguishes types that share their functions (enum activation) */
    const struct initializer
        *suits; /* activations: what the weights before them like to start as */
    /* For a type that is made of other layers: put them into the graph behind node `input`, and a
     * node of its own type where it has a `forward`; returns the last (net/builder.h). NULL: one
     * node. */
    int (*expand)(struct builder *builder, const struct choice *layer, int input);
    /* Find node->out (and node->window) from node->in and the options. 0, or -1 with a fault at
     * node->where. */
    int (*shape)(struct node *node, struct error_list *errors);
    /* Fill node->needs; offsets stay 0. May be NULL: needs nothing. */
    void (*need)(const struct node *node, struct needs *needs);
    /* Write what is known of the parameters before any tile comes into node_shared(), share `part`
     * of `parts` of it: once for each change of the parameters, by any threads. May be NULL. */
    void (*prepare)(const struct node *node, const struct run *run, int part, int parts);
    void (*forward)(const struct node *node, const struct run *run, const float *x, float *y);
    /* The same of several tiles at once, from those of the first, the others' being x_tile and
     * y_tile floats behind one another: for types that have something to load only once for all.
     * May be NULL. */
    void (*forward_tiles)(const struct node *node, const struct run *run, int tiles, const float *x,
                          size_t x_tile, float *y, size_t y_tile);
    /* In evaluation, where node->absorbs and nobody else reads the activation before it: y from the
     * activation's input, both at once, the same bytes. May be NULL. */
    void (*forward_through)(const struct node *node, const struct node *activation,
                            const struct run *run, const float *x, float *y);
    /* Write dx unless it is NULL (what other nodes find for the same input is added elsewhere);
     * where node->trained, and not node_defers(), write the parameters' gradients, all of them, or
     * add to them, as run->add says. x and y are only valid where the flags ask for them.
     */
    void (*backward)(const struct node *node, const struct run *run, const float *x, const float *y,
                     const float *dy, float *dx);
    /* Write what the first parameter starts as, where neither an initializer nor one number says
     * it. May be NULL. */
    void (*begin)(const struct node *node, float *weight);
    /* Zero those elements of the first parameter that are zero for ever (parameter.used); they have
     * no gradient. NULL: there are none. */
    void (*mask)(const struct node *node, float *weight);
    /* What it is in evaluation, where that is y = scale * x + shift for each channel. NULL: more.
     */
    void (*channel_map)(const struct node *node, const float *parameters, int channel,
                        double *scale, double *shift);
    const struct coupling *coupling; /* NULL: samples are independent of each other */
    /* Where in its options the type has its `activation` and `init` (struct choice); 0: nowhere. */
    size_t activation, init;
    /* Tell how the value at `at` of the output comes about in evaluation, from lane 0 of x
     * (net/explain.h). NULL: there is nothing to tell. */
    void (*explain)(const struct node *node, const struct run *run, const float *x,
                    const struct spot *at, struct explanation *explanation);
    /* For a type whose function has kinks: y from x, but each value on the branch that it takes at
     * x0, so that y is smooth around x0. Returns how many values of live lanes would have taken
     * another branch. NULL: it has none. */
    size_t (*hold)(const struct node *node, const struct run *run, const float *x0, const float *x,
                   float *y);
    const char *remedy; /* against overfitting, that it is: "dropout", "noise"...; NULL: none */
    /* Warn at node->where of options that are allowed and surely not meant. May be NULL. */
    void (*lint)(const struct node *node, struct error_list *warnings);
    const struct layer_example *examples; /* ends with options == NULL; at least one */
};

/* First field of every options struct of a layer. */
struct layer_options {
    const char *name;             /* NULL until the graph gives one */
    int freeze;                   /* for types that have LAYER_FREEZE_ROW */
    struct regularize regularize; /* for types that have LAYER_REGULARIZE_ROW */
};
#define LAYER_NAME_ROW                                                                             \
    {                                                                                              \
        .key = "name", .kind = &OPTION_TEXT, .offset = 0, .fallback = "", .keyed = 1,              \
        .help =                                                                                    \
            "what the summary and the model's tensors call it (default: its type and a number)"    \
    }

#define LAYER_FREEZE_ROW                                                                           \
    {                                                                                              \
        .key = "freeze", .kind = &OPTION_BOOLEAN,                                                  \
        .offset = offsetof(struct layer_options, freeze), .fallback = "false", .keyed = 1,         \
        .help = "its weights stay as they are"                                                     \
    }

#define LAYER_REGULARIZE_ROW                                                                       \
    {                                                                                              \
        .key = "regularize", .kind = &OPTION_GROUP,                                                \
        .offset = offsetof(struct layer_options, regularize), .fallback = "", .keyed = 1,          \
        .extra = &REGULARIZE_GROUP,                                                                \
        .help = "of this layer's weights, in place of train.regularize"                            \
    }

extern const struct family LAYERS;      /* layers.def; members are struct layer_type */
extern const struct family ACTIVATIONS; /* those with LAYER_ACTIVATION */

/* How weights start. */
struct initializer {
    struct member member;
    /* Fill a weight; `tensor` numbers the parameter tensors of a network. */
    void (*fill)(float *w, const struct parameter *, uint64_t seed, uint32_t tensor);
    int of_images; /* the weights depend on the training images: filled anew when these are there */
};
extern const struct family INITIALIZERS; /* initializers.def */
extern const struct initializer INITIALIZER_he, INITIALIZER_xavier, INITIALIZER_lecun,
    INITIALIZER_zeros, INITIALIZER_dirac, INITIALIZER_whiten;

/* An option of a node at an offset that its type names; NULL where it has none. */
static inline struct choice *choice_at(void *options, size_t offset)
{
    return offset ? (struct choice *)(void *)((char *)options + offset) : NULL;
}

static inline struct choice *node_choice(const struct node *node, size_t offset)
{
    return choice_at(node->options, offset);
}

static inline float *node_shared(const struct node *node, const struct run *run)
{
    return run->shared ? run->shared + node->shared : NULL;
}

/* Whether the parameters' gradients are none of backward's. */
static inline int node_defers(const struct node *node, const struct run *run)
{
    return run->deferred && node->defers;
}

/* The share of n things that run->part is: [*first, end), which is returned. */
static inline size_t run_share(const struct run *run, size_t n, size_t *first)
{
    const size_t part = (size_t)run->part, parts = run->parts > 1 ? (size_t)run->parts : 1;
    *first = n * part / parts;
    return n * (part + 1) / parts;
}

static inline size_t shape_size(struct shape s) { return (size_t)s.c * (size_t)s.h * (size_t)s.w; }

/* A parameter's values, and where its gradient goes. */
static inline const float *node_parameter(const struct node *node, const struct run *run, int k)
{
    return run->parameters + node->needs.parameters[k].offset;
}

/* The bias of a type whose parameters are a weight and, perhaps, a bias; NULL: none. */
static inline const float *node_bias(const struct node *node, const struct run *run)
{
    if (run->folded && node->folds) {
        return run->parameters + node->folded_bias;
    }
    return node->needs.parameter_count > 1 ? node_parameter(node, run, 1) : NULL;
}

static inline float *node_gradient(const struct node *node, const struct run *run, int k)
{
    return run->gradients + node->needs.parameters[k].offset;
}

#endif
