/* history_api: see history_api.h. */
#include "verifier/daemon/history_api.h"

#include "verifier/daemon/verifierd.h"

static void serve_page(struct http_request *req, void *data)
{
	const struct verifierd *d = data;

	history_serve_page(d->history, req);
}

static void serve_price(struct http_request *req, void *data)
{
	const struct verifierd *d = data;

	if (!http_param(req, "at_ms"))
		board_serve_one(d->front.board, req);
	else if (!http_wants_kept(req)) /* what is read is not kept */
		history_serve_at(d->history, req);
}

/* The board has the newest ones only. */
static void serve_document(struct http_request *req, void *data)
{
	const struct verifierd *d = data;

	if (board_has_document(d->front.board, http_path_param(req)) ||
	    !history_serve_document(d->history, req))
		board_serve_document(d->front.board, req);
}

/* ---- the table ---- */

#define TIME                                                \
	"{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0}," \
	"{\"type\":\"string\",\"format\":\"date-time\"}]}"

static const struct service_param page_params[] = {
    {"feed", "its name; must be given", "{\"type\":\"string\"}"},
    {"from", "published then or later: Unix ms or RFC 3339", TIME},
    {"to", "published before: Unix ms or RFC 3339", TIME},
    {"limit", "items, 100 if not given; at most 1000 in JSON",
	"{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000}"},
    {"order", "by published_ms; asc if not given",
	"{\"enum\":[\"asc\",\"desc\"]}"},
    {"cursor", "next_cursor of the page before", "{\"type\":\"string\"}"},
    {"attestation", "the document in each item or its hash; ref if not given",
	"{\"enum\":[\"full\",\"ref\"]}"},
    {NULL, NULL, NULL},
};
static const struct service_answer page_answers[] = {
    {200, "application/json", "History",
	"a page; a line for each item with Accept: application/x-ndjson. "
	"Link: rel=\"next\" where there is more",
	false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem page_problems[] = {{400, "PARAM_MISSING"},
    {404, "FEED_UNKNOWN"}, {503, "BUSY"}, {503, "ARCHIVE_UNAVAILABLE"},
    {0, NULL}};

static const struct service_param at_params[] = {
    {"at_ms", "the item that was in force at this time, out of the archive",
	"{\"type\":\"integer\",\"minimum\":0}"},
    {NULL, NULL, NULL},
};
static const struct service_problem at_problems[] = {
    {404, "HISTORY_NOT_FOUND"}, {503, "ARCHIVE_UNAVAILABLE"}, {0, NULL}};
static const struct service_problem document_problems[] = {
    {503, "BUSY"}, {503, "ARCHIVE_UNAVAILABLE"}, {0, NULL}};

const struct service_route history_api_routes[] = {
    {.method = "GET",
	.path = "/history",
	.about = "Items of a feed as they were published, page by page.",
	.handler = serve_page,
	.params = page_params,
	.answers = page_answers,
	.problems = page_problems},
    {.method = http_get_kept,
	.path = "/price/{feed}",
	.about = "The newest item of a feed, or the one in force at a time.",
	.handler = serve_price,
	.part = {"feed", "its name, such as BTC-USD", "{\"type\":\"string\"}"},
	.params = at_params,
	.problems = at_problems,
	.extends = true},
    {.method = "GET",
	.path = "/attestations/{sha256}",
	.about = "A document that items in the reference form name.",
	.handler = serve_document,
	.part = {"sha256", "its SHA-256",
	    "{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\"}"},
	.problems = document_problems,
	.extends = true},
    {.method = NULL},
};
