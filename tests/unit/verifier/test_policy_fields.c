/* What a policy may say of the document itself: when the enclave was started,
 * its nonce, its user_data. Read from the file, and judged. */
#include "tests/unit/verifier/policy_fixture.h"

#include "feeds/hex.h"

static void want(struct hm_bytes *out, const void *bytes, size_t len)
{
	out->present = true;
	out->len = len;
	memcpy(out->bytes, bytes, len);
}

/* Live and replay say the same of what does not depend on the time. */
static enum hm_verdict judge(void)
{
	enum hm_verdict replay = hm_document_verify_replay(
	    policy, NULL, b->document.at, b->document.len, NULL, 0, NULL, NULL);

	assert_int_equal(
	    hm_document_verify_live(policy, NULL, b->document.at,
		b->document.len, BUILDER_NOW_MS, NULL, 0, NULL, NULL),
	    replay);
	return replay;
}

/* ---- judged ---- */

static void test_booted_after(void **state)
{
	(void)state;
	assert_int_equal(judge(), HM_VALID);
	policy->booted_after_ms = BUILDER_START_MS;
	assert_int_equal(judge(), HM_VALID);
	policy->booted_after_ms++;
	assert_int_equal(judge(), HM_ENCLAVE_TOO_OLD);
	policy->booted_after_ms = INT64_MAX;
	assert_int_equal(judge(), HM_ENCLAVE_TOO_OLD);
	policy->booted_after_ms = 0;
	assert_int_equal(judge(), HM_VALID);
}

/* Whoever could choose the module_id would choose a late start: one that lies
 * after the signature is none. */
static void test_started_after_signature(void **state)
{
	(void)state;
	for (int late_ms = 5000; late_ms <= 5001; late_ms++) {
		snprintf(b->module_id, sizeof(b->module_id),
		    "i-0-enc%012llx0000",
		    (unsigned long long)BUILDER_NOW_MS + (unsigned)late_ms);
		snprintf(
		    b->leaf_name, sizeof(b->leaf_name), "%s.x", b->module_id);
		again();
		assert_int_equal(judge(), HM_VALID);
		policy->booted_after_ms = BUILDER_START_MS;
		assert_int_equal(
		    judge(), late_ms > 5000 ? HM_ENCLAVE_TOO_OLD : HM_VALID);
	}
}

/* As with the caller's nonce: the same bytes, not a part of them, not null. */
static void check_field(struct blob *field, struct hm_bytes *(*wanted)(void),
    enum hm_verdict mismatch)
{
	blob_set(field, "\x01\x02\x03", 3);
	again();
	want(wanted(), "\x01\x02\x03", 3);
	assert_int_equal(judge(), HM_VALID);
	want(wanted(), "\x01\x02\x04", 3);
	assert_int_equal(judge(), mismatch);
	want(wanted(), "\x01\x02", 2);
	assert_int_equal(judge(), mismatch);
	want(wanted(), "\x01\x02\x03\x00", 4);
	assert_int_equal(judge(), mismatch);
	field->len = 0; /* null */
	again();
	want(wanted(), "\x00", 1);
	assert_int_equal(judge(), mismatch);
}

static struct hm_bytes *policy_nonce(void)
{
	return &policy->nonce;
}

static struct hm_bytes *policy_user_data(void)
{
	return &policy->user_data;
}

static void test_nonce(void **state)
{
	(void)state;
	check_field(&b->nonce, policy_nonce, HM_NONCE_MISMATCH);
}

static void test_user_data(void **state)
{
	(void)state;
	check_field(&b->user_data, policy_user_data, HM_USER_DATA_MISMATCH);
}

/* What an oracle binds besides its boot and configuration: an epoch, or one
 * that is no number, or none. */
static void bind_epoch(const char *cbor, size_t len)
{
	static const uint8_t hash[32];
	struct blob *out = &b->user_data;

	out->len = 0;
	blob_head(out, 5, len > 0 ? 3 : 2);
	blob_text(out, "boot_id");
	blob_bytes(out, hash, 16);
	if (len > 0) {
		blob_text(out, "key_epoch");
		blob_put(out, cbor, len);
	}
	blob_text(out, "config_sha256");
	blob_bytes(out, hash, 32);
	again();
}

