/*
 * probe: asks each configured source once, through the configured proxy, and
 * prints what came back: what an operator runs before the first start, and
 * whenever a source is missing.
 */
#ifndef HALLMARK_ORACLE_PROBE_H
#define HALLMARK_ORACLE_PROBE_H

#include "oracle/config.h"

#define PROBE_DEADLINE_MS 20000 /* the slowest has answered by then */
#define PROBE_LOOK_MS     100   /* between two looks at the poller */

/* 0 if every source gave a price, 1 otherwise: exit statuses. */
int probe(const struct config *config);

#endif
