/* race: see race.h. */
#include "vsock-bridge/race.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* ---- the order ---- */

/* The first one from `at` on that is of this family, or `count`. */
static size_t find_family(const union race_address *addresses, size_t at,
    size_t count, sa_family_t family)
{
	while (at < count && addresses[at].sa.sa_family != family)
		at++;
	return at;
}

void race_order(union race_address *addresses, size_t count)
{
	union race_address moved;

	for (size_t i = 1; i < count; i++) {
		sa_family_t before = addresses[i - 1].sa.sa_family;
		size_t from = find_family(addresses, i, count,
		    before == AF_INET ? AF_INET6 : AF_INET);

		if (from == count)
			return; /* one family is all that is left */
		moved = addresses[from];
		memmove(&addresses[i + 1], &addresses[i],
		    (from - i) * sizeof(moved));
		addresses[i] = moved;
	}
}

/* ---- the end ---- */

static void on_closed(struct race *race)
{
	assert(race->open_handles > 0);
	if (--race->open_handles == 0)
		race->cb(race, race->result);
}

static void on_poll_closed(uv_handle_t *handle)
{
	const struct race_attempt *attempt = handle->data;

	on_closed(attempt->race);
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_closed(handle->data);
}

/* Lets go of its handle. Returns the descriptor. */
static int take_fd(struct race_attempt *attempt)
{
	int fd = attempt->fd;

	attempt->fd = -1;
	attempt->race->under_way--;
	uv_close((uv_handle_t *)&attempt->poll, on_poll_closed);
	return fd;
}

/* The one way out. `result`: a descriptor that no attempt has, or an error. */
static void finish(struct race *race, int result)
{
	assert(!race->finished);
	race->finished = true;
	race->result = result;
	for (size_t i = 0; i < race->next; i++)
		if (race->attempts[i].fd >= 0)
			close(take_fd(&race->attempts[i]));
	uv_close((uv_handle_t *)&race->delay, on_timer_closed);
	uv_close((uv_handle_t *)&race->deadline, on_timer_closed);
}

/* ---- attempts ---- */

static void try_next(struct race *race);

static void on_writable(uv_poll_t *poll, int status, int events)
{
	struct race_attempt *attempt = poll->data;
	struct race *race = attempt->race;
	int error = 0, fd = take_fd(attempt);
	socklen_t len = sizeof(error);

	(void)events;
	/* libuv reports each failed connect as UV_EBADF; the socket knows. */
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0 && status < 0)
		error = -status;
	if (error == 0) {
		finish(race, fd);
		return;
	}
	close(fd);
	race->result = -error;
	try_next(race);
}

static int wait_writable(struct race_attempt *attempt)
{
	struct race *race = attempt->race;
	int err = uv_poll_init(race->loop, &attempt->poll, attempt->fd);

	if (err != 0)
		return err;
	attempt->poll.data = attempt;
	race->open_handles++;
	race->under_way++;
	err = uv_poll_start(&attempt->poll, UV_WRITABLE, on_writable);
	assert(err == 0); /* fails on a closing handle only */
	return err;
}

/* Returns 1 when connected, 0 when under way, or an error. */
static int begin(struct race_attempt *attempt, const union race_address *to)
{
	socklen_t len = to->sa.sa_family == AF_INET ? sizeof(to->in)
						    : sizeof(to->in6);
	int err;

	attempt->fd = socket(
	    to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (attempt->fd < 0)
		return -errno;
	(void)setsockopt(
	    attempt->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (connect(attempt->fd, &to->sa, len) == 0)
		return 1; /* UNTESTED: TCP on Linux never does so */
	err = -errno;
	/* An interrupted connect goes on by itself (POSIX connect()). */
	if (err == -EINPROGRESS || err == -EINTR)
		err = wait_writable(attempt);
	if (err == 0)
		return 0;
	close(attempt->fd);
	attempt->fd = -1;
	return err;
}

static void on_delay(uv_timer_t *timer)
{
	try_next(timer->data);
}

/* Begins attempts until one is under way, and arms the next one's delay. */
static void try_next(struct race *race)
{
	uv_timer_stop(&race->delay);
	while (race->next < race->count) {
		struct race_attempt *attempt = &race->attempts[race->next];
		int fd, ret = begin(attempt, &race->addresses[race->next]);

		race->next++;
		if (ret == 1) {
			fd = attempt->fd;
			attempt->fd = -1;
			finish(race, fd);
			return;
		}
		if (ret < 0) {
			race->result = ret;
			continue;
		}
		if (race->next < race->count)
			uv_timer_start(
			    &race->delay, on_delay, RACE_DELAY_MS, 0);
		return;
	}
	if (race->under_way == 0)
		finish(race, race->result);
}

static void on_deadline(uv_timer_t *timer)
{
	finish(timer->data, UV_ETIMEDOUT);
}

/* ---- public ---- */

void race_start(struct race *race, uv_loop_t *loop,
    const union race_address *addresses, size_t count, uint64_t timeout_ms,
    race_cb cb)
{
	void *data = race->data;

	assert(count > 0 && count <= RACE_ADDRESSES_MAX);
	memset(race, 0, sizeof(*race));
	race->data = data;
	race->loop = loop;
	race->cb = cb;
	race->count = count;
	memcpy(race->addresses, addresses, count * sizeof(*addresses));
	for (size_t i = 0; i < count; i++) {
		race->attempts[i].race = race;
		race->attempts[i].fd = -1;
	}
	uv_timer_init(loop, &race->delay);
	uv_timer_init(loop, &race->deadline);
	race->delay.data = race->deadline.data = race;
	race->open_handles = 2;
	/* The loop's time is that of its last turn. */
	uv_update_time(loop);
	uv_timer_start(&race->deadline, on_deadline, timeout_ms, 0);
	try_next(race);
}

void race_cancel(struct race *race)
{
	if (!race->finished)
		finish(race, UV_ECANCELED);
	if (race->result >= 0)
		close(race->result);
	race->result = UV_ECANCELED;
}
