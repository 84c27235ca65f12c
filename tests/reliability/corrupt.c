/* corrupt.c: damage a file in every way of one sort and let cnntrain's readers judge each result;
 * for corruption.py.
 *
 *     corrupt READER DAMAGE FILE STEP [LABELS]
 *
 * READER: model (model_load), container (safetensors_read), verify (cnnview --verify, which must
 * also say where the damage is), idx (dataset_load, with LABELS), png (image_decode). DAMAGE: bits
 * (each bit flipped), cuts (each shorter length), ends (64 lengths more), bytes (each other value
 * of each byte of the header), swaps (the data of two tensors of one shape).
 *
 * The file is changed in memory (a memfd), and what it says is compared with what the unspoiled
 * file said: "same" when nothing that a user gets has changed. STEP: only each so manieth damage is
 * judged, 1: all. Prints a line for each damage that is accepted, "accepted WHERE WHAT same|other",
 * and last "tried N refused N same N other N". A refusal must be an error of the file's kind with a
 * message; anything else ends the program with 2. */
#include "base/file.h"
#include "base/safetensors.h"
#include "data/dataset.h"
#include "data/image.h"
#include "train/model.h"
#include "train/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct subject {
    const char *labels;
    unsigned char *bytes; /* the unspoiled file, and what is made of it */
    size_t size;
    char path[64]; /* of the memfd */
    int fd;
    uint32_t same; /* what the unspoiled file says, as a checksum */
    size_t data;   /* of a model: where its tensors begin */
    struct safetensors good;
};

struct reader {
    const char *name;
    enum error_kind kind;
    /* 0 and what it says, or -1. */
    int (*read)(struct subject *s, size_t size, uint32_t *says, struct error *e);
};

static void give_up(const char *what)
{
    fprintf(stderr, "corrupt: %s\n", what);
    exit(2);
}

static uint32_t add(uint32_t crc, const void *data, size_t size)
{
    return file_crc32(crc, data, size);
}

/* ---- readers ---- */

static int read_model(struct subject *s, size_t size, uint32_t *says, struct error *e)
{
    struct model model;
    struct text config = {0};
    (void)size;
    TRY(model_load(&model, s->path, e));
    settings_emit(&model.settings, 1, &config);
    *says = add(0, config.data, config.length);
    *says = add(*says, model.parameters, model.graph.parameters * sizeof(float));
    for (int i = 0; i < model.classes.count; i++) {
        *says = add(*says, model.classes.values[i], strlen(model.classes.values[i]) + 1);
    }
    *says = add(*says, &model.input, sizeof model.input);
    *says = add(*says, &model.epoch, sizeof model.epoch);
    *says = add(*says, &model.step, sizeof model.step);
    text_free(&config);
    model_free(&model);
    return 0;
}

static uint32_t container_says(const struct safetensors *st)
{
    uint32_t says = 0;
    for (int i = 0; i < st->metadata_count; i++) {
        says = add(says, st->metadata[i].key, strlen(st->metadata[i].key) + 1);
        says = add(says, st->metadata[i].value, strlen(st->metadata[i].value) + 1);
    }
    for (int i = 0; i < st->tensor_count; i++) {
        const struct tensor_entry *t = &st->tensors[i];
        says = add(says, t->name, strlen(t->name) + 1);
        says = add(says, t->shape, sizeof t->shape);
        says = add(says, t->data, t->size * sizeof(float));
    }
    return says;
}

static int read_container(struct subject *s, size_t size, uint32_t *says, struct error *e)
{
    struct safetensors st;
    (void)size;
    TRY(safetensors_read(&st, s->path, "cnntrain.format", e));
    *says = container_says(&st);
    safetensors_free(&st);
    return 0;
}

static int read_idx(struct subject *s, size_t size, uint32_t *says, struct error *e)
{
    struct dataset set;
    const struct source source = {.images = s->path, .labels = s->labels};
    (void)size;
    TRY(dataset_load(&set, &source, NULL, e));
    *says = set.crc32;
    dataset_free(&set);
    return 0;
}

static int read_png(struct subject *s, size_t size, uint32_t *says, struct error *e)
{
    struct image_decoder decoder = {0};
    struct image image;
    /* A copy of exactly this size: a read behind its end is seen by the sanitizer. */
    unsigned char *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, s->bytes, size);
    const int status = image_decode(&image, "image.png", copy, size, &decoder, e);
    if (status == 0) {
        const int shape[] = {image.c, image.h, image.w};
        *says = add(add(0, shape, sizeof shape), image.pixels,
                    (size_t)image.c * (size_t)image.h * (size_t)image.w);
    }
    image_decoder_free(&decoder);
    free(copy);
    return status;
}

