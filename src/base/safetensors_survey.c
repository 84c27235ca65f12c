/* safetensors_survey.c: a damaged file, read without believing it.
 *
 *   1. what the header says of tensors and metadata, wherever it says it (safetensors_facts.h)
 *   2. where the data begin: what N says, what the header's end says, what the file's length says;
 *      the answer with the most tensors of the right checksum is taken
 *   3. each tensor: in the file? its checksum? its values finite?
 *   4. a tensor whose entry is lost, but not its checksum, is looked for where no other one is
 *   5. bytes that belong to nobody, or to two */
#include "base/safetensors_survey.h"

#include "base/file.h"
#include "base/flip.h"
#include "base/safetensors_facts.h"
#include "base/safetensors_header.h"

#include <string.h>

struct survey_reader {
    struct safetensors_survey *s;
    const char *file;
    size_t size, header; /* header: how far it may reach */
    struct facts facts;
    struct error_list *errors;
};

#define REPORT(r, at, ...)                                                                         \
    error_at_offset(error_next((r)->errors), ERROR_MODEL, (r)->s->found.path, (long long)(at),     \
                    __VA_ARGS__)

/* Add to a fault that it may be one bit only; `base`: the offset of the bytes in the file. */
static void note_flip(const struct survey_reader *r, uint32_t difference, size_t base, size_t size)
{
    size_t byte;
    int bit;
    struct error_list *list = r->errors;

    if (list->total == list->count && flip_find(difference, size, &byte, &bit) == 0) {
        struct error *e = &list->items[list->count - 1];

        snprintf(e->note, sizeof e->note,
                 "a single flipped bit would explain it: bit %d of byte %zu", bit, base + byte);
    }
}

/* ---- 2. where the data begin ---- */

static int inside(const struct survey_reader *r, const struct fact *fact, size_t data)
{
    return fact->tensor.begin >= 0 && data <= r->size && (size_t)fact->tensor.end <= r->size - data;
}

static uint32_t data_crc(const struct survey_reader *r, const struct fact *fact, size_t data)
{
    return file_crc32(0, r->file + data + (size_t)fact->tensor.begin,
                      (size_t)(fact->tensor.end - fact->tensor.begin));
}

/* How many tensors have the right checksum if the data begin at `data`, and one more when they then
 * end with the file; -1: they cannot. */
static long long votes(const struct survey_reader *r, size_t data)
{
    long long right = 0, last = 0;

    if (data < 16 || data > r->size || data % SAFETENSORS_ALIGNMENT != 0) {
        return -1;
    }
    for (size_t i = 0; i < r->facts.count; i++) {
        const struct fact *fact = &r->facts.items[i];

        last = fact->tensor.end > last ? fact->tensor.end : last;
        right += fact->checked && inside(r, fact, data) && data_crc(r, fact, data) == fact->crc;
    }
    return 2 * right + (data + (size_t)last == r->size);
}

/* Behind the object's last brace and the spaces that follow; 0 when it is never closed. */
static size_t end_of_header(const struct survey_reader *r)
{
    int depth = 0;

    for (size_t i = 8; i < r->header; i++) {
        const char c = r->file[i];

        if (c == '"') {
            while (++i < r->header && r->file[i] != '"') {
                i += r->file[i] == '\\';
            }
        }
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (depth == 0) {
            const size_t mask = SAFETENSORS_ALIGNMENT - 1;

            return (i + 1 + mask) & ~mask;
        }
    }
    return 0;
}

static void find_data(struct survey_reader *r)
{
    uint64_t n;
    long long last = 0, best = -1;

    memcpy(&n, r->file, sizeof n);
    for (size_t i = 0; i < r->facts.count; i++) {
        last = r->facts.items[i].tensor.end > last ? r->facts.items[i].tensor.end : last;
    }
    const size_t says = n <= r->size ? (size_t)n + 8 : 0;
    const size_t candidates[] = {says, end_of_header(r), r->size - (size_t)last};

    for (int i = 0; i < 3; i++) {
        const long long count = votes(r, candidates[i]);

        if (count > best) {
            best = count;
            r->s->data = candidates[i];
        }
    }
    if (r->s->data == 0) {
        REPORT(r, 0, "nothing tells where the tensors' data begin");
    } else if (says != r->s->data) {
        REPORT(r, 0, "the header's length is damaged: says %llu, but the data begin at byte %zu",
               (unsigned long long)n, r->s->data);
    }
}

