/*
 * probe: asks each configured source, through the configured proxy, until each
 * has answered or failed once, and prints what came back: what an operator runs
 * before the first start, and whenever a source is missing.
 */
#ifndef HALLMARK_ORACLE_PROBE_H
#define HALLMARK_ORACLE_PROBE_H

#include "oracle/config.h"
#include "oracle/poller.h"

#include <stdio.h>

/* By then even an exchange that is asked every two seconds has said which of
 * twenty symbols it does not know. */
#define PROBE_DEADLINE_MS 40000
#define PROBE_LOOK_MS     100 /* between two looks at the poller */

/* 0 if every feed has a price, 1 otherwise: exit statuses. */
int probe(const struct config *config);

/*
 * What the poller knows now, as a table: a line for each source of each feed,
 * by exchange (in the order of exchange_table), symbol and feed:
 *
 *   exchange symbol last bid ask age_ms state ms feed [error [HTTP status]]
 *
 * age_ms: at its receipt, by the exchange's own time; ms: how long the newest
 * attempt took; "-": not known. Then a line for each feed: its price, or how
 * many sources it has and needs. Returns 0, or 1 if a feed has no price.
 */
int probe_report(const struct config *config, const struct poller *poller,
    int64_t now_ms, FILE *out);

#endif
