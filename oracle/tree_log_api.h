/* tree_log_api: GET /log/head, the newest signed head of the log. */
#ifndef HALLMARK_ORACLE_TREE_LOG_API_H
#define HALLMARK_ORACLE_TREE_LOG_API_H

#include "oracle/api.h"

/* For the tables of api.c; the server's `data` is the struct api. */
extern const struct service_route tree_log_api_routes[];

#endif