static void check_header(const struct survey_reader *r)
{
    uint32_t crc, actual;
    const char *digits = safetensors_crc_digits(r->file, r->s->data > 0 ? r->s->data : r->header);

    if (digits == NULL || facts_crc(digits, 8, &crc) != 0) {
        REPORT(r, digits != NULL ? digits - r->file : 8,
               "header checksum missing or not 8 hexadecimal digits");
    } else if (r->s->data > 0) {
        actual = safetensors_header_crc(r->file, r->s->data, digits);
        if (crc != actual) {
            REPORT(r, digits - r->file,
                   "header checksum mismatch: says %08x, is %08x: damaged file", (unsigned)crc,
                   (unsigned)actual);
            note_flip(r, crc ^ actual, 0, r->s->data);
        }
    }
}

/* ---- 3. the tensors ---- */

static void check_values(const struct survey_reader *r, const struct fact *fact, const float *data)
{
    const size_t size = (size_t)(fact->tensor.end - fact->tensor.begin) / sizeof *data;
    size_t first = 0, bad = 0;

    for (size_t i = 0; i < size; i++) {
        if (safetensors_first_not_finite(data + i, 1) == 0) {
            first = bad++ == 0 ? i : first;
        }
    }
    if (bad > 0) {
        REPORT(r, (const char *)(data + first) - r->file, "value %zu of '%s' is not finite%s",
               first, fact->tensor.name, bad > 1 ? ", nor are others" : "");
    }
}

static void check_tensor(struct survey_reader *r, struct fact *fact)
{
    struct surveyed_tensor *t = &fact->tensor;
    const size_t begin = r->s->data + (size_t)t->begin;

    if (!fact->fits) {
        REPORT(r, fact->at, "'%s': %lld bytes declared, its shape needs others", t->name,
               t->end - t->begin);
    }
    if (!inside(r, fact, r->s->data)) {
        t->state = "cut off";
        REPORT(r, fact->at,
               "data of '%s' end past the end of the file (cut short?): %zu bytes more", t->name,
               r->s->data + (size_t)t->end - r->size);
        return;
    }
    t->state = fact->checked ? "intact" : "unchecked";
    if (!fact->checked) {
        REPORT(r, fact->at,
               "checksum entry of '%s' missing or damaged: nothing tells whether its data "
               "are right",
               t->name);
    } else {
        const uint32_t actual = data_crc(r, fact, r->s->data);

        if (actual != fact->crc) {
            t->state = "damaged";
            REPORT(r, begin, "checksum mismatch in '%s': damaged file", t->name);
            note_flip(r, actual ^ fact->crc, begin, (size_t)(t->end - t->begin));
        }
    }
    check_values(r, fact, (const float *)(const void *)(r->file + begin));
}

/* ---- 4. lost entries ---- */

static int is_of(const struct survey_reader *r, const struct fact *lost, long long begin,
                 long long end)
{
    const struct fact gap = {.tensor = {.begin = begin, .end = end}};

    return begin < end && inside(r, &gap, r->s->data) && data_crc(r, &gap, r->s->data) == lost->crc;
}

/* One between two placed tensors or behind the last one gets its place. Where an entry has no
 * checksum its name is damaged: it gets the lost one's, which is needed no more: 1. */
static int find_lost(struct survey_reader *r, struct fact *lost, size_t placed)
{
    long long position = 0;

    for (size_t i = 0; i <= placed; i++) {
        struct fact *fact = i < placed ? &r->facts.items[i] : NULL;
        const long long end = fact != NULL ? fact->tensor.begin : (long long)(r->size - r->s->data);

        if (is_of(r, lost, position, end)) {
            lost->tensor.begin = position;
            lost->tensor.end = end;
            return 0;
        }
        if (fact == NULL) {
            break;
        }
        if (!fact->checked && is_of(r, lost, fact->tensor.begin, fact->tensor.end)) {
            REPORT(r, fact->at, "the name '%s' is damaged: its data are those of '%s'",
                   fact->tensor.name, lost->tensor.name);
            fact->tensor.name = lost->tensor.name;
            fact->checked = 1;
            fact->crc = lost->crc;
            return 1;
        }
        position = fact->tensor.end;
    }
    return 0;
}

static void check_lost(struct survey_reader *r, size_t placed)
{
    size_t count = placed;

    for (size_t i = placed; i < r->facts.count; i++) {
        struct fact *lost = &r->facts.items[i];

        lost->tensor.state = "lost";
        if (lost->checked && find_lost(r, lost, placed)) {
            continue;
        }
        if (lost->tensor.begin < 0) {
            REPORT(r, 8, "the header's entry of '%s' is damaged, and its data are found nowhere",
                   lost->tensor.name);
        } else {
            lost->tensor.state = "intact";
            REPORT(r, 8, "the header's entry of '%s' is damaged; its data are bytes %lld to %lld",
                   lost->tensor.name, (long long)r->s->data + lost->tensor.begin,
                   (long long)r->s->data + lost->tensor.end - 1);
        }
        r->facts.items[count++] = *lost;
    }
    r->facts.count = count;
}

