/* safetensors_facts.c: see safetensors_facts.h. */
#include "base/safetensors_facts.h"

#include "base/safetensors_header.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define DTYPE "\":{\"dtype\":\"F32\",\"shape\":["
#define OFFSETS "],\"data_offsets\":["
#define ROOM ((size_t)2 * SAFETENSORS_TENSORS) /* entries and checksums */

struct collector {
    struct facts *facts;
    struct arena *arena;
    const char *file, *end;
};

/* The string that ends before `end`, a quote: its first byte, or NULL when there is none. */
static const char *string_start(const struct collector *c, const char *end)
{
    const char *at = end;

    while (at > c->file + 8 && at[-1] != '"') {
        at--;
    }
    return at > c->file + 9 && at[-2] != '\\' ? at : NULL;
}

static struct fact *add_fact(struct collector *c, const char *name, size_t length)
{
    char copy[SAFETENSORS_NAME_BYTES + 1];

    if (length >= sizeof copy || c->facts->count == ROOM) {
        return NULL;
    }
    memcpy(copy, name, length);
    copy[length] = '\0';
    if (!safetensors_name_valid(copy)) {
        return NULL;
    }
    struct fact *fact = &c->facts->items[c->facts->count];

    *fact = (struct fact){.tensor = {.rank = -1, .begin = -1}, .fits = 1};
    fact->tensor.name = arena_strndup(c->arena, copy, length);
    c->facts->count += fact->tensor.name != NULL;
    return fact->tensor.name != NULL ? fact : NULL;
}

int facts_crc(const char *text, size_t length, uint32_t *crc)
{
    static const char digits[] = "0123456789abcdef";

    *crc = 0;
    for (size_t i = 0; i < length; i++) {
        const char *digit = text[i] != '\0' ? strchr(digits, text[i]) : NULL;

        if (digit == NULL) {
            return -1;
        }
        *crc = *crc << 4 | (uint32_t)(digit - digits);
    }
    return length == 8 ? 0 : -1;
}

static void add_metadata(struct collector *c, const char *key, size_t key_length, const char *value,
                         size_t length)
{
    /* With its quotes: jansson knows the escapes. */
    json_t *text = json_loadb(value - 1, length + 2, JSON_DECODE_ANY, NULL);

    if (text != NULL && c->facts->metadata_count < SAFETENSORS_METADATA) {
        struct metadata_entry *entry = &c->facts->metadata[c->facts->metadata_count];

        entry->key = arena_strndup(c->arena, key, key_length);
        entry->value = arena_strndup(c->arena, json_string_value(text), json_string_length(text));
        c->facts->metadata_count += entry->key != NULL && entry->value != NULL;
    }
    json_decref(text);
}

static void add_pair(struct collector *c, const char *key, size_t key_length, const char *value,
                     size_t length)
{
    static const char prefix[] = SAFETENSORS_CRC_PREFIX;
    const size_t prefix_length = sizeof prefix - 1;

    if (key_length > prefix_length && memcmp(key, prefix, prefix_length) == 0) {
        struct fact *fact = add_fact(c, key + prefix_length, key_length - prefix_length);

        if (fact != NULL) {
            fact->checked = facts_crc(value, length, &fact->crc) == 0;
        }
    } else if (!(key_length == 5 && memcmp(key, "dtype", 5) == 0)) {
        add_metadata(c, key, key_length, value, length);
    }
}

static void find_pairs(struct collector *c)
{
    const char *at = c->file + 8;

    while ((at = memmem(at, (size_t)(c->end - at), "\":\"", 3)) != NULL) {
        const char *key = string_start(c, at), *value = at + 3, *stop = value;

        while (stop < c->end && *stop != '"') {
            stop += 1 + (*stop == '\\');
        }
        if (key != NULL && stop < c->end) {
            add_pair(c, key, (size_t)(at - key), value, (size_t)(stop - value));
        }
        at += 2; /* to the value's quote: should one be lost, it may be the next key's */
    }
}

