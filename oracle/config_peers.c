/*
 * config_peers: the "peers" part of the configuration, and "quorum". All of
 * those that are peers have the same bytes here, so `connect` may name the
 * oracle itself: it finds out, and leaves itself alone.
 */
#include "oracle/config_parts.h"

#include "verifier/hallmark.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>

static bool is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 ||
	       inet_pton(AF_INET6, host, &address) == 1;
}

/* What can never be connected to is better said now than once a minute. */
static int check_connect(const struct config *config, const struct endpoint *to,
    const char *text, char error[static CONFIG_ERROR_MAX])
{
	if ((to->kind == ENDPOINT_TCP && to->port == 0) ||
	    (to->kind == ENDPOINT_VSOCK && to->cid == VMADDR_CID_ANY))
		return config_refuse(error,
		    "peers.connect: \"%.100s\": neither port 0 nor \"any\" "
		    "can be connected to",
		    text);
	/* The bridge holds a client to a name: in CONNECT, and in TLS (RFC
	 * 6066, 3: no addresses). */
	if (config->has_proxy && to->kind == ENDPOINT_TCP &&
	    is_address(to->host))
		return config_refuse(error,
		    "peers.connect: \"%.100s\": through \"proxy\" a name is "
		    "needed, not an address",
		    text);
	return 0;
}

static int read_connect(struct config *config, const json_t *list,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	struct config_peers *out = &config->peers;
	const json_t *one;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) == 0 ||
	    json_array_size(list) > CONFIG_PEERS_MAX)
		return config_refuse(error,
		    "peers: connect is an array of 1 to %d endpoints",
		    CONFIG_PEERS_MAX);
	json_array_foreach(list, i, one)
	{
		const char *text = json_string_value(one);

		if (config_read_endpoint(&out->connect[i], "peers.connect",
			directory, text ? text : "", error) != 0 ||
		    check_connect(config, &out->connect[i], text, error) != 0)
			return -1;
		out->connect_count++;
	}
	return 0;
}

static int read_numbers(struct config_peers *out, json_int_t bps,
    json_int_t wait_ms, char error[static CONFIG_ERROR_MAX])
{
	if (bps < 1 || bps > CONFIG_PEERS_BPS_MAX)
		return config_refuse(error,
		    "peers: max_disagreement_bps: 1 to %d",
		    CONFIG_PEERS_BPS_MAX);
	if (wait_ms < 1 || wait_ms > CONFIG_PEERS_WAIT_MAX_MS)
		return config_refuse(
		    error, "peers: wait_ms: 1 to %d", CONFIG_PEERS_WAIT_MAX_MS);
	out->max_disagreement_bps = (unsigned)bps;
	out->wait_ms = wait_ms;
	return 0;
}

static int read_peers(struct config *config, json_t *peers,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	json_int_t bps = CONFIG_PEERS_BPS, wait_ms = CONFIG_PEERS_WAIT_MS;
	const char *listen;
	json_error_t why;
	json_t *connect;

	if (json_unpack_ex(peers, &why, JSON_STRICT, "{s:s, s:o, s?I, s?I}",
		"listen", &listen, "connect", &connect, "max_disagreement_bps",
		&bps, "wait_ms", &wait_ms) != 0)
		return config_refuse(error, "peers: %s", why.text);
	if (config_read_endpoint(&config->peers.listen, "peers.listen",
		directory, listen, error) != 0 ||
	    read_connect(config, connect, directory, error) != 0)
		return -1;
	return read_numbers(&config->peers, bps, wait_ms, error);
}

int config_read_peers(struct config *out, json_t *peers, json_int_t quorum,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	if (!peers && quorum != 0)
		return config_refuse(error, "quorum: only with \"peers\"");
	if (!peers)
		return 0;
	if (read_peers(out, peers, directory, error) != 0)
		return -1;
	if (quorum < 0 || quorum > HM_COSIGNATURES_MAX)
		return config_refuse(
		    error, "quorum: 0 to %d", HM_COSIGNATURES_MAX);
	out->quorum = (unsigned)quorum;
	return 0;
}
