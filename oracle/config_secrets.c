/*
 * config_secrets: see config_secrets.h.
 *
 *   "secrets": {"token_sha256": HEX, "names": ["coinmarketcap_api_key"]}
 *
 * A name that no exchange has a use for is refused: whoever wrote it believes
 * that there is one.
 */
#include "oracle/config_parts.h"

#include "feeds/hex.h"

#include <string.h>

static const struct exchange *user_of(const char *name)
{
	for (size_t i = 0; exchange_table[i] != NULL; i++) {
		const char *wanted = exchange_table[i]->key_name;
		if (wanted != NULL && strcmp(wanted, name) == 0)
			return exchange_table[i];
	}
	return NULL;
}

bool config_secrets_allows(
    const struct config_secrets *secrets, const char *name)
{
	for (size_t i = 0; i < secrets->count; i++) {
		if (strcmp(secrets->names[i], name) == 0)
			return true;
	}
	return false;
}

static int read_name(struct config_secrets *out, const json_t *value,
    char error[static CONFIG_ERROR_MAX])
{
	const char *name = json_string_value(value);

	if (name == NULL || user_of(name) == NULL)
		return config_refuse(error,
		    "secrets: names[%zu]: \"%.64s\" is no key that an exchange "
		    "wants",
		    out->count, name != NULL ? name : "");
	if (config_secrets_allows(out, name))
		return config_refuse(
		    error, "secrets: names: %s is there twice", name);
	snprintf(out->names[out->count++], EXCHANGE_KEY_NAME_MAX, "%s", name);
	return 0;
}

static int read_names(struct config_secrets *out, const json_t *names,
    char error[static CONFIG_ERROR_MAX])
{
	size_t count = json_array_size(names), i;
	const json_t *value;

	if (!json_is_array(names) || count == 0 || count > CONFIG_SECRETS_MAX)
		return config_refuse(error,
		    "secrets: names is an array of 1 to %d names",
		    CONFIG_SECRETS_MAX);
	json_array_foreach(names, i, value)
	{
		if (read_name(out, value, error) != 0)
			return -1;
	}
	return 0;
}

int config_read_secrets(
    struct config *out, json_t *secrets, char error[static CONFIG_ERROR_MAX])
{
	struct config_secrets *into = &out->secrets;
	const char *token;
	const json_t *names;
	json_error_t why;

	if (secrets == NULL)
		return 0;
	if (json_unpack_ex(secrets, &why, JSON_STRICT, "{s:s, s:o}",
		"token_sha256", &token, "names", &names) != 0)
		return config_refuse(error, "secrets: %s", why.text);
	if (hex_decode(into->token_sha256, sizeof(into->token_sha256), token,
		strlen(token)) != 0)
		return config_refuse(error,
		    "secrets: token_sha256 is not a SHA-256 of 64 hexadecimal "
		    "digits");
	return read_names(into, names, error);
}
