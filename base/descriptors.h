/* descriptors: how many this process may hold. */
#ifndef HALLMARK_BASE_DESCRIPTORS_H
#define HALLMARK_BASE_DESCRIPTORS_H

#include <stdint.h>

#define DESCRIPTORS_SPARE 256 /* listeners, refusals under way, files */

/* Raises the soft limit to `wanted` and DESCRIPTORS_SPARE, as far as the hard
 * limit goes; a log line if that is not far enough. At start, once. */
void descriptors_want(uint64_t wanted);

/* The number of the first descriptor that is in the reserve: of the soft limit
 * DESCRIPTORS_SPARE are to be left, or a quarter if that is less. The kernel
 * gives the lowest number that is free, so one at or above it says that less
 * than the reserve is left. */
int descriptors_reserve(void);

#endif
