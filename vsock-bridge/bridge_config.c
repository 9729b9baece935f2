/* bridge_config: see bridge_config.h. */
#include "vsock-bridge/bridge_config.h"

#include "base/file.h"

#include <jansson.h>
#include <linux/vm_sockets.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 64 /* where in the file something stands */

/* What is being read: where relative paths start, and what went wrong. */
struct reader {
	struct bridge_config *config;
	const char *dir;
	char *error;
};

__attribute__((format(printf, 2, 3))) static int fail(
    const struct reader *reader, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reader->error, BRIDGE_CONFIG_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

static int take_endpoint(const struct reader *reader, struct endpoint *out,
    const char *key, const char *text)
{
	if (endpoint_parse(out, text) == 0)
		return 0;
	return fail(reader,
	    "%s: not tcp://host:port, unix:///path, vsock://cid:port or "
	    "hybrid:///path:port",
	    key);
}

/* Listening looks nothing up (base/endpoint.h), so a name would fail later. */
static int take_listen_at(const struct reader *reader, struct endpoint *out,
    const char *key, const char *text)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (take_endpoint(reader, out, key, text) != 0)
		return -1;
	if (out->kind != ENDPOINT_TCP ||
	    uv_ip4_addr(out->host, (int)out->port, &in) == 0 ||
	    uv_ip6_addr(out->host, (int)out->port, &in6) == 0)
		return 0;
	return fail(reader, "%s: a name, not an address", key);
}

static int take_listen(const struct reader *reader, struct endpoint *out,
    const char *where, size_t index, const char *text)
{
	char key[KEY_MAX];

	snprintf(key, sizeof(key), "%s[%zu].listen", where, index);
	return take_listen_at(reader, out, key, text);
}

static int take_connect(const struct reader *reader, struct endpoint *out,
    size_t index, const char *text)
{
	char key[KEY_MAX];

	snprintf(key, sizeof(key), "inbound[%zu].connect", index);
	if (take_endpoint(reader, out, key, text) != 0)
		return -1;
	if ((out->kind == ENDPOINT_TCP && out->port == 0) ||
	    (out->kind == ENDPOINT_VSOCK && out->cid == VMADDR_CID_ANY))
		return fail(reader,
		    "inbound[%zu].connect: neither port 0 nor \"any\" can be "
		    "connected to",
		    index);
	return 0;
}

static int take_path(const struct reader *reader, char out[static PATH_MAX],
    const char *what, const char *path)
{
	int len;

	if (path[0] == '\0')
		return fail(reader, "the path of %s is empty", what);
	if (path[0] == '/')
		len = snprintf(out, PATH_MAX, "%s", path);
	else
		len = snprintf(out, PATH_MAX, "%s/%s", reader->dir, path);
	if (len < 0 || len >= PATH_MAX)
		return fail(reader, "the path of %s is too long", what);
	return 0;
}

static int take_outbound(const struct reader *reader, size_t i, json_t *rule)
{
	struct bridge_outbound *out = &reader->config->outbound[i];
	const char *listen, *allowlist;
	json_error_t err;

	if (json_unpack_ex(rule, &err, 0, "{s:s, s:s !}", "listen", &listen,
		"allowlist", &allowlist) != 0)
		return fail(reader, "outbound[%zu]: %s", i, err.text);
	if (take_listen(reader, &out->listen, "outbound", i, listen) != 0)
		return -1;
	return take_path(reader, out->allowlist, "an allow-list", allowlist);
}

static int take_inbound(const struct reader *reader, size_t i, json_t *rule)
{
	struct bridge_inbound *out = &reader->config->inbound[i];
	const char *listen, *connect;
	int proxy_protocol = 0;
	json_error_t err;

	if (json_unpack_ex(rule, &err, 0, "{s:s, s:s, s?:b !}", "listen",
		&listen, "connect", &connect, "proxy_protocol",
		&proxy_protocol) != 0)
		return fail(reader, "inbound[%zu]: %s", i, err.text);
	out->proxy_protocol = proxy_protocol;
	if (take_listen(reader, &out->listen, "inbound", i, listen) != 0)
		return -1;
	return take_connect(reader, &out->connect, i, connect);
}

static int take_configuration(
    const struct reader *reader, size_t i, json_t *rule)
{
	struct bridge_configuration *out = &reader->config->configuration[i];
	const char *listen, *file;
	json_error_t err;

	if (json_unpack_ex(rule, &err, 0, "{s:s, s:s !}", "listen", &listen,
		"file", &file) != 0)
		return fail(reader, "configuration[%zu]: %s", i, err.text);
	if (take_listen(reader, &out->listen, "configuration", i, listen) != 0)
		return -1;
	return take_path(reader, out->file, "a configuration", file);
}

