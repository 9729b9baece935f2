/* board_routes: see board_routes.h. */
#include "base/board_routes.h"

#include "base/metrics_text.h"

#define NUMBER(max) "{\"type\":\"integer\",\"minimum\":0,\"maximum\":" max "}"
#define FLAG        "{\"type\":\"boolean\"}"
#define TEXT        "{\"type\":\"string\"}"
#define FORM        "{\"enum\":[\"full\",\"ref\"]}"
#define HEX(digits) \
	"{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{" digits "}$\"}"
#define NAMES "{\"type\":\"string\",\"examples\":[\"BTC-USD,ETH-USD\"]}"
#define IDS                                                                  \
	"{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\"," \
	"\"pattern\":\"^(0[xX])?[0-9a-fA-F]{64}$\"}}"

#define JSON   "application/json"
#define STREAM "text/event-stream"

static struct board *board_of(void *data)
{
	return ((const struct board_front *)data)->board;
}

static void on_one(struct http_request *req, void *data)
{
	board_serve_one(board_of(data), req);
}

static void on_many(struct http_request *req, void *data)
{
	board_serve_many(board_of(data), req);
}

static void on_stream(struct http_request *req, void *data)
{
	board_serve_stream(board_of(data), req);
}

static void on_document(struct http_request *req, void *data)
{
	board_serve_document(board_of(data), req);
}

static void on_hermes_latest(struct http_request *req, void *data)
{
	board_hermes_latest(board_of(data), req);
}

static void on_hermes_stream(struct http_request *req, void *data)
{
	board_hermes_stream(board_of(data), req);
}

static void on_hermes_feeds(struct http_request *req, void *data)
{
	board_hermes_feeds(board_of(data), req);
}

static void on_livez(struct http_request *req, void *data)
{
	(void)data;
	http_reply_json(req, "{\"live\":true}");
}

static void on_openapi(struct http_request *req, void *data)
{
	service_serve_document(
	    ((const struct board_front *)data)->service, req);
}

/* ---- parameters ---- */

#define ATTESTATION(otherwise)                                           \
	{                                                                \
		"attestation",                                           \
		    "with the document, or with its SHA-256; " otherwise \
		    " if not given",                                     \
		    FORM                                                 \
	}
#define MAX_AGE                                                          \
	{                                                                \
		"max_age_ms", "published longer ago is 503 PRICE_STALE", \
		    NUMBER("86400000")                                   \
	}

static const struct service_param one_params[] = {
    ATTESTATION("full"),
    MAX_AGE,
    {"after_sequence",
	"waits for an item newer than this; one of another boot is newer",
	NUMBER("999999999999999999")},
    {"boot_id", "with after_sequence: the boot that it is of", HEX("32")},
    {"wait_ms", "with after_sequence: how long, 25000 if not given",
	NUMBER("55000")},
    {NULL, NULL, NULL},
};

static const struct service_param many_params[] = {
    {"feeds", "names with commas; all if not given", NAMES},
    ATTESTATION("full"),
    MAX_AGE,
    {NULL, NULL, NULL},
};

static const struct service_param stream_params[] = {
    {"feeds", "names with commas; all if not given", NAMES},
    ATTESTATION("ref"),
    {"since", "an event's id: what came after it is sent first", TEXT},
    {"min_interval_ms",
	"of each feed at most one event in so many ms, the newest",
	"{\"type\":\"integer\",\"minimum\":1,\"maximum\":60000}"},
    {NULL, NULL, NULL},
};

#define HERMES_PARAMS                                                         \
	{"ids[]", "the SHA-256 of a feed's name; may come again", IDS},       \
	    {"encoding", "of binary.data; hex if not given",                  \
		"{\"enum\":[\"hex\",\"base64\"]}"},                           \
	    {"parsed", "true if not given", FLAG},                            \
	{                                                                     \
		"ignore_invalid_price_ids",                                   \
		    "unknown feeds, and those without a price, are left out", \
		    FLAG                                                      \
	}

static const struct service_param hermes_latest_params[] = {
    HERMES_PARAMS,
    ATTESTATION("full"),
    {NULL, NULL, NULL},
};

static const struct service_param hermes_stream_params[] = {
    HERMES_PARAMS,
    ATTESTATION("ref"),
    {"allow_unordered", "changes nothing: they are in order", FLAG},
    {"benchmarks_only", "changes nothing", FLAG},
    {NULL, NULL, NULL},
};

static const struct service_param hermes_feeds_params[] = {
    {"query", "a part of BTC-USD or BTC/USD", TEXT},
    {"asset_type", "crypto is what there is", TEXT},
    {NULL, NULL, NULL},
};

/* ---- answers ---- */

