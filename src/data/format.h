/* format.h: the family of file formats that a data set can come in. One file each, one line in
 * formats.def. */
#ifndef CNNTRAIN_DATA_FORMAT_H
#define CNNTRAIN_DATA_FORMAT_H

#include "data/dataset.h"

struct format {
    struct member member; /* name and help, for --list formats */
    /* Whether this format takes the source, by a look at the path and the first bytes. 1, 0, or -1
     * with *e. */
    int (*takes)(const struct source *source, const struct loading *how, struct error *e);
    int (*load)(struct dataset *set, const struct source *source, const struct loading *how,
                struct error *e);
};
extern const struct family FORMATS; /* its members are struct format */

#define FORMAT(name) extern const struct format FORMAT_##name;
#include "data/formats.def"
#undef FORMAT

#endif
