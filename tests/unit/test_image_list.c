/* test_image_list.c: sets of image files (image_list.c, image_set.c, folder.c, csv.c): what is
 * loaded in which order, what is held, what happens to files that change. Mistakes in folders and
 * lists are in tests/cases/pictures.py. */
#include "data/dataset.h"
#include "data/fit.h"
#include "data/image_list.h"

#include "../image_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

enum { H = 3, W = 4 };

static void write_png(const char *path, int seed, int c, int h, int w)
{
    uint8_t pixels[4 * 400];
    struct buffer file = {0};
    for (int i = 0; i < c * h * w; i++) {
        pixels[i] = (uint8_t)(seed * 50 + i);
    }
    put_simple_png(&file, pixels, c, h, w);
    write_file(path, file.data, file.size);
    buffer_free(&file);
}

/* Names whose order by bytes is not that of a dictionary or a number. */
static const char *const PATHS[] = {"set/B/10.png", "set/B/9.png", "set/a/x.png",
                                    "set/a/y.png",  "set/b/_.png", "set/b/a.png"};

static void write_set(void)
{
    static const char *const folders[] = {"set", "set/B", "set/a", "set/b"};
    for (int i = 0; i < 4; i++) {
        mkdir(folders[i], 0700);
    }
    for (int i = 5; i >= 0; i--) {
        write_png(PATHS[i], i, 1, H, W);
    }
}

static void load(struct dataset *set, const struct loading *how)
{
    struct error e = {.offset = -1};
    const struct source source = {.images = "set/"};
    if (dataset_load(set, &source, how, &e) != 0) {
        fail_msg("%s: %s", e.file, e.message);
    }
}

static void test_order(void **state)
{
    (void)state;
    struct dataset set;
    char path[100];
    write_set();
    for (int threads = 1; threads <= 3; threads++) {
        const struct loading how = {.threads = threads};
        load(&set, &how);
        assert_int_equal(set.count, 6);
        assert_int_equal(set.held, 6);
        assert_true(dataset_is_held(&set));
        assert_string_equal(set.path, "set");
        assert_int_equal(set.names.count, 3);
        assert_string_equal(set.names.values[0], "B");
        assert_string_equal(set.names.values[2], "b");
        assert_int_equal(set.classes, 3);
        for (int i = 0; i < 6; i++) {
            assert_string_equal(dataset_path(&set, (size_t)i, path, sizeof path), PATHS[i]);
            assert_int_equal(set.labels[i], i / 2);
            for (int k = 0; k < H * W; k++) {
                assert_int_equal(dataset_pixels(&set, (size_t)i, NULL)[k], (uint8_t)(i * 50 + k));
            }
        }
        dataset_free(&set);
    }
}

static void test_memory(void **state)
{
    (void)state;
    struct dataset whole, part;
    write_set();
    load(&whole, NULL);
    for (uint64_t memory = 1; memory < 7 * H * W; memory += H * W - 1) {
        const struct loading how = {.memory = memory, .threads = 2};
        uint8_t buffer[H * W];
        load(&part, &how);
        assert_int_equal(part.held, memory / (H * W) < 6 ? memory / (H * W) : 6);
        assert_int_equal(part.crc32, whole.crc32);
        for (size_t i = 0; i < 6; i++) {
            assert_memory_equal(dataset_pixels(&part, i, buffer), whole.bytes + i * H * W, H * W);
        }
        assert_int_equal(dataset_failed(&part, NULL), 0);
        dataset_free(&part);
    }
    dataset_free(&whole);
}

/* Of several faults the first sample's stays. */
static void test_changed_files(void **state)
{
    (void)state;
    struct dataset set;
    struct error e = {.offset = -1};
    uint8_t buffer[H * W];
    const struct loading how = {.memory = 2 * H * W};
    write_set();
    load(&set, &how);
    write_png(PATHS[4], 77, 1, H, W);
    assert_ptr_equal(dataset_pixels(&set, 4, buffer), buffer);
    assert_int_equal(dataset_failed(&set, &e), -1);
    assert_string_equal(e.message, "the image is not the one that was there at the start");
    assert_string_equal(e.file, PATHS[4]);
    assert_int_equal(e.kind, ERROR_DATA);
    assert_int_equal(unlink(PATHS[3]), 0);
    memset(buffer, 7, sizeof buffer);
    dataset_pixels(&set, 3, buffer);
    assert_int_equal(buffer[0] | buffer[H * W - 1], 0);
    write_png(PATHS[5], 1, 1, H, W + 1);
    dataset_pixels(&set, 5, buffer);
    assert_int_equal(dataset_failed(&set, &e), -1);
    assert_string_equal(e.file, PATHS[3]);
    assert_string_equal(e.message, "cannot open: No such file or directory");
    dataset_free(&set);
}

