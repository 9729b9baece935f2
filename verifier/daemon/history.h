/*
 * history: GET /history, GET /price/{feed}?at_ms=, and the documents that items
 * of the past name, out of the archive.
 *
 *   request -> waiting -> (read, on the thread pool) -> answer
 *
 * At most HISTORY_RUNNING_MAX are read at once, each with connections of its
 * own that can only read: the archive's writer has the other threads. A client
 * that leaves is taken from the queue; what is being read for it is read to its
 * end, which is bounded (history_read.h), and thrown away. While clients that
 * read slowly have left so much of their answers as HISTORY_SENDING_MAX, the
 * other pages wait: memory has an end. Questions about one moment are short
 * answers: they have a queue of their own, and go first.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_HISTORY_H
#define HALLMARK_VERIFIER_DAEMON_HISTORY_H

#include "base/board.h"

#define HISTORY_RUNNING_MAX 2           /* of the pool's four threads */
#define HISTORY_WAITING_MAX 64          /* of each; one more gets 503 BUSY */
#define HISTORY_SENDING_MAX (64u << 20) /* bytes, and what was begun then */

struct history;

/* archive is copied; the board, borrowed, tells which feeds are served now. */
struct history *history_new(
    uv_loop_t *loop, const char *archive, const struct board *board);
/* After the server has stopped. What is still being read keeps the loop until
 * it is done. NULL is fine. */
void history_free(struct history *history);

void history_serve_page(struct history *history, struct http_request *req);
/* A request that has at_ms. */
void history_serve_at(struct history *history, struct http_request *req);
/* GET /attestations/{sha256}. False, and nothing is answered, if that is none.
 */
bool history_serve_document(struct history *history, struct http_request *req);

#endif
