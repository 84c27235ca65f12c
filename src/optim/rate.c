/* rate.c: the kind of option that holds a learning rate: a double, so that a schedule's products
 * come out as they do in PyTorch, but none that would be 0 or infinite in the kernels' floats. */
#include "optim/optimizer.h"

static int decode_rate(const struct option *option, void *field, const struct yaml *value,
                       struct decoder *decoder)
{
    float narrow;
    return OPTION_NUMBER.decode(option, &narrow, value, decoder) == 0
               ? OPTION_DOUBLE.decode(option, field, value, decoder)
               : -1;
}

static void emit_rate(const struct option *option, const void *field, struct text *out, int indent)
{
    OPTION_DOUBLE.emit(option, field, out, indent);
}

static void describe_rate(const struct option *option, struct text *out)
{
    OPTION_DOUBLE.describe(option, out);
}

const struct option_kind OPTION_RATE = {"number", decode_rate, emit_rate, describe_rate};
