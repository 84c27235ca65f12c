/* symptom.h: what may be wrong with a run, one file in symptoms/ each: told by figures, with what
 * is said to help. */
#ifndef CNNTRAIN_TEACH_SYMPTOM_H
#define CNNTRAIN_TEACH_SYMPTOM_H

#include "teach/patient.h"

/* What a symptom finds. */
struct opinion {
    int seen;
    struct text says;    /* owned; sentences */
    struct text advice;  /* owned; a line each */
    struct text unknown; /* owned; why it cannot be told; "" when it can */
};
void opinion_says(struct opinion *opinion, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void opinion_advises(struct opinion *opinion, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void opinion_cannot(struct opinion *opinion, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct symptom {
    const char *name; /* "overfitting" */
    /* Says something (it is seen), says why it cannot be told, or leaves the opinion empty. */
    void (*look)(const struct patient *patient, struct opinion *opinion);
};
extern const struct symptom *const SYMPTOMS[]; /* symptoms.def; NULL-terminated */

/* "100", "2.5": how many times. `buffer` holds at least 32 bytes; returned. */
char *times_print(char *buffer, double times);
/* A learning rate, to three digits: "0.0001". As times_print. */
char *rate_print(char *buffer, double rate);

/* Append the whole diagnosis. */
void diagnose(const struct patient *patient, struct text *out);

/* The lecture's remedies against overfitting, as far as the config uses them: two lists,
 * "dropout, noise"; "" for none. */
void remedies_list(const struct patient *patient, struct text *used, struct text *unused);

#endif
