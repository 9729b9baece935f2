/* http_proxied: see http_proxied.h. */
#include "base/http_proxied.h"

#include "base/log.h"
#include "base/proxy_header.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct http_proxied_one {
	TAILQ_ENTRY(http_proxied_one) entry; /* while it waits */
	struct http_proxied *all;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles;
	int fd;
	union proxy_address from; /* the connection's, then the header's */
	socklen_t from_len;
	bool told; /* the header is there */
	uint8_t bytes[PROXY_HEADER_BYTES_MAX];
	size_t len, need;
};

static void on_closed(uv_handle_t *handle)
{
	struct http_proxied_one *one = handle->data;
	struct http_proxied *all = one->all;

	if (--one->open_handles > 0)
		return;
	if (one->told && all->closed == NULL)
		all->cb(one->fd, &one->from.sa, one->from_len, all->data);
	else
		close(one->fd);
	free(one);
	assert(all->count > 0);
	if (--all->count == 0 && all->closed != NULL)
		all->closed(all->data);
}

static void finish(struct http_proxied_one *one)
{
	TAILQ_REMOVE(&one->all->waiting, one, entry);
	uv_close((uv_handle_t *)&one->poll, on_closed);
	uv_close((uv_handle_t *)&one->timer, on_closed);
}

static void refuse(struct http_proxied_one *one, const char *why)
{
	log_warn("http", "proxy_header_refused", LOG_S("why", why));
	finish(one);
}

static void take(
    struct http_proxied_one *one, const struct proxy_header *header)
{
	static const struct {
		sa_family_t family;
		socklen_t len;
	} lengths[] = {{AF_INET, sizeof(struct sockaddr_in)},
	    {AF_INET6, sizeof(struct sockaddr_in6)},
	    {AF_UNIX, sizeof(struct sockaddr_un)}};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		if (header->source.sa.sa_family != lengths[i].family)
			continue;
		one->from = header->source;
		one->from_len = lengths[i].len;
	}
	one->told = true;
	finish(one);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct http_proxied_one *one = poll->data;
	struct proxy_header header;
	const char *why;
	ssize_t n;

	(void)status; /* an error shows in recv */
	(void)events;
	assert(one->len < one->need && one->need <= sizeof(one->bytes));
	n = recv(one->fd, one->bytes + one->len, one->need - one->len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* Nothing at all: somebody looked whether we are here. */
		if (n == 0 && one->len == 0)
			finish(one);
		else
			refuse(one, n == 0 ? "ended in it" : strerror(errno));
		return;
	}
	one->len += (size_t)n;
	switch (proxy_header_parse(
	    &header, one->bytes, one->len, &one->need, &why)) {
	case PROXY_HEADER_MORE:
		break;
	case PROXY_HEADER_READY:
		take(one, &header);
		break;
	case PROXY_HEADER_REFUSED:
		refuse(one, why);
		break;
	}
}

static void on_late(uv_timer_t *timer)
{
	refuse(timer->data, "not in time");
}

void http_proxied_init(struct http_proxied *proxied, uv_loop_t *loop,
    http_accept_cb cb, void *data)
{
	memset(proxied, 0, sizeof(*proxied));
	TAILQ_INIT(&proxied->waiting);
	proxied->loop = loop;
	proxied->cb = cb;
	proxied->data = data;
}

static void start(struct http_proxied_one *one)
{
	struct http_proxied *all = one->all;

	one->need = PROXY_HEADER_FIXED_BYTES;
	uv_timer_init(all->loop, &one->timer);
	one->poll.data = one->timer.data = one;
	one->open_handles = 2;
	TAILQ_INSERT_TAIL(&all->waiting, one, entry);
	all->count++;
	uv_timer_start(&one->timer, on_late, HTTP_PROXIED_TIMEOUT_MS, 0);
	uv_poll_start(&one->poll, UV_READABLE, on_readable);
}

void http_proxied_add(struct http_proxied *proxied, int fd,
    const struct sockaddr *addr, socklen_t len)
{
	struct http_proxied_one *one = NULL;

	assert(proxied->closed == NULL && len <= sizeof(one->from));
	if (proxied->count < HTTP_PROXIED_MAX)
		one = calloc(1, sizeof(*one));
	if (one == NULL || uv_poll_init(proxied->loop, &one->poll, fd) != 0) {
		log_warn("http", "proxy_header_refused",
		    LOG_S("why", "too many wait for one"));
		free(one);
		close(fd);
		return;
	}
	one->all = proxied;
	one->fd = fd;
	memcpy(&one->from, addr, len);
	one->from_len = len;
	start(one);
}

void http_proxied_stop(struct http_proxied *proxied, void (*closed)(void *data))
{
	struct http_proxied_one *one;

	assert(proxied->closed == NULL);
	proxied->closed = closed;
	while ((one = TAILQ_FIRST(&proxied->waiting)) != NULL)
		finish(one);
	if (proxied->count == 0)
		closed(proxied->data);
}
