/* plan_secrets: which secrets a configuration takes, for --check. */
#ifndef HALLMARK_ORACLE_PLAN_SECRETS_H
#define HALLMARK_ORACLE_PLAN_SECRETS_H

#include "oracle/config.h"

#include <stdio.h>

/* A line for each, and a warning for each source whose key nobody may seal. */
void plan_secrets_print(const struct config *config, FILE *out);

#endif
