/*
 * config_peers: the "peers" part of the configuration, and "quorum". All of
 * those that are peers have the same bytes here, so `connect` may name the
 * oracle itself: it finds out, and leaves itself alone. A Unix socket's path
 * may be relative to the file, as "unix://./peer.sock": then each has its own.
 */
#include "oracle/config_parts.h"

#include "verifier/hallmark.h"

#include <stdio.h>
#include <string.h>

#define RELATIVE "unix://./"

static int read_relative(struct endpoint *out, const char *directory,
    const char *path, char error[static CONFIG_ERROR_MAX])
{
	int len;

	*out = (struct endpoint){.kind = ENDPOINT_UNIX};
	len = snprintf(out->path, sizeof(out->path), "%s/%s", directory, path);
	if (path[0] == '\0' || len < 0 || (size_t)len >= sizeof(out->path))
		return config_refuse(
		    error, "peers: a socket's path is empty or too long");
	return 0;
}

static int read_endpoint(struct endpoint *out, const char *key,
    const char *directory, const char *text,
    char error[static CONFIG_ERROR_MAX])
{
	if (strncmp(text, RELATIVE, strlen(RELATIVE)) == 0)
		return read_relative(
		    out, directory, text + strlen(RELATIVE), error);
	if (endpoint_parse(out, text) == 0)
		return 0;
	return config_refuse(error,
	    "peers: %s: \"%.100s\" is not an endpoint; write tcp://HOST:PORT, "
	    "unix:///PATH, unix://./PATH or vsock://CID:PORT",
	    key, text);
}

static int read_connect(struct config_peers *out, const json_t *list,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
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

		if (read_endpoint(&out->connect[i], "connect", directory,
			text ? text : "", error) != 0)
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

static int read_peers(struct config_peers *out, json_t *peers,
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
	if (read_endpoint(&out->listen, "listen", directory, listen, error) !=
		0 ||
	    read_connect(out, connect, directory, error) != 0)
		return -1;
	return read_numbers(out, bps, wait_ms, error);
}

int config_read_peers(struct config *out, json_t *peers, json_int_t quorum,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	if (!peers && quorum != 0)
		return config_refuse(error, "quorum: only with \"peers\"");
	if (!peers)
		return 0;
	if (read_peers(&out->peers, peers, directory, error) != 0)
		return -1;
	if (quorum < 0 || quorum > HM_COSIGNATURES_MAX)
		return config_refuse(
		    error, "quorum: 0 to %d", HM_COSIGNATURES_MAX);
	out->quorum = (unsigned)quorum;
	return 0;
}
