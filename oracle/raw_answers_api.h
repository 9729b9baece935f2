/* raw_answers_api: GET /raw/{sha256}, the body of an exchange's answer. */
#ifndef HALLMARK_ORACLE_RAW_ANSWERS_API_H
#define HALLMARK_ORACLE_RAW_ANSWERS_API_H

#include "oracle/api.h"

/* One of api_tables; the data is the struct api. */
extern const struct service_route raw_answers_api_routes[];

#endif
