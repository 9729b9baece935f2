/* secrets and seal_key: who may, what is kept, and that nothing else gets it
 * out: the token wrong by one bit, another name, another boot, another key,
 * a message again, guesses. */
#include "oracle/secrets.h"

#include "feeds/hex.h"
#include "oracle/seal_key.h"
#include "verifier/cli/seal_cms.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOKEN  "0123456789abcdef0123456789abcdef"
#define NAME   "coinmarketcap_api_key"
#define OTHER  "another_key"
#define NOW_MS 1795000000000

static const uint8_t boot_id[16] = {1, 2, 3};
static struct config_secrets config = {
    .names = {NAME, OTHER},
    .count = 2,
};
static struct secrets *secrets;
static struct seal_key *key;
static unsigned changes;

static void on_changed(const char *name, void *data)
{
	assert_ptr_equal(data, &changes);
	assert_non_null(secrets_find(secrets, name));
	changes++;
}

static int group_setup(void **state)
{
	(void)state;
	assert_int_not_equal(CRYPTO_secure_malloc_init(1u << 16, 32), 0);
	assert_int_equal(EVP_Digest(TOKEN, strlen(TOKEN), config.token_sha256,
			     NULL, EVP_sha256(), NULL),
	    1);
	key = seal_key_new();
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	seal_key_free(key);
	seal_key_free(NULL);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	changes = 0;
	secrets = secrets_new(&config, boot_id);
	secrets_watch(secrets, on_changed, &changes);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	secrets_free(secrets);
	secrets_free(NULL);
	return 0;
}

static struct secret_message good(const char *secret, int64_t sealed_ms)
{
	struct secret_message message = {
	    .name = NAME, .token = TOKEN, .sealed_ms = sealed_ms};

	snprintf(message.secret, sizeof(message.secret), "%s", secret);
	memcpy(message.boot_id, boot_id, sizeof(boot_id));
	return message;
}

static enum secrets_outcome take(const struct secret_message *message)
{
	return secrets_take(secrets, NAME, message, NOW_MS);
}

static void test_kept(void **state)
{
	struct secret_message message = good("hush-hush", NOW_MS);
	struct secrets_stats stats;
	const char *found;

	(void)state;
	assert_null(secrets_find(secrets, NAME));
	assert_null(secrets_find(NULL, NAME));
	assert_int_equal(take(&message), SECRETS_STORED);
	found = secrets_find(secrets, NAME);
	assert_string_equal(found, "hush-hush");
	assert_int_equal(CRYPTO_secure_allocated(found), 1);
	assert_null(secrets_find(secrets, OTHER));
	assert_null(secrets_find(secrets, "nobody's"));
	assert_int_equal(changes, 1);
	secrets_stats(secrets, &stats);
	assert_int_equal(stats.held, 1);
	assert_int_equal(stats.outcomes[SECRETS_STORED], 1);
}

static void test_replaced(void **state)
{
	struct secret_message message = good("the first, longer", NOW_MS);
	struct secrets_stats stats;

	(void)state;
	assert_int_equal(take(&message), SECRETS_STORED);
	message = good("second", NOW_MS + 1);
	assert_int_equal(take(&message), SECRETS_STORED);
	assert_string_equal(secrets_find(secrets, NAME), "second");
	assert_int_equal(changes, 2);
	message = good("second", NOW_MS + 2); /* no change */
	assert_int_equal(take(&message), SECRETS_STORED);
	assert_int_equal(changes, 2);
	secrets_stats(secrets, &stats);
	assert_int_equal(stats.held, 1);
}

/* Every one of its 256 bits. */
static void test_token_wrong_by_one_bit(void **state)
{
	struct secret_message message = good("x", NOW_MS);

	(void)state;
	for (size_t bit = 0; bit < 8 * strlen(TOKEN); bit++) {
		memcpy(message.token, TOKEN, sizeof(TOKEN));
		message.token[bit / 8] = (char)(message.token[bit / 8] ^
						(1 << bit % 8));
		assert_int_equal(take(&message), SECRETS_REFUSED);
	}
	memcpy(message.token, TOKEN "x", sizeof(TOKEN) + 1);
	assert_int_equal(take(&message), SECRETS_REFUSED);
	memcpy(message.token, TOKEN, sizeof(TOKEN));
	message.token[31] = '\0';
	assert_int_equal(take(&message), SECRETS_REFUSED);
	/* its hash, which everybody can read, is no token */
	hex_encode(config.token_sha256, 32, message.token);
	assert_int_equal(take(&message), SECRETS_REFUSED);
	assert_null(secrets_find(secrets, NAME));
	assert_int_equal(changes, 0);
}

static void test_misplaced(void **state)
{
	struct secret_message message = good("x", NOW_MS);

	(void)state;
	assert_int_equal(
	    secrets_take(secrets, OTHER, &message, NOW_MS), SECRETS_MISPLACED);
	message.boot_id[15] ^= 1;
	assert_int_equal(take(&message), SECRETS_MISPLACED);
	/* who does not know the token is not told so */
	message.token[0] ^= 1;
	assert_int_equal(take(&message), SECRETS_REFUSED);
	assert_null(secrets_find(secrets, NAME));
	assert_null(secrets_find(secrets, OTHER));
}

