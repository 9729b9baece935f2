/*
 * stream_sender: streams on sockets of our own, on the loop.
 *
 *   FLOWING --> BLOCKED     the socket is full; goes on when it has room
 *      |  ^--------+        (deadline: STREAM_STALL_MS without a byte taken)
 *      +--> CLOSING --> freed
 *
 * A wake sends at once; only what the socket does not take stays with the
 * owner. The answer ends with the connection (RFC 9112 6.3), as an answer to
 * HTTP/1.0 must: no chunks, whose sizes would have to be kept for each reader.
 * A client has nothing to say on it: whether it leaves is all that is watched.
 */
#ifndef HALLMARK_BASE_STREAM_SENDER_H
#define HALLMARK_BASE_STREAM_SENDER_H

#include "base/http_clients.h"
#include "base/http_stream.h"

/* Of a reader that takes nothing while something waits for it. */
#define STREAM_STALL_MS 30000
/* What the kernel keeps for one reader: without a ceiling of ours it would
 * grow to 4 MiB, times all that stall. Enough for 1 MB/s at 200 ms. */
#define STREAM_SOCKET_BYTES (256 << 10)
#define STREAM_TURN_BYTES   (256u << 10) /* sent to one in a loop turn */
#define STREAM_VECTORS_MAX  64           /* events of one send */

/* What the two kinds of stream have in common. */
struct http_stream {
	const struct http_stream_ops *ops;
	void *data;
	struct http_request *req; /* libmicrohttpd's; NULL: a sender's */
};

struct stream;
TAILQ_HEAD(stream_list, stream);

struct stream_sender {
	uv_loop_t *loop;
	struct http_clients *clients;
	struct stream_list all;
	struct stream_list blocked; /* who took something last is last */
	unsigned count;             /* of all, and those that are closing */
	uv_timer_t timer;           /* when the first of blocked stalls */
	uint64_t stall_ms;
	bool stopping;
	void (*closed)(void *data); /* set by stop */
	void *data;
	bool timer_closed;
};

void stream_sender_init(struct stream_sender *sender, uv_loop_t *loop,
    struct http_clients *clients);

/*
 * Takes `fd` (non-blocking, nothing of the request left to be read), `client`
 * and `head` (malloc'ed: the answer's head). Returns a stream that has sent
 * nothing yet: wake it. NULL if the descriptor cannot be watched; then all
 * three are gone.
 */
struct http_stream *stream_sender_add(struct stream_sender *sender, int fd,
    struct http_client *client, char *head, const struct http_stream_ops *ops,
    void *data);
void stream_sender_wake(struct http_stream *stream);

/* Every stream ends once nothing waits for it; nothing may be added. `closed`
 * is called from the loop when the struct may go. */
void stream_sender_stop(
    struct stream_sender *sender, void (*closed)(void *data), void *data);
/* After stop: ends those at once that have not ended. */
void stream_sender_cut(struct stream_sender *sender);

#endif
