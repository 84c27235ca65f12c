/* fuzz.h: what the fuzz targets share.
 *
 * A target is a program of libFuzzer's: its fuzz_one gets bytes, feeds them to one parser
 * of the library and checks what comes back, which is more than not to crash: a refusal has a kind,
 * a place inside the file and a message fit to be shown; what is accepted holds what it promises,
 * and reads back the same when it is written.
 *
 * Nothing here touches a disk: calls of file_read, file_peek and file_replace end up in files.c
 * (the linker's --wrap), which knows only the files that a target has put there. */
#ifndef CNNTRAIN_TESTS_FUZZ_H
#define CNNTRAIN_TESTS_FUZZ_H

#include "base/error.h"
#include "base/file.h"
#include "kernels/kernels.h"

#include <stddef.h>
#include <stdint.h>

/* The target's; 0 always. It may take two seconds of processor time: libFuzzer's own limit is of
 * time that passes, in which a busy machine may do anything else. */
int fuzz_one(const uint8_t *data, size_t size);

/* libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

/* A fault of the library, or of the target: the input is kept. */
#define CHECK(condition) ((condition) ? (void)0 : fuzz_failed(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_failed(const char *file, int line, const char *condition);

/* From now on `path` holds these bytes, the caller's; several at a time. No other path exists. */
void fuzz_file(const char *path, const void *data, size_t size);
/* No file is there any more; what was written is forgotten. */
void fuzz_no_files(void);
/* Where to write; and what file_replace wrote last, until the next one; NULL: nothing. */
#define FUZZ_TARGET(name) (&(struct file_target){-1, (name), (name), NULL})
const struct bytes *fuzz_written(void);

/* Kinds of errors, as a set. */
#define KIND(kind) (1u << (kind))
/* A refusal as it must be: one of these kinds, with a message that may be shown, and a byte, if
 * any, that is in a file of `size` bytes or just behind it. */
void fuzz_check_error(const struct error *e, unsigned kinds, size_t size);
void fuzz_check_errors(const struct error_list *errors, unsigned kinds);

/* Leave a file in the directory FUZZ_SAMPLES of the environment, where there is one, for another
 * reader of the format to judge. */
void fuzz_sample(const void *data, size_t size);

/* Choices made by the input: once it has ended, all are 0. */
struct dice {
    const uint8_t *data;
    size_t size, at;
};
unsigned dice_byte(struct dice *dice);
unsigned dice_below(struct dice *dice, unsigned n); /* 0 .. n - 1; n at most 65536 */

/* The plain kernels, which any machine has. */
const struct kernels *fuzz_kernels(void);

#endif
