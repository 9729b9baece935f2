/* bridge: see bridge.h. */
#include "vsock-bridge/bridge.h"

#include "base/log.h"
#include "vsock-bridge/credentials.h"
#include "vsock-bridge/handout.h"
#include "vsock-bridge/inbound.h"
#include "vsock-bridge/journal.h"
#include "vsock-bridge/keeper.h"
#include "vsock-bridge/outbound.h"
#include "vsock-bridge/scrape.h"

#include <stdlib.h>

struct bridge {
	const struct bridge_config *config;
	struct service service;
	struct outbound outbound[BRIDGE_CONFIG_RULES_MAX];
	struct inbound inbound[BRIDGE_CONFIG_RULES_MAX];
	struct handout handouts[BRIDGE_CONFIG_RULES_MAX];
	struct journal journals[BRIDGE_CONFIG_RULES_MAX];
	struct keeper keeper;
	struct credentials credentials;
	/* of those that were started */
	size_t outbound_count, inbound_count, handout_count, journal_count,
	    keeper_count, credentials_count;
	struct http_server *metrics; /* NULL: none, or stopped */

	/* while it stops */
	bool stopping, freeing;
	unsigned listeners; /* still closing */
	uv_timer_t grace;
	bridge_stopped_cb on_stopped;
	void *data;
};

static void on_relays_closed(struct relay_hub *relays)
{
	struct bridge *bridge = relays->data;
	bridge_stopped_cb on_stopped = bridge->on_stopped;
	void *data = bridge->data;

	for (size_t i = 0; i < bridge->outbound_count; i++)
		outbound_fini(&bridge->outbound[i]);
	for (size_t i = 0; i < bridge->handout_count; i++)
		handout_fini(&bridge->handouts[i]);
	free(bridge);
	if (on_stopped != NULL)
		on_stopped(data);
}

static void on_grace_closed(uv_handle_t *handle)
{
	struct bridge *bridge = handle->data;

	relay_hub_close(&bridge->service.relays, on_relays_closed);
}

static void on_metrics_stopped(void *data)
{
	struct bridge *bridge = data;

	uv_close((uv_handle_t *)&bridge->grace, on_grace_closed);
}

/* Called whenever something has ended. The metrics go last, so that one can
 * see what it waits for. */
static void free_if_over(struct bridge *bridge)
{
	if (!bridge->stopping || bridge->freeing || bridge->listeners > 0 ||
	    !connections_empty(&bridge->service.connections))
		return;
	bridge->freeing = true;
	if (bridge->metrics != NULL)
		http_server_stop(bridge->metrics, on_metrics_stopped, bridge);
	else
		on_metrics_stopped(bridge);
}

static void listener_is_over(const struct service *service)
{
	struct bridge *bridge = service->connections.data;

	bridge->listeners--;
	free_if_over(bridge);
}

static void on_outbound_stopped(struct listener *listener)
{
	const struct outbound *outbound = listener->data;

	listener_is_over(outbound->service);
}

static void on_inbound_stopped(struct listener *listener)
{
	const struct inbound *inbound = listener->data;

	listener_is_over(inbound->service);
}

static void on_handout_stopped(struct listener *listener)
{
	const struct handout *handout = listener->data;

	listener_is_over(handout->service);
}

static void on_journal_stopped(struct listener *listener)
{
	const struct journal *journal = listener->data;

	listener_is_over(journal->service);
}

static void on_questions_stopped(struct listener *listener)
{
	const struct question_rule *rule = listener->data;

	listener_is_over(rule->service);
}

static void on_empty(struct connections *all)
{
	free_if_over(all->data);
}

static void on_grace_over(uv_timer_t *timer)
{
	struct bridge *bridge = timer->data;

	log_warn("bridge", "aborting",
	    LOG_D("connections", bridge->service.connections.served));
	connections_abort_all(&bridge->service.connections);
}

void bridge_stop(struct bridge *bridge, uint64_t grace_ms,
    bridge_stopped_cb on_stopped, void *data)
{
	if (bridge->stopping) {
		connections_abort_all(&bridge->service.connections);
		return;
	}
	bridge->stopping = true;
	bridge->on_stopped = on_stopped;
	bridge->data = data;
	bridge->listeners =
	    (unsigned)(bridge->outbound_count + bridge->inbound_count +
		       bridge->handout_count + bridge->journal_count +
		       bridge->keeper_count + bridge->credentials_count);
	uv_timer_start(&bridge->grace, on_grace_over, grace_ms, 0);
	for (size_t i = 0; i < bridge->outbound_count; i++)
		outbound_stop(&bridge->outbound[i], on_outbound_stopped);
	for (size_t i = 0; i < bridge->inbound_count; i++)
		inbound_stop(&bridge->inbound[i], on_inbound_stopped);
	for (size_t i = 0; i < bridge->handout_count; i++)
		handout_stop(&bridge->handouts[i], on_handout_stopped);
	for (size_t i = 0; i < bridge->journal_count; i++)
		journal_stop(&bridge->journals[i], on_journal_stopped);
	if (bridge->keeper_count > 0)
		question_stop(&bridge->keeper.questions, on_questions_stopped);
	if (bridge->credentials_count > 0)
		question_stop(
		    &bridge->credentials.questions, on_questions_stopped);
	free_if_over(bridge); /* when not even one rule had been started */
}

