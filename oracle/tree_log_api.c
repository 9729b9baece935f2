/* tree_log_api: see tree_log_api.h. */
#include "oracle/tree_log_api.h"

#include <stdio.h>
#include <string.h>

/* False after it has answered 400. */
static bool read_form(struct http_request *req, bool *full)
{
	const char *form = http_param(req, "attestation");

	*full = !form || strcmp(form, "full") == 0;
	if (*full || strcmp(form, "ref") == 0)
		return true;
	http_problem(req, 400, "PARAM_INVALID",
	    "attestation must be full or ref", "\"parameter\":\"attestation\"");
	return false;
}

static void on_head(struct http_request *req, void *data)
{
	const struct api *api = data;
	const struct tree_log_newest *newest = tree_log_newest(api->log);
	const char *boot_id = http_param(req, "boot_id");
	const char *text;
	char etag[BOARD_ETAG_MAX];
	bool full;

	if (!read_form(req, &full))
		return;
	if (boot_id && strcmp(boot_id, api->boot_id) != 0) {
		http_problem(req, 404, "LOG_UNKNOWN",
		    "this oracle's boot is another one, see /version", NULL);
		return;
	}
	text = full ? newest->full : newest->ref;
	if (!text) {
		http_problem(req, 404, "LOG_UNKNOWN",
		    "no head is signed yet: the first one comes "
		    "tree_head_interval_ms after the start",
		    NULL);
		return;
	}
	snprintf(etag, sizeof(etag), "\"%s%s\"", newest->sha256_hex,
	    full ? "" : "-ref");
	http_reply(req, &(struct http_reply){.status = 200,
			    .content_type = "application/json",
			    .body = text,
			    .len = strlen(text),
			    .cache_control = "no-cache",
			    .etag = etag});
}

static const struct service_param head_params[] = {
    {"attestation", "with the document inside, or its hash only",
	"{\"type\":\"string\",\"enum\":[\"full\",\"ref\"],"
	"\"default\":\"full\"}"},
    {"boot_id", "of which boot: there is this one only",
	"{\"$ref\":\"#/components/schemas/BootId\"}"},
    {NULL, NULL, NULL},
};
static const struct service_answer head_answers[] = {
    {200, "application/json", "Item", "a signed head of the log", true},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem head_problems[] = {
    {404, "LOG_UNKNOWN"}, {0, NULL}};

const struct service_route tree_log_api_routes[] = {
    {.method = "GET",
	.path = "/log/head",
	.about = "The newest signed head of this boot's log.",
	.handler = on_head,
	.params = head_params,
	.answers = head_answers,
	.problems = head_problems},
    {.method = NULL},
};
