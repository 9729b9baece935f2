/* plan: the resolved configuration, for people: what --check prints. */
#ifndef HALLMARK_ORACLE_PLAN_H
#define HALLMARK_ORACLE_PLAN_H

#include "oracle/config.h"

#include <stdio.h>

void plan_print(const struct config *config, FILE *out);

#endif
