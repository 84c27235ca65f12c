/* fuzz.c: see fuzz.h: the limit of time, what a refusal must look like, choices. */
#include "fuzz/fuzz.h"

#include "base/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { MOST_SECONDS = 2 };

/* Seconds of processor time that have begun since this input did. */
static volatile sig_atomic_t seconds;

static void on_second(int number)
{
    static const char message[] = "fuzz: timeout: more than 2 s of processor time\n";
    (void)number;
    if (++seconds > MOST_SECONDS) {
        (void)!write(STDERR_FILENO, message, sizeof message - 1);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int watched;
    if (!watched) {
        const struct sigaction action = {.sa_handler = on_second, .sa_flags = SA_RESTART};
        const struct itimerval every = {{1, 0}, {1, 0}};
        CHECK(sigaction(SIGPROF, &action, NULL) == 0);
        CHECK(setitimer(ITIMER_PROF, &every, NULL) == 0);
        watched = 1;
    }
    seconds = 0;
    return fuzz_one(data, size);
}

void fuzz_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* Terminated, valid UTF-8, nothing that a terminal would obey. */
static void check_shown(const char *text, size_t room)
{
    const size_t length = strnlen(text, room);
    CHECK(length < room);
    CHECK(text_utf8_prefix(text, length) == length);
    for (size_t i = 0; i < length; i++) {
        CHECK((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
    }
}

void fuzz_check_error(const struct error *e, unsigned kinds, size_t size)
{
    CHECK(kinds & KIND(e->kind));
    CHECK(e->message[0] != '\0');
    check_shown(e->message, sizeof e->message);
    check_shown(e->source, sizeof e->source);
    check_shown(e->note, sizeof e->note);
    CHECK(strnlen(e->file, sizeof e->file) < sizeof e->file);
    CHECK(e->offset >= -1 && (e->offset < 0 || (unsigned long long)e->offset <= size));
    CHECK(e->line >= 0 && e->column >= 0 && (e->line > 0) == (e->column > 0));
    CHECK(e->source[0] == '\0' || e->width >= 1);
}

void fuzz_check_errors(const struct error_list *errors, unsigned kinds)
{
    CHECK(errors->count >= 0 && errors->count <= errors->total);
    for (int i = 0; i < errors->count; i++) {
        fuzz_check_error(&errors->items[i], kinds, 0);
    }
}

void fuzz_sample(const void *data, size_t size)
{
    static int count;
    const char *folder = getenv("FUZZ_SAMPLES");
    char path[512];
    if (folder == NULL) {
        return;
    }
    snprintf(path, sizeof path, "%s/%06d", folder, count++);
    FILE *out = fopen(path, "wb");
    CHECK(out != NULL && fwrite(data, 1, size, out) == size);
    CHECK(fclose(out) == 0);
}

unsigned dice_byte(struct dice *dice) { return dice->at < dice->size ? dice->data[dice->at++] : 0; }

unsigned dice_below(struct dice *dice, unsigned n)
{
    unsigned value = dice_byte(dice);
    if (n > 256) {
        value = value << 8 | dice_byte(dice);
    }
    return value % n;
}

/* A short memory of freed pieces, short backtraces, nothing given back to the system: twice as
 * fast. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=4:allocator_release_to_os_interval_ms=-1";
}
