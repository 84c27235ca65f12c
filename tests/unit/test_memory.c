/* test_memory.c: memory that is touched is resident, and the peak remembers it when it is freed. */
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../data_files.h"

#define SIZE ((size_t)64 << 20)
#define SLACK ((size_t)2 << 20) /* the system counts in batches, a few pages for each processor */

static void *map(void)
{
    void *block = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(block != MAP_FAILED);
    return block;
}

static void test_resident(void **state)
{
    (void)state;
    const uint64_t start = memory_resident();
    if (start == 0) {
        skip(); /* no such system */
    }
    assert_true(start > 100 << 10);
    void *block = map();
    assert_true(memory_resident() < start + SLACK); /* not touched */
    memset(block, 1, SIZE);                         /* with it what a sanitizer keeps of it */
    assert_int_equal(madvise(block, SIZE, MADV_DONTNEED), 0);
    const uint64_t before = memory_resident();
    assert_true(before < start + SIZE / 2);
    memset(block, 1, SIZE);
    const uint64_t touched = memory_resident();
    assert_true(touched > before + SIZE - SLACK && touched < before + SIZE + SLACK);
    munmap(block, SIZE);
    assert_true(memory_resident() < before + SLACK);
}

static void test_peak(void **state)
{
    (void)state;
    void *block = map();
    memset(block, 1, SIZE);
    const uint64_t resident = memory_resident(), peak = memory_peak();
    assert_true(peak + SLACK > resident && peak > SIZE);
    munmap(block, SIZE);
    assert_true(memory_peak() + SLACK > peak && memory_resident() + SIZE / 2 < peak);
}

/* Make the folders of `path`, then the file. */
static void put_text(const char *path, const char *text)
{
    char folder[300];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        mkdir(folder, 0700);
    }
    write_file(path, text, strlen(text));
}

static void expect_groups(const char *groups, uint64_t limit, uint64_t room)
{
    write_file("groups", groups, strlen(groups));
    const struct memory_groups found = memory_in_groups("groups", "fs");
    if (found.limit != limit || found.room != room) {
        fail_msg("%s: limit %llu, room %llu", groups, (unsigned long long)found.limit,
                 (unsigned long long)found.room);
    }
}

static void test_groups(void **state)
{
    (void)state;
    const uint64_t none = UINT64_MAX;
    assert_true(memory_in_groups("nowhere", "fs").limit == none);
    expect_groups("", none, none);
    expect_groups("0::/\n", none, none); /* nothing is mounted */
    put_text("fs/a/memory.max", "max\n");
    put_text("fs/a/memory.current", "5000\n");
    put_text("fs/a/b/memory.max", "4000\n");
    put_text("fs/a/b/memory.current", "3000\n");
    put_text("fs/a/b/memory.stat", "anon 100\ninactive_anon 7\nactive_file 20\ninactive_file 500\n");
    expect_groups("0::/a\n", none, none);
    expect_groups("0::/a/b\n", 4000, 1500); /* what is only cached can be had */
    expect_groups("0::/a/b", 4000, 1500);
    expect_groups("0::/a/b/c/d\n", 4000, 1500); /* groups inside, without a file of their own */
    expect_groups("1:name=systemd:/a/b\n0::/a\n", none, none);
    put_text("fs/a/memory.max", "3500\n"); /* the one around it: it is full, and allows less */
    expect_groups("0::/a/b\n", 3500, 0);
    /* the first version: the container's own group is all that is mounted, and called otherwise */
    put_text("fs/memory/memory.limit_in_bytes", "700000\n");
    put_text("fs/memory/memory.usage_in_bytes", "300000\n");
    put_text("fs/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 100000\n");
    expect_groups("5:cpuset:/a/b\n4:memory:/docker/123\n", 700000, 500000);
    put_text("fs/memory/own/memory.limit_in_bytes", "9223372036854771712\n"); /* its word for none */
    put_text("fs/memory/own/memory.usage_in_bytes", "10\n");
    expect_groups("4:memory:/own\n0::/\n", 700000, 500000);
    put_text("fs/memory/own/memory.limit_in_bytes", "600\n");
    expect_groups("4:memory:/own\n", 600, 590);
    expect_groups("4:memory\nrubbish\n\n:::\n", none, none);
}

static void test_whole(void **state)
{
    (void)state;
    const uint64_t all = memory_total(), available = memory_available();
    assert_true(all > 0 && available > 0 && available <= all);
    const struct memory_groups own = memory_in_groups("/proc/self/cgroup", "/sys/fs/cgroup");
    assert_true(all <= own.limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resident), cmocka_unit_test(test_peak),
        cmocka_unit_test_setup_teardown(test_groups, folder_make, folder_remove),
        cmocka_unit_test(test_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
