/* http_door: see http_door.h. */
#include "base/http_door.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct http_door_one {
	TAILQ_ENTRY(http_door_one) entry; /* while it waits */
	struct http_door *door;
	uv_poll_t poll;
	uint64_t deadline_ms;
	struct http_arrival arrival;
};

static void on_timer(uv_timer_t *timer);

static void on_closed(uv_handle_t *handle)
{
	struct http_door *door = handle->data;

	assert(door->open_handles > 0);
	if (--door->open_handles == 0)
		door->closed(door->data);
}

static void on_one_closed(uv_handle_t *handle)
{
	struct http_door_one *one = handle->data;

	handle->data = one->door;
	on_closed(handle);
	free(one);
}

/* It waits no more; its descriptor is out of the loop and still open. */
static void release(struct http_door_one *one)
{
	TAILQ_REMOVE(&one->door->waiting, one, entry);
	uv_close((uv_handle_t *)&one->poll, on_one_closed);
}

static void turn_away(
    struct http_door *door, const struct http_arrival *arrival)
{
	close(arrival->fd);
	http_clients_leave(door->clients, arrival->client);
}

/* True if it is at the door no more. */
static bool look(struct http_door *door, const struct http_arrival *arrival,
    struct http_door_one *one)
{
	struct http_arrival copy = *arrival;
	char bytes[PLAIN_GET_BYTES_MAX + 1];
	ssize_t n = recv(
	    copy.fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (one)
		release(one);
	if (n <= 0)
		turn_away(door, &copy);
	else
		door->cb(&copy, bytes, (size_t)n, door->data);
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct http_door_one *one = poll->data;

	(void)status; /* an error shows in recv */
	(void)events;
	(void)look(one->door, &one->arrival, one);
}

/* ---- those that say nothing ---- */

static void arm(struct http_door *door)
{
	struct http_door_one *first = TAILQ_FIRST(&door->waiting);
	uint64_t now = uv_now(door->loop);

	if (first)
		uv_timer_start(&door->timer, on_timer,
		    first->deadline_ms > now ? first->deadline_ms - now : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct http_door *door = timer->data;
	struct http_door_one *one;

	while ((one = TAILQ_FIRST(&door->waiting)) &&
	       one->deadline_ms <= uv_now(door->loop)) {
		struct http_arrival arrival = one->arrival;

		release(one);
		turn_away(door, &arrival);
	}
	arm(door);
}

/* ---- public ---- */

void http_door_init(struct http_door *door, uv_loop_t *loop,
    struct http_clients *clients, http_door_cb cb, void *data)
{
	memset(door, 0, sizeof(*door));
	TAILQ_INIT(&door->waiting);
	door->loop = loop;
	door->clients = clients;
	door->cb = cb;
	door->data = data;
	uv_timer_init(loop, &door->timer);
	door->timer.data = door;
	door->open_handles = 1;
}

void http_door_add(struct http_door *door, const struct http_arrival *arrival)
{
	struct http_door_one *one;

	assert(!door->closed);
	if (look(door, arrival, NULL))
		return;
	one = calloc(1, sizeof(*one));
	if (!one)
		log_die("http", "out of memory");
	if (uv_poll_init(door->loop, &one->poll, arrival->fd) != 0) {
		turn_away(door, arrival);
		free(one);
		return;
	}
	one->poll.data = one;
	one->door = door;
	one->arrival = *arrival;
	one->deadline_ms = uv_now(door->loop) + HTTP_DOOR_TIMEOUT_MS;
	door->open_handles++;
	TAILQ_INSERT_TAIL(&door->waiting, one, entry);
	uv_poll_start(&one->poll, UV_READABLE, on_readable);
	if (!uv_is_active((uv_handle_t *)&door->timer))
		arm(door);
}

void http_door_stop(struct http_door *door, void (*closed)(void *data))
{
	struct http_door_one *one;

	assert(!door->closed);
	door->closed = closed;
	while ((one = TAILQ_FIRST(&door->waiting))) {
		struct http_arrival arrival = one->arrival;

		release(one);
		turn_away(door, &arrival);
	}
	uv_close((uv_handle_t *)&door->timer, on_closed);
}