static enum hm_verdict with_least(int64_t epoch)
{
	assert_int_equal(hm_policy_set_min_key_epoch(policy, epoch), 0);
	return judge();
}

static void test_key_epoch(void **state)
{
	struct hm_document out;

	(void)state;
	bind_epoch("\x03", 1);
	assert_int_equal(with_least(0), HM_VALID);
	assert_int_equal(with_least(2), HM_VALID);
	assert_int_equal(with_least(4), HM_KEY_EPOCH);
	assert_int_equal(with_least(POLICY_KEY_EPOCH_MAX), HM_KEY_EPOCH);
	assert_int_equal(with_least(3), HM_VALID);
	assert_int_equal(
	    hm_document_read(b->document.at, b->document.len, &out), HM_VALID);
	assert_int_equal(out.key_epoch, 3);
	bind_epoch("\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	assert_int_equal(with_least(POLICY_KEY_EPOCH_MAX), HM_VALID);
}

/* Who does not say which key it is has not the first one either. */
static void test_no_key_epoch(void **state)
{
	struct hm_document out;

	(void)state;
	bind_epoch("", 0);
	assert_int_equal(with_least(1), HM_KEY_EPOCH);
	assert_int_equal(with_least(0), HM_VALID);
	bind_epoch("\x00", 1); /* epochs begin with 1 */
	assert_int_equal(with_least(1), HM_KEY_EPOCH);
	bind_epoch("\x61\x39", 2); /* "9" */
	assert_int_equal(with_least(1), HM_KEY_EPOCH);
	blob_set(&b->user_data, "\x09", 1);
	again();
	assert_int_equal(with_least(1), HM_KEY_EPOCH);
	b->user_data.len = 0;
	again();
	assert_int_equal(with_least(1), HM_KEY_EPOCH);
	assert_int_equal(
	    hm_document_read(b->document.at, b->document.len, &out), HM_VALID);
	assert_int_equal(out.key_epoch, 0);
}

/* The caller's nonce does not stand in for the policy's, nor this for that. */
static void test_both_nonces(void **state)
{
	(void)state;
	blob_set(&b->nonce, "\x07", 1);
	again();
	want(&policy->nonce, "\x08", 1);
	assert_int_equal(
	    hm_document_verify_replay(policy, NULL, b->document.at,
		b->document.len, (const uint8_t *)"\x07", 1, NULL, NULL),
	    HM_NONCE_MISMATCH);
	want(&policy->nonce, "\x07", 1);
	assert_int_equal(
	    hm_document_verify_replay(policy, NULL, b->document.at,
		b->document.len, (const uint8_t *)"\x08", 1, NULL, NULL),
	    HM_NONCE_MISMATCH);
}

/* What a stricter policy wants is asked of a cached document too. */
static void test_cached(void **state)
{
	struct hm_cache *cache = hm_cache_new(2);

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    hm_document_verify_replay(policy, cache, b->document.at,
			b->document.len, NULL, 0, NULL, NULL),
		    i == 0 ? HM_VALID : HM_ENCLAVE_TOO_OLD);
		policy->booted_after_ms = BUILDER_START_MS + 1;
	}
	hm_cache_free(cache);
}

static void on_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	char *out = data;

	if (strcmp(check, "booted_after") == 0 ||
	    strcmp(check, "release") == 0 || strncmp(check, "policy_", 7) == 0)
		snprintf(out + strlen(out), 512 - strlen(out), "%s %d %s %s\n",
		    check, passed, wanted, found);
}

