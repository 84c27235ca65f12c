/* test_no_allocation.c: once a run has begun, batches and validation take no memory: everything was
 * planned. Counted are all calls of malloc and its like, of any thread; by the sanitizer's hook
 * where there is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../image_files.h"
#include "trainer_check.h"

static int allocations; /* atomic */

#if defined(__SANITIZE_ADDRESS__)
int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void *, size_t),
                                              void (*released)(const volatile void *));
static void count_one(const volatile void *p, size_t size)
{
    (void)p, (void)size;
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
}
static void count_none(const volatile void *p) { (void)p; }
static void begin_to_count(void)
{
    assert_int_not_equal(__sanitizer_install_malloc_and_free_hooks(count_one, count_none), 0);
}
#elif defined(__GLIBC__)
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void *malloc(size_t size)
{
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_malloc(size);
}
void *calloc(size_t n, size_t size)
{
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t size)
{
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_realloc(p, size);
}
void *aligned_alloc(size_t alignment, size_t size)
{
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_memalign(alignment, size);
}
static void begin_to_count(void) {}
#else
static void begin_to_count(void) { skip(); }
#endif

static int count_nothing(void *user, const struct evaluated_tile *tile)
{
    *(double *)user += (double)tile->loss[0];
    return 0;
}

/* What a config has instead of CONFIG_TEXT's network and training, by what it exercises. */
static const struct {
    const char *what, *from, *to;
} VARIANTS[] = {
    {"plain", "small", "small"},
    {"dropout", "  - dense:", "  - dropout: 0.5\n  - dense:"},
    {"batchnorm", "  - dense:", "  - batchnorm\n  - dense:"},
    {"augmentation", "network:",
     "augment: [rotate: 10, translate: 0.1, elastic, brightness: 0.2, noise: 0.1, mixup: 0.4]\n"
     "network:"},
    {"averages and a clipped gradient", "  epochs: 3\n",
     "  clip_norm: 1\n  accumulate: 2\n  ema: 0.9\n  regularize: {l1: 0.001, max_norm: 1}\n"
     "  epochs: 3\n"},
#ifndef __SANITIZE_ADDRESS__ /* where room.c takes each piece by itself */
    {"images decoded as they are needed", "train: a-images-idx3-ubyte, validation: 0.25",
     "train: set, validation: 0.25, memory: 1, input: {height: 6, width: 6, channels: 1, fit: "
     "crop}"},
#endif
    {"class weights", "  epochs: 3\n", "  class_weights: balanced\n  epochs: 3\n"},
};

/* Forty colour images of many sizes in three classes. */
static void write_folder(void)
{
    static const char *const folders[] = {"set", "set/0", "set/1", "set/2"};
    for (int i = 0; i < 4; i++) {
        mkdir(folders[i], 0700);
    }
    for (int i = 0; i < 40; i++) {
        const int h = 7 + i % 11, w = 9 + i % 7;
        struct buffer file = {0};
        uint8_t pixels[3 * 17 * 15];
        char path[64];
        for (size_t k = 0; k < sizeof pixels; k++) {
            pixels[k] = (uint8_t)(k * k / 7 + (size_t)i * k);
        }
        put_simple_png(&file, pixels, 3, h, w);
        snprintf(path, sizeof path, "set/%d/%d.png", i % 3, i);
        write_file(path, file.data, file.size);
        buffer_free(&file);
    }
}

static void test_no_allocation(void **state)
{
    (void)state;
    begin_to_count();
    data_write("a", 3);
    write_folder();
    int before = __atomic_load_n(&allocations, __ATOMIC_RELAXED);
    void *volatile one = malloc(1);
    free(one);
    assert_true(__atomic_load_n(&allocations, __ATOMIC_RELAXED) > before); /* they are counted */
    for (size_t i = 0; i < sizeof VARIANTS / sizeof *VARIANTS; i++) {
        struct session s;
        char *text = text_with(CONFIG_TEXT, VARIANTS[i].from, VARIANTS[i].to);
        double loss = 0;
        session_start(&s, text);
        for (int epoch = 0; epoch < 3; epoch++) { /* in the first the threads are made */
            before = __atomic_load_n(&allocations, __ATOMIC_RELAXED);
            s.trainer.position.batch = 0;
            session_batches(&s, 4);
            s.trainer.position.epoch++;
            evaluate(&s.trainer.evaluator, &s.trainer.validation, count_nothing, &loss);
            if (epoch > 0 && __atomic_load_n(&allocations, __ATOMIC_RELAXED) != before) {
                fail_msg("%s: %d allocations in an epoch", VARIANTS[i].what,
                         __atomic_load_n(&allocations, __ATOMIC_RELAXED) - before);
            }
        }
        session_close(&s);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_allocation)};
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
