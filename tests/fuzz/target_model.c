/* target_model.c: a safetensors file: safetensors_read.c and _json.c, model.c with the config
 * inside, facts.c; and tensor_file.c, which reads the files of other programs too. The input is a
 * file as it stands.
 *
 * With FUZZ_SAMPLES (fuzz.h) each tensor file is left for tests/safetensors_check.py, which must
 * take it too.
 *
 * What is accepted as a model is written and read again: the second writing has the same bytes as
 * the first. What is a model is a tensor file, with the same tensors.
 *
 * Checksums and the one allowed order of the header stop almost every mutant, so a quarter of them
 * get right checksums, and half are mutated in one of their parts (a text of the metadata, a name,
 * a shape, the data) and written anew. */
#include "base/safetensors_header.h"
#include "base/tensor_file.h"
#include "fuzz/fuzz.h"
#include "net/net.h"
#include "train/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FAULTS (KIND(ERROR_MODEL) | KIND(ERROR_LIMIT))
enum { MOST_VALUES = 1 << 16 };

static struct bytes write_model(const struct model *model)
{
    struct error e = {.offset = -1};
    CHECK(model_write(model, FUZZ_TARGET("b.bin"), &e) == 0);
    const struct bytes *written = fuzz_written();
    CHECK(written != NULL);
    struct bytes copy = {malloc(written->size), written->size};
    CHECK(copy.data != NULL);
    memcpy(copy.data, written->data, written->size);
    return copy;
}

