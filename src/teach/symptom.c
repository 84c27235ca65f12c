/* symptom.c: the family of symptoms, and the diagnosis as a text. */
#include "teach/symptom.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SYMPTOM(name) extern const struct symptom SYMPTOM_##name;
#include "teach/symptoms.def"
#undef SYMPTOM
#define SYMPTOM(name) &SYMPTOM_##name,
const struct symptom *const SYMPTOMS[] = {
#include "teach/symptoms.def"
    NULL};
#undef SYMPTOM

enum { WIDTH = 96, MOST_SENTENCE = 1000 };

/* ---- opinions ---- */

__attribute__((format(printf, 3, 0))) static void append_sentence(struct text *text,
                                                                  const char *end,
                                                                  const char *format, va_list list)
{
    char sentence[MOST_SENTENCE];
    vsnprintf(sentence, sizeof sentence, format, list);
    text_append(text, "%s%s", sentence, end);
}

void opinion_says(struct opinion *o, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    append_sentence(&o->says, " ", format, list);
    va_end(list);
    o->seen = 1;
}

void opinion_advises(struct opinion *o, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    append_sentence(&o->advice, "\n", format, list);
    va_end(list);
}

void opinion_cannot(struct opinion *o, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    append_sentence(&o->unknown, "", format, list);
    va_end(list);
}

char *times_print(char *buffer, double times)
{
    snprintf(buffer, 32, times < 10 ? "%.2g" : "%.0f", times);
    return buffer;
}

char *rate_print(char *buffer, double rate)
{
    double rounded;
    snprintf(buffer, 32, "%.3g", rate);
    return text_to_double(buffer, strlen(buffer), &rounded) == 0 ? text_from_double(buffer, rounded)
                                                                 : buffer;
}

/* ---- the text ---- */

/* Append words in lines of WIDTH, each with `indent`; the first line has `first` before it. */
static void append_wrapped(struct text *out, const char *first, const char *indent,
                           const char *words, size_t length)
{
    size_t column = strlen(first);
    text_append(out, "%s", first);
    for (size_t at = 0; at < length;) {
        const size_t space = strspn(words + at, " "), begin = at + space;
        size_t end = begin < length ? begin + strcspn(words + begin, " ") : length;
        if (end + 1 < length && words[end + 1] == '%') { /* "10 %" is one word */
            end += 1 + strcspn(words + end + 1, " ");
        }
        end = end < length ? end : length;
        if (begin >= length) {
            break;
        }
        if (column + 1 + (end - begin) > WIDTH && column > strlen(indent)) {
            text_append(out, "\n%s", indent);
            column = strlen(indent);
        } else if (at > 0) {
            text_append(out, " ");
            column++;
        }
        text_append_bytes(out, words + begin, end - begin);
        column += end - begin;
        at = end;
    }
    text_append(out, "\n");
}

static void append_seen(const struct symptom *symptom, const struct opinion *o, struct text *out)
{
    text_append(out, "\n%s\n", symptom->name);
    append_wrapped(out, "  ", "  ", o->says.data, o->says.length);
    for (const char *line = o->advice.data; line && *line;) {
        const size_t length = strcspn(line, "\n");
        append_wrapped(out, "  - ", "    ", line, length);
        line += length + 1;
    }
}

static void append_patient(const struct patient *p, struct text *out)
{
    const struct log_row *last = patient_last(p);
    const struct settings *s = p->settings;
    char name[300], lr[32];
    double usual;
    text_sanitize(name, sizeof name, p->dir, strlen(p->dir));
    text_append(out, "%s: ", name);
    if (!last) {
        text_append(out, "no epoch is in the log\n");
        return;
    }
    text_append(out, "%lld epoch%s", last->epoch, last->epoch == 1 ? "" : "s");
    if (s) {
        text_append(out, " of %lld", s->train.epochs);
    }
    if (p->has_model && p->model.facts.stopped_early) {
        text_append(out, ", stopped early");
    }
    if (s) {
        text_append(out, "; %s, lr %s, batches of %lld", s->train.optimizer.type->name,
                    text_from_float(lr, (float)patient_rate(p, &usual)), s->train.batch_size);
    }
    text_append(out, "\nafter epoch %lld: train_loss %.4g, train_accuracy %.2f %%", last->epoch,
                last->train_loss, 100 * last->train_accuracy);
    if (last->has_validation) {
        text_append(out, ", val_loss %.4g, val_accuracy %.2f %%", last->val_loss,
                    100 * last->val_accuracy);
    }
    text_append(out, "\n");
    if (s && last->epoch < s->train.epochs && !(p->has_model && p->model.facts.stopped_early)) {
        const char *why = "the run has not come to its end: it goes on, was interrupted, or its "
                          "loss was not finite (exit code 8)";
        append_wrapped(out, "", "  ", why, strlen(why));
    }
    if (!p->has_data) {
        append_wrapped(out, "without the data: ", "  ", p->no_data, strlen(p->no_data));
    }
}

static void append_name(struct text *list, const char *name)
{
    text_append(list, "%s%s", list->length > 0 ? ", " : "", name);
}

void diagnose(const struct patient *p, struct text *out)
{
    struct text healthy = {0}, unknown = {0};
    append_patient(p, out);
    for (const struct symptom *const *symptom = SYMPTOMS; *symptom; symptom++) {
        struct opinion o = {0};
        (*symptom)->look(p, &o);
        if (o.seen) {
            append_seen(*symptom, &o, out);
        } else if (o.unknown.length > 0) {
            char first[100];
            snprintf(first, sizeof first, "  %s: ", (*symptom)->name);
            append_wrapped(&unknown, first, "    ", o.unknown.data, o.unknown.length);
        } else {
            append_name(&healthy, (*symptom)->name);
        }
        out->failed |= o.says.failed || o.advice.failed || o.unknown.failed;
        text_free(&o.says);
        text_free(&o.advice);
        text_free(&o.unknown);
    }
    if (healthy.length > 0) {
        text_append(out, "\n");
        append_wrapped(out, "not seen: ", "  ", healthy.data, healthy.length);
    }
    if (unknown.length > 0) {
        text_append(out, "\ncannot be told\n%s", unknown.data);
    }
    out->failed |= healthy.failed || unknown.failed;
    text_free(&healthy);
    text_free(&unknown);
}
