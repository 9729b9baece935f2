/* secret_message: see secret_message.h. Nothing is left of a secret in memory
 * but where the caller wants it. */
#include "verifier/secret_message.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/flat_json.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT       "hallmark-secret/1"
#define BASE64_MAX   ((SECRET_MAX + 2) / 3 * 4)
#define TIME_DIGITS  15 /* until the year 33658 */
#define BOOT_ID_TEXT 33

enum {
	AT_FORMAT,
	AT_NAME,
	AT_TOKEN,
	AT_SECRET,
	AT_BOOT_ID,
	AT_SEALED_MS,
	FIELD_COUNT
};

/* ---- what the parts may be ---- */

static bool is_one_of(const char *text, size_t len, const char *letters)
{
	for (size_t i = 0; i < len; i++)
		if (REFUSE(secret_letters,
			text[i] == '\0' || strchr(letters, text[i]) == NULL))
			return false;
	return true;
}

static bool name_ok(const char *name, size_t len)
{
	return REQUIRE(secret_name_empty, len > 0) &&
	       REQUIRE(secret_name_long, len < SECRET_NAME_MAX) &&
	       is_one_of(name, len, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

static bool is_visible(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (REFUSE(secret_visible, text[i] < '!' || text[i] > '~'))
			return false;
	return true;
}

/* In JSON it stands as it is. */
static bool token_ok(const char *token, size_t len)
{
	return REQUIRE(secret_token_short, len >= SECRET_TOKEN_MIN) &&
	       REQUIRE(secret_token_long, len <= SECRET_TOKEN_MAX) &&
	       REQUIRE(secret_token_quote, memchr(token, '"', len) == NULL) &&
	       REQUIRE(secret_token_escape, memchr(token, '\\', len) == NULL) &&
	       is_visible(token, len);
}

static bool secret_ok(const char *secret, size_t len)
{
	return REQUIRE(secret_empty, len > 0) &&
	       REQUIRE(secret_long, len <= SECRET_MAX) &&
	       is_visible(secret, len);
}

/* ---- writing ---- */

size_t secret_message_encode(
    const struct secret_message *message, char out[static SECRET_MESSAGE_MAX])
{
	size_t secret_len = strlen(message->secret);
	uint8_t base64[BASE64_MAX + 1];
	char boot_id[BOOT_ID_TEXT];
	int n;

	out[0] = '\0';
	if (!name_ok(message->name, strlen(message->name)) ||
	    !token_ok(message->token, strlen(message->token)) ||
	    !secret_ok(message->secret, secret_len) || message->sealed_ms <= 0)
		return 0;
	EVP_EncodeBlock(
	    base64, (const uint8_t *)message->secret, (int)secret_len);
	hex_encode(message->boot_id, sizeof(message->boot_id), boot_id);
	n = snprintf(out, SECRET_MESSAGE_MAX,
	    "{\"format\":\"" FORMAT "\",\"name\":\"%s\",\"token\":\"%s\","
	    "\"secret_b64\":\"%s\",\"boot_id\":\"%s\","
	    "\"sealed_ms\":\"%" PRId64 "\"}",
	    message->name, message->token, (const char *)base64, boot_id,
	    message->sealed_ms);
	OPENSSL_cleanse(base64, sizeof(base64));
	assert(n > 0 && n < SECRET_MESSAGE_MAX);
	return (size_t)n;
}

size_t secret_receipt_format(char out[static SECRET_RECEIPT_MAX],
    const uint8_t boot_id[16], const char *name, const uint8_t cms_sha256[32])
{
	char boot_text[BOOT_ID_TEXT], hash_text[65];
	int n;

	hex_encode(boot_id, 16, boot_text);
	hex_encode(cms_sha256, 32, hash_text);
	n = snprintf(out, SECRET_RECEIPT_MAX,
	    "{\"format\":\"hallmark-secret-receipt/1\",\"boot_id\":\"%s\","
	    "\"name\":\"%s\",\"cms_sha256\":\"%s\"}",
	    boot_text, name, hash_text);
	assert(n > 0 && n < SECRET_RECEIPT_MAX);
	return (size_t)n;
}

/* ---- reading ---- */

/* RFC 4648, the only text of these bytes (3.5). */
static int take_secret(
    struct secret_message *out, const struct flat_field *field)
{
	uint8_t bytes[SECRET_MESSAGE_MAX], again[BASE64_MAX + 4];
	const char *text = field->text;
	size_t len = field->len;
	int n, result = -1;

	assert(len <= sizeof(bytes)); /* a part of a message */
	n = len > 0 ? EVP_DecodeBlock(bytes, (const uint8_t *)text, (int)len)
		    : 0;
	if (n < 0)
		n = 0; /* not base64: no secret */
	/* it counts the padding as bytes */
	for (size_t i = len; n > 0 && i > len - 2 && text[i - 1] == '='; i--)
		n--;
	if (secret_ok((const char *)bytes, (size_t)n)) {
		EVP_EncodeBlock(again, bytes, n);
		if (REQUIRE(secret_base64_canonical,
			strlen((const char *)again) == len &&
			    memcmp(again, text, len) == 0))
			result = 0;
	}
	if (result == 0) {
		memcpy(out->secret, bytes, (size_t)n);
		out->secret[n] = '\0';
	}
	OPENSSL_cleanse(bytes, sizeof(bytes));
	OPENSSL_cleanse(again, sizeof(again));
	return result;
}

static int take_time(int64_t *out, const struct flat_field *field)
{
	char text[TIME_DIGITS + 1];

	if (REFUSE(secret_time_empty, field->len == 0) ||
	    REFUSE(secret_time_long, field->len > TIME_DIGITS) ||
	    REFUSE(secret_time_zero, field->text[0] == '0') ||
	    !is_one_of(field->text, field->len, "0123456789"))
		return -1;
	memcpy(text, field->text, field->len);
	text[field->len] = '\0';
	*out = strtoll(text, NULL, 10);
	return 0;
}

/* Into a place that it fits. */
static void keep(char *out, const struct flat_field *field)
{
	memcpy(out, field->text, field->len);
	out[field->len] = '\0';
}

/* What is missing is empty, and nothing may be. */
static int take_fields(
    struct secret_message *out, const struct flat_field *fields)
{
	const struct flat_field *name = &fields[AT_NAME];
	const struct flat_field *token = &fields[AT_TOKEN];
	const struct flat_field *boot_id = &fields[AT_BOOT_ID];

	if (REFUSE(secret_format, fields[AT_FORMAT].len != strlen(FORMAT) ||
				      memcmp(fields[AT_FORMAT].text, FORMAT,
					  strlen(FORMAT)) != 0) ||
	    !name_ok(name->text, name->len) ||
	    !token_ok(token->text, token->len) ||
	    REFUSE(
		secret_boot_id, hex_decode(out->boot_id, sizeof(out->boot_id),
				    boot_id->text, boot_id->len) != 0) ||
	    take_time(&out->sealed_ms, &fields[AT_SEALED_MS]) != 0 ||
	    take_secret(out, &fields[AT_SECRET]) != 0)
		return -1;
	keep(out->name, name);
	keep(out->token, token);
	return 0;
}

int secret_message_decode(
    struct secret_message *out, const char *text, size_t len)
{
	char room[SECRET_MESSAGE_MAX + FLAT_JSON_SLACK];
	struct flat_field fields[FIELD_COUNT] = {
	    [AT_FORMAT] = {.key = "format"},
	    [AT_NAME] = {.key = "name"},
	    [AT_TOKEN] = {.key = "token"},
	    [AT_SECRET] = {.key = "secret_b64"},
	    [AT_BOOT_ID] = {.key = "boot_id"},
	    [AT_SEALED_MS] = {.key = "sealed_ms"},
	};
	int result = -1;

	memset(out, 0, sizeof(*out));
	if (REFUSE(secret_message_long, len > SECRET_MESSAGE_MAX))
		return -1;
	if (REQUIRE(secret_json,
		flat_json_parse(fields, FIELD_COUNT, text, len, room) == 0))
		result = take_fields(out, fields);
	OPENSSL_cleanse(room, sizeof(room));
	if (result != 0)
		OPENSSL_cleanse(out, sizeof(*out));
	return result;
}
