/* relay: see relay.h. */
#include "vsock-bridge/relay.h"

#include "vsock-bridge/peer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define NEVER UINT64_MAX

static void on_timer(uv_timer_t *timer);
static void on_tick(uv_timer_t *ticks);

/* ---- the hub's clock ---- */

static uint64_t now_ms(const struct relay_hub *hub)
{
	return uv_now(hub->timer.loop);
}

/* Wakes the hub at this time, unless it is to wake earlier. */
static void wake_at(struct relay_hub *hub, uint64_t at_ms)
{
	uint64_t now = now_ms(hub);

	if (at_ms >= hub->timer_ms)
		return;
	hub->timer_ms = at_ms;
	uv_timer_start(&hub->timer, on_timer, at_ms > now ? at_ms - now : 0, 0);
}

/* ---- the end of a relay ---- */

static void unlink_relay(struct relay *relay)
{
	struct relay_hub *hub = relay->hub;

	if (relay->previous != NULL)
		relay->previous->next = relay->next;
	else
		hub->all = relay->next;
	if (relay->next != NULL)
		relay->next->previous = relay->previous;
}

/* Events of this turn may still name it: on_done comes at the turn's end. */
static void finish(struct relay *relay, int result)
{
	struct relay_hub *hub = relay->hub;

	if (relay->closing)
		return;
	relay->closing = true;
	relay->result = result;
	if (result != 0) {
		peer_reset_on_close(relay->to_b.from);
		peer_reset_on_close(relay->to_a.from);
	}
	relay_patience_forget(&hub->patience, &relay->to_b);
	relay_patience_forget(&hub->patience, &relay->to_a);
	close(relay->to_b.from);
	close(relay->to_a.from);
	relay_half_fini(&relay->to_b, &hub->tools);
	relay_half_fini(&relay->to_a, &hub->tools);
	unlink_relay(relay);
	relay->next = hub->done;
	hub->done = relay;
	if (!hub->in_turn)
		wake_at(hub, 0);
}

static void tell_done(struct relay_hub *hub)
{
	while (hub->done != NULL) {
		struct relay *relay = hub->done;

		hub->done = relay->next;
		relay->on_done(relay, relay->result);
	}
	/* At rest nothing is held. */
	if (hub->all == NULL)
		relay_pipes_fini(&hub->tools.pipes);
}

/* ---- moving ---- */

static struct relay_half *opposite(struct relay_half *half)
{
	struct relay *relay = half->relay;

	return half == &relay->to_b ? &relay->to_a : &relay->to_b;
}

/* Registers half->from; half's events are those of this descriptor. */
static int watch(struct relay_half *half, int op)
{
	struct epoll_event event = {
	    .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = half};

	if (opposite(half)->out_watched)
		event.events |= EPOLLOUT;
	if (epoll_ctl(half->relay->hub->epoll_fd, op, half->from, &event) != 0)
		return -errno;
	return 0;
}

/* Only while somebody waits for it: a Unix socket tells each time that its
 * peer has read, and would wake us twice as often as the bytes do. */
static int watch_out(struct relay_half *half, bool wanted)
{
	if (half->out_watched == wanted)
		return 0;
	half->out_watched = wanted;
	return watch(opposite(half), EPOLL_CTL_MOD);
}

static void gather(struct relay_half *half)
{
	struct relay_hub *hub = half->relay->hub;

	relay_patience_moved(&hub->patience, half);
	if (hub->patience.count > 0 &&
	    !uv_is_active((uv_handle_t *)&hub->ticks))
		uv_timer_start(&hub->ticks, on_tick, RELAY_PATIENT_TICK_MS, 0);
}

