/* bus_config: see bus_config.h. Names are checked here, since they become
 * parts of subjects, where blanks, dots and wildcards mean something. */
#include "verifier/daemon/bus_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ALPHANUMERIC \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

struct reader {
	const char *path;
	char *error; /* BUS_ERROR_MAX */
};

__attribute__((format(printf, 2, 3))) static int fail(
    const struct reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->error, BUS_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

/* ---- servers ---- */

/* A password in it would stand in logs and on the screen of --check. */
static int read_url(
    const struct reader *r, struct bus_config *out, const char *url)
{
	bool tls = url && strncmp(url, "tls://", 6) == 0;
	const char *host = url ? url + (tls ? 6 : 7) : "";

	if (!url || (!tls && strncmp(url, "nats://", 7) != 0) ||
	    strlen(url) >= BUS_URL_MAX || !host[0] ||
	    strspn(host, ALPHANUMERIC "-.:[]") != strlen(host))
		return fail(r,
		    "url: nats://host:port or tls://host:port; passwords go "
		    "into password_file or credentials");
	if (out->url_count == BUS_URLS_MAX)
		return fail(r, "url: at most %d", BUS_URLS_MAX);
	if (out->url_count > 0 && out->tls != tls)
		return fail(r, "url: all of them with tls://, or none");
	out->tls = tls;
	snprintf(out->urls[out->url_count++], BUS_URL_MAX, "%s", url);
	return 0;
}

static int read_urls(
    const struct reader *r, struct bus_config *out, json_t *value)
{
	json_t *entry;
	size_t i;

	if (!json_is_array(value))
		return read_url(r, out, json_string_value(value));
	json_array_foreach(value, i,
	    entry) if (read_url(r, out, json_string_value(entry))) return -1;
	return out->url_count ? 0 : fail(r, "url: none");
}

/* ---- words and files ---- */

static int read_word(const struct reader *r, char out[static BUS_WORD_MAX],
    const char *key, const char *value, const char *allowed)
{
	if (!value[0] || strlen(value) >= BUS_WORD_MAX ||
	    strspn(value, allowed) != strlen(value))
		return fail(r, "%s: at most %d of A-Z a-z 0-9 %s", key,
		    BUS_WORD_MAX - 1, allowed + strlen(ALPHANUMERIC));
	snprintf(out, BUS_WORD_MAX, "%s", value);
	return 0;
}

/* "hallmark" or "prices.hallmark". */
static int read_subject(
    const struct reader *r, struct bus_config *out, const char *value)
{
	if (read_word(r, out->subject, "subject", value, ALPHANUMERIC "-_."))
		return -1;
	if (value[0] == '.' || strstr(value, "..") ||
	    value[strlen(value) - 1] == '.')
		return fail(r, "subject: words with a dot between them");
	return 0;
}

static int read_from(
    const struct reader *r, struct bus_config *out, const char *value)
{
	static const char *const names[] = {
	    [BUS_FROM_LAST] = "last",
	    [BUS_FROM_ALL] = "all",
	    [BUS_FROM_NEW] = "new",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(value, names[i]) == 0) {
			out->from = (enum bus_from)i;
			return 0;
		}
	return fail(r, "from: last, all or new");
}

static int read_path(const struct reader *r, char out[static PATH_BESIDE_MAX],
    const char *key, const char *value)
{
	if (!value[0])
		return 0;
	if (path_beside(out, r->path, value))
		return fail(r, "%s: not a usable path", key);
	return 0;
}

/* ---- all of it ---- */

struct texts {
	const char *stream, *subject, *consumer, *from, *user, *password_file,
	    *credentials, *tls_ca, *tls_cert, *tls_key;
};

static int read_names(
    const struct reader *r, struct bus_config *out, const struct texts *t)
{
	if (read_word(r, out->stream, "stream", t->stream, ALPHANUMERIC "-_") ||
	    read_subject(r, out, t->subject) || read_from(r, out, t->from))
		return -1;
	if (out->subscribe && !t->consumer[0])
		return fail(r, "consumer: subscribe needs a name of its own");
	if (t->consumer[0] && read_word(r, out->consumer, "consumer",
				  t->consumer, ALPHANUMERIC "-_"))
		return -1;
	if (!t->user[0] != !t->password_file[0])
		return fail(r, "user and password_file: both or none");
	if (t->user[0] &&
	    read_word(r, out->user, "user", t->user, ALPHANUMERIC "-_.@"))
		return -1;
	if (!t->tls_cert[0] != !t->tls_key[0])
		return fail(r, "tls_cert and tls_key: both or none");
	if (!out->tls && (t->tls_ca[0] || t->tls_cert[0]))
		return fail(r, "tls_ca, tls_cert: the url says nats://");
	return 0;
}

static int read_files(
    const struct reader *r, struct bus_config *out, const struct texts *t)
{
	if (read_path(
		r, out->password_file, "password_file", t->password_file) ||
	    read_path(r, out->credentials, "credentials", t->credentials) ||
	    read_path(r, out->tls_ca, "tls_ca", t->tls_ca) ||
	    read_path(r, out->tls_cert, "tls_cert", t->tls_cert))
		return -1;
	return read_path(r, out->tls_key, "tls_key", t->tls_key);
}

static int read_limits(const struct reader *r, struct bus_config *out,
    json_int_t replicas, json_int_t max_age_s, json_int_t max_bytes)
{
	if (replicas < 1 || replicas > BUS_REPLICAS_MAX)
		return fail(r, "replicas: 1 to %d", BUS_REPLICAS_MAX);
	if (max_age_s < 0 || max_age_s > BUS_MAX_AGE_S_MAX || max_bytes < 0)
		return fail(r, "max_age_s: 0 to %d; max_bytes: 0 or more",
		    BUS_MAX_AGE_S_MAX);
	out->replicas = (unsigned)replicas;
	out->max_age_s = max_age_s;
	out->max_bytes = max_bytes;
	return 0;
}

static int read_all(
    const struct reader *r, struct bus_config *out, json_t *object)
{
	struct texts t = {
	    "HALLMARK", "hallmark", "", "last", "", "", "", "", "", ""};
	json_int_t replicas = 1, max_age_s = BUS_MAX_AGE_S, max_bytes = 0;
	int publish = 0, subscribe = 0;
	json_t *url;
	json_error_t why;

	if (json_unpack_ex(object, &why, 0,
		"{s:o, s?b, s?b, s?s, s?s, s?s, s?s, s?I, s?I, s?I, s?s, s?s,"
		" s?s, s?s, s?s, s?s !}",
		"url", &url, "publish", &publish, "subscribe", &subscribe,
		"stream", &t.stream, "subject", &t.subject, "consumer",
		&t.consumer, "from", &t.from, "replicas", &replicas,
		"max_age_s", &max_age_s, "max_bytes", &max_bytes, "user",
		&t.user, "password_file", &t.password_file, "credentials",
		&t.credentials, "tls_ca", &t.tls_ca, "tls_cert", &t.tls_cert,
		"tls_key", &t.tls_key))
		return fail(r, "%s", why.text);
	out->publish = publish;
	out->subscribe = subscribe;
	if (!publish && !subscribe)
		return fail(r, "publish or subscribe must be true");
	if (read_urls(r, out, url) || read_names(r, out, &t) ||
	    read_files(r, out, &t) ||
	    read_limits(r, out, replicas, max_age_s, max_bytes))
		return -1;
	snprintf(
	    out->name, sizeof(out->name), "%s/%s", out->urls[0], out->stream);
	return 0;
}

int bus_config_read(struct bus_config *out, const char *path, json_t *object,
    char error[static BUS_ERROR_MAX])
{
	struct reader r = {.path = path, .error = error};

	memset(out, 0, sizeof(*out));
	if (!object || read_all(&r, out, object) == 0)
		return 0;
	memset(out, 0, sizeof(*out));
	return -1;
}
