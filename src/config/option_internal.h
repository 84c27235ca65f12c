/* option_internal.h: what the option files share among themselves. */
#ifndef CNNTRAIN_CONFIG_OPTION_INTERNAL_H
#define CNNTRAIN_CONFIG_OPTION_INTERNAL_H

#include "config/option.h"

enum { OPTION_SHOWN = 400 }; /* bytes that hold any quoted text of 80 bytes, escaped */

/* "'filters' must be WHAT, got 'abc'HINT", at the value. -1. */
int option_refuse(const struct option *option, const struct yaml *value, struct decoder *decoder,
                  const char *what, const char *hint);
/* "unknown layer 'conf'; did you mean 'conv'?", or the known ones when none is near. -1. */
int option_unknown(const char *noun, const char *plural, const struct yaml *name,
                   const char *const *known, struct decoder *decoder);
/* "a, b, c" cut to size, with `last` before the final one when it is not NULL (" or "). */
void option_join(char *buffer, size_t size, const char *const *words, const char *last);
/* Append "1 to 65536", "more than 0 and at most 100"; nothing without bounds. */
void option_range(const struct option *option, struct text *out);
/* The names of a family, NULL-terminated, in the arena; NULL without memory. */
const char *const *family_names(const struct family *family, struct arena *arena);
/* Memory of the arena; reports when there is none. */
void *option_alloc(struct decoder *decoder, size_t size);

#endif
