/* omp.h: stands in for OpenMP's where code is fuzzed: one thread, and no runtime that would have to
 * start thousands of times a second. The pragmas are ignored. */
#ifndef CNNTRAIN_TESTS_FUZZ_OMP_H
#define CNNTRAIN_TESTS_FUZZ_OMP_H

static inline int omp_get_thread_num(void) { return 0; }
static inline int omp_get_num_threads(void) { return 1; }
static inline int omp_get_num_procs(void) { return 1; }

#endif
