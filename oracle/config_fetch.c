/* config_fetch: see config_fetch.h. What could never match is refused: whoever
 * wrote it believes that it does. */
#include "oracle/config_fetch.h"

#include "oracle/config_parts.h"
#include "verifier/fetched.h"

#include <string.h>
#include <strings.h>

static int read_text(char *out, size_t cap, const char *text)
{
	if (strlen(text) >= cap)
		return -1;
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

/* A target is of characters that a price API needs, and of no
 * others: a firewall before an exchange, which takes quotes, brackets or dots
 * for an attack, would ban the address that the prices come over too. */
static bool has_tame_letters(const char *text)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-._~,:=&/?";
	static const char *const escapes[] = {"22", "2c", "3a", "5b", "5d"};
	bool known = true;

	while (known && *(text += strspn(text, letters)) == '%') {
		known = false;
		for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]);
		     i++)
			known |= strncasecmp(text + 1, escapes[i], 2) == 0;
		text += 3;
	}
	return known && *text == '\0';
}

static bool is_tame(const char *target)
{
	return has_tame_letters(target) && strstr(target, "..") == NULL &&
	       strstr(target, "/.") == NULL;
}

static bool is_prefix(const char *text)
{
	return fetched_is_path(text) && strchr(text, '?') == NULL &&
	       is_tame(text);
}

static bool is_there(
    const struct config_fetch *out, const struct config_fetch_allow *allow)
{
	for (size_t i = 0; i < out->allow_count; i++)
		if (strcmp(out->allow[i].hostname, allow->hostname) == 0 &&
		    out->allow[i].port == allow->port &&
		    strcmp(out->allow[i].path_prefix, allow->path_prefix) == 0)
			return true;
	return false;
}

static int read_allow(struct config_fetch *out, json_t *entry,
    char error[static CONFIG_ERROR_MAX])
{
	struct config_fetch_allow *allow = &out->allow[out->allow_count];
	size_t number = out->allow_count;
	const char *hostname, *prefix;
	json_int_t port;
	json_error_t why;

	if (json_unpack_ex(entry, &why, JSON_STRICT, "{s:s, s:I, s:s}",
		"hostname", &hostname, "port", &port, "path_prefix",
		&prefix) != 0)
		return config_refuse(
		    error, "fetch: allow[%zu]: %s", number, why.text);
	if (!fetched_is_hostname(hostname) ||
	    read_text(allow->hostname, sizeof(allow->hostname), hostname) != 0)
		return config_refuse(error,
		    "fetch: allow[%zu]: hostname \"%.80s\" is not a DNS name "
		    "in lower case",
		    number, hostname);
	if (port < 1 || port > 65535)
		return config_refuse(
		    error, "fetch: allow[%zu]: port: 1 to 65535", number);
	if (!is_prefix(prefix) || read_text(allow->path_prefix,
				      sizeof(allow->path_prefix), prefix) != 0)
		return config_refuse(error,
		    "fetch: allow[%zu]: path_prefix \"%.80s\" is not a path "
		    "without escapes, dot segments and query",
		    number, prefix);
	allow->port = (uint16_t)port;
	if (is_there(out, allow))
		return config_refuse(
		    error, "fetch: allow[%zu] is there twice", number);
	out->allow_count++;
	return 0;
}

static int read_numbers(struct config_fetch *out, json_int_t per_minute,
    json_int_t max_bytes, char error[static CONFIG_ERROR_MAX])
{
	if (per_minute < 1 || per_minute > CONFIG_FETCH_PER_MINUTE_MAX)
		return config_refuse(error, "fetch: per_minute: 1 to %d",
		    CONFIG_FETCH_PER_MINUTE_MAX);
	if (max_bytes < 1 || max_bytes > HM_FETCHED_BODY_MAX)
		return config_refuse(
		    error, "fetch: max_bytes: 1 to %d", HM_FETCHED_BODY_MAX);
	out->per_minute = (unsigned)per_minute;
	out->max_bytes = (size_t)max_bytes;
	return 0;
}

int config_read_fetch(struct config_fetch *out, json_t *fetch,
    char error[static CONFIG_ERROR_MAX])
{
	json_int_t per_minute = CONFIG_FETCH_PER_MINUTE;
	json_int_t max_bytes = CONFIG_FETCH_BYTES;
	json_error_t why;
	json_t *allow, *entry;
	size_t i;

	if (fetch == NULL)
		return 0;
	if (json_unpack_ex(fetch, &why, JSON_STRICT, "{s:o, s?I, s?I}", "allow",
		&allow, "per_minute", &per_minute, "max_bytes",
		&max_bytes) != 0)
		return config_refuse(error, "fetch: %s", why.text);
	if (!json_is_array(allow) || json_array_size(allow) == 0 ||
	    json_array_size(allow) > CONFIG_FETCH_ALLOW_MAX)
		return config_refuse(error,
		    "fetch: allow is an array of 1 to %d entries",
		    CONFIG_FETCH_ALLOW_MAX);
	json_array_foreach(allow, i, entry)
	{
		if (read_allow(out, entry, error) != 0)
			return -1;
	}
	return read_numbers(out, per_minute, max_bytes, error);
}

static bool has_prefix(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(path, prefix, len) != 0)
		return false;
	return prefix[len - 1] == '/' || path[len] == '\0' ||
	       path[len] == '/' || path[len] == '?';
}

bool config_fetch_allows(const struct config_fetch *fetch, const char *hostname,
    unsigned port, const char *path)
{
	if (!is_tame(path))
		return false;
	for (size_t i = 0; i < fetch->allow_count; i++) {
		const struct config_fetch_allow *allow = &fetch->allow[i];

		if (strcmp(allow->hostname, hostname) == 0 &&
		    allow->port == port && has_prefix(path, allow->path_prefix))
			return true;
	}
	return false;
}

const struct exchange *config_fetch_exchange(const char *hostname)
{
	for (size_t i = 0; exchange_table[i] != NULL; i++) {
		if (strcmp(exchange_table[i]->host, hostname) == 0)
			return exchange_table[i];
	}
	return NULL;
}
