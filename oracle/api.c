/* api: see api.h. Prices and streams are the board's (board_routes.h). */
#include "oracle/api.h"

#include "base/log.h"
#include "base/metrics_text.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "oracle/feeds_api.h"
#include "oracle/metrics.h"
#include "oracle/raw_answers_api.h"
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

/* ---- attestation ---- */

char *api_attestation_json(
    const struct api *api, const struct attestation_document *document)
{
	json_t *tree = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}",
	    "attestation_sha256", document->sha256_hex, "platform",
	    api->platform, "public_key", api->public_key_pem, "timestamp_ms",
	    (json_int_t)document->timestamp_ms, "not_after_ms",
	    (json_int_t)document->not_after_ms, "attestation_doc_b64",
	    document->base64);
	char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;

	json_decref(tree);
	if (!text)
		log_die("api", "out of memory");
	return text;
}

struct nonce_request {
	const struct api *api;
	struct http_request *req; /* NULL once the client has left */
};

static void on_nonce_abandoned(struct http_request *req, void *data)
{
	struct nonce_request *waiting = data;

	(void)req;
	waiting->req = NULL;
}

static void on_nonce_document(
    const struct attestation_document *document, const char *error, void *data)
{
	struct nonce_request *waiting = data;
	char *text;

	if (waiting->req && document) {
		text = api_attestation_json(waiting->api, document);
		http_reply_json(waiting->req, text);
		free(text);
	} else if (waiting->req) {
		http_problem(
		    waiting->req, 503, "ATTESTATION_FAILED", error, NULL);
	}
	free(waiting);
}

static void attest_nonce(
    const struct api *api, struct http_request *req, const char *hex)
{
	struct nonce_request *waiting;
	uint8_t nonce[API_NONCE_MAX];
	size_t len = strlen(hex) / 2;

	if (len == 0 || len > sizeof(nonce) ||
	    hex_decode(nonce, len, hex, strlen(hex)) != 0) {
		http_problem(req, 400, "PARAM_INVALID",
		    "nonce must be 1 to 512 bytes in hex",
		    "\"parameter\":\"nonce\"");
		return;
	}
	waiting = malloc(sizeof(*waiting));
	if (!waiting)
		log_die("api", "out of memory");
	*waiting = (struct nonce_request){.api = api, .req = req};
	if (attestation_request_nonce(api->attestation, nonce, len,
		on_nonce_document, waiting) != 0) {
		free(waiting);
		http_problem(req, 503, "BUSY",
		    "too many nonces wait for the attester; try again", NULL);
		return;
	}
	http_on_abandoned(req, on_nonce_abandoned, waiting);
}

static void on_attestation(struct http_request *req, void *data)
{
	const struct api *api = data;
	const char *nonce = http_param(req, "nonce");
	const struct attestation_document *document;
	char *text;

	if (nonce) {
		attest_nonce(api, req, nonce);
		return;
	}
	document = attestation_current(api->attestation, now_unix_ms());
	if (!document) {
		http_problem(req, 503, "ATTESTATION_EXPIRED",
		    "there is no current attestation document; the log says "
		    "why the renewal fails",
		    NULL);
		return;
	}
	text = api_attestation_json(api, document);
	http_reply_json(req, text);
	free(text);
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

	reply_tree(req, 200,
	    json_pack("{s:s, s:s, s:s, s:s}", "program", "hallmark-oracle",
		"version", HALLMARK_VERSION, "platform", api->platform,
		"boot_id", api->boot_id));
}

/* ---- the table ---- */

#define JSON "application/json"

static const struct service_param attestation_params[] = {
    {"nonce", "bytes that a new document is to hold",
	"{\"type\":\"string\",\"pattern\":\"^([0-9a-fA-F]{2}){1,512}$\"}"},
    {NULL, NULL, NULL},
};
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
static const struct service_answer attestation_answers[] = {
    {200, JSON, "Attestation", "the current document, or one with the nonce",
	false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer version_answers[] = {
    {200, JSON, "Version", "program, version, platform and boot", false},
    {0, NULL, NULL, NULL, false},
};

static const struct service_problem sources_problems[] = {
    {404, "EXCHANGE_UNKNOWN"}, {404, "FEED_UNKNOWN"}, {0, NULL}};
static const struct service_problem attestation_problems[] = {
    {503, "ATTESTATION_EXPIRED"}, {503, "ATTESTATION_FAILED"}, {503, "BUSY"},
    {0, NULL}};

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
	.path = "/attestation",
	.about = "What vouches for the key that signs.",
	.handler = on_attestation,
	.params = attestation_params,
	.answers = attestation_answers,
	.problems = attestation_problems},
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

const struct service_route *const api_tables[] = {board_routes, own_routes,
    tree_log_api_routes, raw_answers_api_routes, NULL};
