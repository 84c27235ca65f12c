/* memory.h: what this process takes of the machine's memory. */
#ifndef CNNTRAIN_BASE_MEMORY_H
#define CNNTRAIN_BASE_MEMORY_H

#include <stdint.h>

/* Bytes resident now; 0 where the system does not tell. */
uint64_t memory_resident(void);
/* The most that has been resident since the program began; 0 where the system does not tell. */
uint64_t memory_peak(void);
/* Bytes that can be taken without others having to give theirs, and without leaving what this
 * process's control groups allow; 0 where the system does not tell. */
uint64_t memory_available(void);
/* The machine's memory, or what the control groups allow of it; 0 where the system does not tell.
 */
uint64_t memory_total(void);

/* The least that the memory control groups of a process allow, in all and now: pages of files that
 * are not in use count as free. UINT64_MAX without a limit. */
struct memory_groups {
    uint64_t limit, room;
};
/* By the file that names them (/proc/self/cgroup) and where they are mounted (/sys/fs/cgroup);
 * either version of them. */
struct memory_groups memory_in_groups(const char *groups, const char *mounted);

#endif
