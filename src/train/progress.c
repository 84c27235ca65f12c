/* progress.c: two lines, made of the same pieces:
 *
 *   epoch  3/15  ━━━━━━━━━━━━────────   62%  loss 0.0731  81,204 images/s  ETA 0:12       redrawn
 * in place epoch  2/15  loss 0.0940  acc  97.12%  val_loss 0.0712  val_acc  97.81%  best    0.7 s
 * 84,512 images/s
 *
 * On a terminal a line never wraps: what does not fit is left out, from the right. A wrapped bar
 * could not be taken away again. Each line goes out in one write. */
#include "train/progress.h"

#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_BETWEEN_DRAWS 0.1
enum { DEFAULT_WIDTH = 80, SHORTEST_BAR = 10, LONGEST_BAR = 30 };

#define GAP "  "
#define GAP_WIDTH 2

#define PLAIN "\033[0m"
#define GREEN "\033[32m"
#define DIM "\033[2m"
#define ERASE_LINE "\r\033[K"

/* What is shown, how many columns it takes, and how many it may take. */
struct line {
    char text[512];
    size_t length;
    int columns, room;
};

double progress_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* As setlocale would find it out, without calling it: numbers stay in the C locale. */
int progress_locale_is_utf8(void)
{
    static const char *const VARIABLES[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof VARIABLES / sizeof VARIABLES[0]; i++) {
        const char *locale = getenv(VARIABLES[i]);

        if (locale != NULL && locale[0] != '\0') {
            return strcasestr(locale, "UTF-8") != NULL || strcasestr(locale, "UTF8") != NULL;
        }
    }
    return 0;
}

void progress_open(struct progress *progress, FILE *out, enum progress_mode mode, int quiet,
                   long long epochs)
{
    const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    const int capable = isatty(fileno(out)) && terminal != NULL && strcmp(terminal, "dumb") != 0;

    *progress = (struct progress){
        .out = out,
        .bar = !quiet && (mode == PROGRESS_ALWAYS || (mode == PROGRESS_AUTO && capable)),
        .colour = capable && (no_colour == NULL || no_colour[0] == '\0'),
        .quiet = quiet,
        .unicode = progress_locale_is_utf8(),
        .terminal = isatty(fileno(out)),
        .next_draw = progress_now() + SECONDS_BETWEEN_DRAWS,
        .epochs = epochs,
    };
}

static int terminal_width(const struct progress *progress)
{
    struct winsize size;

    return ioctl(fileno(progress->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                                   : DEFAULT_WIDTH;
}

/* Text that takes no column: colours. */
static void add_invisible(struct line *line, const char *text)
{
    const size_t length = strlen(text);

    if (length < sizeof line->text - line->length) {
        memcpy(line->text + line->length, text, length + 1);
        line->length += length;
    }
}

/* A piece, two columns behind the one before. Once one does not fit, none does. */
__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    char piece[128];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);

    const char *space = line->columns > 0 ? GAP : "";
    const int width = (int)(strlen(space) + strlen(piece));

    if (width > line->room - line->columns) {
        line->room = 0;
        return;
    }
    add_invisible(line, space);
    add_invisible(line, piece);
    line->columns += width;
}

static void add_epoch(const struct progress *progress, struct line *line, long long epoch)
{
    char last[32];
    const int digits = snprintf(last, sizeof last, "%lld", progress->epochs);

    add(line, "epoch %*lld/%s", digits, epoch, last);
}

/* Six columns for the losses one meets, more digits where those would be zeros. */
static void add_loss(struct line *line, const char *name, double loss)
{
    const int usual = loss == 0 || (fabs(loss) >= 0.001 && fabs(loss) < 1000);

    add(line, usual ? "%s %6.4f" : "%s %.1e", name, loss);
}

/* 100.00% only where it is so. */
static void add_share(struct line *line, const char *name, double share)
{
    const double percent = share < 1 && share > 0.9999 ? 99.99 : 100 * share;

    add(line, "%s %6.2f%%", name, percent);
}

static void add_rate(struct line *line, double per_second)
{
    char count[32];

    add(line, "%s images/s", text_from_count(count, (uint64_t)per_second));
}

static void add_time_left(struct line *line, double left)
{
    const long long seconds = (long long)fmin(left + 0.5, 1e9), minutes = seconds / 60,
                    hours = minutes / 60;

    if (hours > 0) {
        add(line, "ETA %lld:%02lld:%02lld", hours, minutes % 60, seconds % 60);
    } else {
        add(line, "ETA %lld:%02lld", minutes, seconds % 60);
    }
}

