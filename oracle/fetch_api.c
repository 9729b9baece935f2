/* fetch_api: see fetch_api.h. A request has three members and no more: there is
 * no way to say a header, a method or a body. */
#include "oracle/fetch_api.h"

#include "base/log.h"
#include "verifier/fetched.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 4096 /* bytes: the longest host and path, and their names */

struct waiting {
	struct fetch_waiter waiter;
	struct http_request *req;
};

/* ---- what it came to ---- */

static void reply(struct http_request *req, struct fetch_text *text)
{
	fetch_text_hold(text);
	http_reply(req, &(struct http_reply){.status = 200,
			    .content_type = "application/json",
			    .body = text->json,
			    .len = text->len,
			    .body_done = fetch_text_release,
			    .body_data = text});
}

static void refuse(
    struct http_request *req, const struct fetch_outcome *outcome)
{
	char error[64];

	if (outcome->error == QUOTE_NOT_POLLED) {
		http_problem(
		    req, 503, "ATTESTATION_FAILED", outcome->why, NULL);
		return;
	}
	snprintf(error, sizeof(error), "\"error\":\"%s\"",
	    quote_error_name(outcome->error));
	http_problem(req, 502, "FETCH_FAILED", outcome->why, error);
}

static void on_outcome(
    struct fetch_waiter *waiter, const struct fetch_outcome *outcome)
{
	struct waiting *waiting = waiter->data;

	if (outcome->text != NULL)
		reply(waiting->req, outcome->text);
	else
		refuse(waiting->req, outcome);
	free(waiting);
}

static void on_abandoned(struct http_request *req, void *data)
{
	struct waiting *waiting = data;

	(void)req;
	fetch_forget(&waiting->waiter);
	free(waiting);
}

/* ---- the request ---- */

static void tell_why_not(
    struct http_request *req, enum fetch_result result, int64_t retry_ms)
{
	switch (result) {
	case FETCH_STARTED:
		break;
	case FETCH_NOT_ALLOWED:
		http_problem(req, 403, "FETCH_NOT_ALLOWED",
		    "the configuration allows no such host, port and path",
		    NULL);
		break;
	case FETCH_NO_BUDGET:
		http_problem_later(req, 429, "FETCH_BUDGET",
		    "this host is asked often enough, or wants to be left "
		    "alone; Retry-After says when to come again",
		    NULL, (unsigned)((retry_ms + 999) / 1000));
		break;
	case FETCH_BUSY:
		http_problem(req, 503, "BUSY",
		    "as much is under way as may be; try again", NULL);
		break;
	case FETCH_UNATTESTED:
		http_problem(req, 503, "ATTESTATION_EXPIRED",
		    "there is no current attestation document", NULL);
		break;
	case FETCH_CLOCK_UNCERTAIN:
		http_problem(req, 503, "CLOCK_UNCERTAIN",
		    "the exchanges' clocks say that ours is wrong", NULL);
		break;
	}
}

static void ask(const struct api *api, struct http_request *req,
    const struct hm_fetch_request *request)
{
	struct waiting *waiting = malloc(sizeof(*waiting));
	enum fetch_result result;
	int64_t retry_ms;

	if (waiting == NULL)
		log_die("fetch_api", "out of memory");
	*waiting = (struct waiting){.req = req};
	waiting->waiter.cb = on_outcome;
	waiting->waiter.data = waiting;
	result = fetch_ask(api->fetch, request, &waiting->waiter, &retry_ms);
	if (result == FETCH_STARTED) {
		http_on_abandoned(req, on_abandoned, waiting);
		return;
	}
	free(waiting);
	tell_why_not(req, result, retry_ms);
}

/* What is wrong with it, or NULL. */
static const char *what_is_wrong(const char *hostname, const char *path)
{
	if (!fetched_is_hostname(hostname))
		return "hostname is not a DNS name in lower case";
	if (!fetched_is_path(path))
		return "path is not a path (without escapes, dot segments, "
		       "fragment) and a query";
	return NULL;
}

/* tree may be NULL: not JSON. */
static const char *read_request(
    struct hm_fetch_request *out, json_t *tree, json_error_t *why)
{
	json_int_t port;

	/* Where it is no JSON at all, *why says so already. */
	if (tree == NULL || json_unpack_ex(tree, why, JSON_STRICT,
				"{s:s, s:I, s:s}", "hostname", &out->hostname,
				"port", &port, "path", &out->path) != 0)
		return why->text;
	if (port < 1 || port > 65535)
		return "port is not one of 1 to 65535";
	out->port = (unsigned)port;
	return what_is_wrong(out->hostname, out->path);
}

static void on_fetch(struct http_request *req, void *data)
{
	const struct api *api = data;
	struct hm_fetch_request request;
	json_error_t why = {.text = "the body is too long"};
	json_t *tree = NULL;
	const char *wrong;
	size_t len;
	const char *body = http_body(req, &len);

	if (api->fetch == NULL) {
		http_problem(req, 404, "FETCH_OFF",
		    "this oracle's configuration has no \"fetch\"", NULL);
		return;
	}
	if (len <= BODY_MAX)
		tree = json_loadb(body, len, JSON_REJECT_DUPLICATES, &why);
	wrong = read_request(&request, tree, &why);
	if (wrong != NULL)
		http_problem(req, 400, "FETCH_INVALID", wrong, NULL);
	else
		ask(api, req, &request);
	json_decref(tree);
}

static const struct service_answer fetch_answers[] = {
    {200, "application/json", "Fetched", "the signed answer", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem fetch_problems[] = {{400, "FETCH_INVALID"},
    {403, "FETCH_NOT_ALLOWED"}, {404, "FETCH_OFF"}, {429, "FETCH_BUDGET"},
    {502, "FETCH_FAILED"}, {503, "ATTESTATION_EXPIRED"},
    {503, "ATTESTATION_FAILED"}, {503, "BUSY"}, {503, "CLOCK_UNCERTAIN"},
    {0, NULL}};

const struct service_route fetch_api_routes[] = {
    {.method = "POST",
	.path = "/fetch",
	.about = "GETs what the configuration allows, and signs the answer.",
	.handler = on_fetch,
	.body = "FetchRequest",
	.answers = fetch_answers,
	.problems = fetch_problems},
    {.method = NULL},
};
