/*
 * http_door: accepted connections until their first bytes are here, which are
 * looked at and left where they are (MSG_PEEK): they tell who is to serve the
 * connection.
 *
 *   waiting --> bytes are there: handed on, with a copy of them
 *      +------> it ends, or says nothing for HTTP_DOOR_TIMEOUT_MS: closed
 *
 * It waits for the first bytes and no longer: whoever sends half a request is
 * handed on with that half. Waiting for the rest without taking any of it
 * would keep the loop awake, since a descriptor with unread bytes is ready.
 */
#ifndef HALLMARK_BASE_HTTP_DOOR_H
#define HALLMARK_BASE_HTTP_DOOR_H

#include "base/http_clients.h"
#include "base/plain_get.h"
#include "base/proxy_header.h"

#include <uv.h>

#define HTTP_DOOR_TIMEOUT_MS 60000 /* HTTP_IDLE_TIMEOUT_S */

struct http_arrival {
	int fd;
	union proxy_address from;
	socklen_t from_len;
	struct http_client *client; /* it is counted as one of this one's */
};

/* `arrival` is good for the call; its fd and client are taken. The bytes are
 * the first of what waits in the socket, PLAIN_GET_BYTES_MAX at most
 * and one more if there are more. */
typedef void (*http_door_cb)(const struct http_arrival *arrival,
    const char *bytes, size_t len, void *data);

struct http_door_one;
TAILQ_HEAD(http_door_list, http_door_one);

struct http_door {
	uv_loop_t *loop;
	struct http_clients *clients;
	http_door_cb cb;
	void *data;
	struct http_door_list waiting; /* oldest first */
	uv_timer_t timer;
	unsigned open_handles;      /* of those that wait, and the timer */
	void (*closed)(void *data); /* set by stop */
};

/* `clients` is told of those that end here; borrowed. */
void http_door_init(struct http_door *door, uv_loop_t *loop,
    struct http_clients *clients, http_door_cb cb, void *data);

/* Takes the arrival. May call `cb` at once. */
void http_door_add(struct http_door *door, const struct http_arrival *arrival);

/* Closes all that wait; nothing may be added. `closed` is called from the loop
 * when the struct may go. */
void http_door_stop(struct http_door *door, void (*closed)(void *data));

#endif