/* The tensor that holds this byte of the unspoiled file, or NULL. */
static const struct tensor_entry *tensor_at(const struct subject *s, size_t at)
{
    for (int i = 0; i < s->good.tensor_count; i++) {
        const struct tensor_entry *t = &s->good.tensors[i];
        if (at >= (size_t)t->offset && at < (size_t)t->offset + t->size * sizeof(float)) {
            return t;
        }
    }
    return NULL;
}

static int count_of(const char *text, const char *word)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        count++;
    }
    return count;
}

/* What --verify must say of the one bit that differs from the unspoiled file, if one does: of a
 * tensor's bit that this tensor is damaged, and all others intact; of the header's that at most one
 * tensor is not known to be intact. */
static void check_report(const struct subject *s, size_t size, const struct error_list *errors,
                         const char *report)
{
    const int intact = count_of(report, " intact     "), tensors = s->good.tensor_count;
    size_t at = 0;
    while (at < size && s->bytes[at] == s->bytes[s->size + at]) {
        at++;
    }
    const struct tensor_entry *t = tensor_at(s, at);
    if (size != s->size || at == size) {
        return;
    }
    if (t != NULL) {
        char name[300];
        int named = 0;
        snprintf(name, sizeof name, "'%s'", t->name);
        for (int i = 0; i < errors->count; i++) {
            named += strstr(errors->items[i].message, name) != NULL;
        }
        if (named == 0 || intact != tensors - 1 || count_of(report, " damaged    ") != 1) {
            give_up("a damaged tensor is not told from the others");
        }
        return;
    }
    if (intact < tensors - 1) {
        fprintf(stderr, "byte %zu: %s", at, report);
        give_up("a bit of the header makes more than one tensor look damaged");
    }
}

static int read_verify(struct subject *s, size_t size, uint32_t *says, struct error *e)
{
    static struct error_list errors;
    struct text report = {0};
    errors = (struct error_list){0};
    const int status = verify_file(s->path, 1, &report, &errors);
    if (report.failed || report.data == NULL || (status == 0) != (errors.total == 0)) {
        give_up("verify says nothing");
    }
    *says = s->same;
    if (status != 0) {
        *e = errors.items[0];
        for (int i = 0; i < errors.count; i++) {
            if (errors.items[i].kind != ERROR_MODEL) {
                give_up(errors.items[i].message);
            }
        }
        check_report(s, size, &errors, report.data);
    } else if (read_model(s, size, says, e) != 0) {
        give_up("verify takes what model_load refuses");
    }
    text_free(&report);
    return status;
}

static const struct reader READERS[] = {
    {"model", ERROR_MODEL, read_model},   {"container", ERROR_MODEL, read_container},
    {"verify", ERROR_MODEL, read_verify}, {"idx", ERROR_DATA, read_idx},
    {"png", ERROR_DATA, read_png},
};

/* ---- damage ---- */

struct trial {
    struct subject *s;
    const struct reader *reader;
    long long step, seen, tried, refused, same, other;
};

/* Judge the file as it is now in s->bytes, of which [from, from + count) have changed, and `size`
 * are in use. */
static void judge(struct trial *t, size_t size, size_t from, size_t count, size_t where,
                  unsigned what)
{
    struct subject *s = t->s;
    struct error e = {.offset = -1};
    uint32_t says = 0;
    if (t->seen++ % t->step != 0) {
        return;
    }
    if (pwrite(s->fd, s->bytes + from, count, (off_t)from) != (ssize_t)count ||
        ftruncate(s->fd, (off_t)size) != 0) {
        give_up("cannot write the file in memory");
    }
    t->tried++;
    if (t->reader->read(s, size, &says, &e) == 0) {
        printf("accepted %zu %u %s\n", where, what, says == s->same ? "same" : "other");
        *(says == s->same ? &t->same : &t->other) += 1;
        return;
    }
    if (e.kind != t->reader->kind || e.message[0] == '\0') {
        fprintf(stderr, "%zu, %u: kind %d: %s\n", where, what, (int)e.kind, e.message);
        give_up("refused for another reason than that the file is damaged");
    }
    t->refused++;
}

static void restore(struct trial *t, size_t from, size_t count)
{
    struct subject *s = t->s;
    memcpy(s->bytes + from, s->bytes + s->size + from, count);
    if (pwrite(s->fd, s->bytes + from, count, (off_t)from) != (ssize_t)count ||
        ftruncate(s->fd, (off_t)s->size) != 0) {
        give_up("cannot write the file in memory");
    }
}

static void flip_bits(struct trial *t)
{
    for (size_t at = 0; at < t->s->size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            t->s->bytes[at] ^= (unsigned char)(1u << bit);
            judge(t, t->s->size, at, 1, at, bit);
            restore(t, at, 1);
        }
    }
}

static void cut(struct trial *t)
{
    for (size_t size = 0; size < t->s->size; size++) {
        judge(t, size, 0, size, size, 0);
        restore(t, 0, t->s->size);
    }
}