static void test_report(void **state)
{
	char text[512] = "";
	const struct hm_report report = {on_check, text};

	(void)state;
	blob_set(&b->nonce, "\x07", 1);
	again();
	want(&policy->nonce, "\x07", 1);
	want(&policy->user_data, "\x08", 1);
	policy->min_key_epoch = 2;
	policy->booted_after_ms = 0;
	policy->releases[0].not_before_ms = 0;
	policy->releases[0].not_after_ms = BUILDER_NOW_MS;
	assert_int_equal(hm_document_verify_replay(policy, NULL, b->document.at,
			     b->document.len, NULL, 0, NULL, &report),
	    HM_USER_DATA_MISMATCH);
	assert_string_equal(text,
	    "booted_after 1 1970-01-01T00:00:00.000Z 2026-11-21T08:00:00.000Z\n"
	    "release 1 test from 1970-01-01T00:00:00.000Z until "
	    "2026-11-21T09:00:00.000Z 2026-11-21T09:00:00.000Z\n"
	    "policy_nonce 1 07 07\n"
	    "policy_user_data 0 08 none\n");
	text[0] = '\0';
	policy->nonce.present = policy->user_data.present = false;
	assert_int_equal(hm_document_verify_replay(policy, NULL, b->document.at,
			     b->document.len, NULL, 0, NULL, &report),
	    HM_KEY_EPOCH);
	assert_non_null(
	    strstr(text, "policy_key_epoch 0 key 2 or later none\n"));
	text[0] = '\0';
	bind_epoch("\x02", 1);
	policy->min_key_epoch = 2;
	assert_int_equal(hm_document_verify_replay(policy, NULL, b->document.at,
			     b->document.len, NULL, 0, NULL, &report),
	    HM_VALID);
	assert_non_null(
	    strstr(text, "policy_key_epoch 1 key 2 or later key 2\n"));
}

/* ---- read ---- */

static int parse(struct hm_policy **out, const char *member)
{
	char json[4096], error[HM_TEXT_MAX];
	int status;

	snprintf(json, sizeof(json), "{\"releases\":[],%s}", member);
	status = hm_policy_parse(out, json, strlen(json), error);
	assert_int_equal(status == 0, error[0] == '\0');
	return status;
}

static void test_file(void **state)
{
	struct hm_policy *p;

	(void)state;
	assert_int_equal(parse(&p, "\"booted_after\":\"2026-11-01T00:00:00Z\","
				   "\"nonce\":\"00fF\",\"user_data\":\"0a\","
				   "\"min_key_epoch\":9007199254740991"),
	    0);
	assert_int_equal(p->min_key_epoch, 9007199254740991);
	assert_int_equal(p->booted_after_ms, 1793491200000);
	assert_true(p->nonce.present);
	assert_int_equal(p->nonce.len, 2);
	assert_memory_equal(p->nonce.bytes, "\x00\xff", 2);
	assert_true(p->user_data.present);
	assert_int_equal(p->user_data.len, 1);
	hm_policy_free(p);
	assert_int_equal(
	    parse(
		&p, "\"booted_after\":null,\"nonce\":null,\"user_data\":null"),
	    0);
	assert_true(p->booted_after_ms == INT64_MIN);
	assert_false(p->nonce.present);
	assert_false(p->user_data.present);
	hm_policy_free(p);
	assert_int_equal(parse(&p, "\"max_age_s\":1"), 0);
	assert_true(p->booted_after_ms == INT64_MIN);
	assert_false(p->nonce.present || p->user_data.present);
	assert_int_equal(p->min_key_epoch, 0);
	hm_policy_free(p);
}

static void test_file_refused(void **state)
{
	static const char *const bad[] = {
	    "\"booted_after\":\"2026-11-01\"",
	    "\"booted_after\":\"2026-02-30T00:00:00Z\"",
	    "\"booted_after\":1793491200",
	    "\"booted_after\":\"\"",
	    "\"nonce\":\"\"",
	    "\"nonce\":\"0\"",
	    "\"nonce\":\"00 \"",
	    "\"nonce\":\"0x00\"",
	    "\"nonce\":0",
	    "\"nonce\":[\"00\"]",
	    "\"nonce\":\"00\",\"nonce\":\"00\"",
	    "\"user_data\":\"\"",
	    "\"user_data\":\"abc\"",
	    "\"user_data\":{}",
	    "\"user_datas\":\"00\"",
	    "\"min_key_epoch\":-1",
	    "\"min_key_epoch\":9007199254740992",
	    "\"min_key_epoch\":\"1\"",
	    "\"min_key_epoch\":1.0",
	    "\"min_key_epoch\":null",
	};
	struct hm_policy *p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(&p, bad[i]) == 0)
			fail_msg("taken: %s", bad[i]);
}

