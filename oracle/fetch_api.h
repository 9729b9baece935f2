/* fetch_api: POST /fetch, {"hostname", "port", "path"}. */
#ifndef HALLMARK_ORACLE_FETCH_API_H
#define HALLMARK_ORACLE_FETCH_API_H

#include "oracle/api.h"

/* For service_new(); the server's `data` is a struct api. */
extern const struct service_route fetch_api_routes[];

#endif
