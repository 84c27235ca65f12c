/* idx_file.h: an IDX file, plain or gzip: big-endian numbers behind a header that says how many.
 *
 *   00 00, element type, number of dimensions; each dimension (4 bytes); the elements, row by row
 *
 * Nothing in the header is believed before it has been held against the size of the file: what it
 * declares must be there to the byte, and memory is only taken when the file can fill it. Faults of
 * the content are ERROR_DATA with their byte: in the file for gzip faults, in the inflated bytes
 * ("name(gz)") for the rest. (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten
 * digits", 1998: "The IDX file format".) */
#ifndef CNNTRAIN_DATA_IDX_FILE_H
#define CNNTRAIN_DATA_IDX_FILE_H

#include "base/file.h"
#include "data/gzip.h"

struct idx_element {
    unsigned char code, size;
    int whole; /* whole numbers: fit for labels */
    double (*value)(const unsigned char *bytes);
};
enum { IDX_UINT8 = 0x08 };

struct idx_file {
    char name[1024];  /* for messages: the path, and "(gz)" where offsets are of inflated bytes */
    const char *noun; /* "image" or "label" */
    struct bytes file;
    struct gzip stream;
    const struct idx_element *element;
    int dims;
    size_t dim[4];
    size_t header; /* its bytes */
    size_t item;   /* elements in one image or label */
    size_t size;   /* bytes of all elements */
};

/* What a data set may take: half of the machine's memory. */
size_t idx_memory_limit(void);
/* Read the file and the magic: element and dims (0..255). To be closed also after a failure; `path`
 * is kept. For an outline, of a compressed file only what file_read_ends reads: enough for a header
 * at the usual place and gzip_crc32; a fault may be one of the gap, and has to be looked for again
 * without `outline`. */
int idx_open(struct idx_file *idx, const char *path, const char *noun, int outline,
             struct error *e);
/* Read the dimensions, which must be at most 4 here, and work out the sizes: not 0, and numbers
 * that can be counted with. */
int idx_read_header(struct idx_file *idx, struct error *e);
/* Hold the sizes against the file: exactly for a plain one, against what gzip could hold for a
 * compressed one. */
int idx_check_size(const struct idx_file *idx, struct error *e);
/* Read all elements, up to the end of the file: as bytes into `out`, which has room for the header
 * too, or each as a number into `put`, in order. */
int idx_read_bytes(struct idx_file *idx, void *out, struct error *e);
int idx_read_values(struct idx_file *idx,
                    int (*put)(const struct idx_file *idx, size_t index, double value, void *to,
                               struct error *e),
                    void *to, struct error *e);
void idx_close(struct idx_file *idx);
/* The byte of an element, for messages. */
long long idx_offset(const struct idx_file *idx, size_t index);

#define IDX_FAULT(e, idx, offset, ...)                                                             \
    error_at_offset(e, ERROR_DATA, (idx)->name, (long long)(offset), __VA_ARGS__)

#endif
