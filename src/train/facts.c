/* facts.c: see facts.h. */
#include "train/facts.h"

#include "train/trainer.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- from a trainer ---- */

static void find_set(struct set_facts *facts, const struct subset *subset)
{
    const struct dataset *set = subset->set;
    *facts = (struct set_facts){
        (long long)subset->count, (long long)set->count, set->c, set->h, set->w, set->crc32};
}

void facts_find(struct facts *facts, const struct trainer *t)
{
    const struct early_stopping *stopping = &t->model.settings.train.early_stopping;
    const struct position *p = &t->position;
    *facts = (struct facts){.known = 1,
                            .epochs = p->epoch,
                            .steps = p->step,
                            .stopped_early = stopping_ends(&p->stopping, stopping)};
    if (trainer_judges(t) && p->stopping.best_epoch > 0) {
        facts->best_epoch = p->stopping.best_epoch;
        facts->best = p->stopping.best;
        snprintf(facts->monitor, sizeof facts->monitor, "%s",
                 stopping->monitor ? stopping->monitor : "val_loss");
    }
    find_set(&facts->train, &t->train);
    if (t->validation.count > 0) {
        find_set(&facts->validation, &t->validation);
    }
}

/* ---- JSON ---- */

static json_t *set_to_json(const struct set_facts *set)
{
    char crc32[16];
    snprintf(crc32, sizeof crc32, "%08x", set->crc32);
    return set->images == 0 ? json_null()
                            : json_pack("{s:s, s:I, s:I, s:[i, i, i]}", "crc32", crc32, "images",
                                        (json_int_t)set->images, "of", (json_int_t)set->of, "shape",
                                        set->c, set->h, set->w);
}

char *facts_to_json(const struct facts *facts)
{
    const int judged = facts->best_epoch > 0;
    json_t *root =
        json_pack("{s:I, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "epochs", (json_int_t)facts->epochs,
                  "steps", (json_int_t)facts->steps, "stopped_early", facts->stopped_early,
                  "best_epoch", judged ? json_integer((json_int_t)facts->best_epoch) : json_null(),
                  "best", judged ? json_real(facts->best) : json_null(), "monitor",
                  judged ? json_string(facts->monitor) : json_null(), "train",
                  set_to_json(&facts->train), "validation", set_to_json(&facts->validation));
    char *json =
        root ? json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    return json;
}

/* A whole number of at least `least`. */
static int whole(const json_t *object, const char *key, long long least, long long *value)
{
    const json_t *number = json_object_get(object, key);
    *value = json_integer_value(number);
    return json_is_integer(number) && *value >= least ? 0 : -1;
}

static int crc32_from_json(const char *text, uint32_t *crc32)
{
    *crc32 = 0;
    if (!text || strlen(text) != 8 || strspn(text, "0123456789abcdef") != 8) {
        return -1;
    }
    for (; *text; text++) {
        *crc32 = *crc32 << 4 | (uint32_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    }
    return 0;
}

static int set_from_json(struct set_facts *set, const json_t *object)
{
    const json_t *shape = json_object_get(object, "shape");
    int *const sizes[] = {&set->c, &set->h, &set->w};
    if (json_object_size(object) != 4 || json_array_size(shape) != 3) {
        return -1;
    }
    for (size_t i = 0; i < 3; i++) {
        const long long size = json_integer_value(json_array_get(shape, i));
        if (size < 1 || size > 65536) {
            return -1;
        }
        *sizes[i] = (int)size;
    }
    TRY(whole(object, "images", 1, &set->images));
    TRY(whole(object, "of", set->images, &set->of));
    return crc32_from_json(json_string_value(json_object_get(object, "crc32")), &set->crc32);
}

static int best_from_json(struct facts *facts, const json_t *root)
{
    const json_t *best = json_object_get(root, "best"), *monitor = json_object_get(root, "monitor"),
                 *epoch = json_object_get(root, "best_epoch");
    if (json_is_null(best) && json_is_null(monitor) && json_is_null(epoch)) {
        return 0;
    }
    TRY(whole(root, "best_epoch", 1, &facts->best_epoch));
    if (!json_is_real(best) || facts->best_epoch > facts->epochs) {
        return -1;
    }
    facts->best = json_real_value(best);
    for (const char *const *word = STOPPING_MONITORS; *word; word++) {
        if (json_is_string(monitor) && strcmp(json_string_value(monitor), *word) == 0) {
            snprintf(facts->monitor, sizeof facts->monitor, "%s", *word);
            return 0;
        }
    }
    return -1;
}

int facts_from_json(struct facts *facts, const char *text)
{
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const json_t *stopped = json_object_get(root, "stopped_early"),
                 *validation = json_object_get(root, "validation");
    *facts = (struct facts){.known = 1, .stopped_early = json_is_true(stopped)};
    const int status =
        json_object_size(root) == 8 && json_is_boolean(stopped) &&
                whole(root, "epochs", 0, &facts->epochs) == 0 &&
                whole(root, "steps", 0, &facts->steps) == 0 && best_from_json(facts, root) == 0 &&
                set_from_json(&facts->train, json_object_get(root, "train")) == 0 &&
                (json_is_null(validation) || set_from_json(&facts->validation, validation) == 0)
            ? 0
            : -1;
    json_decref(root);
    return status;
}

/* ---- for people ---- */

static void append_set(struct text *out, const char *what, const struct set_facts *set,
                       const struct set_facts *before)
{
    char count[32], of[32];
    text_append(out, "%-11s %s image%s", what, text_from_count(count, (uint64_t)set->images),
                set->images == 1 ? "" : "s");
    if (before && before->crc32 == set->crc32 && before->of == set->of) {
        text_append(out, " of the same set\n");
        return;
    }
    if (set->images != set->of) {
        text_append(out, " of %s", text_from_count(of, (uint64_t)set->of));
    }
    text_append(out, ", %dx%dx%d, CRC-32 %08x\n", set->c, set->h, set->w, set->crc32);
}

static void append_weights(const struct model *model, struct text *out)
{
    const struct facts *facts = &model->facts;
    char steps[32];
    if (facts->known) {
        text_append(out, "trained for %lld epoch%s of %lld, %s steps, seed %llu%s\n", facts->epochs,
                    facts->epochs == 1 ? "" : "s", model->settings.train.epochs,
                    text_from_count(steps, (uint64_t)facts->steps),
                    (unsigned long long)model->settings.seed,
                    facts->stopped_early ? "; stopped early" : "");
    }
    text_append(out, "weights after epoch %lld, step %s", model->epoch,
                text_from_count(steps, (uint64_t)model->step));
    if (facts->best_epoch > 0) {
        text_append(out, "; the best %s was %.6g, after epoch %lld", facts->monitor, facts->best,
                    facts->best_epoch);
    }
    text_append(out, "%s\n", facts->known ? "" : "; this model does not tell of its training");
}

void facts_append(const struct model *model, struct text *out)
{
    const struct facts *facts = &model->facts;
    append_weights(model, out);
    if (facts->known) {
        append_set(out, "train", &facts->train, NULL);
    }
    if (facts->known && facts->validation.images > 0) {
        append_set(out, "validation", &facts->validation, &facts->train);
    }
}