/* What the signing key of an enclave needs. */
static int start_key_rules(
    struct bridge *bridge, char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	const struct bridge_config *config = bridge->config;

	if (config->keeper_count > 0) {
		if (keeper_start(&bridge->keeper, &bridge->service,
			&config->keeper, error) != 0)
			return -1;
		bridge->keeper_count = 1;
	}
	if (config->credentials_count > 0) {
		if (credentials_start(&bridge->credentials, &bridge->service,
			&config->credentials, error) != 0)
			return -1;
		bridge->credentials_count = 1;
	}
	return 0;
}

static int start_rules(
    struct bridge *bridge, char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	const struct bridge_config *config = bridge->config;
	size_t *i;

	i = &bridge->outbound_count;
	for (; *i < config->outbound_count; (*i)++)
		if (outbound_start(&bridge->outbound[*i], &bridge->service,
			&config->outbound[*i], error) != 0)
			return -1;
	i = &bridge->inbound_count;
	for (; *i < config->inbound_count; (*i)++)
		if (inbound_start(&bridge->inbound[*i], &bridge->service,
			&config->inbound[*i], error) != 0)
			return -1;
	i = &bridge->handout_count;
	for (; *i < config->configuration_count; (*i)++)
		if (handout_start(&bridge->handouts[*i], &bridge->service,
			&config->configuration[*i], error) != 0)
			return -1;
	i = &bridge->journal_count;
	for (; *i < config->logs_count; (*i)++)
		if (journal_start(&bridge->journals[*i], &bridge->service,
			&config->logs[*i], error) != 0)
			return -1;
	return start_key_rules(bridge, error);
}

static int start_metrics(
    struct bridge *bridge, char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char where[ENDPOINT_TEXT_MAX];
	struct endpoint at = bridge->config->metrics;
	int err;

	if (!bridge->config->has_metrics)
		return 0;
	err = scrape_start(&bridge->metrics, &bridge->service, &at);
	if (err == 0 && at.kind == ENDPOINT_TCP)
		at.port = http_server_port(bridge->metrics);
	endpoint_format(&at, where);
	if (err == 0)
		log_info("bridge", "metrics", LOG_S("listen", where));
	else
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "metrics %s: %s",
		    where, uv_strerror(err));
	return err;
}

int bridge_start(struct bridge **out, uv_loop_t *loop,
    const struct bridge_config *config,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	struct bridge *bridge = calloc(1, sizeof(*bridge));
	int err;

	*out = NULL;
	if (bridge == NULL) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "out of memory");
		return -1;
	}
	bridge->config = config;
	bridge->service.loop = loop;
	bridge->service.limits = config->limits;
	bridge->service.connections.max = config->limits.connections_max;
	bridge->service.connections.peers.max =
	    config->limits.connections_per_peer_max;
	bridge->service.connections.on_empty = on_empty;
	bridge->service.connections.data = bridge;
	bridge->service.relays.data = bridge;
	err = relay_hub_init(&bridge->service.relays, loop);
	if (err != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "epoll: %s",
		    uv_strerror(err));
		free(bridge);
		return -1;
	}
	/* The seed: where it cannot be had (UNTESTED) lists may be long. */
	(void)uv_random(NULL, NULL, &bridge->service.connections.peers.seed,
	    sizeof(uint64_t), 0, NULL);
	uv_timer_init(loop, &bridge->grace);
	bridge->grace.data = bridge;
	if (start_rules(bridge, error) != 0 ||
	    start_metrics(bridge, error) != 0) {
		bridge_stop(bridge, 0, NULL, NULL);
		return -1;
	}
	*out = bridge;
	return 0;
}

bool bridge_reload(struct bridge *bridge)
{
	bool good = true;

	for (size_t i = 0; i < bridge->outbound_count; i++)
		good &= outbound_reload(&bridge->outbound[i]);
	for (size_t i = 0; i < bridge->handout_count; i++)
		good &= handout_reload(&bridge->handouts[i]);
	return good;
}
