/* api: see api.h. Texts, streams and documents are the board's. */
#include "oracle/api.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "oracle/feeds_api.h"
#include "oracle/metrics.h"
#include "oracle/sources_api.h"

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

/* ---- prices: the board's ---- */

static void on_price(struct http_request *req, void *data)
{
	board_serve_one(((struct api *)data)->board, req);
}

static void on_prices(struct http_request *req, void *data)
{
	board_serve_many(((struct api *)data)->board, req);
}

static void on_stream(struct http_request *req, void *data)
{
	board_serve_stream(((struct api *)data)->board, req);
}

static void on_document(struct http_request *req, void *data)
{
	board_serve_document(((struct api *)data)->board, req);
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

static void on_livez(struct http_request *req, void *data)
{
	(void)data;
	http_reply_json(req, "{\"live\":true}");
}

static void on_readyz(struct http_request *req, void *data)
{
	const struct api *api = data;
	int64_t now_ms = now_unix_ms();
	bool attested = attestation_current(api->attestation, now_ms) != NULL;
	char missing[1024], feeds[1100] = "ok";
	bool fresh = board_fresh(api->board, now_ms, missing,
			 sizeof(missing)) == board_names(api->board);

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

static const char *const attestation_params[] = {"nonce", NULL};

const struct http_route api_routes[] = {
    {"GET", "/price", board_many_params, on_prices},
    {"GET", "/price/{feed}", board_one_params, on_price},
    {"GET", "/stream", board_stream_params, on_stream},
    {"GET", "/feeds", NULL, on_feeds},
    {"GET", "/sources", sources_api_params, on_sources},
    {"GET", "/attestation", attestation_params, on_attestation},
    {"GET", "/attestations/{sha256}", NULL, on_document},
    {"GET", "/livez", NULL, on_livez},
    {"GET", "/readyz", NULL, on_readyz},
    {"GET", "/metrics", NULL, on_metrics},
    {"GET", "/version", NULL, on_version},
    {NULL, NULL, NULL, NULL},
};
