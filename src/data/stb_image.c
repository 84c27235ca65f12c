/* stb_image.c: the one place where stb_image (Sean Barrett, public domain) is compiled: PNG only,
 * from memory only. It gets nothing but what png.c has checked and packed anew: it would decode a
 * damaged file without a word. */
#include "data/png.h"

#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
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
                 const char **reason)
{
    int w, h;
    void *pixels = deep ? (void *)stbi_load_16_from_memory(stream, size, &w, &h, components, 0)
                        : stbi_load_from_memory(stream, size, &w, &h, components, 0);
    *reason = pixels == NULL ? stbi_failure_reason() : NULL;
    return pixels;
}