static int take_logs(const struct reader *reader, size_t i, json_t *rule)
{
	struct bridge_logs *out = &reader->config->logs[i];
	const char *listen;
	json_error_t err;

	if (json_unpack_ex(rule, &err, 0, "{s:s !}", "listen", &listen) != 0)
		return fail(reader, "logs[%zu]: %s", i, err.text);
	return take_listen(reader, &out->listen, "logs", i, listen);
}

static int take_keeper(const struct reader *reader, json_t *rule)
{
	struct bridge_config *config = reader->config;
	const char *listen, *directory;
	json_error_t err;

	if (rule == NULL)
		return 0;
	if (json_unpack_ex(rule, &err, 0, "{s:s, s:s !}", "listen", &listen,
		"directory", &directory) != 0)
		return fail(reader, "keeper: %s", err.text);
	config->keeper_count = 1;
	if (take_listen_at(
		reader, &config->keeper.listen, "keeper.listen", listen) != 0)
		return -1;
	return take_path(
	    reader, config->keeper.directory, "keeper.directory", directory);
}

static int take_credentials(const struct reader *reader, json_t *rule)
{
	struct bridge_config *config = reader->config;
	struct bridge_credentials *out = &config->credentials;
	const char *listen, *imds = "tcp://169.254.169.254:80";
	json_error_t err;

	if (rule == NULL)
		return 0;
	if (json_unpack_ex(rule, &err, 0, "{s:s, s?s !}", "listen", &listen,
		"imds", &imds) != 0)
		return fail(reader, "credentials: %s", err.text);
	config->credentials_count = 1;
	if (take_listen_at(
		reader, &out->listen, "credentials.listen", listen) != 0 ||
	    take_endpoint(reader, &out->imds, "credentials.imds", imds) != 0)
		return -1;
	if (out->imds.kind != ENDPOINT_TCP || out->imds.port == 0)
		return fail(reader, "credentials.imds: not tcp://HOST:PORT");
	return 0;
}

static int take_rules(const struct reader *reader, const char *key,
    json_t *rules, size_t *count,
    int (*take)(const struct reader *reader, size_t i, json_t *rule))
{
	if (rules == NULL)
		return 0;
	if (!json_is_array(rules))
		return fail(reader, "%s is not an array", key);
	if (json_array_size(rules) > BRIDGE_CONFIG_RULES_MAX)
		return fail(reader, "%s has more than %d rules", key,
		    BRIDGE_CONFIG_RULES_MAX);
	for (; *count < json_array_size(rules); (*count)++)
		if (take(reader, *count, json_array_get(rules, *count)) != 0)
			return -1;
	return 0;
}

const struct endpoint *bridge_config_listener(
    const struct bridge_config *config, size_t n)
{
	if (n < config->outbound_count)
		return &config->outbound[n].listen;
	n -= config->outbound_count;
	if (n < config->inbound_count)
		return &config->inbound[n].listen;
	n -= config->inbound_count;
	if (n < config->configuration_count)
		return &config->configuration[n].listen;
	n -= config->configuration_count;
	if (n < config->logs_count)
		return &config->logs[n].listen;
	n -= config->logs_count;
	if (n < config->keeper_count)
		return &config->keeper.listen;
	n -= config->keeper_count;
	return n < config->credentials_count ? &config->credentials.listen
					     : NULL;
}

int *bridge_config_inherited(struct bridge_config *config, size_t n)
{
	if (n < config->outbound_count)
		return &config->outbound[n].inherited;
	n -= config->outbound_count;
	if (n < config->inbound_count)
		return &config->inbound[n].inherited;
	n -= config->inbound_count;
	if (n < config->configuration_count)
		return &config->configuration[n].inherited;
	n -= config->configuration_count;
	if (n < config->logs_count)
		return &config->logs[n].inherited;
	n -= config->logs_count;
	if (n < config->keeper_count)
		return &config->keeper.inherited;
	n -= config->keeper_count;
	return n < config->credentials_count ? &config->credentials.inherited
					     : NULL;
}

/* The metrics' is the last. */
static const struct endpoint *listener_at(
    const struct bridge_config *config, size_t n)
{
	const struct endpoint *listener = bridge_config_listener(config, n);

	return listener != NULL ? listener : &config->metrics;
}

