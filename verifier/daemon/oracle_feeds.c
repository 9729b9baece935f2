/* oracle_feeds: the names of an oracle's feeds. */
#include "verifier/daemon/oracle_feeds.h"

#include "base/sse.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

bool oracle_feeds_is_name(const char *name)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t base = strspn(name, set);
	size_t quote;

	if (base == 0 || name[base] != '-')
		return false;
	quote = strspn(name + base + 1, set);
	return quote > 0 && name[base + 1 + quote] == '\0' &&
	       base + 1 + quote < ORACLE_FEED_MAX;
}

bool oracle_feeds_has(const struct oracle_feeds *feeds, const char *name)
{
	for (size_t i = 0; i < feeds->count; i++)
		if (strcmp(feeds->names[i], name) == 0)
			return true;
	return false;
}

static int add(struct oracle_feeds *out, const char *name)
{
	if (!name || !oracle_feeds_is_name(name) ||
	    out->count == ORACLE_FEEDS_MAX || oracle_feeds_has(out, name))
		return -1;
	snprintf(out->names[out->count++], ORACLE_FEED_MAX, "%s", name);
	return 0;
}

int oracle_feeds_parse(struct oracle_feeds *out, const char *json, size_t len)
{
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *list = json_object_get(root, "feeds");
	int rc = json_is_array(list) ? 0 : -1;
	json_t *entry;
	size_t i;

	memset(out, 0, sizeof(*out));
	json_array_foreach(list, i, entry)
	{
		if (rc)
			break;
		rc = add(
		    out, json_string_value(json_object_get(entry, "feed")));
	}
	if (rc)
		memset(out, 0, sizeof(*out));
	json_decref(root);
	return rc;
}

_Static_assert(ORACLE_TARGET_MAX > 64 + SSE_TOPICS_MAX * ORACLE_FEED_MAX,
    "as many as a stream can name have room");

void oracle_feeds_stream(
    char out[static ORACLE_TARGET_MAX], const struct oracle_feeds *feeds)
{
	size_t count = feeds->count <= SSE_TOPICS_MAX ? feeds->count : 0;
	size_t len = (size_t)snprintf(
	    out, ORACLE_TARGET_MAX, "/stream?attestation=ref");

	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(out + len, ORACLE_TARGET_MAX - len,
		    "%s%s", i == 0 ? "&feeds=" : ",", feeds->names[i]);
}
