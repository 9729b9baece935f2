/*
 * verifierd_api: what hallmark-verifierd answers. Only items that it verified
 * and that are in its archive are ever served.
 *
 *   GET  /price/{feed}  /price  /stream  /attestations/{sha256}   (board.h)
 *   GET  /price/{feed}?at_ms=  /history     what was (history.h)
 *   GET  /feeds    what is served, and how fresh
 *   GET  /livez    200 while the loop turns
 *   GET  /readyz   200 or 503, with each check and why, how often each verdict
 *                  was given, and what the attestation cache spared
 *   GET  /metrics  the same for Prometheus, and more (verifierd_metrics.h)
 *   GET  /version
 *   POST /verify?at=now|published   body: an item; the verdict and each check
 *   GET  /  /web/{file}  /policy    the dashboard (dashboard.h)
 */
#ifndef HALLMARK_VERIFIER_DAEMON_VERIFIERD_API_H
#define HALLMARK_VERIFIER_DAEMON_VERIFIERD_API_H

#include "base/service.h"

/* A document not seen before costs milliseconds of the loop. */
#define VERIFIERD_VERIFY_PER_S 50

/* For service_new(); the server's data is a struct verifierd. */
extern const struct service_route *const verifierd_api_tables[];

#endif
