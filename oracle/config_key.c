/*
 * config_key: see config_key.h.
 *
 *   "key": {"kms": {"key_id": "arn:aws:kms:...", "region": "eu-central-1",
 *                   "blob": "vsock://3:9003", "credentials": "vsock://3:9004",
 *                   "host": "...", "port": 443},
 *           "rotate_s": 0, "overlap_s": 600, "wait_s": 300}
 */
#include "oracle/config_parts.h"

#include <string.h>

/* They go into a request and into what the seal is bound to. */
static int read_text(char *out, size_t cap, const char *key, const char *text,
    char error[static CONFIG_ERROR_MAX])
{
	size_t len = strlen(text);

	if (len == 0 || len >= cap)
		return config_refuse(
		    error, "key.kms.%s: empty or too long", key);
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return config_refuse(
			    error, "key.kms.%s: not visible ASCII", key);
	memcpy(out, text, len + 1);
	return 0;
}

static bool is_region(const char *region)
{
	return strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
	       strlen(region);
}

static int read_at(struct endpoint *out, const char *key, const char *text,
    char error[static CONFIG_ERROR_MAX])
{
	if (endpoint_parse(out, text) == 0 &&
	    (out->kind != ENDPOINT_TCP || out->port != 0))
		return 0;
	return config_refuse(error,
	    "key.kms.%s: \"%.100s\" is not where the bridge listens; write "
	    "vsock://3:PORT",
	    key, text);
}

/* AWS General Reference, "AWS KMS endpoints and quotas"; China has a domain of
 * its own. */
static void default_host(struct config_key *out)
{
	const char *domain = strncmp(out->region, "cn-", 3) == 0
				 ? "amazonaws.com.cn"
				 : "amazonaws.com";

	snprintf(
	    out->host, sizeof(out->host), "kms.%s.%s", out->region, domain);
}

static int read_kms(
    struct config_key *out, json_t *kms, char error[static CONFIG_ERROR_MAX])
{
	const char *key_id, *region, *blob, *credentials, *host = NULL;
	json_int_t port = 443;
	json_error_t why;

	if (json_unpack_ex(kms, &why, JSON_STRICT,
		"{s:s, s:s, s:s, s:s, s?s, s?I}", "key_id", &key_id, "region",
		&region, "blob", &blob, "credentials", &credentials, "host",
		&host, "port", &port) != 0)
		return config_refuse(error, "key.kms: %s", why.text);
	if (read_text(out->key_id, sizeof(out->key_id), "key_id", key_id,
		error) != 0 ||
	    read_text(out->region, sizeof(out->region), "region", region,
		error) != 0 ||
	    read_at(&out->blob, "blob", blob, error) != 0 ||
	    read_at(&out->credentials, "credentials", credentials, error) != 0)
		return -1;
	if (!is_region(out->region))
		return config_refuse(
		    error, "key.kms.region: write it as eu-central-1");
	default_host(out);
	if (host != NULL &&
	    read_text(out->host, sizeof(out->host), "host", host, error) != 0)
		return -1;
	if (port < 1 || port > 65535)
		return config_refuse(error, "key.kms.port: 1 to 65535");
	out->port = (unsigned)port;
	out->kms = true;
	return 0;
}

int config_read_key(
    struct config *out, json_t *key, char error[static CONFIG_ERROR_MAX])
{
	struct config_key *into = &out->key;
	json_int_t rotate_s = 0, overlap_s = CONFIG_KEY_OVERLAP_S,
		   wait_s = CONFIG_KEY_WAIT_S;
	json_error_t why;
	json_t *kms;

	if (key == NULL)
		return 0;
	if (json_unpack_ex(key, &why, JSON_STRICT, "{s:o, s?I, s?I, s?I}",
		"kms", &kms, "rotate_s", &rotate_s, "overlap_s", &overlap_s,
		"wait_s", &wait_s) != 0)
		return config_refuse(error, "key: %s", why.text);
	if (rotate_s != 0 && (rotate_s < CONFIG_KEY_ROTATE_MIN_S ||
				 rotate_s > CONFIG_KEY_ROTATE_MAX_S))
		return config_refuse(error, "key.rotate_s: 0, or %d to %d",
		    CONFIG_KEY_ROTATE_MIN_S, CONFIG_KEY_ROTATE_MAX_S);
	if (overlap_s < 1 || overlap_s > CONFIG_KEY_OVERLAP_MAX_S ||
	    (rotate_s != 0 && overlap_s * 2 > rotate_s))
		return config_refuse(error,
		    "key.overlap_s: 1 to %d, and at most half of rotate_s",
		    CONFIG_KEY_OVERLAP_MAX_S);
	if (wait_s < 1 || wait_s > CONFIG_KEY_WAIT_MAX_S)
		return config_refuse(
		    error, "key.wait_s: 1 to %d", CONFIG_KEY_WAIT_MAX_S);
	into->rotate_s = rotate_s;
	into->overlap_s = overlap_s;
	into->wait_s = wait_s;
	return read_kms(into, kms, error);
}
