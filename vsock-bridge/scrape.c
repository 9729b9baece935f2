/* scrape: see scrape.h. */
#include "vsock-bridge/scrape.h"

#include <stdlib.h>

static void put_bridge(
    struct metrics_text *metrics, const struct service *service)
{
	const struct metrics_label labels[] = {
	    {"version", HALLMARK_VERSION}, {NULL, NULL}};

	metrics_text_family(
	    metrics, "vsock_bridge_build_info", "gauge", "1 for the version.");
	metrics_text_sample(metrics, labels, 1);
	metrics_text_family(metrics, "vsock_bridge_connections_max", "gauge",
	    "Connections that may be served at once.");
	metrics_text_sample(metrics, NULL, service->limits.connections_max);
	metrics_text_family(metrics, "vsock_bridge_connections_served", "gauge",
	    "Those that count against it now.");
	metrics_text_sample(metrics, NULL, service->connections.served);
}

static void serve(struct http_request *req, void *data)
{
	const struct service *service = data;
	struct http_reply reply = {
	    .status = 200, .content_type = METRICS_TEXT_CONTENT_TYPE};
	struct metrics_text metrics;
	char *text;

	metrics_text_init(&metrics);
	put_bridge(&metrics, service);
	sight_render(&service->sight, &metrics);
	text = metrics_text_finish(&metrics, &reply.len);
	reply.body = text;
	http_reply(req, &reply);
	free(text);
}

static const struct http_route routes[] = {
    {"GET", "/metrics", NULL, serve},
    {NULL, NULL, NULL, NULL},
};

int scrape_start(struct http_server **out, struct service *service,
    const struct endpoint *endpoint)
{
	return http_server_start(out, service->loop, endpoint, routes, service);
}
