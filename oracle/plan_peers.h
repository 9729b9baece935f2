/* plan_peers: the "peers" part of hallmark-oracle --check. */
#ifndef HALLMARK_ORACLE_PLAN_PEERS_H
#define HALLMARK_ORACLE_PLAN_PEERS_H

#include "oracle/config.h"

#include <stdio.h>

/* Nothing if there are none. */
void plan_peers(const struct config *config, FILE *out);

#endif
