/* test_progress.c: what is shown where: nothing but lines in a file, a bar on a terminal, never
 * wider than it is. */
#include "train/progress.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

static const struct log_row ROW = {.epoch = 3,
                                   .step = 1,
                                   .lr = 0.1f,
                                   .train_loss = 0.07123,
                                   .train_accuracy = 0.9781,
                                   .has_validation = 1,
                                   .val_loss = 0.065,
                                   .val_accuracy = 0.9802,
                                   .seconds = 0.714,
                                   .images_per_second = 84512.6};
#define ROW_TEXT "epoch  3/15  loss 0.0712  acc  97.81%  val_loss 0.0650  val_acc  98.02%"

/* Something to write to: a file, or a terminal of some width. */
struct screen {
    FILE *out;
    int master; /* of the terminal; -1: a file */
    struct progress progress;
    char text[4096];
};

static void open_file(struct screen *screen, enum progress_mode mode, int quiet)
{
    screen->out = tmpfile();
    screen->master = -1;
    assert_non_null(screen->out);
    progress_open(&screen->progress, screen->out, mode, quiet, 15);
}

static void open_terminal(struct screen *screen, unsigned short columns, enum progress_mode mode)
{
    const struct winsize size = {.ws_row = 24, .ws_col = columns};

    screen->master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(screen->master >= 0 && grantpt(screen->master) == 0 &&
                unlockpt(screen->master) == 0);
    const int fd = open(ptsname(screen->master), O_RDWR | O_NOCTTY);

    assert_true(fd >= 0 && ioctl(fd, TIOCSWINSZ, &size) == 0);
    screen->out = fdopen(fd, "w");
    progress_open(&screen->progress, screen->out, mode, 0, 15);
}

static const char *shown(struct screen *screen)
{
    ssize_t n;

    fflush(screen->out);
    if (screen->master >= 0) {
        assert_int_equal(fcntl(screen->master, F_SETFL, O_NONBLOCK), 0);
        n = read(screen->master, screen->text, sizeof screen->text - 1);
    } else {
        n = pread(fileno(screen->out), screen->text, sizeof screen->text - 1, 0);
    }
    screen->text[n > 0 ? n : 0] = '\0';
    return screen->text;
}

static void close_screen(struct screen *screen)
{
    fclose(screen->out);
    if (screen->master >= 0) {
        close(screen->master);
    }
}

/* 62 % of an epoch in half a second, drawn whatever the time. */
static void draw(struct screen *screen)
{
    screen->progress.next_draw = 0;
    progress_batch(&screen->progress, 3, 62, 100, 0.5, 0.0731);
}

static void set_up(const char *lang, const char *term, const char *no_colour)
{
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    setenv("LANG", lang, 1);
    setenv("TERM", term, 1);
    setenv("NO_COLOR", no_colour, 1);
}

static void test_lines_in_a_file(void **state)
{
    (void)state;
    struct screen screen;
    struct log_row row = ROW;

    set_up("C.UTF-8", "xterm", "");
    open_file(&screen, PROGRESS_AUTO, 0);
    draw(&screen);
    assert_string_equal(shown(&screen), "");
    progress_epoch(&screen.progress, &row, 1);
    progress_note(&screen.progress, "%s", "");
    row.epoch = 12;
    row.train_loss = 0.00004;
    row.train_accuracy = 0.999999;
    row.val_loss = 2500;
    row.val_accuracy = 1;
    row.seconds = 1234;
    progress_epoch(&screen.progress, &row, 0);
    row.has_validation = 0;
    progress_epoch(&screen.progress, &row, 0);
    progress_note(&screen.progress, "stopped: %d\033[31m", 7);
    assert_string_equal(shown(&screen), ROW_TEXT
                        "  best    0.71 s  84,512 images/s\n"
                        "epoch 12/15  loss 4.0e-05  acc  99.99%  val_loss 2.5e+03  val_acc 100.00% "
                        "         1234 s  84,512 images/s\n"
                        "epoch 12/15  loss 4.0e-05  acc  99.99%    1234 s  84,512 images/s\n"
                        "stopped: 7\\x1B[31m\n");
    close_screen(&screen);
}

static void test_quiet(void **state)
{
    (void)state;
    struct screen screen;

    open_file(&screen, PROGRESS_ALWAYS, 1);
    draw(&screen);
    progress_epoch(&screen.progress, &ROW, 1);
    progress_clear(&screen.progress);
    progress_note(&screen.progress, "a note");
    assert_string_equal(shown(&screen), "");
    close_screen(&screen);
}

