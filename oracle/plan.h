/*
 * plan: the resolved configuration, for people: what --check prints. Each feed
 * with all its parameters, each source with what its time means, and what the
 * feeds together ask of each exchange, against our budget and its limit.
 */
#ifndef HALLMARK_ORACLE_PLAN_H
#define HALLMARK_ORACLE_PLAN_H

#include "oracle/config.h"

#include <stdio.h>

/* What an answer is old when it is used, beside the time since it was asked
 * for: its way here, and the wait for the tick. */
#define PLAN_ANSWER_MS 500

/* Asks nobody. Returns 0, or 1 if there is a feed that cannot live: an exchange
 * cannot be asked so often that enough of its sources are within max_age_ms. */
int plan_print(const struct config *config, FILE *out);

#endif
