/* jpeg.c: JPEG files (ITU-T T.81, JFIF) as pixels, by libjpeg(-turbo). Taken are grey, YCbCr and
 * RGB files, baseline or progressive; CMYK and arithmetic coding are refused. What the library only
 * warns of, cut or damaged data, is an error here. Bytes behind the end of the image, where cameras
 * keep previews, are left alone.
 *
 * libjpeg leaves by longjmp from its error handlers: all that must outlive the jump is in one
 * struct. */
#include "data/image.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

enum { SCANS_MAX = 100 };

struct reader {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    int memory; /* the fault is a lack of memory */
    char message[JMSG_LENGTH_MAX];
    const unsigned char *data;
    struct room *room;
};

/* The library's error codes are in a header that not all of its packages have. */
static int is_memory(const char *message) { return strstr(message, "Insufficient memory") != NULL; }

static void fail(j_common_ptr info)
{
    struct reader *reader = info->client_data;
    reader->manager.format_message(info, reader->message);
    reader->memory = is_memory(reader->message);
    longjmp(reader->jump, 1);
}

/* Level -1 is a warning: the data are damaged. */
static void on_message(j_common_ptr info, int level)
{
    if (level < 0) {
        fail(info);
    }
}

/* A few bytes can say a new scan over the whole image: many of them take forever. */
static void on_progress(j_common_ptr info)
{
    struct reader *reader = info->client_data;
    if (reader->info.input_scan_number > SCANS_MAX) {
        snprintf(reader->message, sizeof reader->message, "more than %d scans", SCANS_MAX);
        longjmp(reader->jump, 1);
    }
}

static void refuse(struct reader *reader, const char *message)
{
    snprintf(reader->message, sizeof reader->message, "%s", message);
    longjmp(reader->jump, 1);
}

/* Every block takes a bit at least, so that a short file cannot ask for much memory. */
static void check_header(struct reader *reader, size_t size)
{
    const struct jpeg_decompress_struct *info = &reader->info;
    uint64_t blocks = 0;
    for (int i = 0; i < info->num_components; i++) {
        const jpeg_component_info *component = &info->comp_info[i];
        blocks += (uint64_t)component->width_in_blocks * component->height_in_blocks;
    }
    if (blocks / 8 > size) {
        refuse(reader, "image data cut short");
    }
    if (info->arith_code) {
        refuse(reader, "arithmetic coding is not supported");
    }
    if (info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK) {
        refuse(reader, "CMYK is not supported: only grey and colour images are");
    }
    if (info->jpeg_color_space != JCS_GRAYSCALE && info->jpeg_color_space != JCS_YCbCr &&
        info->jpeg_color_space != JCS_RGB) {
        refuse(reader, "colour space is not known");
    }
}

static int read_image(struct reader *reader, struct image *image, const char *path, size_t size,
                      struct error *e)
{
    struct jpeg_decompress_struct *info = &reader->info;
    jpeg_mem_src(info, reader->data, (unsigned long)size);
    jpeg_read_header(info, TRUE);
    TRY(image_check_size(path, 0, info->image_height, info->image_width, e));
    check_header(reader, size);
    info->out_color_space = info->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    TRY(image_allocate(image, info->out_color_space == JCS_GRAYSCALE ? 1 : 3,
                       (int)info->image_height, (int)info->image_width, reader->room, e));
    jpeg_start_decompress(info);
    const size_t stride = (size_t)image->w * (size_t)image->c;
    while (info->output_scanline < info->output_height) {
        JSAMPROW row = image->pixels + info->output_scanline * stride;
        jpeg_read_scanlines(info, &row, 1);
    }
    jpeg_finish_decompress(info);
    return 0;
}

/* By itself, so that no variable of ours changes between setjmp and longjmp. */
static int read_or_jump(struct reader *reader, struct image *image, const char *path, size_t size,
                        struct error *e)
{
    if (setjmp(reader->jump) != 0) {
        return 1;
    }
    jpeg_create_decompress(&reader->info);
    reader->info.progress = &reader->progress;
    return read_image(reader, image, path, size, e);
}

/* How far the file was read. */
static long long place_of(const struct reader *reader, size_t size)
{
    const struct jpeg_source_mgr *source = reader->info.src;
    const JOCTET *at = source != NULL ? source->next_input_byte : NULL;
    return at >= reader->data && at <= reader->data + size ? at - reader->data : (long long)size;
}

int image_decode_jpeg(struct image *image, const char *path, const unsigned char *data, size_t size,
                      struct image_decoder *decoder, struct error *e)
{
    struct reader reader = {.data = data, .room = &decoder->room};
    reader.info.err = jpeg_std_error(&reader.manager);
    reader.manager.error_exit = fail;
    reader.manager.emit_message = on_message;
    reader.info.client_data = &reader;
    reader.progress.progress_monitor = on_progress;
    const int status = read_or_jump(&reader, image, path, size, e);
    if (status > 0 && reader.memory) {
        error_memory(e, size);
    } else if (status > 0) {
        error_at_offset(e, ERROR_DATA, path, place_of(&reader, size), "bad JPEG: %s",
                        reader.message);
    }
    jpeg_destroy_decompress(&reader.info);
    return status == 0 ? 0 : -1;
}
