/* safetensors_facts.h: what the header of a damaged file says of its tensors and metadata; for
 * safetensors_survey.c only. The forms `"key":"value"` and
 * `"name":{"dtype":"F32","shape":[..],"data_offsets":[..]}` are looked for as our writer writes
 * them. A quote within a string is escaped there, so that no string can hold such a form. */
#ifndef CNNTRAIN_BASE_SAFETENSORS_FACTS_H
#define CNNTRAIN_BASE_SAFETENSORS_FACTS_H

#include "base/safetensors_survey.h"

#include <stdint.h>

/* What is said of a tensor: by its entry, its checksum, or both. */
struct fact {
    struct surveyed_tensor tensor; /* begin and end from the data's start, as the header has them */
    int placed, checked;           /* has an entry; has a checksum */
    int fits;                      /* its shape takes as many bytes as it has */
    uint32_t crc;
    size_t at; /* where its entry stands */
};

struct facts {
    struct fact *items; /* one a name; in file order, those without a place last */
    size_t count;
    struct metadata_entry *metadata; /* without the checksums */
    int metadata_count;
};

/* Of the first `size` bytes of a file, at least 16; everything is in the arena. ERROR_LIMIT without
 * memory. */
int facts_collect(struct facts *facts, const char *file, size_t size, struct arena *arena,
                  struct error *e);
/* Eight lower-case hexadecimal digits and nothing else. */
int facts_crc(const char *text, size_t length, uint32_t *crc);
/* To put them in order again after one got a place. */
void facts_sort(struct facts *facts);

#endif
