/* target_config.c: a config, from bytes to the plan of its network: yaml_*.c, option_*.c,
 * settings_*.c, graph.c and the layers, plan.c. The input is a config file; behind a first byte
 * 0x1E, which no config may hold, comes an assignment as of --set.
 *
 * A config that is accepted is written out as resolved and read again: it must be accepted, and be
 * written as the same text. Started with --list as its argument, the target prints the keys and
 * words of all types, of which fuzzing.py makes a dictionary. */
#include "fuzz/fuzz.h"
#include "net/plan.h"
#include "tools/list.h"
#include "train/settings.h"

#include <stdlib.h>
#include <string.h>

enum { SEPARATOR = 0x1e };
#define FAULTS (KIND(ERROR_CONFIG) | KIND(ERROR_LIMIT))
#define CONFIG_BYTES ((size_t)256 << 10)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    if (*argc == 2 && strcmp((*argv)[1], "--list") == 0) {
        list_print("", stdout);
        exit(0);
    }
    return 0;
}

static void clear(struct error_list *errors) { errors->count = 0, errors->total = 0; }

/* The tree of the input, an assignment made; NULL when there is none. */
static const struct yaml *read_tree(struct arena *arena, const uint8_t *data, size_t size,
                                    struct error_list *errors)
{
    char assignment[512];
    const uint8_t *separator = size > 0 ? memchr(data, SEPARATOR, size) : NULL;
    const size_t length = separator != NULL ? (size_t)(separator - data) : size;
    fuzz_no_files();
    fuzz_file("a.yaml", data, length);
    const struct yaml *root = yaml_read(arena, "a.yaml", errors);
    CHECK(root != NULL || errors->total > 0);
    if (root != NULL && separator != NULL && size - length - 1 < sizeof assignment) {
        memcpy(assignment, separator + 1, size - length - 1);
        assignment[size - length - 1] = '\0';
        const long long before = errors->total;
        const struct yaml *changed = yaml_set(arena, root, assignment, errors);
        CHECK((changed == NULL) == (errors->total > before));
        root = changed != NULL ? changed : root;
    }
    return root;
}

/* The network of checked settings; 0 or -1. */
static int build(const struct settings *settings, struct graph *graph, struct arena *arena,
                 struct error_list *errors)
{
    const struct input_options *input = &settings->data.input;
    const struct shape shape = {input->channels.value > 0 ? (int)input->channels.value : 1,
                                input->height.value > 0 ? (int)input->height.value : 28,
                                input->width.value > 0 ? (int)input->width.value : 28};
    const int status = graph_build(graph, &settings->network, shape, arena, errors);
    CHECK((status != 0) == (errors->total > 0));
    return status;
}

static void check_plan(const struct graph *graph, int purpose, struct arena *arena)
{
    struct plan plan;
    struct error e = {.offset = -1};
    const size_t input = (size_t)graph->input.c * (size_t)graph->input.h * (size_t)graph->input.w;
    CHECK(plan_make(&plan, graph, purpose, arena, &e) == 0);
    CHECK(plan.floats % LANES == 0 && plan.kept <= plan.floats);
    CHECK(plan.input + input * LANES <= plan.floats && plan.logits < plan.floats);
    CHECK(plan.scratch <= plan.floats);
}

/* As resolved, written and read again: the same. */
static void check_written(const struct settings *settings, struct error_list *errors)
{
    struct text first = {0}, second = {0};
    struct arena arena = {0};
    struct settings again;
    struct graph graph = {0};
    settings_emit(settings, 1, &first);
    CHECK(!first.failed && first.length > 0);
    if (first.length <= CONFIG_BYTES) {
        const struct yaml *root = yaml_parse(&arena, "b.yaml", first.data, first.length, errors);
        CHECK(root != NULL && errors->total == 0);
        CHECK(settings_decode(&again, root, "a", &arena, errors) == 0 && errors->total == 0);
        CHECK(build(&again, &graph, &arena, errors) == 0);
        settings_emit(&again, 1, &second);
        CHECK(!second.failed && second.length == first.length);
        CHECK(memcmp(first.data, second.data, first.length) == 0);
    }
    text_free(&first);
    text_free(&second);
    arena_free(&arena);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static struct error_list errors;
    struct arena arena = {0};
    struct settings settings;
    struct graph graph = {0};
    clear(&errors);
    const struct yaml *root = read_tree(&arena, data, size, &errors);
    if (root != NULL) {
        const long long before = errors.total;
        const int status = settings_decode(&settings, root, "a", &arena, &errors) |
                           settings_check_training(&settings, &errors);
        CHECK((status != 0) == (errors.total > before));
    }
    if (errors.total == 0 && build(&settings, &graph, &arena, &errors) == 0) {
        const int classes = settings.data.classes.count > 0 ? settings.data.classes.count : 10;
        for (int purpose = PLAN_EVALUATION; purpose <= PLAN_FOLDED; purpose++) {
            check_plan(&graph, purpose, &arena);
        }
        check_written(&settings, &errors);
        if (graph_check_classes(&graph, classes, &errors) == 0) {
            const int status = settings_weigh_classes(&settings, NULL, classes, &arena, &errors);
            CHECK((status != 0) == (errors.total > 0));
        }
    }
    fuzz_check_errors(&errors, FAULTS);
    arena_free(&arena);
    return 0;
}
