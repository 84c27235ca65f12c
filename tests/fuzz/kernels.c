/* kernels.c: see fuzz.h. Apart from fuzz.c, so that only targets that compute have the kernels in
 * them: libFuzzer looks at the counters of all code that is there after each run. */
#include "fuzz/fuzz.h"

const struct kernels *fuzz_kernels(void)
{
    const struct kernels *kernels = kernels_select("generic");
    CHECK(kernels != NULL);
    return kernels;
}

/* The other levels are not built here; kernels/levels.c names them. */
#ifdef __x86_64__
extern const struct kernels kernels_avx2, kernels_avx512;
const struct kernels kernels_avx2 = {0}, kernels_avx512 = {0};
#endif
