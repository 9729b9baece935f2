/*
 * config_pins: the "exchanges" part of the configuration, narrower trust for
 * single exchanges. An entry that would change nothing is refused: whoever
 * wrote it believes that it does.
 */
#include "oracle/config_parts.h"

#include "feeds/hex.h"

#include <string.h>

#define SPKI_LEN sizeof(((struct config_pins *)0)->spki_sha256[0])

static int read_key(struct config_pins *pins, const json_t *value,
    char error[static CONFIG_ERROR_MAX])
{
	const char *name = pins->exchange->name;
	const char *text = json_string_value(value);
	uint8_t *out = pins->spki_sha256[pins->spki_count];

	if (text == NULL ||
	    hex_decode(out, SPKI_LEN, text, json_string_length(value)) != 0)
		return config_refuse(error,
		    "exchanges: %s: spki_sha256[%zu] is not a SHA-256 of %zu "
		    "hexadecimal digits",
		    name, pins->spki_count, 2 * SPKI_LEN);
	for (size_t i = 0; i < pins->spki_count; i++) {
		if (memcmp(pins->spki_sha256[i], out, SPKI_LEN) == 0)
			return config_refuse(error,
			    "exchanges: %s: spki_sha256[%zu] is there twice",
			    name, pins->spki_count);
	}
	pins->spki_count++;
	return 0;
}

static int read_keys(struct config_pins *pins, const json_t *keys,
    char error[static CONFIG_ERROR_MAX])
{
	size_t count = json_array_size(keys), i;
	const json_t *value;

	if (!json_is_array(keys) || count == 0 || count > CONFIG_PINS_MAX)
		return config_refuse(error,
		    "exchanges: %s: spki_sha256 is an array of 1 to %d keys",
		    pins->exchange->name, CONFIG_PINS_MAX);
	json_array_foreach(keys, i, value)
	{
		if (read_key(pins, value, error) != 0)
			return -1;
	}
	return 0;
}

static int read_entry(struct config_pins *pins, json_t *entry,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	const char *name = pins->exchange->name, *ca_file = NULL;
	const json_t *keys = NULL;
	json_error_t why;
	char key[EXCHANGE_NAME_MAX + 32];

	if (json_unpack_ex(entry, &why, JSON_STRICT, "{s?s, s?o}", "ca_file",
		&ca_file, "spki_sha256", &keys) != 0)
		return config_refuse(
		    error, "exchanges: %s: %s", name, why.text);
	if (ca_file == NULL && keys == NULL)
		return config_refuse(error,
		    "exchanges: %s: neither ca_file nor spki_sha256", name);
	snprintf(key, sizeof(key), "exchanges: %s: ca_file", name);
	if (ca_file != NULL && config_read_path(pins->ca_file, key, directory,
				   ca_file, error) != 0)
		return -1;
	return keys != NULL ? read_keys(pins, keys, error) : 0;
}

int config_read_pins(struct config *out, const json_t *exchanges,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	size_t count = json_object_size(exchanges);
	const char *name;
	json_t *entry;

	if (exchanges == NULL)
		return 0;
	if (!json_is_object(exchanges) || count == 0 ||
	    count > CONFIG_EXCHANGES_MAX)
		return config_refuse(error,
		    "exchanges: is an object of 1 to %d exchanges",
		    CONFIG_EXCHANGES_MAX);
	json_object_foreach((json_t *)exchanges, name, entry)
	{
		struct config_pins *pins = &out->pins[out->pin_count];
		pins->exchange = exchange_find(name);
		if (pins->exchange == NULL)
			return config_refuse(error,
			    "exchanges: \"%.40s\" is not an exchange that we "
			    "know",
			    name);
		if (read_entry(pins, entry, directory, error) != 0)
			return -1;
		out->pin_count++;
	}
	return 0;
}

const struct config_pins *config_pins_find(
    const struct config *config, const struct exchange *exchange)
{
	for (size_t i = 0; i < config->pin_count; i++) {
		if (config->pins[i].exchange == exchange)
			return &config->pins[i];
	}
	return NULL;
}
