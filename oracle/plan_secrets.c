/* plan_secrets: see plan_secrets.h. */
#include "oracle/plan_secrets.h"

#include "feeds/hex.h"

static bool is_used(
    const struct config *config, const struct exchange *exchange)
{
	for (size_t f = 0; f < config->feeds.count; f++) {
		const struct feed_config *feed = &config->feeds.feeds[f];

		for (size_t i = 0; i < feed->source_count; i++)
			if (feed->sources[i].exchange == exchange)
				return true;
	}
	return false;
}

static void warn(const struct config *config, FILE *out)
{
	for (size_t i = 0; exchange_table[i] != NULL; i++) {
		const struct exchange *exchange = exchange_table[i];
		const char *name = exchange->key_name;

		if (name != NULL && is_used(config, exchange) &&
		    !config_secrets_allows(&config->secrets, name))
			fprintf(out,
			    "warning       %s wants a key, and \"secrets\" has "
			    "no name %s: it will never be asked\n",
			    exchange->name, name);
	}
}

void plan_secrets_print(const struct config *config, FILE *out)
{
	const struct config_secrets *secrets = &config->secrets;
	char hex[2 * sizeof(secrets->token_sha256) + 1];

	for (size_t i = 0; i < secrets->count; i++)
		fprintf(out,
		    "secret        %s, to be sealed after each start\n",
		    secrets->names[i]);
	hex_encode(secrets->token_sha256, sizeof(secrets->token_sha256), hex);
	if (secrets->count > 0)
		fprintf(
		    out, "              by who knows the token of %s\n", hex);
	warn(config, out);
}
