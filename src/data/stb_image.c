/* stb_image.c: the one place where stb_image (Sean Barrett, public domain) is compiled: PNG only,
 * from memory only. It gets nothing but what png.c has checked and packed anew: it would decode a
 * damaged file without a word. */
#include "data/png.h"

#include <string.h>

/* Its memory comes from the decoder's room. It asks for it without saying on whose behalf: so that
 * is known to a thread for the time of the call. */
static _Thread_local struct room *memory;
/* It does not always say that there was none. */
static _Thread_local int exhausted;

static void *take(size_t size)
{
    void *piece = room_take(memory, size);
    exhausted |= piece == NULL;
    return piece;
}

static void *retake(const void *old, size_t old_size, size_t size)
{
    void *piece = take(size);
    if (piece != NULL && old != NULL) {
        memcpy(piece, old, old_size < size ? old_size : size);
    }
    return piece;
}

#define STBI_MALLOC(size) take(size)
#define STBI_REALLOC_SIZED(old, old_size, size) retake(old, old_size, size)
#define STBI_FREE(piece) ((void)(piece))
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define STBI_REALLOC(old, size) NULL /* not used: sizes are known */
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_MAX_DIMENSIONS 16384
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#else
#include <stb_image.h>
#endif

void *stb_decode(const unsigned char *stream, int size, int deep, int *components,
                 struct room *room, const char **reason)
{
    int w, h;
    memory = room;
    exhausted = 0;
    void *pixels = deep ? (void *)stbi_load_16_from_memory(stream, size, &w, &h, components, 0)
                        : stbi_load_from_memory(stream, size, &w, &h, components, 0);
    memory = NULL;
    *reason = pixels != NULL ? NULL : exhausted ? "outofmem" : stbi_failure_reason();
    return pixels;
}
