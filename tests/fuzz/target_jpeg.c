/* target_jpeg.c: a file to pixels by libjpeg: image.c, jpeg.c. The input is a file as it stands.
 * What is accepted is decoded twice, to the same pixels. */
#include "data/image.h"
#include "fuzz/fuzz.h"

#include <string.h>

int fuzz_one(const uint8_t *data, size_t size)
{
    struct image_decoder decoder = {0}, other = {0};
    struct image image, again;
    struct error e = {.offset = -1};
    if (image_decode(&image, "a.jpg", data, size, &decoder, &e) == 0) {
        const size_t values = (size_t)image.c * (size_t)image.h * (size_t)image.w;
        CHECK((image.c == 1 || image.c == 3) && image.h >= 1 && image.w >= 1);
        CHECK(image_decode(&again, "a.jpg", data, size, &other, &e) == 0);
        CHECK(again.c == image.c && again.h == image.h && again.w == image.w);
        CHECK(memcmp(again.pixels, image.pixels, values) == 0);
    } else {
        CHECK(image.pixels == NULL);
        fuzz_check_error(&e, KIND(ERROR_DATA) | KIND(ERROR_LIMIT), size);
    }
    image_decoder_free(&decoder);
    image_decoder_free(&other);
    return 0;
}
