/* secret_message: what is written is read; what is written otherwise is not,
 * and leaves nothing behind. */
#include "verifier/secret_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOKEN  "0123456789abcdef0123456789ABCDEF"
#define BOOT   "000102030405060708090a0b0c0d0e0f"
#define HEAD   "{\"format\":\"hallmark-secret/1\","
#define NAME   "\"name\":\"some_key\","
#define TOKENS "\"token\":\"" TOKEN "\","
#define SECRET "\"secret_b64\":\"aHVzaC1odXNo\"," /* hush-hush */
#define BOOTS  "\"boot_id\":\"" BOOT "\","
#define SEALED "\"sealed_ms\":\"1795000000123\"}"
#define WHOLE  HEAD NAME TOKENS SECRET BOOTS SEALED

static struct secret_message good(void)
{
	struct secret_message message = {
	    .name = "some_key",
	    .token = TOKEN,
	    .secret = "hush-hush",
	    .sealed_ms = 1795000000123,
	};

	for (uint8_t i = 0; i < sizeof(message.boot_id); i++)
		message.boot_id[i] = i;
	return message;
}

/* From a buffer of exactly this size. */
static int decode_bytes(
    struct secret_message *out, const char *text, size_t len)
{
	char *copy = malloc(len + 1), *at = copy + 1;
	int result;

	assert_non_null(copy);
	memcpy(at, text, len);
	result = secret_message_decode(out, at, len);
	free(copy);
	return result;
}

static int decode(struct secret_message *out, const char *text)
{
	return decode_bytes(out, text, strlen(text));
}

static void refused(const char *text)
{
	static const struct secret_message nothing;
	struct secret_message out;

	memset(&out, 1, sizeof(out));
	if (decode(&out, text) != -1)
		fail_msg("taken: %s", text);
	assert_memory_equal(&out, &nothing, sizeof(out));
}

static void test_as_it_was(void **state)
{
	struct secret_message message = good(), out;
	char text[SECRET_MESSAGE_MAX];
	size_t len = secret_message_encode(&message, text);

	(void)state;
	assert_int_equal(len, strlen(text));
	assert_string_equal(text, WHOLE);
	assert_int_equal(decode_bytes(&out, text, len), 0);
	assert_string_equal(out.name, message.name);
	assert_string_equal(out.token, message.token);
	assert_string_equal(out.secret, message.secret);
	assert_memory_equal(out.boot_id, message.boot_id, 16);
	assert_int_equal(out.sealed_ms, message.sealed_ms);
}

static void fill(char *out, size_t len, char with)
{
	memset(out, with, len);
	out[len] = '\0';
}

/* Every length of a secret, the longest name and token: there is room. */
static void test_the_longest(void **state)
{
	struct secret_message message = good(), out;
	char text[SECRET_MESSAGE_MAX];

	(void)state;
	fill(message.name, SECRET_NAME_MAX - 1, 'n');
	fill(message.token, SECRET_TOKEN_MAX, '~');
	message.sealed_ms = 999999999999999;
	for (size_t len = 1; len <= SECRET_MAX; len++) {
		fill(message.secret, len, '!');
		size_t n = secret_message_encode(&message, text);
		assert_true(n > 0 && n < SECRET_MESSAGE_MAX);
		assert_int_equal(decode_bytes(&out, text, n), 0);
		assert_string_equal(out.secret, message.secret);
		assert_string_equal(out.token, message.token);
	}
}

