/* verifierd_api: the routes of hallmark-verifierd. */
#include "verifier/daemon/verifierd_api.h"

#include "base/log.h"
#include "base/metrics_text.h"
#include "base/now.h"
#include "verifier/daemon/archive_api.h"
#include "verifier/daemon/dashboard.h"
#include "verifier/daemon/history_api.h"
#include "verifier/daemon/log_api.h"
#include "verifier/daemon/upstreams_api.h"
#include "verifier/daemon/verifierd.h"
#include "verifier/daemon/verifierd_metrics.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX 8192 /* bytes of one check's text: all oracles' addresses */

static void reply_object(
    struct http_request *req, unsigned status, json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT);

	if (!text)
		log_die("api", "out of memory");
	http_reply(req, &(struct http_reply){
			    .status = status,
			    .content_type = "application/json",
			    .body = text,
			    .len = strlen(text),
			});
	free(text);
	json_decref(root);
}

/* Texts may hold what others wrote: JSON takes UTF-8 only. */
static json_t *text_or_null(const char *text)
{
	json_t *string;

	if (!text)
		return json_null();
	string = json_string(text);
	return string ? string : json_string("(not UTF-8)");
}

/* ---- feeds ---- */

static void serve_feeds(struct http_request *req, void *data)
{
	const struct verifierd *d = data;
	char *json = announce_feeds_json(d->announcer);

	http_reply_json(req, json);
	free(json);
}

/* ---- state ---- */

static void serve_version(struct http_request *req, void *data)
{
	(void)data;
	http_reply_json(req, "{\"program\":\"hallmark-verifierd\","
			     "\"version\":\"" HALLMARK_VERSION "\"}");
}

/* Each check is "ok", or says why not. One oracle is enough to be ready: a
 * feed that only a lost one has will be missed soon enough. */

/* why: its channel is not attested; or NULL. */
static void add_missing(
    char text[WHY_MAX], size_t *len, const char *name, const char *why)
{
	if (*len < WHY_MAX)
		*len += (size_t)snprintf(text + *len, WHY_MAX - *len,
		    "%s%s%s%s%s", *len ? ", " : "not connected: ", name,
		    why ? " (not attested: " : "", why ? why : "",
		    why ? ")" : "");
}

static json_t *check_oracles(const struct verifierd *d, bool *ready)
{
	char text[WHY_MAX] = "";
	size_t connected = 0, len = 0;

	for (size_t i = 0; i < d->config->oracle_count; i++) {
		if (d->intakes[i] && intake_connected(d->intakes[i])) {
			connected++;
			continue;
		}
		add_missing(text, &len, d->config->oracles[i].text,
		    d->intakes[i] ? intake_unattested(d->intakes[i]) : NULL);
	}
	if (bus_connected(d->bus))
		connected++;
	else if (d->config->bus.subscribe)
		add_missing(text, &len, d->config->bus.name, NULL);
	*ready &= connected > 0;
	return text_or_null(len ? text : "ok");
}

static json_t *check_feeds(const struct verifierd *d, bool *ready)
{
	char missing[WHY_MAX] = "", text[WHY_MAX + 64];
	size_t names = board_names(d->front.board);

	if (names == 0) {
		*ready = false;
		return json_string("no oracle has told its feeds yet");
	}
	if (board_fresh(d->front.board, now_unix_ms(), missing,
		sizeof(missing)) == names)
		return json_string("ok");
	*ready = false;
	snprintf(text, sizeof(text), "no price that can be used: %s", missing);
	return text_or_null(text);
}

/* A warning: prices are as good as they are without. */
static json_t *check_nats(const struct verifierd *d)
{
	char text[4 * BUS_ERROR_MAX];

	bus_check(d->bus, text, sizeof(text));
	return text_or_null(text);
}

static json_t *count_items(const struct verifierd *d)
{
	json_t *verdicts = json_object();
	struct announce_stats stats;

	for (int v = 0; v < HM_VERDICT_COUNT; v++) {
		uint64_t n = validator_count(d->validator, (enum hm_verdict)v);

		if (n)
			json_object_set_new(verdicts,
			    hm_verdict_name((enum hm_verdict)v),
			    json_integer((json_int_t)n));
	}
	announce_stats(d->announcer, &stats);
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "accepted",
	    (json_int_t)stats.accepted, "late", (json_int_t)stats.late,
	    "duplicates", (json_int_t)stats.duplicates, "refused",
	    (json_int_t)stats.refused, "verdicts", verdicts);
}

static json_t *count_attestations(const struct verifierd *d)
{
	struct hm_cache_stats stats;

	validator_cache_stats(d->validator, &stats);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "documents",
	    (json_int_t)stats.documents, "hits", (json_int_t)stats.hits,
	    "misses", (json_int_t)stats.misses, "certificates",
	    (json_int_t)stats.certificates, "certificate_hits",
	    (json_int_t)stats.certificate_hits, "certificate_misses",
	    (json_int_t)stats.certificate_misses, "signatures",
	    (json_int_t)stats.signatures);
}

static void serve_readyz(struct http_request *req, void *data)
{
	const struct verifierd *d = data;
	bool ready = !d->stopping;
	json_t *checks = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "policy",
	    "ok", "archive", archive_api_check(d, &ready), "oracles",
	    check_oracles(d, &ready), "feeds", check_feeds(d, &ready),
	    "upstreams", upstreams_api_check(d), "log",
	    log_keeper_check(d->log));

	if (d->bus)
		json_object_set_new(checks, "nats", check_nats(d));
	reply_object(req, ready ? 200 : 503,
	    json_pack("{s:b, s:o, s:o, s:o, s:o}", "ready", ready, "checks",
		checks, "archive", archive_api_describe(d), "items",
		count_items(d), "attestations", count_attestations(d)));
}