/* Who relays them keeps an old one for later. */
static void test_not_again(void **state)
{
	struct secret_message old = good("old", NOW_MS - 1000);
	struct secret_message held_back = good("held back", NOW_MS - 500);
	struct secret_message new = good("new", NOW_MS);

	(void)state;
	assert_int_equal(take(&old), SECRETS_STORED);
	assert_int_equal(take(&old), SECRETS_STALE);
	assert_int_equal(take(&new), SECRETS_STORED);
	assert_int_equal(take(&old), SECRETS_STALE);
	assert_int_equal(take(&held_back), SECRETS_STALE);
	assert_string_equal(secrets_find(secrets, NAME), "new");
}

static void test_clocks(void **state)
{
	const int64_t times[] = {1, NOW_MS - SECRETS_CLOCK_MS - 1,
	    NOW_MS + SECRETS_CLOCK_MS + 1, INT64_MAX};
	struct secret_message message;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		message = good("x", times[i]);
		assert_int_equal(take(&message), SECRETS_STALE);
	}
	message = good("x", NOW_MS - SECRETS_CLOCK_MS);
	assert_int_equal(take(&message), SECRETS_STORED);
	message = good("x", NOW_MS + SECRETS_CLOCK_MS);
	assert_int_equal(take(&message), SECRETS_STORED);
}

/* Whoever guesses keeps nobody out. */
static void test_guesses(void **state)
{
	struct secret_message message = good("x", NOW_MS), wrong = message;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(wrong.token, sizeof(wrong.token), "%032d", i);
		assert_int_equal(take(&wrong), SECRETS_REFUSED);
	}
	assert_int_equal(take(&message), SECRETS_STORED);
}

/* ---- the key ---- */

static uint8_t *seal(
    size_t *len, const char *pem, const struct secret_message *message)
{
	char text[SECRET_MESSAGE_MAX];
	size_t text_len = secret_message_encode(message, text);

	assert_true(text_len > 0);
	return seal_cms(len, pem, text, text_len);
}

static void test_sealed(void **state)
{
	struct secret_message message = good("hush-hush", NOW_MS), out;
	size_t len;
	uint8_t *der = seal(&len, seal_key_public_pem(key), &message);

	(void)state;
	assert_non_null(der);
	assert_null(memmem(der, len, "hush", 4));
	assert_null(memmem(der, len, TOKEN, 8));
	assert_int_equal(seal_key_open(key, &out, der, len), 0);
	assert_int_equal(take(&out), SECRETS_STORED);
	assert_string_equal(secrets_find(secrets, NAME), "hush-hush");
	free(der);
}

/* Another enclave, or this one after a restart. */
static void test_another_enclave(void **state)
{
	static const struct secret_message nothing;
	struct secret_message message = good("x", NOW_MS), out;
	struct seal_key *other = seal_key_new();
	size_t len;
	uint8_t *der = seal(&len, seal_key_public_pem(key), &message);

	(void)state;
	assert_memory_not_equal(
	    seal_key_spki_sha256(key), seal_key_spki_sha256(other), 32);
	memset(&out, 1, sizeof(out));
	assert_int_equal(seal_key_open(other, &out, der, len), -1);
	assert_memory_equal(&out, &nothing, sizeof(out));
	free(der);
	seal_key_free(other);
}

static void test_altered(void **state)
{
	struct secret_message message = good("x", NOW_MS), out;
	size_t len;
	uint8_t *der = seal(&len, seal_key_public_pem(key), &message);

	(void)state;
	for (size_t i = 0; i < len; i += 7) {
		der[i] ^= 0x10;
		assert_int_equal(seal_key_open(key, &out, der, len), -1);
		der[i] ^= 0x10;
		assert_int_equal(seal_key_open(key, &out, der, i), -1);
	}
	free(der);
}

/* What is in it is not to be trusted either. */
static void test_another_text(void **state)
{
	static const char *const texts[] = {"", "{}", "hallmark", "\0\0\0"};
	struct secret_message out;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		size_t len;
		uint8_t *der = seal_cms(
		    &len, seal_key_public_pem(key), texts[i], strlen(texts[i]));
		assert_int_equal(seal_key_open(key, &out, der, len), -1);
		free(der);
	}
}

static void test_the_key(void **state)
{
	uint8_t sha256[32];

	(void)state;
	assert_int_equal(
	    seal_cms_recipient(sha256, seal_key_public_pem(key)), 0);
	assert_memory_equal(sha256, seal_key_spki_sha256(key), 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	    T(test_kept),
	    T(test_replaced),
	    T(test_token_wrong_by_one_bit),
	    T(test_misplaced),
	    T(test_not_again),
	    T(test_clocks),
	    T(test_guesses),
	    T(test_sealed),
	    T(test_another_enclave),
	    T(test_altered),
	    T(test_another_text),
	    T(test_the_key),
	};

	return cmocka_run_group_tests_name(
	    "secrets", tests, group_setup, group_teardown);
}
