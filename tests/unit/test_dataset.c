/* test_dataset.c: how a set is found and named, its label check and checksum, and the selections
 * made of it (dataset.c, subset.c). */
#include "data/dataset.h"
#include "data/format.h"

#include "../data_files.h"

#include <sys/stat.h>

/* `count` images of 1x2 bytes with the given labels, as files of these names. */
static void write_set(const char *images, const char *labels, const unsigned char *label,
                      uint32_t count)
{
    struct buffer file = {0};
    put_idx_header(&file, 0x08, 3, (const uint32_t[]){count, 1, 2});
    for (uint32_t i = 0; i < count; i++) {
        put(&file, &(unsigned char[]){(unsigned char)i, 7}, 2);
    }
    write_file(images, file.data, file.size);
    buffer_free(&file);
    put_idx_header(&file, 0x08, 1, &count);
    put(&file, label, count);
    write_file(labels, file.data, file.size);
    buffer_free(&file);
}

static const unsigned char THREE[] = {0, 1, 2};

static void expect_found(const char *images, const char *labels, const char *found_labels)
{
    struct dataset set;
    struct error e = {.offset = -1};
    const struct source source = {.images = images, .labels = labels};
    if (dataset_load(&set, &source, NULL, &e) != 0) {
        fail_msg("%s: %s", e.file, e.message);
    }
    assert_string_equal(set.labels_path, found_labels);
    assert_int_equal(set.count, 3);
    dataset_free(&set);
}

static void expect_refused(const struct source *source, enum error_kind kind, const char *file,
                           const char *message)
{
    struct dataset set;
    struct error e = {.offset = -1};
    assert_int_equal(dataset_load(&set, source, NULL, &e), -1);
    assert_string_equal(e.message, message);
    assert_string_equal(e.file, file);
    assert_int_equal(e.kind, kind);
    assert_int_equal(dataset_load(&set, source, NULL, NULL), -1);
}

static void test_labels_by_name(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
        {"train-images.idx3-ubyte", "train-labels.idx1-ubyte"},
        {"rgb-images-idx4-ubyte", "rgb-labels-idx1-ubyte"},
        {"images", "labels"},
        {"./images-a", "./labels-a"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_set(names[i][0], names[i][1], THREE, 3);
        expect_found(names[i][0], NULL, names[i][1]);
    }
    assert_int_equal(mkdir("images-folder", 0700), 0);
    write_set("images-folder/images", "images-folder/labels", THREE, 3);
    expect_found("images-folder/images", NULL, "images-folder/labels");
    write_set("a-images.gz", "a-labels", THREE, 3); /* one packed, the other not */
    expect_found("a-images.gz", NULL, "a-labels");
    write_set("b-images", "b-labels.gz", THREE, 3);
    expect_found("b-images", NULL, "b-labels.gz");
    write_set("c-images", "d-labels", THREE, 3); /* as said goes before as usual */
    expect_found("c-images", "d-labels", "d-labels");
    write_set("pictures", "classes", THREE, 3);
    expect_found("pictures", "classes", "classes");
}

static void test_labels_not_found(void **state)
{
    (void)state;
    write_set("lone-images-idx3", "other", THREE, 3);
    const struct source lone = {.images = "lone-images-idx3"};
    expect_refused(&lone, ERROR_IO, "lone-images-idx3",
                   "its labels file is not there: no lone-labels-idx1, plain or .gz");
    write_set("lone-images-idx3.gz", "other", THREE, 3);
    const struct source packed = {.images = "lone-images-idx3.gz"};
    expect_refused(&packed, ERROR_IO, "lone-images-idx3.gz",
                   "its labels file is not there: no lone-labels-idx1, plain or .gz");
    write_set("photos", "other", THREE, 3);
    const struct source unnamed = {.images = "photos"};
    expect_refused(
        &unnamed, ERROR_DATA, "photos",
        "no 'images' in this name to find its labels by: write {images: .., labels: ..}");
    const struct source missing = {.images = "photos", .labels = "nowhere"};
    expect_refused(&missing, ERROR_IO, "nowhere", "cannot open: No such file or directory");
}

