/* hermes: see hermes.h. Money is moved digit by digit, never computed. */
#include "base/hermes.h"

#include "base/log.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ID_BYTES   32
#define DIGITS_MAX 40 /* of a number, before and behind its point */

static void *need(void *memory)
{
	if (!memory)
		log_die("hermes", "out of memory");
	return memory;
}

static void put_hex(char *out, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

/* ---- ids ---- */

void hermes_id_of(const char *name, char out[static HERMES_ID_MAX])
{
	uint8_t hash[EVP_MAX_MD_SIZE];

	if (EVP_Digest(name, strlen(name), hash, NULL, EVP_sha256(), NULL) != 1)
		log_die("hermes", "SHA-256 failed");
	put_hex(out, hash, ID_BYTES);
}

bool hermes_id_read(const char *text, char out[static HERMES_ID_MAX])
{
	if (strncasecmp(text, "0x", 2) == 0)
		text += 2;
	if (strlen(text) != 2 * ID_BYTES ||
	    strspn(text, "0123456789abcdefABCDEF") != 2 * ID_BYTES)
		return false;
	for (size_t i = 0; i <= 2 * ID_BYTES; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	return true;
}

/* ---- numbers ---- */

static const char digits[] = "0123456789";

/* Digits behind the point; -1 if the text is no decimal number. */
static int places_of(const char *text)
{
	size_t whole, places = 0;

	if (*text == '-')
		text++;
	whole = strspn(text, digits);
	text += whole;
	if (*text == '.') {
		places = strspn(++text, digits);
		if (places == 0)
			return -1;
		text += places;
	}
	if (*text || whole == 0 || whole + places > DIGITS_MAX)
		return -1;
	return (int)places;
}

/* The number times ten to the `places`, which are not fewer than it has. */
static void put_mantissa(
    char out[static 2 * DIGITS_MAX + 2], const char *text, int places)
{
	int missing = places - places_of(text);
	bool negative = *text == '-';
	char *start = out + negative;

	out = start;
	for (; *text; text++)
		if (isdigit((unsigned char)*text) &&
		    (out > start || *text != '0'))
			*out++ = *text;
	if (out == start) { /* there is no negative zero */
		memcpy(start - negative, "0", 2);
		return;
	}
	for (; missing > 0; missing--)
		*out++ = '0';
	*out = '\0';
	if (negative)
		start[-1] = '-';
}

/* ---- a price ---- */

static json_t *number_json(
    const char *price, const char *conf, int places, int64_t time_s)
{
	return json_pack("{s:s, s:s, s:i, s:I}", "price", price, "conf", conf,
	    "expo", -places, "publish_time", (json_int_t)time_s);
}

static json_t *metadata_json(const struct hermes_price *price)
{
	json_t *metadata = json_pack("{s:n, s:I, s:s, s:I, s:s, s:I, s:I}",
	    "slot", "proof_available_time",
	    (json_int_t)(price->published_ms / 1000), "feed", price->name,
	    "sequence", (json_int_t)price->sequence, "boot_id", price->boot_id,
	    "published_ms", (json_int_t)price->published_ms, "expires_ms",
	    (json_int_t)price->expires_ms);

	if (metadata)
		json_object_set_new(metadata, "prev_publish_time",
		    price->previous_ms
			? json_integer((json_int_t)(price->previous_ms / 1000))
			: json_null());
	return metadata;
}

/* The tree's text; the tree is freed. */
static char *dump(json_t *tree)
{
	char *text = json_dumps(need(tree), JSON_COMPACT);

	json_decref(tree);
	return need(text);
}

char *hermes_parsed(const struct hermes_price *price)
{
	char mantissa[2 * DIGITS_MAX + 2], conf[2 * DIGITS_MAX + 2];
	int places = places_of(price->price);
	int conf_places = places_of(price->confidence);

	if (places < 0 || conf_places < 0)
		return NULL;
	if (conf_places > places)
		places = conf_places;
	put_mantissa(mantissa, price->price, places);
	put_mantissa(conf, price->confidence, places);
	return dump(json_pack("{s:s, s:o, s:o, s:o}", "id", price->id, "price",
	    number_json(mantissa, conf, places, price->published_ms / 1000),
	    "ema_price", number_json("0", "0", places, 0), "metadata",
	    metadata_json(price)));
}

/* ---- feeds ---- */

#define SYMBOL_MAX 64

/* "BTC-USD" is "BTC/USD" to Hermes. Returns the slash, NULL if there is none.
 */
static char *put_symbol(char out[static SYMBOL_MAX], const char *name)
{
	char *dash;

	snprintf(out, SYMBOL_MAX, "%s", name);
	dash = strrchr(out, '-');
	if (dash)
		*dash = '/';
	return dash;
}

char *hermes_feed(const char *id, const char *name)
{
	char symbol[SYMBOL_MAX];
	char *slash = put_symbol(symbol, name);
	int base = slash ? (int)(slash - symbol) : (int)strlen(symbol);

	return dump(json_pack("{s:s, s:{s:s, s:s, s:s%, s:s, s:s}}", "id", id,
	    "attributes", "asset_type", "Crypto", "symbol", name, "base",
	    symbol, (size_t)base, "quote_currency", slash ? slash + 1 : "",
	    "display_symbol", symbol));
}

bool hermes_feed_has(const char *name, const char *query)
{
	char symbol[SYMBOL_MAX];

	(void)put_symbol(symbol, name);
	return strcasestr(name, query) || strcasestr(symbol, query);
}

/* ---- updates ---- */

struct hermes_update {
	enum hermes_encoding encoding;
	bool has_parsed, is_first;
	char *data, *parsed;
	size_t data_len, parsed_len;
	FILE *data_out, *parsed_out;
};

struct hermes_update *hermes_update_new(
    enum hermes_encoding encoding, bool parsed)
{
	struct hermes_update *update = need(calloc(1, sizeof(*update)));

	update->encoding = encoding;
	update->has_parsed = parsed;
	update->is_first = true;
	update->data_out = need(
	    open_memstream(&update->data, &update->data_len));
	update->parsed_out = need(
	    open_memstream(&update->parsed, &update->parsed_len));
	return update;
}

static char *encode(enum hermes_encoding encoding, const char *text)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t len = strlen(text);
	char *out = need(malloc(2 * len + 4)); /* enough for both */

	if (encoding == HERMES_HEX)
		put_hex(out, bytes, len);
	else
		EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
	return out;
}

bool hermes_update_add(struct hermes_update *update, const char *item,
    const struct hermes_price *price)
{
	const char *comma = update->is_first ? "" : ",";
	char *parsed = hermes_parsed(price), *bytes;

	if (!parsed)
		return false;
	bytes = encode(update->encoding, item);
	fprintf(update->data_out, "%s\"%s\"", comma, bytes);
	fprintf(update->parsed_out, "%s%s", comma, parsed);
	update->is_first = false;
	free(bytes);
	free(parsed);
	return true;
}

char *hermes_update_end(struct hermes_update *update)
{
	const char *encoding = update->encoding == HERMES_HEX ? "hex"
							      : "base64";
	char *text = NULL;

	if (fclose(update->data_out) != 0 || fclose(update->parsed_out) != 0 ||
	    asprintf(&text,
		"{\"binary\":{\"encoding\":\"%s\",\"data\":[%s]}%s%s%s}",
		encoding, update->data,
		update->has_parsed ? ",\"parsed\":[" : "",
		update->has_parsed ? update->parsed : "",
		update->has_parsed ? "]" : "") < 0)
		log_die("hermes", "out of memory");
	free(update->data);
	free(update->parsed);
	free(update);
	return text;
}
