/* api: see api.h. Prices and streams are the board's (board_routes.h). */
#include "oracle/api.h"

#include "base/log.h"
#include "base/metrics_text.h"
#include "base/now.h"
#include "oracle/attestation_api.h"
#include "oracle/attested_price_api.h"
#include "oracle/feeds_api.h"
#include "oracle/fetch_api.h"
#include "oracle/metrics.h"
#include "oracle/peers_api.h"
#include "oracle/raw_answers_api.h"
#include "oracle/secrets_api.h"
#include "oracle/sources_api.h"
#include "oracle/tree_log_api.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Answers with a JSON tree and frees it. */
static void reply_tree(struct http_request *req, unsigned status, json_t *tree)
{
	char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;

	if (!text)
		log_die("api", "out of memory");
	http_reply(req, &(struct http_reply){.status = status,
			    .content_type = "application/json",
			    .body = text,
			    .len = strlen(text)});
	free(text);
	json_decref(tree);
}

/* ---- feeds ---- */

static void on_feeds(struct http_request *req, void *data)
{
	feeds_api_serve(data, req);
}

/* ---- state ---- */

static void on_sources(struct http_request *req, void *data)
{
	sources_api_serve(data, req);
}

static void on_metrics(struct http_request *req, void *data)
{
	metrics_serve(data, req);
}

static void on_readyz(struct http_request *req, void *data)
{
	const struct api *api = data;
	int64_t now_ms = now_unix_ms();
	bool attested = attestation_current(api->attestation, now_ms) != NULL;
	char missing[1024], feeds[1100] = "ok";
	bool fresh = board_fresh(api->front.board, now_ms, missing,
			 sizeof(missing)) == board_names(api->front.board);

	if (!fresh)
		snprintf(feeds, sizeof(feeds), "no price that can be used: %s",
		    missing);
	reply_tree(req, attested && fresh ? 200 : 503,
	    json_pack("{s:b, s:{s:s, s:s}}", "ready", attested && fresh,
		"checks", "attestation",
		attested ? "ok" : "no current document: renewal fails", "feeds",
		feeds));
}

static void on_version(struct http_request *req, void *data)
{
	const struct api *api = data;

	json_t *tree = json_pack("{s:s, s:s, s:s, s:s}", "program",
	    "hallmark-oracle", "version", HALLMARK_VERSION, "platform",
	    api->platform, "boot_id", api->boot_id);

	if (tree && api->key_epoch > 0)
		json_object_set_new(tree, "key_epoch",
		    json_integer((json_int_t)api->key_epoch));
	reply_tree(req, 200, tree);
}

/* ---- the table ---- */

#define JSON "application/json"

static const struct service_param sources_params[] = {
    {"exchange", "only this one", "{\"type\":\"string\"}"},
    {"feed", "only what belongs to this one", "{\"type\":\"string\"}"},
    {NULL, NULL, NULL},
};

static const struct service_answer feeds_answers[] = {
    {200, JSON, "ConfiguredFeeds", "by which rule each price is made", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer sources_answers[] = {
    {200, JSON, "Sources", "which source is down, and why", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer version_answers[] = {
    {200, JSON, "Version", "program, version, platform and boot", false},
    {0, NULL, NULL, NULL, false},
};

static const struct service_problem sources_problems[] = {
    {404, "EXCHANGE_UNKNOWN"}, {404, "FEED_UNKNOWN"}, {0, NULL}};

static const struct service_route own_routes[] = {
    {.method = "GET",
	.path = "/feeds",
	.about = "What is published, and by which rule.",
	.handler = on_feeds,
	.answers = feeds_answers},
    {.method = "GET",
	.path = "/sources",
	.about = "What each exchange answers.",
	.handler = on_sources,
	.params = sources_params,
	.answers = sources_answers,
	.problems = sources_problems},
    {.method = "GET",
	.path = "/readyz",
	.about = "Does each feed have a price?",
	.handler = on_readyz,
	.answers = board_readyz_answers},
    {.method = "GET",
	.path = "/metrics",
	.about = "Counters and gauges.",
	.handler = on_metrics,
	.answers = board_metrics_answers},
    {.method = "GET",
	.path = "/version",
	.about = "Who answers.",
	.handler = on_version,
	.answers = version_answers},
    {.method = NULL},
};

const struct service_route *const api_tables[] = {attested_price_api_routes,
    board_routes, own_routes, attestation_api_routes, tree_log_api_routes,
    raw_answers_api_routes, secrets_api_routes, fetch_api_routes,
    peers_api_routes, NULL};
