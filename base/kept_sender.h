/*
 * kept_sender: connections that ask for answers that are kept, on sockets of
 * our own, on the loop.
 *
 *   ASKING --> SENDING --> ASKING      a whole answer, in one send; what the
 *      |          |                    socket does not take is copied
 *      +----------+--> CLOSING --> freed
 *      +--> handed on
 *
 * A request is looked at and left in the socket (MSG_PEEK) until it is known
 * that we answer it: the first one that is not for us is handed on with its
 * connection, to whoever serves all others, as if it had just arrived. From
 * whoever has asked the same KEPT_SENDER_STEADY times on end, as many bytes
 * are read without a look before, which is a tenth of the cost; what is handed
 * on then is no longer in the socket (http_relay.h). One request is answered in
 * a loop turn, so that one client's thousand do not keep others waiting.
 *
 * Whoever says nothing, or does not take an answer, for KEPT_SENDER_TIMEOUT_MS
 * is closed, at twice that time at the latest.
 */
#ifndef HALLMARK_BASE_KEPT_SENDER_H
#define HALLMARK_BASE_KEPT_SENDER_H

#include "base/http_door.h"
#include "base/kept_answers.h"

#define KEPT_SENDER_TIMEOUT_MS 60000 /* HTTP_IDLE_TIMEOUT_S */
#define KEPT_SENDER_STEADY     8

/* The answer to what `bytes` begin with, stamped, to be sent now; or NULL:
 * handed on. `last` is what the connection got last, or NULL. */
typedef struct kept_answer *(*kept_find_cb)(const struct http_arrival *arrival,
    struct kept_answer *last, const char *bytes, size_t len, void *data);

struct kept_sender_options {
	uv_loop_t *loop;
	struct http_clients *clients; /* told of those that end here */
	kept_find_cb find;
	http_door_cb hand_on; /* as from the door; takes the arrival */
	/* The same of one whose bytes have been read; it must have room. */
	http_door_cb hand_on_read;
	bool (*has_room)(void *data);
	void *data; /* of all */
};

struct asker;
TAILQ_HEAD(asker_list, asker);

struct kept_sender {
	struct kept_sender_options options;
	struct asker_list all; /* who was looked at for silence last is last */
	unsigned count;        /* and those that are closing */
	uv_timer_t timer;
	uint64_t timeout_ms;
	bool stopping, timer_closed;
	void (*closed)(void *data); /* set by stop */
	void *closed_data;
};

void kept_sender_init(
    struct kept_sender *sender, const struct kept_sender_options *options);

/* Takes the arrival, and answers its first request with what `find` gave. */
void kept_sender_add(struct kept_sender *sender,
    const struct http_arrival *arrival, struct kept_answer *answer);

/* Closes those that have no answer on its way; nothing may be added. `closed`
 * is called from the loop when the struct may go. */
void kept_sender_stop(
    struct kept_sender *sender, void (*closed)(void *data), void *data);
/* After stop: closes the rest. */
void kept_sender_cut(struct kept_sender *sender);

#endif
