/* raw_answers_api: as bytes, never as what the exchange said they are: a
 * browser shows none of it. */
#include "oracle/raw_answers_api.h"

#include "base/now.h"
#include "feeds/hex.h"
#include "oracle/raw_answers.h"

#include <string.h>

static void on_raw(struct http_request *req, void *data)
{
	const struct api *api = data;
	const struct raw_answers *raw = poller_raw(api->poller);
	const char *hex = http_path_param(req);
	const uint8_t *body = NULL;
	uint8_t sha256[32];
	size_t len;

	if (hex_decode(sha256, sizeof(sha256), hex, strlen(hex)) != 0) {
		http_problem(req, 400, "PARAM_INVALID",
		    "a SHA-256 is 64 hex digits", "\"parameter\":\"sha256\"");
		return;
	}
	if (raw != NULL)
		body = raw_answers_find(raw, sha256, now_monotonic_ms(), &len);
	if (body == NULL) {
		http_problem(req, 404, "RAW_UNKNOWN",
		    raw != NULL ? "no answer with this hash is kept any more"
				: "keep_raw_s is 0: no answers are kept",
		    NULL);
		return;
	}
	http_reply(req, &(struct http_reply){
			    .status = 200,
			    .content_type = "application/octet-stream",
			    .body = body,
			    .len = len,
			});
}

static const struct service_answer raw_answers[] = {
    {200, "application/octet-stream", NULL, "its body, byte for byte", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem raw_problems[] = {
    {404, "RAW_UNKNOWN"}, {0, NULL}};

const struct service_route raw_answers_api_routes[] = {
    {.method = "GET",
	.path = "/raw/{sha256}",
	.about = "An exchange's answer that an item names (body_sha256).",
	.handler = on_raw,
	.part = {"sha256", "of the body",
	    "{\"type\":\"string\",\"pattern\":\"^[0-9a-fA-F]{64}$\"}"},
	.answers = raw_answers,
	.problems = raw_problems},
    {.method = NULL},
};
