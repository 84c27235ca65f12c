/* memory.h: what this process takes of the machine's memory. */
#ifndef CNNTRAIN_BASE_MEMORY_H
#define CNNTRAIN_BASE_MEMORY_H

#include <stdint.h>

/* Bytes resident now; 0 where the system does not tell. */
uint64_t memory_resident(void);
/* The most that has been resident since the program began; 0 where the system does not tell. */
uint64_t memory_peak(void);
/* Bytes that can be taken without others having to give theirs; 0 where the system does not tell.
 */
uint64_t memory_available(void);

#endif