static void test_what_is_not_written(void **state)
{
	static const char *const names[] = {"", "a b", "A", "a-b", "a\"", "\n"};
	static const char *const tokens[] = {"",
	    "0123456789abcdef0123456789abcde", TOKEN "\"", TOKEN "\\",
	    TOKEN " ", TOKEN "\n", TOKEN "\x7f", TOKEN "\xc3\xa9"};
	static const char *const secrets[] = {
	    "", "a b", "a\r\nHost: x", "\x80", "tab\t"};
	char text[SECRET_MESSAGE_MAX];

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct secret_message message = good();
		snprintf(message.name, sizeof(message.name), "%s", names[i]);
		assert_int_equal(secret_message_encode(&message, text), 0);
		assert_string_equal(text, "");
	}
	for (size_t i = 0; i < 8; i++) {
		struct secret_message message = good();
		snprintf(message.token, sizeof(message.token), "%s", tokens[i]);
		assert_int_equal(secret_message_encode(&message, text), 0);
	}
	for (size_t i = 0; i < 5; i++) {
		struct secret_message message = good();
		snprintf(
		    message.secret, sizeof(message.secret), "%s", secrets[i]);
		assert_int_equal(secret_message_encode(&message, text), 0);
	}
	struct secret_message message = good();
	message.sealed_ms = 0;
	assert_int_equal(secret_message_encode(&message, text), 0);
}

static void test_the_form(void **state)
{
	(void)state;
	refused("");
	refused("{}");
	refused("[]");
	refused(WHOLE "x");
	refused(WHOLE WHOLE);
	refused(HEAD NAME TOKENS SECRET BOOTS NAME SEALED);
	refused(HEAD NAME TOKENS SECRET BOOTS "\"more\":\"\"," SEALED);
	refused(NAME TOKENS SECRET BOOTS SEALED);
	refused("{" NAME TOKENS SECRET BOOTS SEALED);
	refused(HEAD TOKENS SECRET BOOTS SEALED);
	refused(HEAD NAME SECRET BOOTS SEALED);
	refused(HEAD NAME TOKENS BOOTS SEALED);
	refused(HEAD NAME TOKENS SECRET SEALED);
	refused(HEAD NAME TOKENS SECRET "\"boot_id\":\"" BOOT "\"}");
	refused("{\"format\":\"hallmark-secret/2\"," NAME TOKENS SECRET BOOTS
		SEALED);
	for (size_t len = 0; len < strlen(WHOLE); len++) {
		struct secret_message out;
		assert_int_equal(decode_bytes(&out, WHOLE, len), -1);
	}
}

#define WITH_NAME(name) HEAD "\"name\":\"" name "\"," TOKENS SECRET BOOTS SEALED
#define WITH_TOKEN(token) \
	HEAD NAME "\"token\":\"" token "\"," SECRET BOOTS SEALED
#define WITH_SECRET(base64) \
	HEAD NAME TOKENS "\"secret_b64\":\"" base64 "\"," BOOTS SEALED
#define WITH_BOOT(id)   HEAD NAME TOKENS SECRET "\"boot_id\":\"" id "\"," SEALED
#define WITH_TIME(time) HEAD NAME TOKENS SECRET BOOTS "\"sealed_ms\":" time "}"
#define EIGHT(text)     text text text text text text text text

static void test_the_parts(void **state)
{
	(void)state;
	refused(WITH_NAME(""));
	refused(WITH_NAME("some key"));
	refused(WITH_NAME("../x"));
	refused(WITH_NAME("a\\u0000"));
	refused(WITH_NAME(EIGHT("12345678")));
	refused(WITH_TOKEN(""));
	refused(WITH_TOKEN("0123456789abcdef0123456789abcde"));
	refused(WITH_TOKEN(TOKEN "\\n"));
	refused(WITH_TOKEN(TOKEN "\\\""));
	refused(WITH_TOKEN(EIGHT("0123456789abcdef") "0"));
	refused(WITH_BOOT(""));
	refused(WITH_BOOT(BOOT "00"));
	refused(WITH_BOOT("0001"));
	refused(WITH_BOOT("x00102030405060708090a0b0c0d0e0f"));
	refused(WITH_TIME("1795000000123")); /* no text */
	refused(WITH_TIME("\"\""));
	refused(WITH_TIME("\"0\""));
	refused(WITH_TIME("\"01795000000123\""));
	refused(WITH_TIME("\"-1\""));
	refused(WITH_TIME("\"1795000000123 \""));
	refused(WITH_TIME("\"1.5\""));
	refused(WITH_TIME("\"1234567890123456\""));
}

