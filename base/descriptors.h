/* descriptors: how many this process may hold. */
#ifndef HALLMARK_BASE_DESCRIPTORS_H
#define HALLMARK_BASE_DESCRIPTORS_H

#include <stdint.h>

#define DESCRIPTORS_SPARE 256 /* listeners, refusals under way, files */

/* Raises the soft limit to `wanted` and DESCRIPTORS_SPARE, as far as the hard
 * limit goes; a log line if that is not far enough. At start, once. */
void descriptors_want(uint64_t wanted);

#endif