static const struct service_answer one_answers[] = {
    {200, JSON, "Item", "the newest item", true},
    {204, NULL, NULL, "no newer item came in time", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem one_problems[] = {{404, "FEED_UNKNOWN"},
    {503, "FEED_UNAVAILABLE"}, {503, "PRICE_STALE"}, {503, "BUSY"}, {0, NULL}};

static const struct service_answer many_answers[] = {
    {200, JSON, "Prices", "what there is, and what is missing", false},
    {0, NULL, NULL, NULL, false},
};

static const struct service_answer stream_answers[] = {
    {200, STREAM, NULL,
	"events attestation, price, status, late, tree_head, heartbeat, "
	"resync, goodbye",
	false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem stream_problems[] = {
    {404, "FEED_UNKNOWN"}, {503, "STREAMS_FULL"}, {0, NULL}};

static const struct service_answer document_answers[] = {
    {200, "application/cbor", NULL, "the attestation document (COSE_Sign1)",
	true},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem document_problems[] = {
    {404, "ATTESTATION_UNKNOWN"}, {0, NULL}};

static const struct service_answer hermes_latest_answers[] = {
    {200, JSON, "HermesUpdate", "prices in the order of ids[]", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem hermes_latest_problems[] = {
    {400, "PARAM_MISSING"}, {400, "ID_MALFORMED"}, {404, "FEED_UNKNOWN"},
    {503, "FEED_UNAVAILABLE"}, {503, "PRICE_STALE"}, {0, NULL}};

static const struct service_answer hermes_stream_answers[] = {
    {200, STREAM, NULL, "messages of HermesUpdate, heartbeat, goodbye", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem hermes_stream_problems[] = {
    {400, "PARAM_MISSING"}, {400, "ID_MALFORMED"}, {404, "FEED_UNKNOWN"},
    {503, "STREAMS_FULL"}, {0, NULL}};

static const struct service_answer hermes_feeds_answers[] = {
    {200, JSON, "HermesFeeds", "all feeds, or those that the query finds",
	false},
    {0, NULL, NULL, NULL, false},
};

static const struct service_answer livez_answers[] = {
    {200, JSON, "Live", "the loop turns", false},
    {0, NULL, NULL, NULL, false},
};

static const struct service_answer openapi_answers[] = {
    {200, JSON, "OpenApi", "this document", true},
    {0, NULL, NULL, NULL, false},
};

const struct service_answer board_readyz_answers[] = {
    {200, JSON, "Ready", "ready", false},
    {503, JSON, "Ready", "not ready, and why", false},
    {0, NULL, NULL, NULL, false},
};
const struct service_answer board_metrics_answers[] = {
    {200, METRICS_TEXT_CONTENT_TYPE, NULL, "for Prometheus", false},
    {0, NULL, NULL, NULL, false},
};

const struct service_route board_routes[] = {
    {.method = http_get_kept,
	.path = "/price/{feed}",
	.about = "The newest item of a feed.",
	.handler = on_one,
	.part = {"feed", "its name, such as BTC-USD", TEXT},
	.params = one_params,
	.answers = one_answers,
	.problems = one_problems},
    {.method = "GET",
	.path = "/price",
	.about = "The newest items of several feeds.",
	.handler = on_many,
	.params = many_params,
	.answers = many_answers},
    {.method = http_get_stream,
	.path = "/stream",
	.about = "Server-sent events; resumes from Last-Event-ID or since.",
	.handler = on_stream,
	.params = stream_params,
	.answers = stream_answers,
	.problems = stream_problems},
    {.method = "GET",
	.path = "/attestations/{sha256}",
	.about = "A document that items in the reference form name.",
	.handler = on_document,
	.part = {"sha256", "its SHA-256", HEX("64")},
	.answers = document_answers,
	.problems = document_problems},
    {.method = "GET",
	.path = "/v2/updates/price/latest",
	.about = "The newest prices, in the shape of Pyth's Hermes.",
	.handler = on_hermes_latest,
	.params = hermes_latest_params,
	.answers = hermes_latest_answers,
	.problems = hermes_latest_problems},
    {.method = http_get_stream,
	.path = "/v2/updates/price/stream",
	.about = "Prices as they come, in the shape of Pyth's Hermes.",
	.handler = on_hermes_stream,
	.params = hermes_stream_params,
	.answers = hermes_stream_answers,
	.problems = hermes_stream_problems},
    {.method = "GET",
	.path = "/v2/price_feeds",
	.about = "The feeds and their ids, in the shape of Pyth's Hermes.",
	.handler = on_hermes_feeds,
	.params = hermes_feeds_params,
	.answers = hermes_feeds_answers},
    {.method = "GET",
	.path = "/livez",
	.about = "Is the program alive?",
	.handler = on_livez,
	.answers = livez_answers},
    {.method = "GET",
	.path = "/openapi.json",
	.about = "What this program serves.",
	.handler = on_openapi,
	.answers = openapi_answers},
    {.method = NULL},
};