static void add_cells(struct line *line, const char *cell, int count)
{
    for (int i = 0; i < count; i++) {
        add_invisible(line, cell);
    }
}

static void add_bar(const struct progress *progress, struct line *line, int width, double share)
{
    const int full = (int)(share * width);

    add_invisible(line, GAP);
    add_invisible(line, progress->colour ? GREEN : "");
    add_cells(line, progress->unicode ? "━" : "#", full);
    add_invisible(line, progress->colour ? PLAIN DIM : "");
    add_cells(line, progress->unicode ? "─" : "-", width - full);
    add_invisible(line, progress->colour ? PLAIN GAP : GAP);
}

static void draw(struct progress *progress, long long epoch, size_t done, size_t total,
                 double seconds, double loss)
{
    const double share = (double)done / (double)total, rate = (double)done / seconds;
    const double left = (double)(total - done) + (double)(progress->epochs - epoch) * (double)total;
    /* The last column stays free: some terminals wrap as soon as it is written. */
    struct line line = {.room = terminal_width(progress) - 1}, numbers = {0};

    add_epoch(progress, &line, epoch);
    const int room = line.room - line.columns - 2 * GAP_WIDTH; /* for bar and numbers */

    numbers.room = room - SHORTEST_BAR;
    add(&numbers, "%3d%%", (int)(100 * share));
    add_loss(&numbers, "loss", loss);
    add_rate(&numbers, rate);
    add_time_left(&numbers, left / rate);

    const int rest = room - numbers.columns;

    if (rest >= SHORTEST_BAR) {
        add_bar(progress, &line, rest < LONGEST_BAR ? rest : LONGEST_BAR, share);
        add_invisible(&line, numbers.text);
    }
    fprintf(progress->out, ERASE_LINE "%s", line.text);
    fflush(progress->out);
    progress->drawn = 1;
}

void progress_batch(struct progress *progress, long long epoch, size_t done, size_t total,
                    double seconds, double loss)
{
    if (!progress->bar || done == 0 || !(seconds > 0)) {
        return;
    }
    const double now = progress_now();

    if (now >= progress->next_draw) {
        progress->next_draw = now + SECONDS_BETWEEN_DRAWS;
        draw(progress, epoch, done, total, seconds, loss);
    }
}

void progress_clear(struct progress *progress)
{
    if (progress->drawn) {
        fputs(ERASE_LINE, progress->out);
        fflush(progress->out);
    }
    progress->drawn = 0;
}

/* The bar, if any, gives way to a line that stays. */
static void put_line(struct progress *progress, const char *text)
{
    fprintf(progress->out, "%s%s\n", progress->drawn ? ERASE_LINE : "", text);
    fflush(progress->out);
    progress->drawn = 0;
}

void progress_epoch(struct progress *progress, const struct log_row *row, int best)
{
    if (progress->quiet) {
        return;
    }
    struct line line = {.room = progress->terminal ? terminal_width(progress) - 1
                                                   : (int)sizeof line.text};

    add_epoch(progress, &line, row->epoch);
    add_loss(&line, "loss", row->train_loss);
    add_share(&line, "acc", row->train_accuracy);
    if (row->has_validation) {
        add_loss(&line, "val_loss", row->val_loss);
        add_share(&line, "val_acc", row->val_accuracy);
        add_invisible(&line, best && progress->colour ? GREEN : "");
        add(&line, "%s", best ? "best" : "    ");
        add_invisible(&line, best && progress->colour ? PLAIN : "");
    }
    add(&line, row->seconds < 100 ? "%6.2f s" : "%6.0f s", row->seconds);
    add_rate(&line, row->images_per_second);
    while (line.length > 0 && line.text[line.length - 1] == ' ') {
        line.text[--line.length] = '\0';
    }
    put_line(progress, line.text);
}

void progress_note(struct progress *progress, const char *format, ...)
{
    char raw[1024], text[4096];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    if (raw[0] == '\0' || progress->quiet) {
        progress_clear(progress);
        return;
    }
    /* Paths come from files that others wrote: no control character reaches the terminal. */
    put_line(progress, text_sanitize(text, sizeof text, raw, strlen(raw)));
}
