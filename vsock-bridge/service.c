/* service: see service.h. */
#include "vsock-bridge/service.h"

#include "base/log.h"

#include <assert.h>

void service_open(struct service *service, uv_pipe_t *pipe, int fd)
{
	int err = uv_pipe_init(service->loop, pipe, 0);

	assert(err == 0); /* it only fills the struct */
	err = uv_pipe_open(pipe, fd);
	assert(err == 0); /* a good stream socket, ours alone */
	(void)err;
}

void service_log_full(struct service *service, const char *module,
    const char *peer, const char *listen, bool peer_is_full)
{
	uint64_t now_ms = uv_now(service->loop);

	if (service->full_logged_ms != 0 &&
	    now_ms - service->full_logged_ms < SERVICE_FULL_LOG_MS) {
		service->full_unlogged++;
		return;
	}
	log_warn(module, "refused", LOG_S("peer", peer),
	    LOG_S("listen", listen),
	    LOG_S("reason",
		peer_is_full ? "connections_per_peer_max" : "connections_max"),
	    LOG_D("more", service->full_unlogged));
	service->full_logged_ms = now_ms;
	service->full_unlogged = 0;
}
