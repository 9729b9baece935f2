/* config: see config.h. jansson refuses what it does not know by itself. */
#include "oracle/config_parts.h"

#include "base/file.h"
#include "base/rate_limit.h"
#include "oracle/raw_answers.h"

#include <errno.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct texts { /* as they stand in the file, borrowed from the JSON tree */
	const char *listen, *proxy, *attester, *simulated_dir, *nsm_device;
	const char *nsm_root, *ca_bundle, *tls, *gramine_dir, *gramine_root;
	json_t *feeds, *exchanges, *fetch, *key, *secrets, *peers;
	int allow_debug, emulator, listen_proxy_protocol;
	json_int_t requests_per_s, requests_burst, tree_head_interval_ms,
	    keep_raw_s, quorum;
};

int config_refuse(char error[static CONFIG_ERROR_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, CONFIG_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

static int unpack(
    json_t *root, struct texts *out, char error[static CONFIG_ERROR_MAX])
{
	json_error_t why;

	*out = (struct texts){.nsm_device = "/dev/nsm",
	    .requests_per_s = RATE_LIMIT_PER_S,
	    .requests_burst = RATE_LIMIT_BURST,
	    .tree_head_interval_ms = CONFIG_HEAD_INTERVAL_MS};
	if (json_unpack_ex(root, &why, JSON_STRICT,
		"{s:s, s?s, s:s, s?s, s?s, s?s, s:s, s?b, s?b, s?b, s?I, s?I,"
		" s?I, s?I, s?o, s?o, s?s, s?o, s?o, s?s, s?s, s:o, s?o, s?I}",
		"listen", &out->listen, "proxy", &out->proxy, "attester",
		&out->attester, "simulated_dir", &out->simulated_dir,
		"nsm_device", &out->nsm_device, "nsm_root", &out->nsm_root,
		"ca_bundle", &out->ca_bundle, "insecure_allow_debug",
		&out->allow_debug, "insecure_emulator", &out->emulator,
		"listen_proxy_protocol", &out->listen_proxy_protocol,
		"requests_per_s", &out->requests_per_s, "requests_burst",
		&out->requests_burst, "tree_head_interval_ms",
		&out->tree_head_interval_ms, "keep_raw_s", &out->keep_raw_s,
		"exchanges", &out->exchanges, "key", &out->key, "tls",
		&out->tls, "secrets", &out->secrets, "fetch", &out->fetch,
		"gramine_dir", &out->gramine_dir, "gramine_root",
		&out->gramine_root, "feeds", &out->feeds, "peers", &out->peers,
		"quorum", &out->quorum) != 0)
		return config_refuse(error, "configuration: %s", why.text);
	return 0;
}

int config_read_path(char out[static CONFIG_PATH_MAX], const char *key,
    const char *directory, const char *path,
    char error[static CONFIG_ERROR_MAX])
{
	int n;

	if (path[0] == '/')
		n = snprintf(out, CONFIG_PATH_MAX, "%s", path);
	else
		n = snprintf(out, CONFIG_PATH_MAX, "%s/%s", directory, path);
	if (path[0] == '\0' || n >= CONFIG_PATH_MAX)
		return config_refuse(
		    error, "%s: the path is empty or too long", key);
	return 0;
}

static int read_certificates(char out[static CERTIFICATES_MAX], const char *key,
    const char *directory, const char *value,
    char error[static CONFIG_ERROR_MAX])
{
	if (!certificates_inline(value))
		return config_read_path(out, key, directory, value, error);
	if (strlen(value) >= CERTIFICATES_MAX)
		return config_refuse(error,
		    "%s: more than %d bytes of certificates", key,
		    CERTIFICATES_MAX - 1);
	memcpy(out, value, strlen(value) + 1);
	return 0;
}

static int read_nsm(struct config *out, const struct texts *texts,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	out->attester = CONFIG_NSM;
	if (texts->simulated_dir)
		return config_refuse(error,
		    "simulated_dir: only with \"attester\": \"simulated\"");
	if (texts->nsm_root && read_certificates(out->nsm_root, "nsm_root",
				   directory, texts->nsm_root, error) != 0)
		return -1;
	return config_read_path(
	    out->nsm_device, "nsm_device", directory, texts->nsm_device, error);
}

static int read_simulated(struct config *out, const struct texts *texts,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	out->attester = CONFIG_SIMULATED;
	if (!texts->simulated_dir)
		return config_refuse(error,
		    "simulated_dir: missing; the simulated attester keeps its "
		    "root there");
	return config_read_path(out->simulated_dir, "simulated_dir", directory,
	    texts->simulated_dir, error);
}

static int read_attester(struct config *out, const struct texts *texts,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	const char *attester = texts->attester;

	if (strcmp(attester, "nsm") == 0)
		return read_nsm(out, texts, directory, error);
	if (texts->nsm_root)
		return config_refuse(
		    error, "nsm_root: only with \"attester\": \"nsm\"");
	if (strcmp(attester, "simulated") == 0)
		return read_simulated(out, texts, directory, error);
	if (texts->simulated_dir)
		return config_refuse(error,
		    "simulated_dir: only with \"attester\": \"simulated\"");
	if (strcmp(attester, "gramine") != 0)
		return config_refuse(error,
		    "attester: \"%.40s\" is unknown; nsm, gramine or simulated",
		    attester);
	out->attester = CONFIG_GRAMINE;
	return 0;
}

static int read_tls(
    struct config *out, const char *text, char error[static CONFIG_ERROR_MAX])
{
	out->attested_tls = text != NULL;
	if (text == NULL || strcmp(text, "attested") == 0)
		return 0;
	return config_refuse(error,
	    "tls: \"%.40s\" is unknown; attested, or leave it out", text);
}

static int read_limits(struct config *out, const struct texts *texts,
    char error[static CONFIG_ERROR_MAX])
{
	if (texts->requests_per_s < 0 ||
	    texts->requests_per_s > RATE_LIMIT_MAX_S ||
	    texts->requests_burst < 0 ||
	    texts->requests_burst > RATE_LIMIT_MAX_S)
		return config_refuse(error,
		    "requests_per_s, requests_burst: 0 to %d",
		    RATE_LIMIT_MAX_S);
	out->requests_per_s = (unsigned)texts->requests_per_s;
	out->requests_burst = (unsigned)texts->requests_burst;
	if (texts->tree_head_interval_ms < CONFIG_HEAD_INTERVAL_MIN_MS ||
	    texts->tree_head_interval_ms > CONFIG_HEAD_INTERVAL_MAX_MS)
		return config_refuse(error, "tree_head_interval_ms: %d to %d",
		    CONFIG_HEAD_INTERVAL_MIN_MS, CONFIG_HEAD_INTERVAL_MAX_MS);
	out->tree_head_interval_ms = texts->tree_head_interval_ms;
	if (texts->keep_raw_s < 0 || texts->keep_raw_s > RAW_ANSWERS_KEEP_S)
		return config_refuse(
		    error, "keep_raw_s: 0 to %d", RAW_ANSWERS_KEEP_S);
	out->keep_raw_s = texts->keep_raw_s;
	return 0;
}

static int fill(struct config *out, const struct texts *texts,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	char feed_error[FEED_CONFIG_ERROR_MAX];

	if (config_read_endpoint(
		&out->listen, "listen", directory, texts->listen, error) != 0)
		return -1;
	out->has_proxy = texts->proxy != NULL;
	if (out->has_proxy && config_read_endpoint(&out->proxy, "proxy",
				  directory, texts->proxy, error) != 0)
		return -1;
	if (read_attester(out, texts, directory, error) != 0 ||
	    config_read_gramine(out, texts->gramine_dir, texts->gramine_root,
		directory, error) != 0 ||
	    read_certificates(out->ca_bundle, "ca_bundle", directory,
		texts->ca_bundle, error) != 0)
		return -1;
	if (read_tls(out, texts->tls, error) != 0 ||
	    read_limits(out, texts, error) != 0)
		return -1;
	if (config_read_pins(out, texts->exchanges, directory, error) != 0 ||
	    config_read_key(out, texts->key, error) != 0 ||
	    config_read_secrets(out, texts->secrets, error) != 0 ||
	    config_read_fetch(&out->fetch, texts->fetch, error) != 0)
		return -1;
	if (config_read_peers(
		out, texts->peers, texts->quorum, directory, error) != 0)
		return -1;
	out->insecure_allow_debug = texts->allow_debug != 0;
	out->insecure_emulator = texts->emulator != 0;
	out->listen_proxy_protocol = texts->listen_proxy_protocol != 0;
	if (feed_set_parse(&out->feeds, texts->feeds, feed_error) != 0)
		return config_refuse(error, "%s", feed_error);
	return config_check_gramine(out, error);
}

static int parse(struct config *out, const char *bytes, size_t len,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	json_error_t why;
	json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &why);
	struct texts texts;
	int result = -1;

	if (!root)
		return config_refuse(error, "line %d, column %d: %s", why.line,
		    why.column, why.text);
	if (unpack(root, &texts, error) == 0)
		result = fill(out, &texts, directory, error);
	json_decref(root);
	return result;
}

static int hash(struct config *out, const uint8_t *bytes, size_t len)
{
	if (EVP_Digest(bytes, len, out->sha256, NULL, EVP_sha256(), NULL) != 1)
		return -1;
	return EVP_Digest(bytes, len, out->sha384, NULL, EVP_sha384(), NULL) ==
		       1
		   ? 0
		   : -1;
}

int config_load(
    struct config *out, const char *path, char error[static CONFIG_ERROR_MAX])
{
	char path_copy[CONFIG_PATH_MAX];
	uint8_t *bytes = NULL;
	size_t len = 0;
	int result;

	memset(out, 0, sizeof(*out));
	if (strlen(path) >= sizeof(path_copy))
		return config_refuse(error, "the path is too long");
	memcpy(path_copy, path, strlen(path) + 1);
	result = file_read(path, CONFIG_BYTES_MAX, &bytes, &len);
	if (result == -EFBIG)
		return config_refuse(error,
		    "the file is too large: more than %u bytes",
		    CONFIG_BYTES_MAX);
	if (result != 0)
		return config_refuse(
		    error, "cannot read: %s", strerror(-result));
	result = parse(
	    out, (const char *)bytes, len, dirname(path_copy), error);
	if (result == 0 && hash(out, bytes, len) != 0)
		result = config_refuse(error, "cannot hash the file");
	if (result != 0)
		memset(out, 0, sizeof(*out));
	free(bytes);
	return result;
}