static void serve_metrics(struct http_request *req, void *data)
{
	verifierd_metrics_serve(data, req);
}

/* ---- POST /verify ---- */

static void on_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	json_array_append_new(
	    data, json_pack("{s:s, s:b, s:s?, s:s?}", "check", check, "passed",
		      passed, "wanted", wanted, "found", found));
}

static enum hm_verdict judge(struct verifierd *d, const char *body, size_t len,
    bool replay, json_t *checks)
{
	const struct hm_report report = {.cb = on_check, .data = checks};
	struct hm_envelope envelope;
	enum hm_verdict verdict = hm_envelope_parse(&envelope, body, len);

	on_check(checks, "envelope", verdict == HM_VALID, NULL, NULL);
	if (verdict != HM_VALID)
		return verdict;
	if (replay)
		verdict = validator_check_replay(
		    d->validator, &envelope, &report);
	else
		verdict = validator_check_live(
		    d->validator, &envelope, now_unix_ms(), &report);
	hm_envelope_fini(&envelope);
	return verdict;
}

static void serve_verify(struct http_request *req, void *data)
{
	struct verifierd *d = data;
	const char *at = http_param(req, "at");
	json_t *checks;
	const char *body;
	const char *name;
	size_t len;

	if (at && strcmp(at, "now") && strcmp(at, "published")) {
		http_problem(req, 400, "PARAM_INVALID",
		    "at must be now or published", "\"parameter\":\"at\"");
		return;
	}
	if (!budget_take(
		&d->verify_budget, uv_now(d->loop), VERIFIERD_VERIFY_PER_S)) {
		http_problem(req, 429, "RATE_LIMITED",
		    "too many items to verify in this second", NULL);
		return;
	}
	checks = json_array();
	body = http_body(req, &len);
	name = hm_verdict_name(judge(d, body ? body : "", body ? len : 0,
	    at && strcmp(at, "published") == 0, checks));
	reply_object(req, 200,
	    json_pack("{s:s, s:o}", "verdict", name, "checks", checks));
}

/* ---- the table ---- */

#define JSON "application/json"

static const struct service_param verify_params[] = {
    {"at", "is it good now, or was it when it was published; now if not given",
	"{\"enum\":[\"now\",\"published\"]}"},
    {NULL, NULL, NULL},
};

static const struct service_answer feeds_answers[] = {
    {200, JSON, "ServedFeeds", "what is served, and how fresh", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer upstreams_answers[] = {
    {200, JSON, "Upstreams", "what each has brought, lag and contradictions",
	false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer version_answers[] = {
    {200, JSON, "Version", "program and version", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer verify_answers[] = {
    {200, JSON, "Verdict", "the verdict, and each check", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer page_answers[] = {
    {200, "text/html; charset=utf-8", NULL, "the dashboard", true},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer file_answers[] = {
    {200, "*/*", NULL, "a script, a style sheet or an icon", true},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer policy_answers[] = {
    {200, JSON, "Policy", "a policy, and the roots that it names", false},
    {0, NULL, NULL, NULL, false},
};

static const struct service_problem verify_problems[] = {
    {429, "RATE_LIMITED"}, {0, NULL}};
static const struct service_problem file_problems[] = {
    {404, "NOT_FOUND"}, {0, NULL}};

static const struct service_route own_routes[] = {
    {.method = "GET",
	.path = "/feeds",
	.about = "What is served of each feed.",
	.handler = serve_feeds,
	.answers = feeds_answers},
    {.method = "GET",
	.path = "/upstreams",
	.about = "Who brings the items, who lags, who disagrees.",
	.handler = upstreams_api_serve,
	.answers = upstreams_answers},
    {.method = "GET",
	.path = "/readyz",
	.about = "Are oracles, archive and feeds as they should be?",
	.handler = serve_readyz,
	.answers = board_readyz_answers},
    {.method = "GET",
	.path = "/metrics",
	.about = "Counters and gauges.",
	.handler = serve_metrics,
	.answers = board_metrics_answers},
    {.method = "GET",
	.path = "/version",
	.about = "Who answers.",
	.handler = serve_version,
	.answers = version_answers},
    {.method = "POST",
	.path = "/verify",
	.about = "Judges an item.",
	.handler = serve_verify,
	.params = verify_params,
	.body = "Item",
	.answers = verify_answers,
	.problems = verify_problems},
    {.method = "GET",
	.path = "/",
	.about = "A page that verifies each item in the browser.",
	.handler = dashboard_serve_page,
	.answers = page_answers},
    {.method = "GET",
	.path = "/web/{file}",
	.about = "What the page is made of.",
	.handler = dashboard_serve_file,
	.part = {"file", "its name", "{\"type\":\"string\"}"},
	.answers = file_answers,
	.problems = file_problems},
    {.method = "GET",
	.path = "/policy",
	.about = "What this daemon accepts.",
	.handler = dashboard_serve_policy,
	.answers = policy_answers},
    {.method = NULL},
};

const struct service_route *const verifierd_api_tables[] = {
    history_api_routes, board_routes, own_routes, log_api_routes, NULL};
