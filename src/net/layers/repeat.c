/* repeat.c: a list of layers several times, one behind the other, each time with weights of its
 * own. It has no node of its own: it is as if the list had been written out. */
#include "net/builder.h"

struct repeat {
    struct layer_options layer;
    long long times;
    struct network block;
};

#define FIELD(name) .offset = offsetof(struct repeat, name)
static const struct option OPTIONS[] = {
    {.key = "block", .kind = &OPTION_NETWORK, FIELD(block), .help = "the layers, without names"},
    {.key = "times",
     .kind = &OPTION_INTEGER,
     FIELD(times),
     .low = 1,
     .high = MOST_LAYERS,
     .help = "how often"},
    OPTION_END,
};

static int repeat_expand(struct builder *b, const struct choice *layer, int input)
{
    const struct repeat *o = layer->options;
    b->copies++;
    b->depth--; /* its layers are shown where it stands itself */
    for (long long k = 0; k < o->times && !b->stopped; k++) {
        input = builder_list(b, &o->block, input);
    }
    b->depth++;
    b->copies--;
    return input;
}

static const struct layer_example EXAMPLES[] = {
    {"{times: 3, block: [conv: {filters: 2, kernel: 3, padding: 1, activation: tanh}]}", {2, 3, 4}},
    {"{times: 2, block: [residual: [conv: {filters: 1, kernel: 1}, tanh], repeat: {times: 2, "
     "block: "
     "[sigmoid]}]}",
     {1, 2, 2}},
    {NULL, {0, 0, 0}},
};

extern const struct layer_type LAYER_repeat;
const struct layer_type LAYER_repeat = {
    .member = {.name = "repeat",
               .help = "a list of layers several times, one behind the other",
               .options = OPTIONS,
               .size = sizeof(struct repeat)},
    .expand = repeat_expand,
    .examples = EXAMPLES,
};
