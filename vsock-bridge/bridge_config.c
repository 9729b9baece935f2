/* bridge_config: see bridge_config.h. */
#include "vsock-bridge/bridge_config.h"

#include "base/file.h"
#include "vsock-bridge/allowlist.h"

#include <jansson.h>
#include <linux/vm_sockets.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_DEFAULT        1024
#define CONNECT_TIMEOUT_MS_DEFAULT 5000
#define REQUEST_TIMEOUT_MS_DEFAULT 5000
#define IDLE_TIMEOUT_MS_DEFAULT    120000

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
    const char *where, size_t index, const char *key, const char *text)
{
	if (endpoint_parse(out, text) == 0)
		return 0;
	return fail(reader,
	    "%s[%zu].%s: not tcp://host:port, unix:///path or "
	    "vsock://cid:port",
	    where, index, key);
}

/* Listening looks nothing up (base/endpoint.h), so a name would fail later. */
static int take_listen(const struct reader *reader, struct endpoint *out,
    const char *where, size_t index, const char *text)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (take_endpoint(reader, out, where, index, "listen", text) != 0)
		return -1;
	if (out->kind != ENDPOINT_TCP ||
	    uv_ip4_addr(out->host, (int)out->port, &in) == 0 ||
	    uv_ip6_addr(out->host, (int)out->port, &in6) == 0)
		return 0;
	return fail(
	    reader, "%s[%zu].listen: a name, not an address", where, index);
}

static int take_connect(const struct reader *reader, struct endpoint *out,
    size_t index, const char *text)
{
	if (take_endpoint(reader, out, "inbound", index, "connect", text) != 0)
		return -1;
	if ((out->kind == ENDPOINT_TCP && out->port == 0) ||
	    (out->kind == ENDPOINT_VSOCK && out->cid == VMADDR_CID_ANY))
		return fail(reader,
		    "inbound[%zu].connect: neither port 0 nor \"any\" can be "
		    "connected to",
		    index);
	return 0;
}

static int take_path(
    const struct reader *reader, char out[static PATH_MAX], const char *path)
{
	int len;

	if (path[0] == '\0')
		return fail(reader, "the path of an allow-list is empty");
	if (path[0] == '/')
		len = snprintf(out, PATH_MAX, "%s", path);
	else
		len = snprintf(out, PATH_MAX, "%s/%s", reader->dir, path);
	if (len < 0 || len >= PATH_MAX)
		return fail(reader, "the path of an allow-list is too long");
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
	return take_path(reader, out->allowlist, allowlist);
}