static int check_listeners(const struct reader *reader)
{
	const struct bridge_config *config = reader->config;
	char a[ENDPOINT_TEXT_MAX], b[ENDPOINT_TEXT_MAX];
	size_t count = 0;

	while (bridge_config_listener(config, count) != NULL)
		count++;
	if (count == 0)
		return fail(reader,
		    "neither outbound nor inbound, "
		    "configuration, logs, keeper nor credentials "
		    "has a rule");
	count += config->has_metrics;
	for (size_t i = 0; i < count; i++) {
		endpoint_format(listener_at(config, i), a);
		for (size_t j = 0; j < i; j++) {
			const struct endpoint *other = listener_at(config, j);

			endpoint_format(other, b);
			if (strcmp(a, b) != 0)
				continue;
			if (other->kind == ENDPOINT_TCP && other->port == 0)
				continue;
			return fail(reader, "listened at twice: %s", a);
		}
	}
	return 0;
}

/* Takes the key out of the object: what is left over is unknown. */
static int take_number(const struct reader *reader, json_t *root,
    const char *key, json_int_t min, json_int_t max, json_int_t *value)
{
	json_t *json = json_object_get(root, key);

	if (json == NULL)
		return 0;
	if (!json_is_integer(json))
		return fail(reader, "%s is not an integer", key);
	*value = json_integer_value(json);
	if (*value < min || *value > max)
		return fail(reader, "%s is not from %lld to %lld", key,
		    (long long)min, (long long)max);
	json_object_del(root, key);
	return 0;
}

static int take_numbers(const struct reader *reader, json_t *root)
{
	struct bridge_limits *limits = &reader->config->limits;
	json_int_t value;

#define X(name, otherwise, min, max)                                 \
	value = otherwise;                                           \
	if (take_number(reader, root, #name, min, max, &value) != 0) \
		return -1;                                           \
	limits->name = (__typeof__(limits->name))value;
	BRIDGE_CONFIG_NUMBERS(X)
#undef X
	return 0;
}

static int take_root(const struct reader *reader, json_t *root)
{
	json_t *outbound = NULL, *inbound = NULL, *configuration = NULL;
	json_t *logs = NULL, *keeper = NULL, *credentials = NULL;
	struct bridge_config *config = reader->config;
	const char *metrics = NULL;
	int no_sandbox = 0;
	json_error_t err;

	if (json_is_object(root) && take_numbers(reader, root) != 0)
		return -1;
	if (json_unpack_ex(root, &err, 0,
		"{s?:o, s?:o, s?:o, s?:o, s?:o, s?:o, s?:s, s?:b !}",
		"outbound", &outbound, "inbound", &inbound, "configuration",
		&configuration, "logs", &logs, "keeper", &keeper, "credentials",
		&credentials, "metrics", &metrics, "insecure_no_sandbox",
		&no_sandbox) != 0)
		return fail(reader, "%s", err.text);
	config->insecure_no_sandbox = no_sandbox;
	config->has_metrics = metrics != NULL;
	if (metrics != NULL &&
	    take_listen_at(reader, &config->metrics, "metrics", metrics) != 0)
		return -1;
	if (take_rules(reader, "outbound", outbound, &config->outbound_count,
		take_outbound) != 0 ||
	    take_rules(reader, "inbound", inbound, &config->inbound_count,
		take_inbound) != 0 ||
	    take_rules(reader, "configuration", configuration,
		&config->configuration_count, take_configuration) != 0 ||
	    take_rules(reader, "logs", logs, &config->logs_count, take_logs) !=
		0 ||
	    take_keeper(reader, keeper) != 0 ||
	    take_credentials(reader, credentials) != 0)
		return -1;
	return check_listeners(reader);
}

int bridge_config_parse(struct bridge_config *out, const void *bytes,
    size_t len, const char *dir, char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	struct reader reader = {.config = out, .dir = dir, .error = error};
	json_error_t err;
	json_t *root;
	int ret;

	memset(out, 0, sizeof(*out));
	error[0] = '\0';
	root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &err);
	if (root == NULL)
		ret = fail(&reader, "line %d: %s", err.line, err.text);
	else
		ret = take_root(&reader, root);
	json_decref(root);
	if (ret != 0)
		memset(out, 0, sizeof(*out));
	return ret;
}

int bridge_config_load(struct bridge_config *out, const char *path,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	const char *slash = strrchr(path, '/');
	uint8_t *bytes = NULL;
	size_t len = 0;
	char *dir = NULL;
	int ret = -1, err;

	memset(out, 0, sizeof(*out));
	err = file_read(path, BRIDGE_CONFIG_BYTES_MAX, &bytes, &len);
	if (err != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "%s", strerror(-err));
		goto out;
	}
	dir = slash == NULL ? strdup(".")
			    : strndup(path, (size_t)(slash - path));
	if (dir == NULL) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "out of memory");
		goto out;
	}
	ret = bridge_config_parse(out, bytes, len, dir, error);
out:
	free(dir);
	free(bytes);
	return ret;
}
