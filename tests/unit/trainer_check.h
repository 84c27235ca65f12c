/* trainer_check.h: for the tests of src/train: a small data set, trainers made from a config's
 * text, and files of theirs with something changed. */
#ifndef CNNTRAIN_TESTS_TRAINER_CHECK_H
#define CNNTRAIN_TESTS_TRAINER_CHECK_H

#include "../data_files.h"
#include "train/checkpoint.h"

#include <fcntl.h>

/* 40 images of 6 x 6 in three classes, drawn by a simple congruence from `seed`. */
static inline void data_write(const char *name, unsigned seed)
{
    struct buffer images = {0}, labels = {0};
    char path[200];
    put_idx_header(&images, 8, 3, (const uint32_t[]){40, 6, 6});
    put_idx_header(&labels, 8, 1, (const uint32_t[]){40});
    for (int i = 0; i < 40 * 36; i++) {
        seed = seed * 1664525u + 1013904223u;
        put(&images, &(unsigned char){(unsigned char)(seed >> 24)}, 1);
    }
    for (int i = 0; i < 40; i++) {
        put(&labels, &(unsigned char){(unsigned char)(i % 3)}, 1);
    }
    snprintf(path, sizeof path, "%s-images-idx3-ubyte", name);
    write_file(path, images.data, images.size);
    snprintf(path, sizeof path, "%s-labels-idx1-ubyte", name);
    write_file(path, labels.data, labels.size);
    buffer_free(&images);
    buffer_free(&labels);
}

/* Line 3 holds the data, 4 to 6 the network, 7 and on the training. */
#define CONFIG_TEXT                                                                                \
    "name: small\n"                                                                                \
    "seed: 7\n"                                                                                    \
    "data: {train: a-images-idx3-ubyte, validation: 0.25}\n"                                       \
    "network:\n"                                                                                   \
    "  - conv: {filters: 2, kernel: 3, activation: tanh}\n"                                        \
    "  - dense: {units: 3}\n"                                                                      \
    "train:\n"                                                                                     \
    "  epochs: 3\n"                                                                                \
    "  batch_size: 8\n"                                                                            \
    "  optimizer: {type: adam, lr: 0.01}\n"                                                        \
    "output: out\n"

struct session {
    struct trainer trainer;
    struct output_dir dir;
    struct error e;
};

/* `text` with the first `from` in it replaced by `to`. */
static inline char *text_with(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    const size_t size = strlen(text) + strlen(to) + 1;
    char *result = malloc(size);
    assert_non_null(result);
    snprintf(result, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return result;
}

/* A trainer that is ready to start or resume in the folder `out`, locked. */
static inline void session_open_at(struct session *s, const char *text,
                                   const struct kernels *kernels)
{
    static struct error_list errors;
    struct arena arena = {0};
    struct settings settings;
    memset(&errors, 0, sizeof errors);
    *s = (struct session){.e = {.offset = -1}};
    char *copy = arena_strndup(&arena, text, strlen(text)); /* nodes point into it */
    const struct yaml *root = yaml_parse(&arena, "t.yaml", copy, strlen(copy), &errors);
    if (!root || settings_decode(&settings, root, "t", &arena, &errors) != 0 ||
        trainer_prepare(&s->trainer, &settings, &arena, kernels, 2, &errors) != 0) {
        fail_msg("%s", errors.items[0].message);
    }
    assert_int_equal(output_dir_open(&s->dir, "out", &s->e), 0);
}

static inline void session_open(struct session *s, const char *text)
{
    session_open_at(s, text, kernels_select(NULL));
}

static inline void session_close(struct session *s)
{
    output_dir_close(&s->dir);
    trainer_free(&s->trainer);
}

static inline void session_start(struct session *s, const char *text)
{
    session_open(s, text);
    if (trainer_start(&s->trainer, &s->dir, &s->e) != 0) {
        fail_msg("%s", s->e.message);
    }
}

/* Train to the end. */
static inline void session_run(struct session *s)
{
    static const volatile int no_signal;
    struct progress progress;
    progress_open(&progress, stderr, PROGRESS_NEVER, 1, 0);
    if (trainer_run(&s->trainer, &s->dir, &progress, &no_signal, &s->e) != 0) {
        fail_msg("%s", s->e.message);
    }
}

/* `count` batches of the epoch under way, not over its end. */
static inline void session_batches(struct session *s, int count)
{
    struct trainer *t = &s->trainer;
    trainer_shuffle(t);
    for (int i = 0; i < count; i++) {
        const size_t first = (size_t)t->position.batch * 8;
        assert_int_equal(
            trainer_batch(t, first, t->train.count - first < 8 ? t->train.count - first : 8, &s->e),
            0);
    }
}

/* ---- files with something changed ---- */

/* Metadata: `key` is set to `value`, or removed where that is NULL. The tensor `tensor` is called
 * `name`, or removed where that is NULL; with `flat` it has rank 1, with `shorter` also an element
 * less. A NULL `key` or `tensor` changes nothing. */
struct change {
    const char *key, *value;
    const char *tensor, *name;
    int flat, shorter;
};

/* Read a file of ours, apply the change, and write it again, checksums and all, under the same
 * name. */
static inline void change_file(const char *folder, const char *name, const struct change *change)
{
    struct safetensors st;
    struct error e;
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (safetensors_read(&st, path, "cnntrain.format", &e) != 0) {
        fail_msg("%s", e.message);
    }
    struct metadata_entry *metadata = calloc((size_t)st.metadata_count + 1, sizeof *metadata);
    struct tensor_entry *tensors = calloc((size_t)st.tensor_count + 1, sizeof *tensors);
    int metadata_count = 0, tensor_count = 0;
    assert_true(metadata && tensors);
    for (int i = 0; i < st.metadata_count; i++) {
        if (!change->key || strcmp(st.metadata[i].key, change->key) != 0) {
            metadata[metadata_count++] = st.metadata[i];
        }
    }
    if (change->key && change->value) {
        metadata[metadata_count++] = (struct metadata_entry){change->key, change->value};
    }
    for (int i = 0; i < st.tensor_count; i++) {
        struct tensor_entry tensor = st.tensors[i];
        if (change->tensor && strcmp(tensor.name, change->tensor) == 0) {
            tensor.name = change->name;
            tensor.size -= (size_t)change->shorter;
            if (change->flat || change->shorter) {
                tensor.rank = 1;
                tensor.shape[0] = tensor.size;
            }
        }
        if (tensor.name) {
            tensors[tensor_count++] = tensor;
        }
    }
    const int dir = open(folder, O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    if (safetensors_write(&(struct file_target){dir, name, path, NULL}, metadata, metadata_count,
                          tensors, tensor_count, &e) != 0) {
        fail_msg("%s", e.message);
    }
    close(dir);
    free(metadata);
    free(tensors);
    safetensors_free(&st);
}

static inline void copy_file(const char *from, const char *to)
{
    struct bytes bytes;
    assert_int_equal(file_read(&bytes, from, 1 << 24, ERROR_IO, NULL), 0);
    write_file(to, bytes.data, bytes.size);
    bytes_free(&bytes);
}

#endif
