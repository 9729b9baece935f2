/*
 * log_api: what is answered about the log; see log_answer.h.
 *
 *   GET /log/head?boot_id=                      the newest head, full form
 *   GET /log/heads?boot_id=&after=SIZE&limit=   heads by size, reference form
 *   GET /log/inclusion?feed=&boot_id=&sequence=[&tree_size=]
 *   GET /log/consistency?boot_id=&from=SIZE&to=SIZE
 *
 * boot_id left out is the boot of the newest head.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_LOG_API_H
#define HALLMARK_VERIFIER_DAEMON_LOG_API_H

#include "base/service.h"

/* For service_new(); the server's data is a struct verifierd. */
extern const struct service_route log_api_routes[];

#endif
