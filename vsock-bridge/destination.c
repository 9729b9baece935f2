/* destination: see destination.h. */
#include "vsock-bridge/destination.h"

#include "vsock-bridge/address.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct destination_lookup {
	uv_getaddrinfo_t req;
	struct destination *op; /* NULL once it was left to itself */
};

static bool is_public(const struct sockaddr *address)
{
	return address_classify(address) == ADDRESS_PUBLIC;
}

static const struct destination_ops real_ops = {
    .lookup = uv_getaddrinfo,
    .allowed = is_public,
};

static void try_next(struct destination *op);

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
		op->lookup->op = NULL;
		/* Works while it waits for a thread: so those that were left
		 * to themselves are never more than there are threads. */
		uv_cancel((uv_req_t *)&op->lookup->req);
		op->lookup = NULL;
	}
	uv_close((uv_handle_t *)&op->timer, on_timer_closed);
}

static uint64_t time_left(const struct destination *op)
{
	uint64_t now = uv_now(op->loop);

	return op->deadline_ms > now ? op->deadline_ms - now : 0;
}

static enum destination_failure failure_of(int err)
{
	return err == UV_ETIMEDOUT ? DESTINATION_NO_TIME : DESTINATION_REFUSED;
}

static void on_connected(struct endpoint_connect *connect, int fd)
{
	struct destination *op = connect->data;

	op->connecting = false;
	if (op->canceled && fd >= 0)
		close(fd);
	if (op->canceled) {
		finish(op, UV_ECANCELED, DESTINATION_CANCELED);
	} else if (fd >= 0) {
		finish(op, fd, DESTINATION_OK);
	} else {
		op->result = fd;
		try_next(op);
	}
}

static void try_next(struct destination *op)
{
	size_t left = op->count - op->next;
	uint64_t left_ms = time_left(op);
	int err;

	while (left > 0 && left_ms > 0) {
		op->connect.data = op;
		err = endpoint_connect_start(&op->connect, op->loop,
		    &op->addresses[op->next++], (left_ms + left - 1) / left,
		    on_connected);
		op->connecting = err == 0;
		if (err == 0)
			return;
		op->result = err;
		left--;
	}
	if (left > 0)
		op->result = UV_ETIMEDOUT;
	finish(op, op->result, failure_of(op->result));
}

/* An address as an endpoint that needs no lookup. */
static int add_address(struct destination *op, const struct sockaddr *sa)
{
	struct endpoint *ep = &op->addresses[op->count];
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	int err;

	memset(ep, 0, sizeof(*ep));
	ep->kind = ENDPOINT_TCP;
	ep->port = op->target.port;
	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		err = uv_ip4_name(&in, ep->host, sizeof(ep->host));
	} else {
		memcpy(&in6, sa, sizeof(in6));
		err = uv_ip6_name(&in6, ep->host, sizeof(ep->host));
	}
	if (err == 0)
		op->count++;
	return err;
}

static void take_answer(struct destination *op, const struct addrinfo *answer)
{
	for (const struct addrinfo *ai = answer; ai != NULL; ai = ai->ai_next) {
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		if (!op->ops->allowed(ai->ai_addr))
			continue;
		if (op->count < DESTINATION_ADDRESSES_MAX)
			(void)add_address(op, ai->ai_addr);
	}
	uv_timer_stop(&op->timer);
	if (op->count == 0)
		finish(op, UV_EACCES, DESTINATION_PROHIBITED);
	else
		try_next(op);
}

static void on_looked_up(
    uv_getaddrinfo_t *req, int status, struct addrinfo *answer)
{
	struct destination_lookup *lookup = req->data;
	struct destination *op = lookup->op;

	free(lookup);
	if (op != NULL) {
		op->lookup = NULL;
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

static int start_pinned(
    struct destination *op, const struct endpoint *ep, uint64_t timeout_ms)
{
	int err;

	op->addresses[0] = *ep;
	op->count = op->next = 1;
	op->connect.data = op;
	err = endpoint_connect_start(
	    &op->connect, op->loop, ep, timeout_ms, on_connected);
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
	uv_update_time(loop);
	op->deadline_ms = uv_now(loop) + options->timeout_ms;
	if (options->connect_to != NULL)
		err = start_pinned(
		    op, options->connect_to, options->timeout_ms);
	else
		err = start_lookup(op);
	if (err != 0)
		return err;
	uv_timer_init(loop, &op->timer);
	op->timer.data = op;
	if (op->lookup != NULL)
		uv_timer_start(&op->timer, on_deadline, options->timeout_ms, 0);
	return 0;
}

void destination_cancel(struct destination *op)
{
	if (op->finished || op->canceled)
		return;
	op->canceled = true;
	if (op->connecting)
		endpoint_connect_cancel(&op->connect);
	else
		finish(op, UV_ECANCELED, DESTINATION_CANCELED);
}