static void check_model(const struct model *model)
{
    struct model again;
    struct error e = {.offset = -1};
    CHECK(model->graph.count >= 0 && model->classes.count >= 2);
    CHECK(all_finite(model->parameters, model->graph.parameters));
    struct bytes first = write_model(model);
    fuzz_file("b.bin", first.data, first.size);
    CHECK(model_load(&again, "b.bin", &e) == 0);
    CHECK(again.graph.parameters == model->graph.parameters);
    CHECK(memcmp(again.parameters, model->parameters, model->graph.parameters * sizeof(float)) ==
          0);
    struct bytes second = write_model(&again);
    CHECK(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    bytes_free(&first);
    bytes_free(&second);
    model_free(&again);
}

static void check_tensors(const struct tensor_file *file, size_t size)
{
    static float values[MOST_VALUES];
    struct error e = {.offset = -1};
    for (int i = 0; i < file->count; i++) {
        const struct stored_tensor *tensor = &file->tensors[i];
        CHECK(tensor->offset >= 8 && (size_t)tensor->offset <= size);
        CHECK(tensor_file_find(file, tensor->name) != NULL);
        if (!tensor_type_is_float(tensor->type) || tensor->size > MOST_VALUES) {
            continue;
        }
        if (tensor_values(file, tensor, values, &e) == 0) {
            CHECK(all_finite(values, tensor->size));
        } else {
            fuzz_check_error(&e, KIND(ERROR_MODEL), size);
        }
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    struct model model;
    struct tensor_file file;
    struct error e = {.offset = -1}, e2 = {.offset = -1};
    fuzz_no_files();
    fuzz_file("a.bin", data, size);
    const int is_model = model_load(&model, "a.bin", &e) == 0;
    if (is_model) {
        check_model(&model);
    } else {
        fuzz_check_error(&e, FAULTS, size);
    }
    if (tensor_file_read(&file, "a.bin", &e2) == 0) {
        check_tensors(&file, size);
        fuzz_sample(data, size);
        CHECK(!is_model || file.count == model_tensor_count(&model.graph));
        tensor_file_free(&file);
    } else {
        CHECK(!is_model);
        fuzz_check_error(&e2, FAULTS, size);
    }
    if (is_model) {
        model_free(&model);
    }
    return 0;
}

/* ---- the mutator ---- */

static uint64_t header_size(const uint8_t *data)
{
    uint64_t n;
    memcpy(&n, data, sizeof n);
    return n;
}

/* The numbers behind "data_offsets":[ of the tensor whose name stands at `name`. */
static int find_place(const char *header, size_t size, const char *name, size_t length,
                      size_t place[2])
{
    static const char OFFSETS[] = "\"data_offsets\":[";
    char key[300];
    if (length > 255) {
        return -1;
    }
    const int key_length = snprintf(key, sizeof key, "\"%.*s\":{", (int)length, name);
    const char *at = memmem(header, size, key, (size_t)key_length), *end = header + size;
    at = at != NULL ? memmem(at, (size_t)(end - at), OFFSETS, sizeof OFFSETS - 1) : NULL;
    if (at == NULL) {
        return -1;
    }
    at += sizeof OFFSETS - 1;
    for (int i = 0; i < 2; i++) {
        place[i] = 0;
        for (; at < end && *at >= '0' && *at <= '9' && place[i] < SIZE_MAX / 20; at++) {
            place[i] = place[i] * 10 + (size_t)(*at - '0');
        }
        at += at < end;
    }
    return 0;
}

/* Right checksums wherever there is room for them. */
static void fix_checksums(uint8_t *data, size_t size)
{
    static const char KEY[] = "\"" SAFETENSORS_CRC_PREFIX;
    char *header = (char *)data, hex[16];
    if (size < 16) {
        return;
    }
    if (header_size(data) > size - 8) {
        const uint64_t n = (size - 8) / 64 * 64 + 56 <= size - 8 ? (size - 8) / 64 * 64 + 56 : 56;
        memcpy(data, &n, sizeof n);
    }
    if (header_size(data) > size - 8) {
        return;
    }
    const size_t whole = 8 + (size_t)header_size(data), left = size - whole;
    const char *end = header + whole;
    for (char *at = memmem(header, whole, KEY, sizeof KEY - 1); at != NULL;
         at = memmem(at + 1, (size_t)(end - at - 1), KEY, sizeof KEY - 1)) {
        const char *name = at + sizeof KEY - 1;
        const char *quote = memchr(name, '"', (size_t)(end - name));
        size_t place[2];
        if (quote == NULL || end - quote < 12 ||
            find_place(header, whole, name, (size_t)(quote - name), place) != 0 ||
            place[0] > place[1] || place[1] > left) {
            continue;
        }
        snprintf(hex, sizeof hex, "%08x",
                 file_crc32(0, data + whole + place[0], place[1] - place[0]));
        memcpy(header + (quote - header) + 3, hex, 8);
    }
    const char *digits = safetensors_crc_digits(header, whole);
    if (digits != NULL) {
        snprintf(hex, sizeof hex, "%08x", safetensors_header_crc(header, whole, digits));
        memcpy(header + (digits - header), hex, 8);
    }
}

/* A text mutated, as one that a file may hold; in the arena. */
static const char *mutate_text(const char *text, size_t most, struct arena *arena)
{
    const size_t length = strlen(text);
    char *copy = arena_alloc(arena, most + 1);
    CHECK(copy != NULL);
    memcpy(copy, text, length < most ? length : most);
    size_t mutated = LLVMFuzzerMutate((uint8_t *)copy, length < most ? length : most, most);
    for (size_t i = 0; i < mutated; i++) {
        copy[i] = copy[i] == '\0' ? '0' : copy[i];
    }
    for (size_t good = text_utf8_prefix(copy, mutated); good < mutated;
         good = text_utf8_prefix(copy, mutated)) {
        copy[good] = '?';
    }
    copy[mutated] = '\0';
    return copy;
}

struct parts {
    struct metadata_entry metadata[64];
    struct tensor_entry tensors[64];
    int metadata_count, tensor_count;
};

static void mutate_tensor(struct parts *parts, struct dice *dice, struct arena *arena)
{
    if (parts->tensor_count == 0) {
        return;
    }
    struct tensor_entry *t = &parts->tensors[dice_below(dice, (unsigned)parts->tensor_count)];
    struct tensor_entry *other = &parts->tensors[dice_below(dice, (unsigned)parts->tensor_count)];
    const unsigned how = dice_below(dice, 6);
    if (how == 0) {
        t->name = mutate_text(t->name, 255, arena);
    } else if (how == 1) {
        const struct tensor_entry swap = *t;
        *t = *other;
        *other = swap;
    } else if (how == 2) {
        const char *name = t->name;
        t->name = other->name;
        other->name = name;
    } else if (how == 3 && t->rank > 0 && t->rank < SAFETENSORS_DIMENSIONS) {
        t->shape[t->rank++] = 1;
    } else if (how == 4 && t->rank > 1) {
        const size_t first = t->shape[0];
        t->shape[0] = t->shape[1];
        t->shape[1] = first;
    } else if (t->size <= 1 << 12) {
        float *values = arena_alloc(arena, t->size * sizeof *values);
        CHECK(values != NULL);
        memcpy(values, t->data, t->size * sizeof *values);
        LLVMFuzzerMutate((uint8_t *)values, t->size * sizeof *values, t->size * sizeof *values);
        for (size_t i = 0; i < t->size; i++) {
            values[i] = isfinite(values[i]) ? values[i] : 1;
        }
        t->data = values;
    }
}

static void mutate_parts(struct parts *parts, struct dice *dice, struct arena *arena)
{
    const unsigned how = dice_below(dice, 16);
    if (how < 12 && parts->metadata_count > 0) {
        unsigned k = dice_below(dice, (unsigned)parts->metadata_count);
        for (int i = 0; i < parts->metadata_count && how < 7; i++) {
            k = strcmp(parts->metadata[i].key, "config") == 0 ? (unsigned)i : k;
        }
        parts->metadata[k].value = mutate_text(parts->metadata[k].value, 4096, arena);
    } else if (how == 12 && parts->metadata_count > 0) {
        const unsigned k = dice_below(dice, (unsigned)parts->metadata_count);
        parts->metadata[k].key = mutate_text(parts->metadata[k].key, 64, arena);
    } else if (how == 13 && parts->tensor_count > 0) {
        parts->tensor_count--;
    } else {
        mutate_tensor(parts, dice, arena);
    }
}

/* One of the file's parts mutated, and all written; 0 when the file cannot be read. */
static size_t mutate_model(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    const uint8_t numbers[] = {(uint8_t)(seed >> 8), (uint8_t)(seed >> 16), (uint8_t)(seed >> 24),
                               (uint8_t)(seed >> 4)};
    struct dice dice = {numbers, sizeof numbers, 0};
    struct safetensors st;
    struct arena arena = {0};
    struct parts parts;
    struct error e = {.offset = -1};
    size_t made = 0;
    fuzz_no_files();
    fuzz_file("a.bin", data, size);
    if (safetensors_read(&st, "a.bin", "cnntrain.format", &e) != 0) {
        return 0;
    }
    if (st.metadata_count <= 64 && st.tensor_count <= 64) {
        parts.metadata_count = st.metadata_count;
        parts.tensor_count = st.tensor_count;
        memcpy(parts.metadata, st.metadata, (size_t)st.metadata_count * sizeof *st.metadata);
        memcpy(parts.tensors, st.tensors, (size_t)st.tensor_count * sizeof *st.tensors);
        mutate_parts(&parts, &dice, &arena);
        if (safetensors_write(FUZZ_TARGET("b.bin"), parts.metadata, parts.metadata_count,
                              parts.tensors, parts.tensor_count, &e) == 0 &&
            fuzz_written()->size <= most) {
            made = fuzz_written()->size;
            memcpy(data, fuzz_written()->data, made);
        }
    }
    safetensors_free(&st);
    arena_free(&arena);
    return made;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    const size_t made = seed % 2 == 0 ? mutate_model(data, size, most, seed) : 0;
    if (made > 0) {
        return made;
    }
    const size_t mutated = LLVMFuzzerMutate(data, size, most);
    if (seed % 4 == 1) {
        fix_checksums(data, mutated);
    }
    return mutated;
}
