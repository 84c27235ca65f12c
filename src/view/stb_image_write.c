/* stb_image_write.c: the one place where stb_image_write and stb_easy_font (Sean Barrett, public
 * domain) are compiled: PNG to memory, and letters as rectangles. */
#include "view/canvas.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Its own compressor stops the process when there is no memory; and what was compressed is lost
 * when there is none for the file. So that is known to a thread for the time of the call. */
static _Thread_local unsigned char *compressed;

static unsigned char *compress_rows(unsigned char *data, int length, int *size, int quality)
{
    uLongf most = compressBound((uLong)length);
    compressed = malloc(most);
    if (compressed && compress2(compressed, &most, data, (uLong)length, quality) != Z_OK) {
        free(compressed);
        compressed = NULL;
    }
    *size = (int)most;
    return compressed;
}

#define STBIW_ZLIB_COMPRESS compress_rows
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#if __has_include(<stb/stb_image_write.h>)
#include <stb/stb_easy_font.h>
#include <stb/stb_image_write.h>
#else
#include <stb_easy_font.h>
#include <stb_image_write.h>
#endif

void *stb_encode_png(const struct canvas *canvas, int *size)
{
    compressed = NULL;
    unsigned char *png =
        stbi_write_png_to_mem(canvas->rgb, canvas->w * 3, canvas->w, canvas->h, 3, size);
    if (!png) {
        free(compressed);
    }
    return png;
}

int stb_text_width(const char *text)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%.32s", text);
    return stb_easy_font_width(copy);
}

void stb_draw_text(const char *text, void (*rectangle)(void *user, int x, int y, int w, int h),
                   void *user)
{
    struct {
        float x, y, z;
        unsigned char colour[4];
    } corners[4 * 40]; /* about a dozen rectangles a letter */
    float left = 0;
    for (int at = 0; at < 32 && text[at] != '\0'; at++) {
        char letter[2] = {text[at]}; /* the library takes no const */
        const int count = stb_easy_font_print(left, 0, letter, NULL, corners, sizeof corners);
        for (int i = 0; i < count; i++) {
            const int x = (int)corners[4 * (size_t)i].x, y = (int)corners[4 * (size_t)i].y;
            rectangle(user, x, y, (int)corners[4 * i + 2].x - x, (int)corners[4 * i + 2].y - y);
        }
        left += (float)stb_easy_font_width(letter);
    }
}
