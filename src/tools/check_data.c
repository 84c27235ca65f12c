/* check_data.c: see check_data.h. */
#include "tools/check_data.h"

#include "base/text.h"
#include "data/duplicates.h"
#include "data/image_list.h"
#include "train/loading.h"
#include "train/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRAIN, VALIDATION, TEST, PARTS };
static const char *const PART_NAMES[PARTS] = {"train", "validation", "test"};

struct check {
    const struct cli *cli;
    const struct settings *settings;
    int threads, code;
    struct dataset sets[PARTS]; /* count 0: not there */
    struct subset parts[PARTS]; /* of a set of its own, or the two halves of the training set */
    /* What was found, in the order in which it is shown. */
    struct error_list unreadable, conflicts, shared, repeated;
};

static void fail(struct check *check, const struct error *e)
{
    const int code = cli_fail(check->cli, e);

    check->code = check->code == 0 ? code : check->code;
}

/* ---- loading ---- */

static void load(struct check *check, int part, const struct source *source)
{
    struct error e = {.offset = -1};
    const struct dataset *training = check->sets[TRAIN].count > 0 ? &check->sets[TRAIN] : NULL;
    struct loading how = loading_of_settings(&check->settings->data, training, check->threads);

    how.faults = &check->unreadable;
    how.training = part == TRAIN;
    if (source_path(source) == NULL) {
        return;
    }
    if (dataset_load(&check->sets[part], source, &how, &e) != 0 ||
        subset_all(&check->parts[part], &check->sets[part], &e) != 0) {
        fail(check, &e);
    }
}

/* The training set as training will take it: its limit, and what validates. */
static void split(struct check *check)
{
    static struct error_list errors; /* too large for a small stack */

    if (check->sets[TRAIN].count > 0 && parts_split(&check->parts[TRAIN], &check->parts[VALIDATION],
                                                    check->settings, &errors) != 0) {
        fail(check, &errors.items[0]);
    }
}

/* ---- names ---- */

static const char *class_name(const struct check *check, const struct dataset *set, int label,
                              char *buffer, size_t size)
{
    const struct texts *classes =
        set->names.count > 0 ? &set->names : &check->settings->data.classes;
    char number[16];

    snprintf(number, sizeof number, "%d", label);
    const char *name = label < classes->count ? classes->values[label] : number;

    return text_sanitize(buffer, size, name, strlen(name));
}

/* "path", or "image 7 of path" where many are in one file. */
static void image_name(const struct dataset *set, size_t sample, char *buffer, size_t size)
{
    char path[2048], safe[1100];

    if (dataset_path(set, sample, path, sizeof path) != NULL) {
        text_sanitize(buffer, size, path, strlen(path));
    } else {
        snprintf(buffer, size, "image %zu of %s", sample,
                 text_sanitize(safe, sizeof safe, set->path, strlen(set->path)));
    }
}

/* ---- duplicates ---- */

static void note_twin(struct check *check, const struct twin *twin)
{
    const struct dataset *set = check->parts[twin->part].set;
    const struct dataset *other = check->parts[twin->other_part].set;
    const int label = set->labels[twin->sample], other_label = other->labels[twin->other];
    const int differ = label != other_label, across = twin->other_part != twin->part;
    char one[300], two[300], names[2][300], where[64] = "";

    image_name(set, twin->sample, one, sizeof one);
    image_name(other, twin->other, two, sizeof two);
    if (across) {
        snprintf(where, sizeof where, "in %s and in %s: ", PART_NAMES[twin->other_part],
                 PART_NAMES[twin->part]);
    }
    if (differ) {
        error_set(error_next(&check->conflicts), ERROR_DATA, NULL,
                  "%s%s ('%.80s') is the same image as %s ('%.80s')", where, one,
                  class_name(check, set, label, names[0], sizeof names[0]), two,
                  class_name(check, other, other_label, names[1], sizeof names[1]));
    } else {
        error_set(error_next(across ? &check->shared : &check->repeated), ERROR_DATA, NULL,
                  "%s%s is the same image as %s", where, one, two);
    }
}

static void find_twins(struct check *check)
{
    const struct subset *parts[PARTS];
    int number[PARTS], count = 0;
    struct error e = {.offset = -1};
    struct twins twins;

    for (int p = 0; p < PARTS; p++) {
        if (check->parts[p].count > 0) {
            number[count] = p;
            parts[count++] = &check->parts[p];
        }
    }
    if (count == 0) {
        return;
    }
    if (twins_find(&twins, parts, count, &e) != 0) {
        fail(check, &e);
        return;
    }
    for (size_t i = 0; i < twins.count; i++) {
        struct twin twin = twins.items[i];

        twin.part = number[twin.part];
        twin.other_part = number[twin.other_part];
        note_twin(check, &twin);
    }
    twins_free(&twins);
}

