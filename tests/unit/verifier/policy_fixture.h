/* policy_fixture: each test begins with a good document and a policy for it. */
#ifndef HALLMARK_TESTS_VERIFIER_POLICY_FIXTURE_H
#define HALLMARK_TESTS_VERIFIER_POLICY_FIXTURE_H

#include "tests/unit/verifier/shared_builder.h"

static struct hm_policy *policy;

static inline int begin(void **state)
{
	(void)state;
	builder_reset(b);
	builder_make(b);
	policy = builder_policy(b);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	hm_policy_free(policy);
	policy = NULL;
	return 0;
}

/* After a change of b that builder_policy() has a say in. */
static inline void again(void)
{
	end(NULL);
	builder_make(b);
	policy = builder_policy(b);
}

/* The certificate of this level goes on the policy's list. */
static inline void revoke(unsigned level)
{
	struct policy_revoked revoked = {.serial_len = 2};
	unsigned char *spki = NULL;
	int len = i2d_PUBKEY(b->keys[level - 1], &spki);

	EVP_Digest(spki, (size_t)len, revoked.issuer_spki_sha256, NULL,
	    EVP_sha256(), NULL);
	OPENSSL_free(spki);
	/* the builder's serial numbers: 1000 and the level */
	revoked.serial[0] = (uint8_t)((1000 + level) >> 8);
	revoked.serial[1] = (uint8_t)(1000 + level);
	assert_int_equal(policy_add_revoked(policy, &revoked), 0);
}

#endif
