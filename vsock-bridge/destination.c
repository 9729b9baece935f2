/* destination: see destination.h. */
#include "vsock-bridge/destination.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct destination_lookup {
	uv_getaddrinfo_t req;
	struct destination *op; /* NULL once it was left to itself */
};

static const struct destination_ops real_ops = {
    .lookup = uv_getaddrinfo,
    .classify = address_classify,
};

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* ---- the end ---- */

static void on_timer_closed(uv_handle_t *handle)
{
	struct destination *op = handle->data;

	op->cb(op, op->result);
}

/* The one way out. `result`: a descriptor, or an error and why. */
static void finish(
    struct destination *op, int result, enum destination_failure failure)
{
	assert(!op->finished && !op->connecting);
	op->finished = true;
	op->result = result;
	op->failure = failure;
	if (op->lookup != NULL) {
		op->lookup_ms = (int64_t)(now_ms() - op->began_ms);
		op->lookup->op = NULL;
		/* Works while it waits for a thread: so those that were left
		 * to themselves are never more than there are threads. */
		uv_cancel((uv_req_t *)&op->lookup->req);
		op->lookup = NULL;
	}
	uv_close((uv_handle_t *)&op->timer, on_timer_closed);
}

/* ---- CONNECT ---- */

static enum destination_failure failure_of(int err)
{
	/* A pinned endpoint may be a name too. */
	if (err <= UV_EAI_ADDRFAMILY && err >= UV_EAI_PROTOCOL)
		return DESTINATION_NO_NAME;
	return err == UV_ETIMEDOUT ? DESTINATION_NO_TIME : DESTINATION_REFUSED;
}

static void take_result(struct destination *op, int fd)
{
	op->connecting = false;
	op->connect_ms = (int64_t)(now_ms() - op->began_ms);
	if (op->canceled && fd >= 0)
		close(fd);
	if (op->canceled)
		finish(op, UV_ECANCELED, DESTINATION_CANCELED);
	else if (fd >= 0)
		finish(op, fd, DESTINATION_OK);
	else
		finish(op, fd, failure_of(fd));
}

static void on_pinned(struct endpoint_connect *connect, int fd)
{
	take_result(connect->data, fd);
}

static void on_raced(struct race *race, int fd)
{
	take_result(race->data, fd);
}

/* What is left of the time; the lookup had its share. */
static void start_race(struct destination *op,
    union race_address addresses[static RACE_ADDRESSES_MAX], size_t count)
{
	uint64_t now = uv_now(op->loop);

	race_order(addresses, count);
	op->began_ms = now_ms();
	op->racing = op->connecting = true;
	op->race.data = op;
	race_start(&op->race, op->loop, addresses, count,
	    op->deadline_ms > now ? op->deadline_ms - now : 0, on_raced);
}

/* ---- LOOKUP ---- */

static bool is_allowed(
    const struct destination *op, const struct sockaddr *address)
{
	switch (op->ops->classify(address)) {
	case ADDRESS_PUBLIC:
		return true;
	case ADDRESS_PRIVATE:
		return op->allow_private;
	case ADDRESS_NEVER:
		break;
	}
	return false;
}

/* The port is the one that was asked for, whatever the answer holds. */
static void take_address(union race_address *out, const struct sockaddr *from,
    socklen_t len, uint16_t port)
{
	memset(out, 0, sizeof(*out));
	assert(len <= sizeof(*out));
	memcpy(out, from, len);
	if (from->sa_family == AF_INET)
		out->in.sin_port = htons(port);
	else
		out->in6.sin6_port = htons(port);
}

static void take_answer(struct destination *op, const struct addrinfo *answer)
{
	union race_address addresses[RACE_ADDRESSES_MAX];
	size_t count = 0;

	for (const struct addrinfo *ai = answer; ai != NULL; ai = ai->ai_next) {
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		if (count < RACE_ADDRESSES_MAX && is_allowed(op, ai->ai_addr))
			take_address(&addresses[count++], ai->ai_addr,
			    ai->ai_addrlen, op->target.port);
	}
	uv_timer_stop(&op->timer);
	if (count == 0)
		finish(op, UV_EACCES, DESTINATION_PROHIBITED);
	else
		start_race(op, addresses, count);
}