/* As data.train: the training images of the folder. */
static void expect_training(const struct source *source, const char *found_labels)
{
    const struct loading how = {.training = 1};
    struct dataset set;
    struct error e = {.offset = -1};
    if (found_labels != NULL) {
        assert_int_equal(dataset_load(&set, source, &how, &e), 0);
        assert_string_equal(set.labels_path, found_labels);
        dataset_free(&set);
    } else {
        assert_int_equal(dataset_load(&set, source, &how, &e), -1);
        assert_string_equal(e.message,
                            "this folder holds neither class folders nor train-*images* files");
    }
}

static void test_folder(void **state)
{
    (void)state;
    const struct source source = {.images = "sets"};
    const struct source tests = {.images = "tests"};
    assert_int_equal(mkdir("tests", 0700), 0);
    write_set("tests/t10k-images-idx3-ubyte", "tests/t10k-labels-idx1-ubyte", THREE, 3);
    expect_training(&tests, NULL);
    assert_int_equal(mkdir("sets", 0700), 0);
    write_set("sets/train-images-idx3-ubyte", "sets/train-labels-idx1-ubyte", THREE, 3);
    expect_refused(
        &source, ERROR_DATA, "sets",
        "this folder holds neither class folders nor t10k-*images* or test-*images* files");
    write_set("sets/test-images-idx3-ubyte", "sets/test-labels-idx1-ubyte", THREE, 3);
    expect_found("sets", NULL, "sets/test-labels-idx1-ubyte");
    write_set("sets/t10k-images-idx3-ubyte.gz", "sets/t10k-labels-idx1-ubyte.gz", THREE, 3);
    expect_found("sets/", NULL, "sets//t10k-labels-idx1-ubyte.gz");
    write_set("sets/t10k-images-idx3-ubyte", "sets/t10k-labels-idx1-ubyte", THREE, 3);
    expect_found("sets", NULL, "sets/t10k-labels-idx1-ubyte");
    expect_training(&source, "sets/train-labels-idx1-ubyte");
}

static void test_long_paths(void **state)
{
    (void)state;
    char path[6000];
    memset(path, 'x', sizeof path);
    path[5000] = '\0';
    const struct source source = {.images = path};
    struct dataset set;
    struct error e;
    assert_int_equal(dataset_load(&set, &source, NULL, &e), -1);
    assert_int_equal(e.kind, ERROR_IO);
    assert_string_equal(e.message, "path too long: 5000 bytes, at most 4095");
    write_set("e-images", "other", THREE, 3);
    const struct source labels = {.images = "e-images", .labels = path};
    assert_int_equal(dataset_load(&set, &labels, NULL, &e), -1);
    assert_string_equal(e.message, "path too long: 5000 bytes, at most 4095");
    memset(path, '/', 4090);
    memcpy(path, "sets", 4);
    path[4090] = '\0';
    const struct source folder = {.images = path};
    assert_int_equal(dataset_load(&set, &folder, NULL, &e), -1);
}

static void test_formats(void **state)
{
    (void)state;
    assert_string_equal(FORMATS.noun, "format");
    assert_string_equal(FORMATS.plural, "formats");
    assert_non_null(family_find(&FORMATS, "idx"));
    assert_non_null(family_find(&FORMATS, "folder"));
    assert_non_null(family_find(&FORMATS, "csv"));
    assert_null(family_find(&FORMATS, "png"));
    for (int i = 0; FORMATS.members[i] != NULL; i++) {
        assert_true(strlen(FORMATS.members[i]->help) > 10);
    }
}