static void test_made_the_same(void **state)
{
    (void)state;
    struct dataset set;
    write_set();
    write_png(PATHS[1], 3, 3, 9, 5);
    write_png(PATHS[4], 4, 4, 2, 20);
    const struct loading how = {.c = 3, .h = 6, .w = 7, .fit = fit_find("letterbox")};
    load(&set, &how);
    assert_int_equal(set.c, 3);
    assert_int_equal(set.h, 6);
    assert_int_equal(set.w, 7);
    dataset_free(&set);
}

/* For the doctor: bad images are counted, the others loaded. */
static void test_faults(void **state)
{
    (void)state;
    struct dataset set;
    char path[100];
    struct error_list *faults = calloc(1, sizeof *faults);
    assert_non_null(faults);
    for (uint64_t memory = 1; memory < 1000; memory += 40) {
        const struct loading how = {.memory = memory, .faults = faults, .threads = 2};
        uint8_t buffer[H * W];
        write_set();
        write_file(PATHS[0], "", 0);
        write_file(PATHS[3], "hello", 5);
        *faults = (struct error_list){0};
        load(&set, &how);
        assert_int_equal(faults->total, 2);
        assert_string_equal(faults->items[0].file, PATHS[0]);
        assert_string_equal(faults->items[1].message, "not a PNG or JPEG image");
        assert_int_equal(set.count, 4);
        static const int kept[] = {1, 2, 4, 5};
        for (size_t i = 0; i < 4; i++) {
            assert_string_equal(dataset_path(&set, i, path, sizeof path), PATHS[kept[i]]);
            assert_int_equal(set.labels[i], kept[i] / 2);
            assert_int_equal(dataset_pixels(&set, i, buffer)[1], (uint8_t)(kept[i] * 50 + 1));
        }
        assert_int_equal(dataset_failed(&set, NULL), 0);
        dataset_free(&set);
    }
    for (int i = 0; i < 6; i++) {
        write_file(PATHS[i], "hello", 5);
    }
    struct error e = {.offset = -1};
    const struct source source = {.folder = "set"};
    const struct loading how = {.faults = faults};
    assert_int_equal(dataset_load(&set, &source, &how, &e), -1);
    free(faults);
}

static void test_classes_of_others(void **state)
{
    (void)state;
    static const char *const values[] = {"z", "b", "a", "B"};
    const struct texts classes = {4, values};
    const struct loading how = {.classes = &classes, .owner = "the model's", .kind = ERROR_MODEL};
    struct dataset set;
    write_set();
    load(&set, &how);
    static const int labels[] = {3, 3, 2, 2, 1, 1};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(set.labels[i], labels[i]);
    }
    assert_int_equal(set.classes, 4);
    assert_string_equal(set.names.values[0], "z");
    dataset_free(&set);
    const struct texts fewer = {3, values};
    const struct loading other = {.classes = &fewer, .owner = "the model's", .kind = ERROR_MODEL};
    struct error e = {.offset = -1};
    const struct source source = {.folder = "set"};
    assert_int_equal(dataset_load(&set, &source, &other, &e), -1);
    assert_string_equal(e.message, "class 'B' is not one of the model's");
    assert_string_equal(e.file, "set/B");
    assert_int_equal(e.kind, ERROR_MODEL);
}

static void test_list(void **state)
{
    (void)state;
    static const char text[] = "b/_.png,two\r\n\"a/x.png\",\"o\"\"ne\"\na/y.png,two";
    struct dataset set;
    char path[100];
    write_set();
    write_file("set/list.csv", text, sizeof text - 1);
    const struct source sources[] = {{.images = "set/list.csv"}, {.csv = "set/list.csv"}};
    for (int s = 0; s < 2; s++) {
        assert_int_equal(dataset_load(&set, &sources[s], NULL, NULL), 0);
        assert_int_equal(set.count, 3);
        assert_string_equal(set.names.values[0], "o\"ne");
        assert_string_equal(set.names.values[1], "two");
        assert_int_equal(set.labels[0] * 100 + set.labels[1] * 10 + set.labels[2], 101);
        assert_string_equal(dataset_path(&set, 1, path, sizeof path), "set/a/x.png");
        assert_int_equal(dataset_pixels(&set, 2, NULL)[0], 3 * 50);
        dataset_free(&set);
    }
    assert_int_equal(chdir("set"), 0);
    const struct source here = {.csv = "list.csv"};
    assert_int_equal(dataset_load(&set, &here, NULL, NULL), 0);
    assert_string_equal(dataset_path(&set, 1, path, sizeof path), "a/x.png");
    dataset_free(&set);
    assert_int_equal(chdir(".."), 0);
}

/* In top: sub/f, sub/deep/, and links of all kinds. How many are not opened or refused as they
 * should be; the first is told on standard error. */
