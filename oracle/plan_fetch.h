/* plan_fetch: what --check says of "fetch". */
#ifndef HALLMARK_ORACLE_PLAN_FETCH_H
#define HALLMARK_ORACLE_PLAN_FETCH_H

#include "oracle/config.h"

#include <stdio.h>

/* Nothing where it is off. Warns of an exchange whose limit the feeds and
 * those who fetch could pass together. */
void plan_fetch_print(const struct config *config, FILE *out);

#endif
