/* page.h: a page of HTML in one file, of the template src/report/page.html, which the build put
 * into the program together with its style, its script and, where scripts/deps.sh has fetched it,
 * the charting library. What it shows is JSON within it. */
#ifndef CNNTRAIN_REPORT_PAGE_H
#define CNNTRAIN_REPORT_PAGE_H

#include "base/file.h"

#include <jansson.h>

/* Write it, atomically. `data` is what the page shows, a function of
 * what was computed alone; `timing`, on a line of its own, what differs from run to run. Both are
 * taken over; NULL: without memory. ERROR_IO, ERROR_LIMIT. */
int page_write(const struct file_target *target, json_t *data, json_t *timing, struct error *e);

#endif