static void on_looked_up(
    uv_getaddrinfo_t *req, int status, struct addrinfo *answer)
{
	struct destination_lookup *lookup = req->data;
	struct destination *op = lookup->op;

	free(lookup);
	if (op != NULL) {
		op->lookup = NULL;
		op->lookup_ms = (int64_t)(now_ms() - op->began_ms);
		if (status < 0)
			finish(op, status, DESTINATION_NO_NAME);
		else
			take_answer(op, answer);
	}
	uv_freeaddrinfo(answer);
}

static void on_deadline(uv_timer_t *timer)
{
	finish(timer->data, UV_ETIMEDOUT, DESTINATION_NO_TIME);
}

static int start_lookup(struct destination *op)
{
	struct addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	int err;

	op->lookup = calloc(1, sizeof(*op->lookup));
	if (op->lookup == NULL)
		return UV_ENOMEM;
	op->lookup->op = op;
	op->lookup->req.data = op->lookup;
	err = op->ops->lookup(op->loop, &op->lookup->req, on_looked_up,
	    op->target.host, NULL, &hints);
	if (err != 0) {
		free(op->lookup);
		op->lookup = NULL;
	}
	return err;
}

/* ---- public ---- */

/* A numeric address needs no thread of the resolver. */
static bool numeric_address(const struct endpoint *ep, union race_address *out)
{
	if (ep->kind != ENDPOINT_TCP || ep->port == 0 || ep->port > UINT16_MAX)
		return false;
	return uv_ip4_addr(ep->host, (int)ep->port, &out->in) == 0 ||
	       uv_ip6_addr(ep->host, (int)ep->port, &out->in6) == 0;
}

static int start_pinned(
    struct destination *op, const struct endpoint *ep, uint64_t timeout_ms)
{
	union race_address addresses[RACE_ADDRESSES_MAX];
	int err;

	if (numeric_address(ep, &addresses[0])) {
		start_race(op, addresses, 1);
		return 0;
	}
	op->pinned.data = op;
	err = endpoint_connect_start(
	    &op->pinned, op->loop, ep, timeout_ms, on_pinned);
	op->connecting = err == 0;
	return err;
}

int destination_start(struct destination *op, uv_loop_t *loop,
    const struct destination_options *options, destination_cb cb)
{
	void *data = op->data;
	int err;

	memset(op, 0, sizeof(*op));
	op->data = data;
	op->loop = loop;
	op->cb = cb;
	op->ops = options->ops != NULL ? options->ops : &real_ops;
	op->target = *options->target;
	op->allow_private = options->allow_private;
	op->lookup_ms = op->connect_ms = -1;
	uv_update_time(loop);
	op->deadline_ms = uv_now(loop) + options->timeout_ms;
	op->began_ms = now_ms();
	if (options->connect_to != NULL)
		err = start_pinned(
		    op, options->connect_to, options->timeout_ms);
	else
		err = start_lookup(op);
	if (err != 0)
		return err;
	/* Nothing can have finished yet: they all say so from the loop. */
	uv_timer_init(loop, &op->timer);
	op->timer.data = op;
	if (op->lookup != NULL)
		uv_timer_start(&op->timer, on_deadline, options->timeout_ms, 0);
	return 0;
}

void destination_cancel(struct destination *op)
{
	op->canceled = true;
	if (op->racing && op->connecting)
		race_cancel(&op->race);
	else if (op->connecting)
		endpoint_connect_cancel(&op->pinned);
	else if (!op->finished)
		finish(op, UV_ECANCELED, DESTINATION_CANCELED);
	else if (op->result >= 0)
		close(op->result);
	if (op->finished) {
		op->result = UV_ECANCELED;
		op->failure = DESTINATION_CANCELED;
	}
}
