/*
 * attestation_fixture: a keeper on a loop, over the simulated attester, which
 * is asked through a layer that fails, forges and stalls when told to, with a
 * clock of the test's and libhallmark as the judge. Included by the tests of
 * attestation, after cmocka.h.
 */
#ifndef HALLMARK_TESTS_ATTESTATION_FIXTURE_H
#define HALLMARK_TESTS_ATTESTATION_FIXTURE_H

#include "base/log.h"
#include "oracle/attestation.h"
#include "oracle/attester_simulated.h"
#include "oracle/simulated_root.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW_MS     INT64_C(1800000000123)
#define MINUTE     INT64_C(60000)
#define WATCHDOG_S 60 /* ends the test program, not a bound on speed */

static const uint8_t key[] = "the public key";
static const uint8_t boot_id[16] = "the boot's id", config_sha256[32] = "c";
static struct user_data bound = {
    .boot_id = boot_id, .config_sha256 = config_sha256};

/* ---- the attester ---- */

static struct fake {
	struct attester base;
	struct attester *real;
	atomic_int inside; /* calls at this moment */
	atomic_uint calls;
	atomic_uint fail_next; /* so many calls fail */
	atomic_bool stall;     /* calls wait for `go` */
	bool tamper, no_nonce, other_key, no_user_data;
	uv_sem_t go;
} fake;

static atomic_llong clock_ms;

static int64_t test_clock(void)
{
	return clock_ms;
}

static int fake_attest(struct attester *a, const struct attester_request *req,
    uint8_t *out, size_t *out_len, char error[ATTESTER_ERROR_MAX])
{
	struct attester_request changed = *req;
	int rc;

	(void)a;
	if (atomic_fetch_add(&fake.inside, 1) != 0)
		abort(); /* an attester is asked one thing at a time */
	fake.calls++;
	if (fake.stall)
		uv_sem_wait(&fake.go);
	if (fake.no_nonce)
		changed.nonce = NULL;
	if (fake.other_key)
		changed.public_key = (const uint8_t *)"another public";
	if (fake.no_user_data)
		changed.user_data = NULL;
	rc = fake.real->ops->attest(fake.real, &changed, out, out_len, error);
	if (fake.tamper)
		out[*out_len - 1] ^= 1; /* of the signature */
	if (fake.fail_next > 0) {
		fake.fail_next--;
		snprintf(error, ATTESTER_ERROR_MAX, "made to fail");
		rc = -1;
	}
	atomic_fetch_sub(&fake.inside, 1);
	return rc;
}

static const struct attester_ops fake_ops = {.attest = fake_attest};

/* ---- what happens ---- */

static struct {
	unsigned changed, stopped;
	uint8_t hashes[32][HM_SHA256_LEN]; /* of the documents, in order */
	int64_t not_after_ms;
	unsigned stop_after; /* changes */
	unsigned answered, failed;
	char nonces[64];    /* letters of the answered ones, in order */
	unsigned sizes[64]; /* and how many shared their document */
	bool has_content;   /* the newest one's */
	uint8_t content_sha256[HM_SHA256_LEN];
	char error[ATTESTER_ERROR_MAX];
} seen;

static uv_loop_t loop;
static struct attestation *keeper;
static struct hm_policy *policy;
static char folder[64];

static void on_stopped(void *data)
{
	assert_ptr_equal(data, &seen);
	seen.stopped++;
	keeper = NULL;
}

static void on_changed(const struct attestation_document *doc, void *data)
{
	assert_ptr_equal(data, &seen);
	memcpy(seen.hashes[seen.changed % 32], doc->sha256, HM_SHA256_LEN);
	seen.not_after_ms = doc->not_after_ms;
	if (++seen.changed == seen.stop_after)
		attestation_stop(keeper, on_stopped, &seen);
}

/* ---- fixtures ---- */

static struct hm_policy *make_policy(struct attester *a)
{
	const char *pem = a->ops->root_pem(a);
	struct hm_policy *made = hm_policy_new();
	char error[ATTESTER_ERROR_MAX];
	uint8_t pcr[ATTESTER_PCR_LEN];
	int release, locked;

	assert_int_equal(hm_policy_add_root_pem(made, pem, strlen(pem)), 0);
	release = hm_policy_add_release(made, "test", INT64_MIN, INT64_MAX);
	assert_true(release >= 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(
		    a->ops->describe_pcr(a, i, pcr, &locked, error), 0);
		assert_int_equal(hm_policy_add_pcr(made, release, i, pcr), 0);
	}
	return made;
}

static int setup(void **state)
{
	char error[ATTESTER_ERROR_MAX];

	(void)state;
	alarm(WATCHDOG_S);
	log_set_level(LOG_ERROR);
	memset(&fake, 0, sizeof(fake));
	memset(&seen, 0, sizeof(seen));
	clock_ms = NOW_MS;
	strcpy(folder, "/tmp/test_attestation.XXXXXX");
	assert_non_null(mkdtemp(folder));
	fake.base.ops = &fake_ops;
	fake.real = attester_simulated_open_at(folder, test_clock, error);
	assert_non_null(fake.real);
	assert_int_equal(uv_sem_init(&fake.go, 0), 0);
	policy = make_policy(fake.real);
	return uv_loop_init(&loop);
}

/* Stops what still runs; the loop must then close without a handle left. */
static int teardown(void **state)
{
	char path[128];

	(void)state;
	if (keeper != NULL) {
		attestation_stop(keeper, NULL, NULL);
		keeper = NULL;
	}
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	hm_policy_free(policy);
	fake.real->ops->close(fake.real);
	uv_sem_destroy(&fake.go);
	snprintf(path, sizeof(path), "%s/" SIMULATED_ROOT_CERT, folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/" SIMULATED_ROOT_KEY, folder);
	unlink(path);
	return rmdir(folder);
}

static struct attestation_options options(void)
{
	return (struct attestation_options){
	    .loop = &loop,
	    .attester = &fake.base,
	    .policy = policy,
	    .public_key = key,
	    .public_key_len = sizeof(key) - 1,
	    .user_data = &bound,
	    .changed = on_changed,
	    .data = &seen,
	    .retry_ms = 1,
	    .now_ms = test_clock,
	};
}

static void start(uint64_t renew_ms)
{
	struct attestation_options with = options();
	char error[ATTESTER_ERROR_MAX];

	with.renew_ms = renew_ms;
	keeper = attestation_start(&with, error);
	if (keeper == NULL)
		fail_msg("%s", error);
}

static void run_out(void)
{
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(seen.stopped, 1);
}

#endif
