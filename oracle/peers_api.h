/* peers_api: GET /peers, what the other enclaves are to this one, signed. */
#ifndef HALLMARK_ORACLE_PEERS_API_H
#define HALLMARK_ORACLE_PEERS_API_H

#include "oracle/api.h"

extern const struct service_route peers_api_routes[];

#endif
