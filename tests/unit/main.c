/* main.c: all unit tests are one program, which runs the one that it is called by:
 * build/release/unit/test_x is a link to build/release/unit/all. As programs of their own they
 * would take a minute to link. */
#include <stdio.h>
#include <string.h>

#define TEST(name) int name##_main(void);
#include "unit_tests.def" /* made by the Makefile: TEST(test_arena) TEST(test_augment)... */
#undef TEST

static const struct {
    const char *name;
    int (*run)(void);
} TESTS[] = {
#define TEST(name) {#name, name##_main},
#include "unit_tests.def"
#undef TEST
};

int main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";
    for (size_t i = 0; i < sizeof TESTS / sizeof *TESTS; i++) {
        if (strcmp(TESTS[i].name, name) == 0) {
            return TESTS[i].run();
        }
    }
    fprintf(stderr, "%s: no unit test has this name: call it by a link that has the name of one\n",
            name);
    return 2;
}
