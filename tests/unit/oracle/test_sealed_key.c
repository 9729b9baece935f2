/*
 * sealed_key: what is sealed opens with the same key, region, configuration,
 * epoch and times, and with nothing else; whatever the keeper changes is seen.
 */
#include "oracle/sealed_key.h"

#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t config_a[32] = "configuration a",
		     config_b[32] = "configuration b";
static const uint8_t data_key[32] = "a data key", other_key[32] = "another";
static const uint8_t der[] = "as a private key would be";
static uint8_t wrapped[] = "KMS's ciphertext";
static const struct sealed_key_binding ours = {
    "arn:aws:kms:eu-central-1:111122223333:key/k", "eu-central-1", config_a};
static const char *why;

static char *make(uint64_t epoch)
{
	const struct sealed_key key = {.epoch = epoch,
	    .made_ms = 1000,
	    .retire_ms = 2000,
	    .wrapped = wrapped,
	    .wrapped_len = sizeof(wrapped)};
	char *text = sealed_key_make(&key, &ours, data_key, der, sizeof(der));

	assert_non_null(text);
	return text;
}

static int parse(struct sealed_key *key, const char *text)
{
	/* Exactly as long as it is: a read behind its end is seen. */
	size_t len = strlen(text);
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, text, len);
	result = sealed_key_parse(key, &ours, copy, len, &why);
	free(copy);
	return result;
}

static int open_with(const struct sealed_key *key,
    const struct sealed_key_binding *binding, const uint8_t *with)
{
	uint8_t *out;
	size_t len;

	if (sealed_key_open(key, binding, with, &out, &len) != 0) {
		assert_null(out);
		return -1;
	}
	assert_int_equal(len, sizeof(der));
	assert_memory_equal(out, der, sizeof(der));
	OPENSSL_secure_clear_free(out, len);
	return 0;
}

static void test_round(void **state)
{
	char *text = make(7), *again = make(7);
	struct sealed_key key;
	(void)state;

	assert_string_not_equal(text, again); /* a nonce is used once */
	assert_null(strstr(text, "private"));
	assert_int_equal(parse(&key, text), 0);
	assert_int_equal(key.epoch, 7);
	assert_int_equal(key.made_ms, 1000);
	assert_int_equal(key.retire_ms, 2000);
	assert_int_equal(key.wrapped_len, sizeof(wrapped));
	assert_memory_equal(key.wrapped, wrapped, sizeof(wrapped));
	assert_int_equal(open_with(&key, &ours, data_key), 0);
	assert_int_equal(open_with(&key, &ours, other_key), -1);
	sealed_key_fini(&key);
	free(text);
	free(again);
}

/* Moved: refused with words, and by the seal itself. */
static void test_moved(void **state)
{
	static const struct {
		struct sealed_key_binding binding;
		const char *why;
	} others[] = {
	    {{"arn:aws:kms:eu-central-1:111122223333:key/k", "eu-central-1",
		 config_b},
		"it was sealed for another configuration"},
	    {{"arn:aws:kms:eu-central-1:111122223333:key/x", "eu-central-1",
		 config_a},
		"it was sealed with another KMS key or region"},
	    {{"arn:aws:kms:eu-central-1:111122223333:key/k", "eu-west-1",
		 config_a},
		"it was sealed with another KMS key or region"},
	};
	char *text = make(1);
	struct sealed_key key, none;
	(void)state;

	assert_int_equal(parse(&key, text), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(sealed_key_parse(&none, &others[i].binding,
				     (const uint8_t *)text, strlen(text), &why),
		    -1);
		assert_string_equal(why, others[i].why);
		assert_null(none.wrapped);
		assert_int_equal(
		    open_with(&key, &others[i].binding, data_key), -1);
	}
	sealed_key_fini(&key);
	free(text);
}

/* The keeper's own hand: another epoch, later times, another's data key. */
static void test_changed_fields(void **state)
{
	char *text = make(3);
	struct sealed_key key;
	(void)state;

	assert_int_equal(parse(&key, text), 0);
	key.epoch++;
	assert_int_equal(open_with(&key, &ours, data_key), -1);
	key.epoch--;
	key.retire_ms++;
	assert_int_equal(open_with(&key, &ours, data_key), -1);
	key.retire_ms--;
	key.made_ms--;
	assert_int_equal(open_with(&key, &ours, data_key), -1);
	key.made_ms++;
	key.wrapped[0] ^= 1;
	assert_int_equal(open_with(&key, &ours, data_key), -1);
	key.wrapped[0] ^= 1;
	assert_int_equal(open_with(&key, &ours, data_key), 0);
	sealed_key_fini(&key);
	free(text);
}

/* Each byte changed: it does not parse, or it does not open. */
static void test_changed_bytes(void **state)
{
	char *text = make(1);
	(void)state;

	for (size_t i = 0; text[i] != '\0'; i++) {
		char was = text[i];
		struct sealed_key key;

		text[i] = was == 'A' ? 'B' : 'A';
		if (parse(&key, text) == 0)
			assert_int_equal(open_with(&key, &ours, data_key), -1);
		sealed_key_fini(&key);
		text[i] = was;
	}
	free(text);
}

static void test_malformed(void **state)
{
	static const char *const texts[] = {
	    "",
	    "{}",
	    "[1]",
	    "{\"format\":1}",
	    "{\"format\":\"hallmark-sealed-key/1\"}",
	};
	char *text = make(1), *longer = malloc(SEALED_KEY_MAX + 2);
	struct sealed_key key;
	size_t len = strlen(text);
	(void)state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(parse(&key, texts[i]), -1);
	assert_non_null(longer);
	memset(longer, ' ', SEALED_KEY_MAX + 1);
	longer[SEALED_KEY_MAX + 1] = '\0';
	memcpy(longer, text, len);
	assert_int_equal(parse(&key, longer), -1); /* over the ceiling */
	longer[SEALED_KEY_MAX] = '\0';
	assert_int_equal(parse(&key, longer), 0);
	sealed_key_fini(&key);
	snprintf(longer, SEALED_KEY_MAX, "{\"more\":1,%s", text + 1);
	assert_int_equal(parse(&key, longer), -1); /* a field too many */
	snprintf(longer, SEALED_KEY_MAX, "{\"epoch\":1,%s", text + 1);
	assert_int_equal(parse(&key, longer), -1); /* one twice */
	free(longer);
	free(text);
}

static void test_too_large(void **state)
{
	static uint8_t much[SEALED_KEY_MAX];
	const struct sealed_key key = {
	    .epoch = 1, .wrapped = much, .wrapped_len = sizeof(much)};
	(void)state;

	assert_null(sealed_key_make(&key, &ours, data_key, der, sizeof(der)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round),
	    cmocka_unit_test(test_moved),
	    cmocka_unit_test(test_changed_fields),
	    cmocka_unit_test(test_changed_bytes),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_too_large),
	};
	return cmocka_run_group_tests_name("sealed_key", tests, NULL, NULL);
}
