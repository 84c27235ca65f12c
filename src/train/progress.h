/* progress.h: what a run says while it works. On a terminal one line that is redrawn, with rate,
 * loss and time left, and a line an epoch that stays; elsewhere plain lines only. All of it goes to
 * stderr; nothing here changes a result. */
#ifndef CNNTRAIN_TRAIN_PROGRESS_H
#define CNNTRAIN_TRAIN_PROGRESS_H

#include "train/log.h"

#include <stdio.h>

enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct progress {
    FILE *out;
    int bar, colour, quiet;
    int unicode;      /* the locale's encoding is UTF-8: a finer bar */
    int terminal;     /* lines are cut to its width */
    double next_draw; /* monotonic seconds; at most 10 redraws a second */
    int drawn;        /* a bar stands on the line */
    long long epochs;
};
/* `auto`: a bar when `out` is a terminal and TERM is not "dumb"; colour the same, and not under
 * NO_COLOR. `quiet`: nothing at all. */
void progress_open(struct progress *progress, FILE *out, enum progress_mode mode, int quiet,
                   long long epochs);
/* After a batch. `done` and `total` samples of this epoch, in `seconds` of it; `loss`: mean so far.
 * Cheap when there is nothing to draw. */
void progress_batch(struct progress *progress, long long epoch, size_t done, size_t total,
                    double seconds, double loss);
/* After an epoch: a line that stays; `best`: this epoch is the best so far. */
void progress_epoch(struct progress *progress, const struct log_row *row, int best);
/* Take the bar away, before others write to `out`. */
void progress_clear(struct progress *progress);
/* A sentence about the run ("stopped early: ..."), on a line of its own; nothing but progress_clear
 * when it is empty. */
void progress_note(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Whether the locale's encoding is UTF-8. */
int progress_locale_is_utf8(void);
/* Seconds on a clock that never goes back. */
double progress_now(void);

#endif
