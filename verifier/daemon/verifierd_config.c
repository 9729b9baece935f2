/* verifierd_config: reads the daemon's configuration. */
#include "verifier/daemon/verifierd_config.h"

#include "base/file.h"
#include "base/rate_limit.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *path; /* of the file */
	char *error;      /* VERIFIERD_CONFIG_ERROR_MAX */
};

__attribute__((format(printf, 2, 3))) static int fail(
    const struct reader *r, const char *format, ...)
{
	int n = snprintf(
	    r->error, VERIFIERD_CONFIG_ERROR_MAX, "%.1000s: ", r->path);
	va_list args;

	va_start(args, format);
	vsnprintf(
	    r->error + n, VERIFIERD_CONFIG_ERROR_MAX - (size_t)n, format, args);
	va_end(args);
	return -1;
}

static int read_oracles(
    const struct reader *r, struct verifierd_config *out, json_t *list)
{
	json_t *entry;
	size_t i;

	if (!list && out->bus.subscribe)
		return 0;
	if (!json_is_array(list) || json_array_size(list) == 0 ||
	    json_array_size(list) > VERIFIERD_ORACLES_MAX)
		return fail(r, "oracles: 1 to %d addresses are needed",
		    VERIFIERD_ORACLES_MAX);
	json_array_foreach(list, i, entry)
	{
		const char *text = json_string_value(entry);

		if (!text || oracle_address_parse(&out->oracles[i], text))
			return fail(r,
			    "oracles[%zu]: %.200s is none of "
			    "http://host:port, https://host, "
			    "https+attested://host:port, unix:///path",
			    i, text ? text : "this");
		for (size_t k = 0; k < i; k++)
			if (strcmp(out->oracles[k].text, text) == 0)
				return fail(
				    r, "oracles: %.200s stands twice", text);
		out->oracle_count++;
	}
	return 0;
}

static int read_feeds(
    const struct reader *r, struct verifierd_config *out, json_t *list)
{
	json_t *entry;
	size_t i;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) == 0 ||
	    json_array_size(list) > ORACLE_FEEDS_MAX)
		return fail(r, "feeds: 1 to %d names, or none at all",
		    ORACLE_FEEDS_MAX);
	json_array_foreach(list, i, entry)
	{
		const char *name = json_string_value(entry);

		if (!name || !oracle_feeds_is_name(name) ||
		    oracle_feeds_has(&out->feeds, name))
			return fail(r,
			    "feeds[%zu]: %.200s is no feed's name, or stands "
			    "twice",
			    i, name ? name : "this");
		snprintf(out->feeds.names[out->feeds.count++], ORACLE_FEED_MAX,
		    "%s", name);
	}
	out->limited = true;
	return 0;
}

/* `days` is -1 if it was not given. */
static int read_rotation(
    const struct reader *r, struct verifierd_config *out, json_int_t days)
{
	if (days == -1)
		return 0;
	if (!out->archive_rotate)
		return fail(r, "archive_keep_days: only with archive_rotate");
	if (days < 1 || days > VERIFIERD_KEEP_DAYS_MAX)
		return fail(
		    r, "archive_keep_days: 1 to %d", VERIFIERD_KEEP_DAYS_MAX);
	out->archive_keep_days = days;
	return 0;
}

static int read_config(
    const struct reader *r, struct verifierd_config *out, json_t *root)
{
	const char *listen, *policy, *archive;
	json_t *oracles = NULL, *feeds = NULL, *nats = NULL;
	char error[BUS_ERROR_MAX];
	json_int_t per_s = RATE_LIMIT_PER_S, burst = RATE_LIMIT_BURST;
	json_int_t keep_days = -1;
	int rotate = 0, keep_raw = 0;
	json_error_t why;

	if (json_unpack_ex(root, &why, 0,
		"{s:s, s:s, s:s, s?o, s?o, s?o, s?I, s?I, s?b, s?I, s?b !}",
		"listen", &listen, "policy", &policy, "archive", &archive,
		"oracles", &oracles, "feeds", &feeds, "nats", &nats,
		"requests_per_s", &per_s, "requests_burst", &burst,
		"archive_rotate", &rotate, "archive_keep_days", &keep_days,
		"archive_keep_raw", &keep_raw))
		return fail(r, "%s", why.text);
	if (per_s < 0 || per_s > RATE_LIMIT_MAX_S || burst < 0 ||
	    burst > RATE_LIMIT_MAX_S)
		return fail(r, "requests_per_s, requests_burst: 0 to %d",
		    RATE_LIMIT_MAX_S);
	out->requests_per_s = (unsigned)per_s;
	out->requests_burst = (unsigned)burst;
	if (endpoint_parse(&out->listen, listen))
		return fail(r,
		    "listen: %.200s is none of tcp://address:port, "
		    "unix:///path, vsock://cid:port",
		    listen);
	if (!policy[0] || !archive[0] ||
	    path_beside(out->policy, r->path, policy) ||
	    path_beside(out->archive, r->path, archive))
		return fail(r, "policy or archive: not a usable path");
	out->archive_rotate = rotate;
	out->archive_keep_raw = keep_raw;
	if (bus_config_read(&out->bus, r->path, nats, error))
		return fail(r, "nats: %s", error);
	if (read_rotation(r, out, keep_days) || read_oracles(r, out, oracles))
		return -1;
	return read_feeds(r, out, feeds);
}

int verifierd_config_load(struct verifierd_config *out, const char *path,
    char error[static VERIFIERD_CONFIG_ERROR_MAX])
{
	struct reader r = {.path = path, .error = error};
	json_error_t why;
	json_t *root = NULL;
	uint8_t *text = NULL;
	size_t len;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = file_read(path, VERIFIERD_CONFIG_BYTES_MAX, &text, &len);
	if (rc)
		return fail(&r, "%s", strerror(-rc));
	root = json_loadb(
	    (const char *)text, len, JSON_REJECT_DUPLICATES, &why);
	if (root)
		rc = read_config(&r, out, root);
	else
		rc = fail(&r, "line %d: %s", why.line, why.text);
	if (rc)
		memset(out, 0, sizeof(*out));
	json_decref(root);
	free(text);
	return rc;
}

void verifierd_config_print(const struct verifierd_config *config, FILE *out)
{
	char listen[ENDPOINT_TEXT_MAX];

	endpoint_format(&config->listen, listen);
	fprintf(out, "listen   %s\npolicy   %s\narchive  %s\n", listen,
	    config->policy, config->archive);
	if (config->archive_rotate && config->archive_keep_days)
		fprintf(out, "days     in files of their own, the last %lld\n",
		    (long long)config->archive_keep_days);
	else if (config->archive_rotate)
		fprintf(out, "days     in files of their own, for ever\n");
	if (config->archive_keep_raw)
		fprintf(out, "raw      exchanges' answers, if oracles keep them"
			     "\n");
	for (size_t i = 0; i < config->oracle_count; i++)
		fprintf(out, "oracle   %s\n", config->oracles[i].text);
	if (config->bus.publish)
		fprintf(out, "nats     publish to %s\n", config->bus.name);
	if (config->bus.subscribe)
		fprintf(out, "nats     subscribe to %s as %s\n",
		    config->bus.name, config->bus.consumer);
	if (!config->limited)
		fprintf(out, "feeds    all that the oracles have\n");
	for (size_t i = 0; i < config->feeds.count; i++)
		fprintf(out, "feed     %s\n", config->feeds.names[i]);
}