static int wrong_beneath(int dir)
{
    static const struct {
        const char *name;
        int number; /* 0: opened */
        int flags;
    } cases[] = {{"sub/f", 0, 0},
                 {"sub", 0, 0},
                 {".", 0, 0},
                 {"./sub//f", 0, 0},
                 {"sub/", 0, O_DIRECTORY},
                 {"sub/deep/../f", 0, 0},
                 {"sub/./deep/.././f", 0, 0},
                 {"sub/deep/../..", 0, O_DIRECTORY},
                 {"none", ENOENT, 0},
                 {"", ENOENT, 0},
                 {"sub/f/x", ENOTDIR, 0},
                 {"sub/f/", ENOTDIR, 0},
                 {"../outside", EXDEV, 0},
                 {"..", EXDEV, 0},
                 {"/etc/passwd", EXDEV, 0},
                 {"sub/../../outside", EXDEV, 0},
                 {"sub/deep/../../../outside", EXDEV, 0},
                 /* links that stay inside are as good as what they lead to, alone or on the way */
                 {"inner", 0, 0},
                 {"inner", 0, O_DIRECTORY},
                 {"inner/f", 0, 0},
                 {"file", 0, 0},
                 {"file", ENOTDIR, O_DIRECTORY},
                 {"file/x", ENOTDIR, 0},
                 {"inner/back", 0, 0},
                 {"inner/back/inner/f", 0, 0},
                 {"inner/deep/../f", 0, 0},
                 {"chain/f", 0, 0},
                 {"broken", ENOENT, 0},
                 {"broken/f", ENOENT, 0},
                 {"loop", ELOOP, 0},
                 {"loop/f", ELOOP, 0},
                 {"out", EXDEV, 0},
                 {"root/passwd", EXDEV, 0},
                 {"root", EXDEV, O_DIRECTORY},
                 {"inner/out", EXDEV, 0}};
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int fd = file_open_beneath(dir, cases[i].name, O_RDONLY | cases[i].flags);
        const int number = fd < 0 ? errno : 0;
        if (number != cases[i].number && wrong++ == 0) {
            fprintf(stderr, "'%s': %s, not %s\n", cases[i].name, strerror(number),
                    strerror(cases[i].number));
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    return wrong;
}

static int has_openat2(void)
{
    return syscall(SYS_openat2, AT_FDCWD, ".", NULL, 0) == 0 || errno != ENOSYS;
}

/* As on an old kernel, or in a container that does not know the call: in a child of our own. */
static int wrong_without_openat2(int dir)
{
    struct sock_filter calls[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog filter = {sizeof calls / sizeof *calls, calls};
    int status = -1;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (has_openat2() && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                              prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)) {
            _exit(100);
        }
        _exit(has_openat2() ? 101 : wrong_beneath(dir));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_beneath(void **state)
{
    (void)state;
    static const char *const links[][2] = {
        {"../outside", "top/out"},        {"/etc", "top/root"},   {"sub", "top/inner"},
        {"./sub/deep/..//f", "top/file"}, {"..", "top/sub/back"}, {"inner/back/inner", "top/chain"},
        {"nowhere", "top/broken"},        {"loop", "top/loop"},   {"../../outside", "top/sub/out"}};
    mkdir("top", 0700);
    mkdir("top/sub", 0700);
    mkdir("top/sub/deep", 0700);
    write_file("top/sub/f", "x", 1);
    write_file("outside", "x", 1);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        assert_int_equal(symlink(links[i][0], links[i][1]), 0);
    }
    const int dir = open("top", O_RDONLY | O_DIRECTORY);
    assert_int_equal(wrong_beneath(dir), 0);
    assert_int_equal(wrong_without_openat2(dir), 0);
    struct bytes bytes;
    struct room room = {0};
    struct error e = {.offset = -1};
    assert_int_equal(file_read_beneath(&bytes, dir, "out", "shown", 10, ERROR_DATA, &room, &e), -1);
    assert_string_equal(e.file, "shown");
    assert_int_equal(e.kind, ERROR_DATA);
    assert_int_equal(file_read_beneath(&bytes, dir, "sub", "shown", 10, ERROR_DATA, &room, &e), -1);
    assert_string_equal(e.message, "is a directory");
    assert_int_equal(e.kind, ERROR_DATA);
    assert_int_equal(file_read_beneath(&bytes, dir, "sub/f", "shown", 0, ERROR_DATA, &room, &e),
                     -1);
    assert_int_equal(file_read_beneath(&bytes, dir, "sub/f", "shown", 1, ERROR_DATA, &room, &e), 0);
    assert_int_equal(bytes.size, 1);
    room_free(&room);
    close(dir);
}

static void test_crc32_combine(void **state)
{
    (void)state;
    static const char text[] = "the one and the other";
    for (size_t i = 0; i <= 21; i++) {
        assert_int_equal(
            file_crc32_combine(file_crc32(0, text, i), file_crc32(0, text + i, 21 - i), 21 - i),
            file_crc32(0, text, 21));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),         cmocka_unit_test(test_memory),
        cmocka_unit_test(test_changed_files), cmocka_unit_test(test_made_the_same),
        cmocka_unit_test(test_faults),        cmocka_unit_test(test_classes_of_others),
        cmocka_unit_test(test_list),          cmocka_unit_test(test_beneath),
        cmocka_unit_test(test_crc32_combine),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