static void test_checksum(void **state)
{
    (void)state;
    static const unsigned char other[] = {0, 1, 3};
    struct dataset set;
    const struct source source = {.images = "crc-images"};
    write_set("crc-images", "crc-labels", THREE, 3);
    assert_int_equal(dataset_load(&set, &source, NULL, NULL), 0);
    const char *shape = "bytes 1 1 2 3";
    const int32_t labels[] = {0, 1, 2};
    uLong crc = crc32(0, (const Bytef *)shape, (uInt)strlen(shape));
    crc = crc32(crc, (const Bytef *)"\0\7\1\7\2\7", 6);
    crc = crc32(crc, (const Bytef *)labels, sizeof labels);
    assert_int_equal(set.crc32, crc);
    dataset_free(&set);

    write_set("crc-images", "crc-labels", other, 3);
    assert_int_equal(dataset_load(&set, &source, NULL, NULL), 0);
    assert_int_not_equal(set.crc32, crc);
    dataset_free(&set);
    struct buffer file = {0};
    put_idx_header(&file, 0x08, 3,
                   (const uint32_t[]){3, 2, 1}); /* the same bytes in another shape */
    put(&file, "\0\7\1\7\2\7", 6);
    write_file("crc-images", file.data, file.size);
    write_set("unused", "crc-labels", THREE, 3);
    assert_int_equal(dataset_load(&set, &source, NULL, NULL), 0);
    assert_int_not_equal(set.crc32, crc);
    dataset_free(&set);
    buffer_free(&file);
}

/* I27, I28, Q03 */
static void test_check_labels(void **state)
{
    (void)state;
    static const unsigned char labels[] = {0, 1, 2, 3, 4, 5, 6, 10, 9, 255};
    const struct source source = {.images = "check-images"};
    struct dataset set;
    struct error e = {.offset = -1};
    write_set("check-images", "check-labels", labels, 10);
    assert_int_equal(dataset_load(&set, &source, NULL, NULL), 0);
    assert_int_equal(set.classes, 256);
    assert_int_equal(dataset_check_labels(&set, 10, ERROR_DATA, &e), -1);
    assert_string_equal(e.message, "sample 7: label 10, classes are 0..9");
    assert_string_equal(e.file, "check-labels");
    assert_int_equal(e.offset, 8 + 7);
    assert_int_equal(e.kind, ERROR_DATA);
    assert_int_equal(dataset_check_labels(&set, 10, ERROR_MODEL, &e), -1);
    assert_string_equal(e.message, "sample 7: label 10, model has 10 classes");
    assert_int_equal(e.kind, ERROR_MODEL);
    assert_int_equal(dataset_check_labels(&set, 255, ERROR_DATA, &e), -1);
    assert_string_equal(e.message, "sample 9: label 255, classes are 0..254");
    assert_int_equal(set.classes, 256);
    assert_int_equal(dataset_check_labels(&set, 256, ERROR_DATA, &e), 0);
    assert_int_equal(dataset_check_labels(&set, 300, ERROR_DATA, &e), 0);
    assert_int_equal(set.classes, 300);
    dataset_free(&set);
}

/* The option: text in, text out. */
struct holder {
    int before;
    struct source source;
};

static const struct option ROWS[] = {
    {.key = "train",
     .kind = &OPTION_SOURCE,
     .offset = offsetof(struct holder, source),
     .fallback = "",
     .help = "h"},
    OPTION_END,
};

static int decode(const char *text, struct holder *holder, struct arena *arena,
                  struct error_list *errors)
{
    struct decoder decoder = {.arena = arena, .errors = errors};
    const struct yaml *tree = yaml_parse(arena, "c.yaml", text, strlen(text), errors);
    assert_non_null(tree);
    *holder = (struct holder){0};
    return options_decode(ROWS, holder, tree, "data", NULL, &decoder);
}

