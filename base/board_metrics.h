/*
 * board_metrics: how the streams of a board do, and who waits, for
 * Prometheus; the same families in every program that has a board, each under
 * its own prefix.
 */
#ifndef HALLMARK_BASE_BOARD_METRICS_H
#define HALLMARK_BASE_BOARD_METRICS_H

#include "base/board.h"
#include "base/metrics_text.h"

/* prefix: "hallmark_oracle_" and the like; "stream_..." and "waiting_requests"
 * come behind it. */
void board_metrics(const struct board *board, struct metrics_text *metrics,
    const char *prefix);

#endif