/* By 1 to 16 bytes: zeros, spaces, the file's own beginning, its own end. */
static void extend(struct trial *t)
{
    struct subject *s = t->s;
    for (unsigned kind = 0; kind < 4; kind++) {
        for (size_t more = 1; more <= 16; more++) {
            unsigned char kept[16]; /* behind the file lies its unspoiled copy */
            memcpy(kept, s->bytes + s->size, sizeof kept);
            for (size_t i = 0; i < more; i++) {
                const unsigned char byte[] = {0, ' ', kept[i], s->bytes[s->size - more + i]};
                s->bytes[s->size + i] = byte[kind];
            }
            judge(t, s->size + more, s->size, more, more, kind);
            memcpy(s->bytes + s->size, kept, sizeof kept);
            restore(t, 0, s->size);
        }
    }
}

/* Each other value of each byte of a model's header. */
static void change_bytes(struct trial *t)
{
    for (size_t at = 0; at < t->s->data; at++) {
        for (unsigned difference = 1; difference < 256; difference++) {
            t->s->bytes[at] ^= (unsigned char)difference;
            judge(t, t->s->size, at, 1, at, t->s->bytes[at]);
            restore(t, at, 1);
        }
    }
}

static void swap_tensors(struct trial *t)
{
    struct subject *s = t->s;
    for (int i = 0; i < s->good.tensor_count; i++) {
        for (int k = 0; k < i; k++) {
            const struct tensor_entry *a = &s->good.tensors[i], *b = &s->good.tensors[k];
            const size_t size = a->size * sizeof(float), at = (size_t)a->offset,
                         to = (size_t)b->offset;
            if (a->rank != b->rank || memcmp(a->shape, b->shape, sizeof a->shape) != 0 ||
                memcmp(a->data, b->data, size) == 0) {
                continue; /* nothing changes where both hold the same, such as zeros */
            }
            memcpy(s->bytes + at, b->data, size);
            memcpy(s->bytes + to, a->data, size);
            judge(t, s->size, 0, s->size, (size_t)i, (unsigned)k);
            restore(t, 0, s->size);
        }
    }
}

static const struct damage {
    const char *name;
    void (*work)(struct trial *t);
} DAMAGES[] = {
    {"bits", flip_bits},     {"cuts", cut},           {"ends", extend},
    {"bytes", change_bytes}, {"swaps", swap_tensors},
};

static void open_subject(struct subject *s, const char *path)
{
    struct bytes file;
    struct error e;
    if (file_read(&file, path, (size_t)1 << 26, ERROR_DATA, &e) != 0) {
        give_up(e.message);
    }
    s->size = file.size;
    s->bytes = malloc(2 * file.size + 64);
    s->fd = memfd_create("subject", 0);
    if (s->bytes == NULL || s->fd < 0) {
        give_up("no memory");
    }
    memcpy(s->bytes, file.data, file.size);
    memcpy(s->bytes + file.size, file.data, file.size);
    bytes_free(&file);
    snprintf(s->path, sizeof s->path, "/proc/self/fd/%d", s->fd);
    if (write(s->fd, s->bytes, s->size) != (ssize_t)s->size) {
        give_up("cannot write the file in memory");
    }
    if (safetensors_read(&s->good, s->path, "cnntrain.format", &e) == 0) {
        uint64_t n;
        memcpy(&n, s->bytes, sizeof n);
        s->data = (size_t)n + 8;
    }
}

int main(int argc, char **argv)
{
    struct subject s = {.labels = argc > 5 ? argv[5] : NULL};
    struct trial t = {.s = &s};
    struct error e = {.offset = -1};
    void (*work)(struct trial * t) = NULL;
    if (argc < 5 || text_to_integer(argv[4], strlen(argv[4]), &t.step) != 0 || t.step < 1) {
        give_up("corrupt READER DAMAGE FILE STEP [LABELS]");
    }
    for (size_t i = 0; i < sizeof READERS / sizeof *READERS; i++) {
        t.reader = strcmp(argv[1], READERS[i].name) == 0 ? &READERS[i] : t.reader;
    }
    for (size_t i = 0; i < sizeof DAMAGES / sizeof *DAMAGES; i++) {
        work = strcmp(argv[2], DAMAGES[i].name) == 0 ? DAMAGES[i].work : work;
    }
    if (t.reader == NULL || work == NULL) {
        give_up("no such reader or damage");
    }
    open_subject(&s, argv[3]);
    if (t.reader->read(&s, s.size, &s.same, &e) != 0) {
        give_up(e.message); /* good before it is damaged */
    }
    work(&t);
    printf("tried %lld refused %lld same %lld other %lld\n", t.tried, t.refused, t.same, t.other);
    safetensors_free(&s.good);
    close(s.fd);
    free(s.bytes);
    return 0;
}