static void round_trip(const char *text, const char *images, const char *labels,
                       const char *emitted)
{
    struct arena arena = {0};
    struct error_list *errors = calloc(1, sizeof *errors);
    struct holder holder;
    assert_non_null(errors);
    assert_int_equal(decode(text, &holder, &arena, errors), 0);
    assert_string_equal(holder.source.images, images);
    if (labels == NULL) {
        assert_null(holder.source.labels);
    } else {
        assert_string_equal(holder.source.labels, labels);
    }
    assert_int_equal(holder.source.where->line, 1);
    assert_int_equal(holder.source.where->column, 8);
    struct text out = {0};
    options_emit(ROWS, &holder, &out, 0);
    assert_string_equal(out.data, emitted);
    text_free(&out);
    arena_free(&arena);
    free(errors);
}

static void test_option(void **state)
{
    (void)state;
    setenv("CNNTRAIN_TEST_DIR", "there", 1);
    unsetenv("CNNTRAIN_TEST_NONE");
    round_trip("train: a/b.gz", "a/b.gz", NULL, "train: a/b.gz\n");
    round_trip("train: ${CNNTRAIN_TEST_DIR}/x", "there/x", NULL, "train: there/x\n");
    round_trip("train: {images: a, labels: b}", "a", "b", "train: {images: a, labels: b}\n");
    round_trip("train: {images: a}", "a", NULL, "train: a\n");
    round_trip("train: {labels: '${CNNTRAIN_TEST_NONE:-q}/l', images: 'a: b'}", "a: b", "q/l",
               "train: {images: \"a: b\", labels: q/l}\n");
    struct arena arena = {0};
    struct error_list *errors = calloc(1, sizeof *errors);
    struct holder holder;
    struct text out = {0};
    assert_non_null(errors);
    assert_int_equal(decode("{}", &holder, &arena, errors), 0);
    assert_null(holder.source.images);
    options_emit(ROWS, &holder, &out, 0);
    assert_true(out.data == NULL || out.data[0] == '\0');
    OPTION_SOURCE.describe(ROWS, &out);
    assert_string_equal(
        out.data, "path | {images: .., labels: .., layout: chw | hwc} | {folder: ..} | {csv: ..}");
    text_free(&out);
    arena_free(&arena);
    free(errors);
}

static void test_bad_option(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
        int column;
    } cases[] = {
        {"train: [a, b]",
         "'train' must be a path, {images: ..}, {folder: ..} or {csv: ..}, got a list", 8},
        {"train:", "'train' must be a path, {images: ..}, {folder: ..} or {csv: ..}, got nothing",
         7},
        {"train: {labels: a}", "missing key 'images', 'folder' or 'csv' in train", 8},
        {"train: {images: a, csv: b}", "'train' has more than one of 'images', 'folder' and 'csv'",
         8},
        {"train: {folder: a, csv: b}", "'train' has more than one of 'images', 'folder' and 'csv'",
         8},
        {"train: {folder: a, labels: b}", "'labels' of train is for 'images' only", 8},
        {"train: {csv: a, layout: hwc}", "'layout' of train is for 'images' only", 8},
        {"train: {images: a, layout: whc}", NULL, 28},
        {"train: {images: a, label: b}", "unknown key 'label' in train; did you mean 'labels'?",
         20},
        {"train: {images: [a], labels: b}", NULL, 17},
        {"train: ''", NULL, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct error_list *errors = calloc(1, sizeof *errors);
        struct holder holder;
        assert_non_null(errors);
        assert_int_equal(decode(cases[i].text, &holder, &arena, errors), -1);
        assert_int_equal(errors->count, 1);
        assert_int_equal(errors->items[0].kind, ERROR_CONFIG);
        assert_int_equal(errors->items[0].column, cases[i].column);
        if (cases[i].message != NULL) {
            assert_string_equal(errors->items[0].message, cases[i].message);
        }
        arena_free(&arena);
        free(errors);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_by_name), cmocka_unit_test(test_labels_not_found),
        cmocka_unit_test(test_folder),         cmocka_unit_test(test_long_paths),
        cmocka_unit_test(test_formats),        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_check_labels),   cmocka_unit_test(test_option),
        cmocka_unit_test(test_bad_option),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