static void move(struct relay_half *half)
{
	struct relay *relay = half->relay;
	int ret = relay_half_move(half, &relay->hub->tools);

	relay->last_moved_ms = now_ms(relay->hub);
	/* There is more: registered anew, it is told again. */
	if (ret > 0)
		ret = watch(half, EPOLL_CTL_MOD);
	if (ret == 0 && half->state == RELAY_BLOCKED)
		ret = watch_out(half, true);
	if (ret == 0)
		gather(half);
	else
		finish(relay, ret);
	if (relay->to_a.state == RELAY_ENDED &&
	    relay->to_b.state == RELAY_ENDED)
		finish(relay, 0);
}

/* `to` can be written to, or has failed. */
static void on_writable(struct relay_half *half)
{
	int err = 0;

	if (half->state == RELAY_BLOCKED)
		move(half);
	else
		err = watch_out(half, false); /* now that it is told again */
	if (err != 0)
		finish(half->relay, err);
}

/* Nobody is reading from it who would hear of it. */
static void ask_for_error(struct relay_half *half)
{
	socklen_t len = sizeof(int);
	int err = 0;

	(void)getsockopt(half->from, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err != 0)
		finish(half->relay, -err);
}

static void on_event(struct relay_half *half, uint32_t events)
{
	struct relay *relay = half->relay;
	struct relay_half *back = opposite(half);

	if (relay->closing)
		return;
	if ((events & ~(uint32_t)EPOLLOUT) != 0)
		half->readable = true;
	if (half->readable && half->state == RELAY_FLOWING)
		move(half);
	else if ((events & EPOLLERR) != 0)
		ask_for_error(half);
	if (!relay->closing && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
		on_writable(back);
}

static void on_ready(uv_poll_t *poll, int status, int poll_events)
{
	struct relay_hub *hub = poll->data;
	struct epoll_event events[RELAY_EVENTS_MAX];
	int count = epoll_wait(hub->epoll_fd, events, RELAY_EVENTS_MAX, 0);

	(void)status;
	(void)poll_events;
	hub->in_turn = true;
	for (int i = 0; i < count; i++)
		on_event(events[i].data.ptr, events[i].events);
	hub->in_turn = false;
	tell_done(hub);
}

/* ---- time-outs ---- */

static uint64_t due_ms(const struct relay *relay)
{
	uint64_t idle_ms = relay->last_moved_ms + relay->idle_timeout_ms;

	return idle_ms < relay->end_ms ? idle_ms : relay->end_ms;
}

/* A reader that is slow, but reads, is not idle. */
static void on_due(struct relay *relay, uint64_t now)
{
	bool to_a = relay_half_progressed(&relay->to_a);
	bool to_b = relay_half_progressed(&relay->to_b);

	if (now >= relay->end_ms)
		finish(relay, RELAY_OVERTIME);
	else if (to_a || to_b)
		relay->last_moved_ms = now;
	else
		finish(relay, UV_ETIMEDOUT);
}

/* Looks at all of them, seldom: when the earliest deadline that was known has
 * come. A timer for each would cost more memory than the rest of a relay. */
static void sweep(struct relay_hub *hub)
{
	uint64_t now = now_ms(hub), earliest = NEVER, due;
	struct relay *next;

	for (struct relay *relay = hub->all; relay != NULL; relay = next) {
		next = relay->next;
		if (due_ms(relay) <= now)
			on_due(relay, now);
		if (relay->closing)
			continue;
		due = due_ms(relay);
		earliest = due < earliest ? due : earliest;
	}
	if (earliest < now + RELAY_SWEEP_MS_MIN)
		earliest = now + RELAY_SWEEP_MS_MIN;
	if (hub->all != NULL)
		wake_at(hub, earliest);
}

static void on_timer(uv_timer_t *timer)
{
	struct relay_hub *hub = timer->data;

	hub->timer_ms = NEVER;
	hub->in_turn = true;
	sweep(hub);
	hub->in_turn = false;
	tell_done(hub);
}

static void on_tick(uv_timer_t *ticks)
{
	struct relay_hub *hub = ticks->data;

	relay_patience_tick(&hub->patience);
	if (hub->patience.count > 0)
		uv_timer_start(ticks, on_tick, RELAY_PATIENT_TICK_MS, 0);
}

/* ---- public ---- */

static void on_hub_closed(uv_handle_t *handle)
{
	struct relay_hub *hub = handle->data;

	if (--hub->open_handles > 0)
		return;
	close(hub->epoll_fd);
	relay_pipes_fini(&hub->tools.pipes);
	if (hub->on_closed != NULL)
		hub->on_closed(hub);
}

int relay_hub_init(struct relay_hub *hub, uv_loop_t *loop)
{
	void *data = hub->data;
	int err;

	memset(hub, 0, sizeof(*hub));
	hub->data = data;
	hub->timer_ms = NEVER;
	hub->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (hub->epoll_fd < 0)
		return -errno;
	err = uv_poll_init(loop, &hub->poll, hub->epoll_fd);
	if (err != 0) {
		close(hub->epoll_fd);
		return err;
	}
	hub->poll.data = hub;
	uv_timer_init(loop, &hub->timer);
	hub->timer.data = hub;
	uv_timer_init(loop, &hub->ticks);
	hub->ticks.data = hub;
	err = uv_poll_start(&hub->poll, UV_READABLE, on_ready);
	assert(err == 0); /* fails on a closing handle only */
	(void)err;
	return 0;
}

void relay_hub_close(struct relay_hub *hub, relay_hub_closed_cb on_closed)
{
	assert(hub->all == NULL && hub->done == NULL);
	hub->on_closed = on_closed;
	hub->open_handles = 3;
	uv_close((uv_handle_t *)&hub->poll, on_hub_closed);
	uv_close((uv_handle_t *)&hub->timer, on_hub_closed);
	uv_close((uv_handle_t *)&hub->ticks, on_hub_closed);
}

static void init_half(
    struct relay_half *half, struct relay *relay, int from, int to)
{
	half->relay = relay;
	half->from = from;
	half->to = to;
}

static void link_relay(struct relay *relay)
{
	struct relay_hub *hub = relay->hub;

	relay->next = hub->all;
	if (relay->next != NULL)
		relay->next->previous = relay;
	hub->all = relay;
}

static int start_halves(
    struct relay *relay, const struct relay_options *options)
{
	struct relay_half *to_a = &relay->to_a, *to_b = &relay->to_b;
	int err = relay_half_put(
	    to_a, options->first_to_a, options->first_to_a_len);

	if (err == 0)
		err = relay_half_put(
		    to_b, options->first_to_b, options->first_to_b_len);
	to_a->out_watched = to_a->state == RELAY_BLOCKED;
	to_b->out_watched = to_b->state == RELAY_BLOCKED;
	if (err == 0)
		err = watch(to_a, EPOLL_CTL_ADD);
	if (err == 0)
		err = watch(to_b, EPOLL_CTL_ADD);
	return err;
}

void relay_start(struct relay *relay, const struct relay_options *options)
{
	uint64_t now = now_ms(options->hub);
	void *data = relay->data;
	int err;

	memset(relay, 0, sizeof(*relay));
	relay->data = data;
	relay->hub = options->hub;
	relay->on_done = options->on_done;
	relay->idle_timeout_ms = options->idle_timeout_ms;
	relay->last_moved_ms = now;
	relay->end_ms = options->total_timeout_ms == 0
			    ? NEVER
			    : now + options->total_timeout_ms;
	init_half(&relay->to_b, relay, options->a, options->b);
	init_half(&relay->to_a, relay, options->b, options->a);
	link_relay(relay);
	wake_at(relay->hub, due_ms(relay));
	err = start_halves(relay, options);
	if (err != 0)
		finish(relay, err);
}

void relay_stop(struct relay *relay)
{
	finish(relay, UV_ECANCELED);
}

const char *relay_strerror(int result)
{
	if (result == RELAY_OVERTIME)
		return "open for too long";
	if (result == UV_ETIMEDOUT)
		return "nothing moved for too long";
	return uv_strerror(result);
}