/* ---- 5. holes ---- */

static void check_layout(const struct survey_reader *r)
{
    size_t position = r->s->data;

    for (size_t i = 0; i < r->facts.count && r->facts.items[i].tensor.begin >= 0; i++) {
        const struct surveyed_tensor *t = &r->facts.items[i].tensor;
        const size_t begin = r->s->data + (size_t)t->begin, end = r->s->data + (size_t)t->end;

        if (begin > position) {
            REPORT(r, position, "%zu unused bytes before '%s'", begin - position, t->name);
        } else if (begin < position) {
            REPORT(r, begin, "data of '%s' overlap those before", t->name);
        }
        position = end > position ? end : position;
    }
    if (position < r->size) {
        REPORT(r, position, "%zu unused byte%s after the last tensor", r->size - position,
               r->size - position == 1 ? "" : "s");
    }
}

/* What others may look at: plain tensors, and those that are there as the file's. */
static int hand_over(struct survey_reader *r)
{
    struct arena *arena = &r->s->found.arena;
    struct surveyed_tensor *all = arena_alloc(arena, (r->facts.count + 1) * sizeof *all);
    struct tensor_entry *entries = arena_alloc(arena, (r->facts.count + 1) * sizeof *entries);

    if (all == NULL || entries == NULL) {
        return error_memory(error_next(r->errors), r->facts.count * sizeof *entries);
    }
    for (size_t i = 0; i < r->facts.count; i++) {
        struct surveyed_tensor *t = &all[i];

        *t = r->facts.items[i].tensor;
        r->s->intact += strcmp(t->state, "intact") == 0;
        if (t->begin < 0) {
            continue;
        }
        t->begin += (long long)r->s->data;
        t->end += (long long)r->s->data;
        if (t->rank >= 0 && (size_t)t->end <= r->size) {
            struct tensor_entry *entry = &entries[r->s->found.tensor_count++];

            *entry = (struct tensor_entry){.name = t->name, .rank = t->rank, .offset = t->begin};
            memcpy(entry->shape, t->shape, sizeof entry->shape);
            entry->data = (const float *)(const void *)(r->file + t->begin);
            entry->size = (size_t)(t->end - t->begin) / sizeof(float);
        }
    }
    r->s->count = (int)r->facts.count;
    r->s->tensors = all;
    r->s->found.tensors = entries;
    r->s->found.metadata = r->facts.metadata;
    r->s->found.metadata_count = r->facts.metadata_count;
    return 0;
}

static int survey_all(struct survey_reader *r)
{
    struct error e = {.offset = -1};
    size_t placed = 0;

    if (facts_collect(&r->facts, r->file, r->header, &r->s->found.arena, &e) != 0) {
        *error_next(r->errors) = e;
        return -1;
    }
    size_t checked = 0;

    while (checked < r->facts.count && !r->facts.items[checked].checked) {
        checked++;
    }
    if (checked == r->facts.count) {
        return 0; /* nothing of ours: other programs write no checksums */
    }
    find_data(r);
    check_header(r);
    if (r->s->data == 0) {
        return 0;
    }
    while (placed < r->facts.count && r->facts.items[placed].tensor.begin >= 0) {
        placed++;
    }
    check_lost(r, placed);
    for (size_t i = 0; i < placed; i++) {
        check_tensor(r, &r->facts.items[i]);
    }
    facts_sort(&r->facts);
    check_layout(r);
    return hand_over(r);
}

int safetensors_survey(struct safetensors_survey *survey, const char *path,
                       struct error_list *errors)
{
    struct bytes bytes = {0};
    struct error e = {.offset = -1};

    *survey = (struct safetensors_survey){0};
    snprintf(survey->found.path, sizeof survey->found.path, "%s", path);
    if (file_read(&bytes, path, SAFETENSORS_FILE_BYTES, ERROR_MODEL, &e) != 0) {
        *error_next(errors) = e;
        return -1;
    }
    survey->found.file = bytes.data;
    survey->size = bytes.size;
    if (bytes.size < 16) {
        return 0;
    }
    const size_t most = SAFETENSORS_HEADER_BYTES + 8;
    struct survey_reader r = {.s = survey,
                              .file = (const char *)bytes.data,
                              .size = bytes.size,
                              .header = bytes.size < most ? bytes.size : most,
                              .errors = errors};

    return survey_all(&r);
}

void safetensors_survey_free(struct safetensors_survey *survey)
{
    safetensors_free(&survey->found);
    *survey = (struct safetensors_survey){0};
}