/* ---- printing ---- */

static int compare_sizes(const void *a, const void *b)
{
    const struct image *one = a, *other = b;
    const int c = one->c - other->c, h = one->h - other->h;

    return c != 0 ? c : h != 0 ? h : one->w - other->w;
}

/* How many images of each stored size there are, when there is more than one. */
static void print_sizes(const struct dataset *set)
{
    enum { SHOWN = 10 };
    struct image *sizes = set->list != NULL ? set->list->sizes : NULL;
    size_t kinds = 0;
    char count[32];

    if (sizes == NULL) {
        return;
    }
    qsort(sizes, set->count, sizeof *sizes, compare_sizes); /* nobody needs their order any more */
    for (size_t i = 0, end; i < set->count; i = end) {
        for (end = i; end < set->count && compare_sizes(&sizes[i], &sizes[end]) == 0; end++) {
        }
        if (++kinds <= SHOWN && (i > 0 || end < set->count)) {
            printf("  %12s of %dx%dx%d\n", text_from_count(count, end - i), sizes[i].c, sizes[i].h,
                   sizes[i].w);
        }
    }
    if (kinds > SHOWN) {
        printf("  %12s and %zu more sizes\n", "", kinds - SHOWN);
    }
}

static int count_classes(const struct check *check, int part)
{
    const struct dataset *set = check->parts[part].set;
    const int training = check->sets[TRAIN].classes, named = check->settings->data.classes.count;
    int count = set->classes > training ? set->classes : training;

    return named > count ? named : count;
}

static void print_classes(struct check *check, int part)
{
    const struct subset *subset = &check->parts[part];
    const int classes = count_classes(check, part);
    size_t *counts = calloc((size_t)classes + 1, sizeof *counts);
    char name[300], count[32];

    if (counts == NULL) {
        struct error e = {.offset = -1};
        error_memory(&e, (size_t)classes * sizeof *counts);
        fail(check, &e);
        return;
    }
    for (size_t i = 0; i < subset->count; i++) {
        counts[subset->set->labels[subset->index[i]]]++;
    }
    for (int k = 0; k < classes; k++) {
        printf("  %12s %6.2f %%  %s%s\n", text_from_count(count, counts[k]),
               100 * (double)counts[k] / (double)subset->count,
               class_name(check, subset->set, k, name, sizeof name),
               counts[k] == 0 ? "  (no images)" : "");
    }
    free(counts);
}

static void print_part(struct check *check, int part)
{
    const struct subset *subset = &check->parts[part];
    const struct dataset *set = subset->set;
    char safe[1100], count[32];

    if (subset->count == 0) {
        return;
    }
    printf("%s: %s, %s images of %dx%dx%d%s\n", PART_NAMES[part],
           text_sanitize(safe, sizeof safe, set->path, strlen(set->path)),
           text_from_count(count, subset->count), set->c, set->h, set->w,
           subset->count < set->count ? ", a share of it" : "");
    if (subset->count == set->count || part == TRAIN) {
        print_sizes(set);
    }
    print_classes(check, part);
    putchar('\n');
}

/* A kind of finding: its number on stdout, each on stderr. */
static void print_findings(struct check *check, const struct error_list *found, int wrong,
                           const char *what)
{
    char count[32];

    printf("%12s  %s\n", text_from_count(count, (uint64_t)found->total), what);
    if (found->total == 0) {
        return;
    }
    fflush(stdout);
    if (!wrong) {
        cli_warn_all(check->cli, found);
    } else {
        const int code = cli_fail_all(check->cli, found);

        check->code = check->code == 0 ? code : check->code;
    }
}

int check_data(const struct cli *cli, const struct settings *settings, int threads)
{
    struct check *check = calloc(1, sizeof *check);

    if (check == NULL) {
        struct error e = {.offset = -1};
        error_memory(&e, sizeof *check);
        return cli_fail(cli, &e);
    }
    check->cli = cli;
    check->settings = settings;
    check->threads = threads;
    load(check, TRAIN, &settings->data.train);
    load(check, VALIDATION, &settings->data.validation.source);
    load(check, TEST, &settings->data.test);
    split(check);
    find_twins(check);
    for (int p = 0; p < PARTS; p++) {
        print_part(check, p);
    }
    print_findings(check, &check->unreadable, 1, "images that cannot be used");
    print_findings(check, &check->conflicts, 1, "equal images with different labels");
    print_findings(check, &check->shared, 1,
                   "images that are in two of train, validation and test");
    print_findings(check, &check->repeated, 0, "images that are in one set more than once");
    const int code = check->code;

    for (int p = 0; p < PARTS; p++) {
        subset_free(&check->parts[p]);
        dataset_free(&check->sets[p]);
    }
    free(check);
    return code;
}