static void test_the_secret(void **state)
{
	struct secret_message out;

	(void)state;
	assert_int_equal(decode(&out, WITH_SECRET("aHVzaA==")), 0);
	assert_string_equal(out.secret, "hush");
	refused(WITH_SECRET(""));
	refused(WITH_SECRET("===="));
	refused(WITH_SECRET("aHVzaA"));
	refused(WITH_SECRET("aHVzaA="));
	refused(WITH_SECRET("aHVzaB==")); /* pad bits */
	refused(WITH_SECRET(" aHVzaA=="));
	refused(WITH_SECRET("aHVzaA==\\n"));
	refused(WITH_SECRET("aHVz aA=="));
	refused(WITH_SECRET("aHV-aA=="));
	refused(WITH_SECRET("aA==aHVz"));
	refused(WITH_SECRET("YQBi"));     /* a NUL */
	refused(WITH_SECRET("YSBi"));     /* a blank */
	refused(WITH_SECRET("YQ0KYg==")); /* a line of its own */
	refused(WITH_SECRET("gICA"));     /* not ASCII */
}

/* 513 bytes, and far more than there is room for. */
static void test_too_long_a_secret(void **state)
{
	char base64[2000], text[3000];
	struct secret_message out;

	(void)state;
	for (size_t len = 684; len <= 688; len += 4) {
		for (size_t i = 0; i < len; i += 4)
			memcpy(base64 + i, "ISEh", 4);
		base64[len] = '\0';
		snprintf(text, sizeof(text), WITH_SECRET("%s"), base64);
		assert_int_equal(decode(&out, text), -1);
	}
	memset(base64, 'A', sizeof(base64) - 1);
	base64[sizeof(base64) - 1] = '\0';
	snprintf(text, sizeof(text), WITH_SECRET("%s"), base64);
	assert_int_equal(decode(&out, text), -1);
}

/* Blanks, as many as the room has not. */
static void test_too_long_a_message(void **state)
{
	struct secret_message out;
	char text[4 * SECRET_MESSAGE_MAX];

	(void)state;
	snprintf(text, sizeof(text), WHOLE "%*s",
	    (int)(SECRET_MESSAGE_MAX - strlen(WHOLE)), "");
	assert_int_equal(decode(&out, text), 0);
	snprintf(text, sizeof(text), WHOLE "%*s",
	    (int)(SECRET_MESSAGE_MAX + 1 - strlen(WHOLE)), "");
	assert_int_equal(decode(&out, text), -1);
	memset(text, '"', sizeof(text));
	text[0] = '{';
	memset(text + 2, 'k', sizeof(text) - 3);
	assert_int_equal(decode_bytes(&out, text, sizeof(text)), -1);
}

static void test_receipt(void **state)
{
	struct secret_message message = good();
	uint8_t hash[32];
	char text[SECRET_RECEIPT_MAX];
	size_t len;

	(void)state;
	memset(hash, 0xab, sizeof(hash));
	len = secret_receipt_format(text, message.boot_id, message.name, hash);
	assert_int_equal(len, strlen(text));
	assert_string_equal(text,
	    "{\"format\":\"hallmark-secret-receipt/1\","
	    "\"boot_id\":\"" BOOT "\",\"name\":\"some_key\",\"cms_sha256\":"
	    "\"abababababababababababababababababababababababababababababababab"
	    "\"}");
	fill(message.name, SECRET_NAME_MAX - 1, 'n');
	assert_true(secret_receipt_format(text, message.boot_id, message.name,
			hash) < SECRET_RECEIPT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_as_it_was),
	    cmocka_unit_test(test_the_longest),
	    cmocka_unit_test(test_what_is_not_written),
	    cmocka_unit_test(test_the_form),
	    cmocka_unit_test(test_the_parts),
	    cmocka_unit_test(test_the_secret),
	    cmocka_unit_test(test_too_long_a_secret),
	    cmocka_unit_test(test_too_long_a_message),
	    cmocka_unit_test(test_receipt),
	};

	return cmocka_run_group_tests_name("secret_message", tests, NULL, NULL);
}