/* Numbers between commas up to a ']', at most `most`. How many, or -1; *at is moved behind them. */
static int read_numbers(const char **at, const char *end, size_t *numbers, int most)
{
    int count = 0;

    if (*at < end && **at == ']') {
        return 0;
    }
    while (count < most) {
        const char *start = *at;
        uint64_t value;

        while (*at < end && **at >= '0' && **at <= '9') {
            ++*at;
        }
        if (*at == end || text_to_unsigned(start, (size_t)(*at - start), &value) != 0) {
            return -1;
        }
        numbers[count++] = value;
        if (**at == ']') {
            return count;
        }
        if (**at != ',') {
            return -1;
        }
        ++*at;
    }
    return -1;
}

/* Behind `"name":{"dtype":"F32","shape":[`. */
static int read_entry(struct collector *c, const char *name, size_t length, const char *at)
{
    size_t shape[SAFETENSORS_DIMENSIONS] = {0}, places[2], elements;
    const int rank = read_numbers(&at, c->end, shape, SAFETENSORS_DIMENSIONS);

    if (rank < 0 || (size_t)(c->end - at) < strlen(OFFSETS) ||
        memcmp(at, OFFSETS, strlen(OFFSETS)) != 0 ||
        safetensors_shape_elements(shape, rank, &elements) != 0) {
        return -1;
    }
    at += strlen(OFFSETS);
    if (read_numbers(&at, c->end, places, 2) != 2 || places[1] > SAFETENSORS_FILE_BYTES ||
        places[0] > places[1] || places[0] % sizeof(float) != 0) {
        return -1;
    }
    struct fact *fact = add_fact(c, name, length);

    if (fact != NULL) {
        fact->placed = 1;
        fact->at = (size_t)(name - 1 - c->file);
        fact->fits = places[1] - places[0] == elements * sizeof(float);
        fact->tensor.rank = rank;
        memcpy(fact->tensor.shape, shape, sizeof shape);
        fact->tensor.begin = (long long)places[0];
        fact->tensor.end = (long long)places[1];
    }
    return 0;
}

static void find_entries(struct collector *c)
{
    const char *at = c->file + 8;

    while ((at = memmem(at, (size_t)(c->end - at), DTYPE, strlen(DTYPE))) != NULL) {
        const char *name = string_start(c, at);

        if (name != NULL) {
            read_entry(c, name, (size_t)(at - name), at + strlen(DTYPE));
        }
        at += strlen(DTYPE);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct fact *)a)->tensor.name, ((const struct fact *)b)->tensor.name);
}

static int by_place(const void *a, const void *b)
{
    const long long p = ((const struct fact *)a)->tensor.begin,
                    q = ((const struct fact *)b)->tensor.begin;

    if ((p < 0) != (q < 0)) {
        return p < 0 ? 1 : -1;
    }
    return p != q ? (p < q ? -1 : 1) : by_name(a, b);
}

void facts_sort(struct facts *facts)
{
    qsort(facts->items, facts->count, sizeof *facts->items, by_place);
}

/* Entry and checksum of the same name become one. */
static void join(struct facts *facts)
{
    size_t count = 0;

    qsort(facts->items, facts->count, sizeof *facts->items, by_name);
    for (size_t i = 0; i < facts->count; i++) {
        struct fact *last = count > 0 ? &facts->items[count - 1] : NULL, next = facts->items[i];

        if (last == NULL || by_name(last, &next) != 0) {
            facts->items[count++] = next;
            continue;
        }
        const struct fact *entry = last->placed ? last : &next,
                          *checksum = last->checked ? last : &next;
        struct fact both = *entry;

        both.checked = checksum->checked;
        both.crc = checksum->crc;
        *last = both;
    }
    facts->count = count;
}

int facts_collect(struct facts *facts, const char *file, size_t size, struct arena *arena,
                  struct error *e)
{
    struct collector c = {.facts = facts, .arena = arena, .file = file, .end = file + size};

    *facts = (struct facts){.items = arena_alloc(arena, ROOM * sizeof *facts->items),
                            .metadata =
                                arena_alloc(arena, SAFETENSORS_METADATA * sizeof *facts->metadata)};
    if (facts->items == NULL || facts->metadata == NULL) {
        return error_memory(e, ROOM * sizeof *facts->items);
    }
    find_pairs(&c);
    find_entries(&c);
    join(facts);
    facts_sort(facts);
    return 0;
}