static void test_longest(void **state)
{
	char member[2 * HM_NONCE_MAX + 32] = "\"nonce\":\"";
	struct hm_policy *p;
	size_t at = strlen(member);

	(void)state;
	memset(member + at, '1', 2 * HM_NONCE_MAX + 2);
	memcpy(member + at + 2 * HM_NONCE_MAX, "\"", 2);
	assert_int_equal(parse(&p, member), 0);
	assert_int_equal(p->nonce.len, HM_NONCE_MAX);
	hm_policy_free(p);
	memcpy(member + at + 2 * HM_NONCE_MAX, "11\"", 4);
	assert_int_equal(parse(&p, member), -1);
}

/* ---- revoked, from the file to the verdict ---- */

/* The instance's certificate, whose serial number is 1003, as the file may
 * spell it. */
static enum hm_verdict revoked_as(const char *serial)
{
	char member[512], hex[2 * HM_SHA256_LEN + 1];
	uint8_t sha256[HM_SHA256_LEN];
	unsigned char *spki = NULL;
	int len = i2d_PUBKEY(b->keys[2], &spki);
	enum hm_verdict verdict;
	struct hm_policy *p;

	EVP_Digest(spki, (size_t)len, sha256, NULL, EVP_sha256(), NULL);
	OPENSSL_free(spki);
	hex_encode(sha256, sizeof(sha256), hex);
	snprintf(member, sizeof(member),
	    "\"revoked\":[{\"issuer_spki_sha256\":\"%s\",\"serial\":\"%s\"}]",
	    hex, serial);
	assert_int_equal(parse(&p, member), 0);
	assert_int_equal(p->revoked_count, 1);
	policy->revoked_count = 0;
	assert_int_equal(policy_add_revoked(policy, &p->revoked[0]), 0);
	verdict = judge();
	hm_policy_free(p);
	return verdict;
}

static void test_revoked_spellings(void **state)
{
	(void)state;
	assert_int_equal(revoked_as("3eb"), HM_CERTIFICATE_REVOKED);
	assert_int_equal(revoked_as("03eb"), HM_CERTIFICATE_REVOKED);
	assert_int_equal(revoked_as("3EB"), HM_CERTIFICATE_REVOKED);
	assert_int_equal(revoked_as("0003Eb"), HM_CERTIFICATE_REVOKED);
	/* more digits than a serial number has, but zeros */
	assert_int_equal(
	    revoked_as("000000000000000000000000000000000000000000000003eb"),
	    HM_CERTIFICATE_REVOKED);
	assert_int_equal(revoked_as("3eb0"), HM_VALID);
	assert_int_equal(revoked_as("3eb00"), HM_VALID);
	assert_int_equal(revoked_as("13eb"), HM_VALID);
	assert_int_equal(revoked_as("eb"), HM_VALID);
	assert_int_equal(revoked_as("1003"), HM_VALID);
}

/* A bound before 1970 is one, too. */
static void test_old_bounds(void **state)
{
	static const char release[] =
	    "{\"releases\":[{\"name\":\"a\",\"pcrs\":{},\"not_before\":"
	    "\"0001-01-01T00:00:00Z\",\"not_after\":"
	    "\"1969-12-31T23:59:59.999Z\"}]}";
	char error[HM_TEXT_MAX];
	struct hm_policy *p;

	(void)state;
	assert_int_equal(
	    hm_policy_parse(&p, release, strlen(release), error), 0);
	assert_true(p->releases[0].not_before_ms == -62135596800000);
	assert_int_equal(p->releases[0].not_after_ms, -1);
	policy->releases[0].not_before_ms = p->releases[0].not_before_ms;
	assert_int_equal(judge(), HM_VALID);
	policy->releases[0].not_after_ms = p->releases[0].not_after_ms;
	assert_int_equal(judge(), HM_RELEASE_WINDOW);
	hm_policy_free(p);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    EACH(test_booted_after),
	    EACH(test_started_after_signature),
	    EACH(test_nonce),
	    EACH(test_user_data),
	    EACH(test_key_epoch),
	    EACH(test_no_key_epoch),
	    EACH(test_both_nonces),
	    EACH(test_cached),
	    EACH(test_report),
	    EACH(test_revoked_spellings),
	    EACH(test_old_bounds),
	    cmocka_unit_test(test_file),
	    cmocka_unit_test(test_file_refused),
	    cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests_name(
	    "policy fields", tests, setup, teardown);
}
