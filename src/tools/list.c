/* list.c: the option tables and families, printed. */
#include "tools/list.h"

#include "data/augmentation.h"
#include "data/format.h"
#include "net/loss.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "train/settings.h"

#include <string.h>

const char *const LIST_WORDS[] = {"config",  "layers",     "activations", "initializers",
                                  "losses",  "optimizers", "schedules",   "augmentations",
                                  "formats", NULL};

static const struct family *const FAMILIES[] = {NULL,          &LAYERS,        &ACTIVATIONS,
                                                &INITIALIZERS, &LOSSES,        &OPTIMIZERS,
                                                &SCHEDULES,    &AUGMENTATIONS, &FORMATS};

void list_print(const char *topic, FILE *out)
{
    struct text text = {0};
    for (int i = 0; LIST_WORDS[i]; i++) {
        if (*topic && strcmp(topic, LIST_WORDS[i]) != 0) {
            continue;
        }
        text_append(&text, "%s%s\n", text.length ? "\n" : "", LIST_WORDS[i]);
        if (FAMILIES[i]) {
            family_list(FAMILIES[i], &text);
        } else {
            options_list(SETTINGS_OPTIONS, &text, 2);
        }
    }
    fputs(text.data ? text.data : "", out);
    text_free(&text);
}