static void test_bar(void **state)
{
    (void)state;
    struct screen screen;

    set_up("en_US.utf8", "xterm", "1");
    open_terminal(&screen, 80, PROGRESS_AUTO);
    draw(&screen);
    /* 62 of 100 in 0.5 s; 38 and twelve more epochs of 100 to go at 124 a second: 9.98 s */
    assert_string_equal(
        shown(&screen),
        "\r\033[Kepoch  3/15  ━━━━━━━━━━━━━━─────────   62%  loss 0.0731  124 images/s  ETA 0:10");
    progress_epoch(&screen.progress, &ROW, 1);
    assert_string_equal(shown(&screen), "\r\033[K" ROW_TEXT "  best\r\n");
    progress_epoch(&screen.progress, &ROW, 0);
    assert_string_equal(shown(&screen), ROW_TEXT "\r\n");
    draw(&screen);
    shown(&screen);
    progress_note(&screen.progress, "%s", "");
    progress_clear(&screen.progress);
    assert_string_equal(shown(&screen), "\r\033[K");
    close_screen(&screen);
}

static void test_ascii_and_colour(void **state)
{
    (void)state;
    struct screen screen;

    set_up("C.UTF-8", "xterm", "");
    setenv("LC_ALL", "C", 1);
    open_terminal(&screen, 200, PROGRESS_AUTO);
    draw(&screen);
    assert_string_equal(
        shown(&screen),
        "\r\033[Kepoch  3/15  \033[32m##################\033[0m\033[2m------------\033[0m"
        "   62%  loss 0.0731  124 images/s  ETA 0:10");
    progress_epoch(&screen.progress, &ROW, 1);
    assert_string_equal(shown(&screen),
                        "\r\033[K" ROW_TEXT "\033[32m  best\033[0m    0.71 s  84,512 images/s\r\n");
    close_screen(&screen);
}

static void test_modes(void **state)
{
    (void)state;
    struct screen screen;

    set_up("C", "dumb", "1");
    open_terminal(&screen, 80, PROGRESS_AUTO);
    draw(&screen);
    assert_string_equal(shown(&screen), "");
    close_screen(&screen);
    set_up("C", "xterm", "1");
    open_terminal(&screen, 80, PROGRESS_NEVER);
    draw(&screen);
    assert_string_equal(shown(&screen), "");
    close_screen(&screen);
    open_file(&screen, PROGRESS_ALWAYS, 0);
    draw(&screen);
    assert_non_null(strstr(shown(&screen), "###"));
    close_screen(&screen);
}

/* Whatever the width: less than it, and on one line. */
static void test_narrow(void **state)
{
    (void)state;
    struct screen screen;

    set_up("C", "xterm", "1");
    for (unsigned short columns = 1; columns < 120; columns++) {
        open_terminal(&screen, columns, PROGRESS_AUTO);
        draw(&screen);
        const char *bar = shown(&screen);

        assert_int_equal(strncmp(bar, "\r\033[K", 4), 0);
        assert_true(strlen(bar + 4) < columns || columns == 1);
        assert_null(strchr(bar + 4, '\033'));
        assert_true(columns < 80 || strstr(bar, "ETA 0:10") != NULL);
        /* what is left out is left out from the right, and the bar is never a stub */
        assert_true(strstr(bar, "ETA") == NULL || strstr(bar, "images/s") != NULL);
        assert_true(strstr(bar, "images/s") == NULL || strstr(bar, "loss") != NULL);
        assert_int_equal(strchr(bar, '#') != NULL, columns >= 26);
        assert_true(strchr(bar, '#') == NULL || strspn(strchr(bar, '#'), "#-") >= 10);
        progress_epoch(&screen.progress, &ROW, 1);
        const char *line = shown(&screen);

        assert_true(strlen(line + 4) < columns + strlen("\r\n"));
        assert_true(columns < 80 || strstr(line, "best") != NULL);
        close_screen(&screen);
    }
}

static int count_draws(struct screen *screen)
{
    int draws = 0;

    for (const char *at = strchr(shown(screen), '\r'); at != NULL; at = strchr(at + 1, '\r')) {
        draws++;
    }
    return draws;
}

/* Ten a second at most, and nothing that divides by a time or a count of zero. */
static void test_rarely(void **state)
{
    (void)state;
    struct screen screen;

    open_file(&screen, PROGRESS_ALWAYS, 0);
    const double start = progress_now();

    for (int i = 0; i < 1000; i++) {
        progress_batch(&screen.progress, 1, 1, 2, 0.5, 1);
    }
    const int draws = count_draws(&screen);

    assert_true(draws <= 10 * (progress_now() - start));
    draw(&screen);
    assert_int_equal(count_draws(&screen), draws + 1);
    screen.progress.next_draw = 0;
    progress_batch(&screen.progress, 1, 0, 2, 0.5, 1);
    progress_batch(&screen.progress, 1, 1, 2, 0, 1);
    assert_int_equal(count_draws(&screen), draws + 1);
    close_screen(&screen);

    const double before = progress_now();

    assert_true(progress_now() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_in_a_file),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_bar),
        cmocka_unit_test(test_ascii_and_colour),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_rarely),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
