/* plan_peers: see plan_peers.h. */
#include "oracle/plan_peers.h"

void plan_peers(const struct config *config, FILE *out)
{
	const struct config_peers *peers = &config->peers;
	char text[ENDPOINT_TEXT_MAX];

	if (peers->connect_count == 0)
		return;
	endpoint_format(&peers->listen, text);
	fprintf(out, "peers         listens on %s\n", text);
	for (size_t i = 0; i < peers->connect_count; i++) {
		endpoint_format(&peers->connect[i], text);
		fprintf(out, "              dials %s%s\n", text,
		    config->has_proxy && peers->connect[i].kind == ENDPOINT_TCP
			? ", through the proxy"
			: "");
	}
	fprintf(out,
	    "              an item waits %lld ms for co-signatures, prices "
	    "agree within %u bps\n",
	    (long long)peers->wait_ms, peers->max_disagreement_bps);
	if (config->quorum > 0)
		fprintf(out, "              and no longer than for %u\n",
		    config->quorum);
}
