/*
 * board_routes: the routes that every program with a board serves alike: the
 * board's own, /livez and /openapi.json.
 */
#ifndef HALLMARK_BASE_BOARD_ROUTES_H
#define HALLMARK_BASE_BOARD_ROUTES_H

#include "base/board.h"
#include "base/service.h"

/* What the server's `data` begins with where these routes are served. */
struct board_front {
	struct board *board;
	struct service *service; /* its table is the document's */
};

extern const struct service_route board_routes[];

/* For the programs' own /readyz and /metrics. */
extern const struct service_answer board_readyz_answers[];
extern const struct service_answer board_metrics_answers[];

#endif
