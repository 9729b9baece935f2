/*
 * rotation_fixture: an identity whose key is KMS's (kms_fixture.h) and retires
 * when the test says so, over the simulated platform with a layer that fails
 * and stalls as it is told.
 */
#ifndef HALLMARK_TESTS_ROTATION_FIXTURE_H
#define HALLMARK_TESTS_ROTATION_FIXTURE_H

#include "oracle/key_rotation.h"
#include "tests/unit/oracle/kms_fixture.h"

#include "tests/unit/oracle/identity_fixture.h"
#include "verifier/attested_data.h"

#define HOUR_MS   INT64_C(3600000)
#define NEVER     INT64_MIN
#define TEXT_SIZE 600

/* What a document is asked for. */
enum whose {
	NOBODY,
	OWN,
	RECIPIENT,
	NEXT
};

static struct {
	const struct attester_ops *real;
	struct attester_ops ops;
	uint8_t own[ATTESTER_PUBLIC_KEY_MAX]; /* the key of the start */
	size_t own_len;
	atomic_int fails[NEXT + 1]; /* so many of each fail */
	atomic_int stall;           /* these wait for `go` */
	atomic_bool stalled;
	uv_sem_t go;
} platform;

static struct {
	unsigned announced, switched;
	uint64_t epoch;
	uint8_t sha256[HM_SHA256_LEN];
	char pem[TEXT_SIZE], first_pem[TEXT_SIZE];
	int64_t then_ms;   /* not 0: once announced, the last key has so long */
	int64_t retire_ms; /* and what became of that */
} seen;

static struct key_rotation *rotation;

/* ---- the platform ---- */

static enum whose whose(const struct attester_request *req)
{
	if (req->user_data == NULL)
		return RECIPIENT;
	return req->public_key_len == platform.own_len &&
		       memcmp(
			   req->public_key, platform.own, platform.own_len) == 0
		   ? OWN
		   : NEXT;
}

static int layered_attest(struct attester *a,
    const struct attester_request *req, uint8_t *out, size_t *out_len,
    char error[ATTESTER_ERROR_MAX])
{
	enum whose asked = whose(req);

	if (asked == RECIPIENT) {
		memcpy(kms.recipient, req->public_key, req->public_key_len);
		kms.recipient_len = req->public_key_len;
	}
	if (platform.stall == (int)asked) {
		platform.stalled = true;
		uv_sem_wait(&platform.go);
	}
	if (platform.fails[asked] > 0) {
		platform.fails[asked]--;
		snprintf(error, ATTESTER_ERROR_MAX, "made to fail");
		return -1;
	}
	return platform.real->attest(a, req, out, out_len, error);
}

static void platform_up(void)
{
	const uint8_t *der = signer_public_der(
	    identity.signer, &platform.own_len);

	memset(&platform.fails, 0, sizeof(platform.fails));
	memcpy(platform.own, der, platform.own_len);
	platform.stall = NOBODY;
	platform.stalled = false;
	platform.real = identity.attester->ops;
	platform.ops = *platform.real;
	platform.ops.attest = layered_attest;
	identity.attester->ops = &platform.ops;
	assert_int_equal(uv_sem_init(&platform.go, 0), 0);
}

/* ---- what is told ---- */

/* It is good, and about this key; which a document of that epoch says. */
static void judge(const struct attestation_document *document, uint64_t epoch)
{
	struct attested_data attested;
	struct hm_document d;
	EVP_PKEY *key, *told;
	const uint8_t *end;
	BIO *bio = BIO_new_mem_buf(seen.pem, -1);

	assert_int_equal(
	    hm_document_verify_live(identity.policy, NULL, document->bytes,
		document->len, now_unix_ms(), NULL, 0, &d, NULL),
	    HM_VALID);
	end = d.public_key.bytes;
	key = d2i_PUBKEY(NULL, &end, (long)d.public_key.len);
	told = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	assert_int_equal(EVP_PKEY_eq(key, told), 1);
	EVP_PKEY_free(told);
	EVP_PKEY_free(key);
	BIO_free(bio);
	assert_int_equal(
	    attested_data_parse(
		&attested, (struct slice){d.user_data.bytes, d.user_data.len}),
	    0);
	assert_int_equal(attested.key_epoch, epoch);
}

static void on_announced(const struct attestation_document *document,
    const char *public_key_pem, uint64_t epoch, void *data)
{
	assert_ptr_equal(data, &seen);
	seen.announced++;
	seen.epoch = epoch;
	assert_int_equal(epoch, identity.kept.epoch + 1);
	snprintf(seen.pem, sizeof(seen.pem), "%s", public_key_pem);
	memcpy(seen.sha256, document->sha256, sizeof(seen.sha256));
	judge(document, epoch);
	assert_ptr_equal(
	    attestation_find(identity.attestation, seen.sha256), document);
	assert_string_not_equal(signer_public_pem(identity.signer), seen.pem);
	if (seen.then_ms != 0)
		identity.kept.retire_ms = now_unix_ms() + seen.then_ms;
	seen.retire_ms = identity.kept.retire_ms;
}

/* The key that was announced, and not before its time. */
static void on_switched(const struct attestation_document *document, void *data)
{
	assert_ptr_equal(data, &seen);
	seen.switched++;
	assert_true(now_unix_ms() >= seen.retire_ms);
	assert_int_equal(identity.kept.epoch, seen.epoch);
	assert_ptr_equal(identity.kept.signer, identity.signer);
	assert_int_equal(identity.bound.key_epoch, seen.epoch);
	assert_string_equal(signer_public_pem(identity.signer), seen.pem);
	assert_memory_equal(document->sha256, seen.sha256, HM_SHA256_LEN);
	assert_ptr_equal(
	    attestation_current(identity.attestation, now_unix_ms()), document);
}

/* ---- up and down ---- */

static int rotation_up(void **state)
{
	kms_up(state);
	fixture_up(state);
	platform_up();
	memset(&seen, 0, sizeof(seen));
	config.key = kms.config.key;
	config.key.rotate_s = 7200;
	config.key.overlap_s = 1;
	memcpy(kms.config.sha256, config.sha256, sizeof(config.sha256));
	identity.kept = (struct kept_key){
	    .signer = identity.signer, .epoch = 1};
	identity.bound.key_epoch = 1;
	snprintf(seen.first_pem, sizeof(seen.first_pem), "%s",
	    signer_public_pem(identity.signer));
	return 0;
}

/* What waits goes on; the loop must then come to its end. */
static int rotation_down(void **state)
{
	unsigned announced = seen.announced, switched = seen.switched;

	key_rotation_stop(rotation);
	rotation = NULL;
	platform.stall = NOBODY;
	uv_sem_post(&platform.go);
	fixture_down(state);
	assert_int_equal(seen.announced, announced);
	assert_int_equal(seen.switched, switched);
	uv_sem_destroy(&platform.go);
	return kms_down(state);
}

static void rotate_in(int64_t retire_in_ms)
{
	identity.kept.retire_ms = retire_in_ms == NEVER
				      ? 0
				      : now_unix_ms() + retire_in_ms;
	rotation = key_rotation_start(&(struct key_rotation_options){
	    .loop = &fixture_loop,
	    .identity = &identity,
	    .tls = fixture_tls,
	    .announced = on_announced,
	    .switched = on_switched,
	    .data = &seen,
	});
}

static void turn_until(bool (*ready)(void))
{
	while (!ready()) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(500);
	}
}

#endif
