/* verify.h: what is wrong with a model.bin or checkpoint.bin, all of it, and what of it is still
 * good. Where model_load stops at the first fault, this looks on (base/safetensors_survey.h). */
#ifndef CNNTRAIN_TRAIN_VERIFY_H
#define CNNTRAIN_TRAIN_VERIFY_H

#include "base/error.h"
#include "base/text.h"

/* Faults go to `errors`: ERROR_MODEL, ERROR_IO, ERROR_LIMIT. To `report`, for people, a line of
 * what was checked of a good file; of a bad one each tensor with its state, and whether the other
 * file of the run, beside it, can take its place. `everything`: the tensors of a good file too. 0
 * when there is no fault, else -1. A model is good exactly when model_load takes it; of a
 * checkpoint all is looked at but whether it is that of a config and of data, which only --resume
 * knows. */
int verify_file(const char *path, int everything, struct text *report, struct error_list *errors);

#endif
