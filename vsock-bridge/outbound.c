/* outbound: see outbound.h. */
#include "vsock-bridge/outbound.h"

#include "base/log.h"
#include "vsock-bridge/outbound_session.h"

#include <stdio.h>
#include <string.h>

static void on_accept(struct listener *listener, int fd)
{
	outbound_session_start(listener->data, fd);
}

int outbound_start(struct outbound *out, struct service *service,
    const struct bridge_outbound *rule,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char where[ENDPOINT_TEXT_MAX], why[ALLOWLIST_ERROR_MAX];
	int err;

	memset(out, 0, sizeof(*out));
	out->service = service;
	out->rule = rule;
	out->listener.data = out;
	if (allowlist_load(&out->allowlist, rule->allowlist, why) != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "%.200s: %s",
		    rule->allowlist, why);
		return -1;
	}
	endpoint_format(&rule->listen, where);
	err = listener_start(&out->listener, service->loop, &rule->listen,
	    rule->inherited, on_accept);
	if (err != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "%s: %s", where,
		    uv_strerror(err));
		outbound_fini(out);
		return -1;
	}
	listener_describe(&out->listener, where);
	out->sight = sight_add(&service->sight, SIGHT_OUTBOUND, where);
	out->listener.pauses = &out->sight->accept_pauses;
	log_info("outbound", "listening", LOG_S("listen", where),
	    LOG_S("allowlist", rule->allowlist),
	    LOG_D("rules", out->allowlist->count));
	return 0;
}

bool outbound_reload(struct outbound *outbound)
{
	char why[ALLOWLIST_ERROR_MAX];
	struct allowlist *fresh = NULL;
	const char *path = outbound->rule->allowlist;

	if (allowlist_load(&fresh, path, why) != 0) {
		log_error("outbound", "allowlist_kept",
		    LOG_S("allowlist", path), LOG_S("error", why),
		    LOG_D("rules", outbound->allowlist->count));
		sight_reloaded(outbound->sight, false);
		return false;
	}
	allowlist_free(outbound->allowlist);
	outbound->allowlist = fresh;
	sight_reloaded(outbound->sight, true);
	log_info("outbound", "allowlist_reloaded", LOG_S("allowlist", path),
	    LOG_D("rules", fresh->count));
	return true;
}

void outbound_stop(struct outbound *outbound, listener_stopped_cb on_stopped)
{
	listener_stop(&outbound->listener, on_stopped);
}

void outbound_fini(struct outbound *outbound)
{
	allowlist_free(outbound->allowlist);
	outbound->allowlist = NULL;
}
