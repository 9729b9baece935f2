/* curl_loop: curl's sockets and its timer as handles of the loop. */
#include "verifier/daemon/curl_loop.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>

/* curl refuses a new transfer while it runs one of its callbacks
 * (CURLM_RECURSIVE_API_CALL), be it from us or from within curl_easy_pause():
 * those wait for the next turn of the loop. */
struct curl_loop {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer; /* curl's; .data points back */
	uv_timer_t later; /* runs while a transfer is waiting */
	struct curl_transfer *waiting;
	unsigned open_handles; /* of the two timers, while closing */
};

struct watch {          /* one descriptor of curl's */
	uv_poll_t poll; /* .data points back */
	struct curl_loop *curl;
	curl_socket_t fd;
};

static void tell_finished(struct curl_loop *curl)
{
	struct curl_transfer *transfer;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(curl->multi, &left))) {
		CURLcode result = msg->data.result;
		CURL *easy = msg->easy_handle;

		assert(msg->msg == CURLMSG_DONE);
		transfer = NULL;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
		curl_multi_remove_handle(curl->multi, easy);
		transfer->done(transfer, result);
	}
}

static void act(struct curl_loop *curl, curl_socket_t fd, int events)
{
	int running;

	curl_multi_socket_action(curl->multi, fd, events, &running);
	tell_finished(curl);
}

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	int flags = 0;

	if (status < 0)
		flags = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	act(watch->curl, watch->fd, flags);
}

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct watch *watch_new(struct curl_loop *curl, curl_socket_t fd)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		log_die("curl_loop", "out of memory");
	watch->curl = curl;
	watch->fd = fd;
	watch->poll.data = watch;
	if (uv_poll_init_socket(curl->loop, &watch->poll, fd)) {
		free(watch); /* curl's own time-outs end the transfer */
		return NULL;
	}
	curl_multi_assign(curl->multi, fd, watch);
	return watch;
}

static int on_socket(
    CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
	struct curl_loop *curl = data;
	struct watch *watch = socket_data;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (!watch)
			return 0;
		uv_poll_stop(&watch->poll);
		uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
		curl_multi_assign(curl->multi, fd, NULL);
		return 0;
	}
	if (!watch && !(watch = watch_new(curl, fd)))
		return 0;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	uv_poll_start(&watch->poll, events, on_poll);
	return 0;
}

static int on_timeout(CURLM *multi, long timeout_ms, void *data)
{
	struct curl_loop *curl = data;

	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&curl->timer);
	else
		uv_timer_start(&curl->timer, on_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

struct curl_loop *curl_loop_new(uv_loop_t *loop)
{
	struct curl_loop *curl = calloc(1, sizeof(*curl));

	if (!curl || curl_global_init(CURL_GLOBAL_DEFAULT) ||
	    !(curl->multi = curl_multi_init()))
		log_die("curl_loop", "out of memory");
	curl->loop = loop;
	uv_timer_init(loop, &curl->timer);
	uv_timer_init(loop, &curl->later);
	curl->timer.data = curl->later.data = curl;
	curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
	curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
	return curl;
}

static void add_waiting(uv_timer_t *timer)
{
	struct curl_loop *curl = timer->data;
	struct curl_transfer *transfer;

	while ((transfer = curl->waiting)) {
		curl->waiting = transfer->next;
		transfer->waits = false;
		if (curl_multi_add_handle(curl->multi, transfer->easy))
			log_die("curl_loop", "curl takes no transfer");
	}
}

void curl_loop_add(struct curl_loop *curl, struct curl_transfer *transfer)
{
	CURLMcode rc;

	curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
	transfer->waits = false;
	rc = curl_multi_add_handle(curl->multi, transfer->easy);
	if (rc == CURLM_RECURSIVE_API_CALL) {
		transfer->waits = true;
		transfer->next = curl->waiting;
		curl->waiting = transfer;
		uv_timer_start(&curl->later, add_waiting, 0, 0);
	} else if (rc) {
		log_die("curl_loop", "curl takes no transfer");
	}
}

void curl_loop_remove(struct curl_loop *curl, struct curl_transfer *transfer)
{
	struct curl_transfer **at = &curl->waiting;

	if (!transfer->waits) {
		curl_multi_remove_handle(curl->multi, transfer->easy);
		return;
	}
	while (*at != transfer)
		at = &(*at)->next;
	*at = transfer->next;
	transfer->waits = false;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct curl_loop *curl = handle->data;

	if (--curl->open_handles == 0)
		free(curl);
}

void curl_loop_close(struct curl_loop *curl)
{
	assert(!curl->waiting);
	curl_multi_cleanup(curl->multi); /* closes kept connections */
	curl->open_handles = 2;
	uv_close((uv_handle_t *)&curl->timer, on_timer_closed);
	uv_close((uv_handle_t *)&curl->later, on_timer_closed);
	curl_global_cleanup();
}
