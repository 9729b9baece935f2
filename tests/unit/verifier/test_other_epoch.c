/* Items under documents that are not theirs: of a later time, another key,
 * another boot, another configuration. Each item is well signed by the key that
 * it names; each document is valid. */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/item_builder.c"
#include "tests/unit/verifier/one_thing_wrong.h"

static struct builder *b;
static struct item_builder i;
static EVP_PKEY *old_key; /* of the epoch before */
static char *old_pem;

static int setup(void **state)
{
	(void)state;
	b = builder_new();
	old_key = EVP_RSA_gen(2048);
	old_pem = pem_of(old_key);
	return old_pem != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(old_key);
	free(old_pem);
	builder_free(b);
	return 0;
}

static void publish(int64_t published_ms)
{
	i.item.published_ms = published_ms;
	i.item.expires_ms = published_ms + 5000;
	for (int s = 0; s < 2; s++)
		i.item.sources[s].received_ms = published_ms;
}

static void finish(void)
{
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
}

static void as_is(void)
{
	finish();
}

/* ---- a later document of the same enclave ---- */

static void attested_later(int64_t after_publication_ms)
{
	b->timestamp_ms = ITEM_PUBLISHED_MS + after_publication_ms;
	finish();
}

static void attested_5000_later(void)
{
	attested_later(5000);
}

static void attested_5001_later(void)
{
	attested_later(5001);
}

static void an_hour_old(void)
{
	publish(BUILDER_NOW_MS - 3600 * 1000);
	finish();
}

static void beyond_the_chain(void)
{
	publish(BUILDER_NOW_MS + b->not_after_s[BUILDER_LEAF] * 1000 + 1);
	finish();
}

/* The envelope has the hash of the first document and the bytes of another. */
static void hash_of_another(void)
{
	uint8_t first[HM_SHA256_LEN];

	finish();
	memcpy(first, i.envelope.attestation_sha256, sizeof(first));
	item_drop(&i);
	item_envelope(&i);
	memcpy(i.envelope.attestation_sha256, first, sizeof(first));
}

/* ---- the key of the epoch before ---- */

static void sign_by_old_key(void)
{
	EVP_PKEY *ours = b->rsa;

	item_content(&i);
	b->rsa = old_key;
	item_sign(&i);
	b->rsa = ours;
	item_envelope(&i);
}

static void old_key_by_name(void)
{
	sign_by_old_key();
	i.envelope.public_key = old_pem;
}

static void old_key_nameless(void)
{
	sign_by_old_key();
}

/* The document attests the old key, the item is signed by the new one. */
static void new_key_old_document(void)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(old_key, &der);

	blob_set(&b->public_key, der, (size_t)len);
	OPENSSL_free(der);
	finish();
}

static void old_key_old_document(void)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(old_key, &der);

	blob_set(&b->public_key, der, (size_t)len);
	OPENSSL_free(der);
	old_key_by_name();
}

/* ---- another boot, another configuration ---- */

static void other_boot(void)
{
	i.item.boot_id[15] ^= 1;
	finish();
}

static void other_config(void)
{
	i.item.config_sha256[0] ^= 0x80;
	finish();
}

static void user_data_in_nonce(void)
{
	b->nonce = b->user_data;
	b->user_data.len = 0;
	finish();
}

struct told {
	const char *name;
	void (*make)(void);
	int64_t now_ms; /* 0: replay */
	enum hm_verdict verdict;
	const char *check;
};

static bool try_told(const struct told *t)
{
	struct wrong_report report = {0};
	const struct hm_report listen = {wrong_note, &report};
	static struct hm_item out, zero;
	enum hm_verdict found;

	item_reset(&i, b);
	t->make();
	memset(&out, 0xaa, sizeof(out));
	found = t->now_ms == 0
		    ? hm_item_verify_replay(
			  i.policy, NULL, &i.envelope, NULL, 0, &out, &listen)
		    : hm_item_verify_live(i.policy, NULL, &i.envelope, NULL, 0,
			  t->now_ms, &out, &listen);
	item_drop(&i);
	if (found != HM_VALID)
		assert_memory_equal(&out, &zero, sizeof(out));
	return wrong_ok(t->name, t->verdict, t->check, found, &report);
}

#define END_MS ITEM_EXPIRES_MS

static void test_other_epoch(void **state)
{
	static const struct told cases[] = {
	    {"under its own document", as_is, 0, HM_VALID, ""},
	    {"under its own document, live", as_is, END_MS, HM_VALID, ""},
	    {"1 ms past its end", as_is, END_MS + 1, HM_ITEM_EXPIRED,
		"expires"},
	    {"document max_future later", attested_5000_later, 0, HM_VALID, ""},
	    {"document max_future + 1 ms later", attested_5001_later, 0,
		HM_ITEM_BEFORE_DOCUMENT, "published"},
	    {"an hour old under a new document", an_hour_old, 0,
		HM_ITEM_BEFORE_DOCUMENT, "published"},
	    {"an hour old under a new document, live", an_hour_old,
		BUILDER_NOW_MS, HM_ITEM_BEFORE_DOCUMENT, "published"},
	    {"published after its chain's end", beyond_the_chain, 0,
		HM_ITEM_AFTER_CHAIN, "published"},
	    {"the hash of another document", hash_of_another, 0,
		HM_ATTESTATION_MISMATCH, "attestation_hash"},
	    {"the old epoch's key, named", old_key_by_name, 0,
		HM_KEY_NOT_ATTESTED, "public_key"},
	    {"the old epoch's key, the new one named", old_key_nameless, 0,
		HM_ITEM_SIGNATURE, "item_signature"},
	    {"the new key, the old epoch's document", new_key_old_document, 0,
		HM_KEY_NOT_ATTESTED, "public_key"},
	    {"the old epoch's key and document", old_key_old_document, 0,
		HM_VALID, ""},
	    {"of another boot", other_boot, 0, HM_USER_DATA_MISMATCH,
		"user_data"},
	    {"of another configuration", other_config, 0, HM_USER_DATA_MISMATCH,
		"user_data"},
	    {"what is bound stands in the nonce", user_data_in_nonce, 0,
		HM_USER_DATA_MISMATCH, "user_data"},
	};
	size_t bad = 0;

	(void)state;
	for (size_t at = 0; at < sizeof(cases) / sizeof(cases[0]); at++)
		bad += !try_told(&cases[at]);
	wrong_summary(sizeof(cases) / sizeof(cases[0]), bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_other_epoch),
	};

	return cmocka_run_group_tests_name(
	    "other_epoch", tests, setup, teardown);
}
