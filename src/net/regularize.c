/* regularize.c: the options of `regularize`. */
#include "net/regularize.h"

#define FIELD(name) .offset = offsetof(struct regularize, name)
static const struct option OPTIONS[] = {
    {.key = "l1",
     .kind = &OPTION_NUMBER,
     FIELD(l1),
     .fallback = "0",
     .low = 0,
     .high = 1000,
     .help = "penalty on the sum of |w|"},
    {.key = "l2",
     .kind = &OPTION_NUMBER,
     FIELD(l2),
     .fallback = "0",
     .low = 0,
     .high = 1000,
     .help = "penalty on half the sum of w^2, PyTorch's weight_decay"},
    {.key = "max_norm",
     .kind = &OPTION_NUMBER,
     FIELD(max_norm),
     .fallback = "0",
     .low = 0,
     .high = 1000000,
     .help = "bound on the norm of the weights into a unit; 0: none"},
    {.key = "biases",
     .kind = &OPTION_BOOLEAN,
     FIELD(biases),
     .fallback = "false",
     .help = "l1 and l2 penalise biases and norms too"},
    OPTION_END,
};

static int check(void *options, const struct yaml *value, struct error_list *errors)
{
    struct regularize *r = options;
    r->given = 1;
    if (r->biases && r->l1 == 0 && r->l2 == 0) {
        return yaml_error(errors, value, "'biases' needs an 'l1' or 'l2' above 0");
    }
    return 0;
}

const struct group REGULARIZE_GROUP = {OPTIONS, sizeof(struct regularize), NULL, check};
