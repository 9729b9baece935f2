/* service: see service.h. */
#include "vsock-bridge/service.h"

#include "base/log.h"

#include <assert.h>
#include <unistd.h>

void service_open(struct service *service, uv_pipe_t *pipe, int fd)
{
	int err = uv_pipe_init(service->loop, pipe, 0);

	assert(err == 0); /* it only fills the struct */
	err = uv_pipe_open(pipe, fd);
	assert(err == 0); /* a good stream socket, ours alone */
	(void)err;
}

void service_log_full(struct service *service, const char *module,
    const char *peer, const struct listener *listener, enum sight_reason reason)
{
	uint64_t now_ms = uv_now(service->loop);
	char listen[ENDPOINT_TEXT_MAX];

	if (service->full_logged_ms != 0 &&
	    now_ms - service->full_logged_ms < SERVICE_FULL_LOG_MS) {
		service->full_unlogged++;
		return;
	}
	listener_describe(listener, listen);
	log_warn(module, "refused", LOG_S("peer", peer),
	    LOG_S("listen", listen),
	    LOG_S("reason", reason == SIGHT_TOO_MANY_OF_PEER
				? "connections_per_peer_max"
				: "connections_max"),
	    LOG_D("more", service->full_unlogged));
	service->full_logged_ms = now_ms;
	service->full_unlogged = 0;
}

enum sight_reason service_full_reason(const struct connection *refused)
{
	return refused->peer_is_full ? SIGHT_TOO_MANY_OF_PEER : SIGHT_TOO_MANY;
}

void service_turn_away(struct service *service, const char *module,
    const char *peer, const struct listener *listener, struct sight_rule *sight,
    enum sight_reason reason, int fd)
{
	service_log_full(service, module, peer, listener, reason);
	sight_refused(sight, reason);
	close(fd);
}
