/* page.c: the template with its places filled. A place is {{name}}; what stands there comes from
 * the files of src/report and vendor/uplot (its licence with it) as the build has embedded them, or
 * is the data.
 *
 * In a script element only "</script" and "<!--" can do harm; in JSON both can only stand within a
 * string, where the escape of '<' means the same. */
#include "report/page.h"

#include "base/file.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char TEMPLATE[] = {
#include "page.html.inc"
};
static const char STYLE[] = {
#include "page.css.inc"
};
static const char SCRIPT[] = {
#include "page.js.inc"
};
static const char CHART_STYLE[] = {
#include "uPlot.min.css.inc"
};
static const char CHART_SCRIPT[] = {
#include "uPlot.iife.min.js.inc"
};
static const char CHART_LICENCE[] = {
#include "LICENSE.inc"
};

static void append_json(struct text *out, json_t *json)
{
    char *dump =
        json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) : NULL;
    out->failed |= !dump;
    for (const char *at = dump; at && *at != '\0'; at++) {
        const size_t plain = strcspn(at, "<>&");
        text_append_bytes(out, at, plain);
        at += plain;
        if (*at == '\0') {
            break;
        }
        text_append(out, "\\u%04x", (unsigned)*at);
    }
    free(dump);
}

struct place {
    const char *name, *text;
    json_t *json; /* in place of a text */
};

static void append_place(struct text *out, const struct place *places, const char *name,
                         size_t length)
{
    for (const struct place *place = places; place->name; place++) {
        if (strlen(place->name) == length && memcmp(place->name, name, length) == 0) {
            if (place->text) {
                text_append_bytes(out, place->text, strlen(place->text));
            } else {
                append_json(out, place->json);
            }
        }
    }
}

static void fill(struct text *out, const char *template, const struct place *places)
{
    for (const char *at = template;;) {
        const char *open = strstr(at, "{{"), *close = open ? strstr(open, "}}") : NULL;
        if (!close) {
            text_append_bytes(out, at, strlen(at));
            return;
        }
        text_append_bytes(out, at, (size_t)(open - at));
        append_place(out, places, open + 2, (size_t)(close - open - 2));
        at = close + 2;
    }
}

int page_write(const struct file_target *target, json_t *data, json_t *timing, struct error *e)
{
    const struct place places[] = {
        {"style", STYLE, NULL},
        {"script", SCRIPT, NULL},
        {"chart style", CHART_STYLE, NULL},
        {"chart script", CHART_SCRIPT, NULL},
        {"chart licence", CHART_LICENCE, NULL},
        {"data", NULL, data},
        {"timing", NULL, timing},
        {NULL, NULL, NULL},
    };
    struct text page = {0};
    fill(&page, TEMPLATE, places);
    const struct chunk chunk = {page.data, page.length};
    const int status =
        page.failed ? error_memory(e, page.capacity * 2) : file_replace(target, &chunk, 1, e);
    text_free(&page);
    json_decref(data);
    json_decref(timing);
    return status;
}
