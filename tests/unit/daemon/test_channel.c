/* channel: attested once, over TLS, by a program that waits: against an oracle
 * that is one, and against all that pretend to be. */
#include "verifier/daemon/channel.h"

#include "tls_oracle.h"

static struct tls_oracle oracle;
static struct oracle_address address;
static struct channel_facts facts;
static struct channel_failure why;

static int setup(void **state)
{
	(void)state;
	tls_oracle_start(&oracle, &mint, NULL);
	assert_int_equal(oracle_address_parse(&address, oracle.text), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tls_oracle_stop(&oracle);
	return 0;
}

static int attest(enum tls_oracle_mode mode)
{
	oracle.mode = mode;
	return channel_attest(
	    &facts, &address, mint.policy, NULL, NULL, 0, NULL, &why);
}

static size_t swallow(char *bytes, size_t size, size_t count, void *data)
{
	(void)bytes, (void)data;
	return size * count;
}

static CURLcode get(void)
{
	CURL *easy = oracle_address_get(&address, "/feeds");
	CURLcode result;

	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
	result = curl_easy_perform(easy);
	curl_easy_cleanup(easy);
	return result;
}

static void expect_refused(
    enum tls_oracle_mode mode, enum hm_verdict verdict, const char *text)
{
	assert_int_equal(attest(mode), -1);
	assert_int_equal(why.verdict, verdict);
	if (!strstr(why.text, text))
		fail_msg("%s", why.text);
	assert_string_equal(address.pin, "");
	assert_int_equal(get(), CURLE_SSL_PINNEDPUBKEYNOTMATCH);
	assert_int_equal(atomic_load(&oracle.others), 0);
}

static void test_attested_and_pinned(void **state)
{
	(void)state;
	assert_int_equal(get(), CURLE_SSL_PINNEDPUBKEYNOTMATCH);
	assert_int_equal(attest(TLS_RIGHT), 0);
	assert_true(facts.bound);
	assert_memory_equal(
	    facts.attested.tls_spki_sha256, oracle.spki_sha256, 32);
	assert_int_equal(get(), CURLE_OK);
	assert_int_equal(atomic_load(&oracle.others), 1);
	assert_int_equal(attest(TLS_BATCHED), 0);
	assert_int_equal(get(), CURLE_OK);
}

/* The certificate is looked at for its key alone: what the names and dates in
 * it say is nobody's word. But the key must be proven to be held: a relay that
 * shows the oracle's own certificate does not get as far as this. */
static void test_relay(void **state)
{
	(void)state;
	expect_refused(TLS_RELAY, HM_KEY_NOT_ATTESTED, "tls_key: wanted 0700");
	expect_refused(TLS_NO_KEY, HM_KEY_NOT_ATTESTED, "tls_key");
}

static void test_replayed(void **state)
{
	static const uint8_t nonce[CHANNEL_NONCE_LEN] = "an hour ago";
	struct answer_wish wish = {.tls_spki_sha256 = oracle.spki_sha256};

	(void)state;
	oracle.old = answer_document(&mint, &wish, nonce, sizeof(nonce));
	expect_refused(TLS_REPLAYS, HM_NONCE_MISMATCH, "nonce: wanted");
	/* by his own choice, somebody may ask with a nonce of his own */
	assert_int_equal(channel_attest(&facts, &address, mint.policy, NULL,
			     nonce, sizeof(nonce), NULL, &why),
	    0);
}

static void test_no_judgement(void **state)
{
	(void)state;
	expect_refused(TLS_BUSY, HM_VALID, "answered 503");
	expect_refused(TLS_TOO_LONG, HM_VALID, "too long");
	expect_refused(TLS_BREAKS, HM_VALID, "");
	assert_int_equal(
	    oracle_address_parse(&address, "https+attested://127.0.0.1:1"), 0);
	assert_int_equal(attest(TLS_RIGHT), -1);
	assert_int_equal(why.verdict, HM_VALID);
}

static void test_old_tls(void **state)
{
	(void)state;
	SSL_CTX_set_max_proto_version(oracle.peer.context, TLS1_2_VERSION);
	assert_int_equal(attest(TLS_RIGHT), -1);
	assert_int_equal(why.verdict, HM_VALID);
	assert_string_equal(address.pin, "");
}

/* Under the pin, the oracle is started again, or somebody steps in between. */
static void test_another_boot(void **state)
{
	SSL_CTX *before;

	(void)state;
	assert_int_equal(attest(TLS_RIGHT), 0);
	assert_int_equal(get(), CURLE_OK);
	before = oracle.peer.context;
	tls_oracle_boot(&oracle);
	SSL_CTX_free(before);
	assert_int_equal(get(), CURLE_SSL_PINNEDPUBKEYNOTMATCH);
	assert_int_equal(atomic_load(&oracle.others), 1);
	assert_int_equal(attest(TLS_RELAY), -1); /* the old pin stays */
	assert_int_equal(get(), CURLE_SSL_PINNEDPUBKEYNOTMATCH);
	assert_int_equal(attest(TLS_RIGHT), 0);
	assert_int_equal(get(), CURLE_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_attested_and_pinned, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_relay, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_replayed, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_no_judgement, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_old_tls, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_another_boot, setup, teardown),
	};

	return cmocka_run_group_tests_name(
	    "channel", tests, make_mint, free_mint);
}
