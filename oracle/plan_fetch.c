/* plan_fetch: see plan_fetch.h. */
#include "oracle/plan_fetch.h"

#include <string.h>

static bool is_polled(
    const struct feed_set *feeds, const struct exchange *exchange)
{
	for (size_t f = 0; f < feeds->count; f++)
		for (size_t i = 0; i < feeds->feeds[f].source_count; i++)
			if (feeds->feeds[f].sources[i].exchange == exchange)
				return true;
	return false;
}

static void warn(const struct config *config, const char *hostname, FILE *out)
{
	const struct exchange *exchange = config_fetch_exchange(hostname);
	unsigned feeds = 0, fetch = config->fetch.per_minute;

	if (exchange == NULL)
		return;
	if (is_polled(&config->feeds, exchange))
		feeds = 60000 / exchange->spacing_ms;
	if (feeds + fetch <= exchange->limit_per_min)
		return;
	fprintf(out,
	    "warning: fetch: %s has a limit of %u a minute; %u for its feeds "
	    "and %u for whoever fetches may pass it\n",
	    exchange->name, exchange->limit_per_min, feeds, fetch);
}

/* Each host once, whatever its ports and prefixes. */
static bool was_before(const struct config_fetch *fetch, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(fetch->allow[i].hostname,
			fetch->allow[index].hostname) == 0)
			return true;
	return false;
}

void plan_fetch_print(const struct config *config, FILE *out)
{
	const struct config_fetch *fetch = &config->fetch;

	if (fetch->allow_count == 0)
		return;
	fprintf(out,
	    "fetch         for anybody, POST /fetch: %u a minute to one host, "
	    "answers of at most %zu bytes\n",
	    fetch->per_minute, fetch->max_bytes);
	for (size_t i = 0; i < fetch->allow_count; i++)
		fprintf(out, "fetch         https://%s:%u%s\n",
		    fetch->allow[i].hostname, fetch->allow[i].port,
		    fetch->allow[i].path_prefix);
	for (size_t i = 0; i < fetch->allow_count; i++)
		if (!was_before(fetch, i))
			warn(config, fetch->allow[i].hostname, out);
}