static int take_inbound(const struct reader *reader, size_t i, json_t *rule)
{
	struct bridge_inbound *out = &reader->config->inbound[i];
	const char *listen, *connect;
	json_error_t err;

	if (json_unpack_ex(rule, &err, 0, "{s:s, s:s !}", "listen", &listen,
		"connect", &connect) != 0)
		return fail(reader, "inbound[%zu]: %s", i, err.text);
	if (take_listen(reader, &out->listen, "inbound", i, listen) != 0)
		return -1;
	return take_connect(reader, &out->connect, i, connect);
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

static int take_number(const struct reader *reader, const char *key,
    json_int_t value, json_int_t max, uint64_t *out)
{
	if (value < 1 || value > max)
		return fail(
		    reader, "%s is not from 1 to %lld", key, (long long)max);
	*out = (uint64_t)value;
	return 0;
}

/* The n-th listener of both directions. */
static const struct endpoint *listener_at(
    const struct bridge_config *config, size_t n)
{
	if (n < config->outbound_count)
		return &config->outbound[n].listen;
	return &config->inbound[n - config->outbound_count].listen;
}

static int check_listeners(const struct reader *reader)
{
	const struct bridge_config *config = reader->config;
	size_t count = config->outbound_count + config->inbound_count;
	char a[ENDPOINT_TEXT_MAX], b[ENDPOINT_TEXT_MAX];

	if (count == 0)
		return fail(reader, "neither outbound nor inbound has a rule");
	for (size_t i = 0; i < count; i++) {
		endpoint_format(listener_at(config, i), a);
		for (size_t j = 0; j < i; j++) {
			const struct endpoint *other = listener_at(config, j);

			endpoint_format(other, b);
			if (strcmp(a, b) != 0)
				continue;
			if (other->kind == ENDPOINT_TCP && other->port == 0)
				continue;
			return fail(reader, "two rules listen at %s", a);
		}
	}
	return 0;
}

static int take_limits(const struct reader *reader, json_int_t connections,
    json_int_t connect_ms, json_int_t request_ms, json_int_t idle_ms)
{
	struct bridge_limits *limits = &reader->config->limits;
	const json_int_t max_ms = BRIDGE_CONFIG_TIMEOUT_MS_MAX;
	uint64_t count = 0;

	if (take_number(reader, "connections_max", connections,
		BRIDGE_CONFIG_CONNECTIONS_MAX, &count) != 0)
		return -1;
	limits->connections_max = (unsigned)count;
	if (take_number(reader, "connect_timeout_ms", connect_ms, max_ms,
		&limits->connect_timeout_ms) != 0 ||
	    take_number(reader, "request_timeout_ms", request_ms, max_ms,
		&limits->request_timeout_ms) != 0 ||
	    take_number(reader, "idle_timeout_ms", idle_ms, max_ms,
		&limits->idle_timeout_ms) != 0)
		return -1;
	return 0;
}

static int take_root(const struct reader *reader, json_t *root)
{
	json_t *outbound = NULL, *inbound = NULL;
	json_int_t connections = CONNECTIONS_DEFAULT;
	json_int_t connect_ms = CONNECT_TIMEOUT_MS_DEFAULT;
	json_int_t request_ms = REQUEST_TIMEOUT_MS_DEFAULT;
	json_int_t idle_ms = IDLE_TIMEOUT_MS_DEFAULT;
	struct bridge_config *config = reader->config;
	json_error_t err;

	if (json_unpack_ex(root, &err, 0,
		"{s?:o, s?:o, s?:I, s?:I, s?:I, s?:I !}", "outbound", &outbound,
		"inbound", &inbound, "connections_max", &connections,
		"connect_timeout_ms", &connect_ms, "request_timeout_ms",
		&request_ms, "idle_timeout_ms", &idle_ms) != 0)
		return fail(reader, "%s", err.text);
	if (take_limits(reader, connections, connect_ms, request_ms, idle_ms) !=
		0 ||
	    take_rules(reader, "outbound", outbound, &config->outbound_count,
		take_outbound) != 0 ||
	    take_rules(reader, "inbound", inbound, &config->inbound_count,
		take_inbound) != 0)
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

static void print_rules(const struct allowlist *list, FILE *out)
{
	char target[AUTHORITY_TEXT_MAX], where[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < list->count; i++) {
		const struct allowlist_rule *rule = &list->rules[i];

		authority_format(&rule->target, target);
		if (rule->pinned)
			endpoint_format(&rule->connect_to, where);
		fprintf(out, "    allow %s%s%s\n", target,
		    rule->pinned ? " at " : "", rule->pinned ? where : "");
	}
	if (list->count == 0)
		fprintf(out, "    allow nothing\n");
}

static int print_outbound(const struct bridge_outbound *rule, FILE *out,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char listen[ENDPOINT_TEXT_MAX], why[ALLOWLIST_ERROR_MAX];
	struct allowlist *list = NULL;

	endpoint_format(&rule->listen, listen);
	if (allowlist_load(&list, rule->allowlist, why) != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "%.200s: %s",
		    rule->allowlist, why);
		return -1;
	}
	fprintf(out, "outbound %s, CONNECT by %s\n", listen, rule->allowlist);
	print_rules(list, out);
	allowlist_free(list);
	return 0;
}

int bridge_config_print(const struct bridge_config *config, FILE *out,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char listen[ENDPOINT_TEXT_MAX], connect[ENDPOINT_TEXT_MAX];
	const struct bridge_limits *limits = &config->limits;

	for (size_t i = 0; i < config->outbound_count; i++)
		if (print_outbound(&config->outbound[i], out, error) != 0)
			return -1;
	for (size_t i = 0; i < config->inbound_count; i++) {
		endpoint_format(&config->inbound[i].listen, listen);
		endpoint_format(&config->inbound[i].connect, connect);
		fprintf(out, "inbound %s to %s\n", listen, connect);
	}
	fprintf(out,
	    "connections_max %u\nconnect_timeout_ms %llu\n"
	    "request_timeout_ms %llu\nidle_timeout_ms %llu\n",
	    limits->connections_max,
	    (unsigned long long)limits->connect_timeout_ms,
	    (unsigned long long)limits->request_timeout_ms,
	    (unsigned long long)limits->idle_timeout_ms);
	return 0;
}
