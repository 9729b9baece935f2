/* peers_api: see peers_api.h. The text is ready: nobody makes us sign. */
#include "oracle/peers_api.h"

#include <string.h>

static void on_peers(struct http_request *req, void *data)
{
	const struct api *api = data;
	const char *text = api->peers_status
			       ? peers_status_text(api->peers_status)
			       : NULL;

	if (!text) {
		http_problem(req, 404, "PEERS_UNKNOWN",
		    api->peers_status
			? "nothing is signed yet: it comes within seconds"
			: "this oracle has no \"peers\" in its configuration",
		    NULL);
		return;
	}
	http_reply(req, &(struct http_reply){
			    .status = 200,
			    .content_type = "application/json",
			    .body = text,
			    .len = strlen(text),
			    .cache_control = "no-cache",
			});
}

static const struct service_answer peers_answers[] = {
    {200, "application/json", "Item",
	"who they are, and in what they disagree, in an item's envelope",
	false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem peers_problems[] = {
    {404, "PEERS_UNKNOWN"}, {0, NULL}};

const struct service_route peers_api_routes[] = {
    {.method = "GET",
	.path = "/peers",
	.about = "The other enclaves that co-sign this one's items.",
	.handler = on_peers,
	.answers = peers_answers,
	.problems = peers_problems},
    {.method = NULL},
};
