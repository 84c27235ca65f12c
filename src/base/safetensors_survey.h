/* safetensors_survey.h: how much of a damaged file of ours (base/safetensors.h) can still be read.
 * safetensors_read stops at the first fault and believes nothing behind it; this goes on. It looks
 * for the forms that our writer writes, each by itself, so that damage in one place of the header
 * hides nothing but that place, and tries what it found against the checksums of the data. For
 * people to read: nothing here makes a damaged file fit to be used. */
#ifndef CNNTRAIN_BASE_SAFETENSORS_SURVEY_H
#define CNNTRAIN_BASE_SAFETENSORS_SURVEY_H

#include "base/safetensors.h"

struct surveyed_tensor {
    const char *name;
    int rank; /* -1: its entry in the header is damaged */
    size_t shape[8];
    long long begin, end; /* bytes of the file; begin -1: nobody knows where they are */
    const char
        *state; /* "intact", "damaged", "cut off", "unchecked" (its checksum is lost), "lost" */
};

struct safetensors_survey {
    struct safetensors found; /* metadata, and the tensors whose data are all there, right or not */
    int count, intact;
    const struct surveyed_tensor *tensors; /* in file order, lost ones last */
    size_t size;                           /* of the file */
    size_t data;                           /* where the data begin; 0: nobody knows */
};

/* Everything that is wrong with the file goes to `errors` (ERROR_MODEL); nothing when that needs a
 * reader of JSON. 0, or -1 when the file cannot be read at all (ERROR_IO, ERROR_LIMIT, or a size
 * that no file of ours has). */
int safetensors_survey(struct safetensors_survey *survey, const char *path,
                       struct error_list *errors);
void safetensors_survey_free(struct safetensors_survey *survey);

#endif
