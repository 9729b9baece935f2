/*
 * config_endpoint: an endpoint in the configuration. A Unix socket's path may
 * be relative to the file, as "unix://./peer.sock": so several oracles of one
 * machine can have the same bytes, hence the same PCR16, and a socket each.
 */
#include "oracle/config_parts.h"

#include <stdio.h>
#include <string.h>

#define RELATIVE "unix://./"

static int read_relative(struct endpoint *out, const char *key,
    const char *directory, const char *path,
    char error[static CONFIG_ERROR_MAX])
{
	int len;

	*out = (struct endpoint){.kind = ENDPOINT_UNIX};
	len = snprintf(out->path, sizeof(out->path), "%s/%s", directory, path);
	if (path[0] == '\0' || len < 0 || (size_t)len >= sizeof(out->path))
		return config_refuse(
		    error, "%s: the socket's path is empty or too long", key);
	return 0;
}

int config_read_endpoint(struct endpoint *out, const char *key,
    const char *directory, const char *text,
    char error[static CONFIG_ERROR_MAX])
{
	if (strncmp(text, RELATIVE, strlen(RELATIVE)) == 0)
		return read_relative(
		    out, key, directory, text + strlen(RELATIVE), error);
	if (endpoint_parse(out, text) == 0)
		return 0;
	return config_refuse(error,
	    "%s: \"%.100s\" is not an endpoint; write tcp://HOST:PORT, "
	    "unix:///PATH, unix://./PATH, vsock://CID:PORT or "
	    "hybrid:///PATH:PORT",
	    key, text);
}
