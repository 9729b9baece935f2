/*
 * Part of hallmark.h: who is believed. A policy names roots and releases.
 */
#ifndef HALLMARK_POLICY_H
#define HALLMARK_POLICY_H

#include "hallmark_verdict.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hm_policy;

HM_API struct hm_policy *hm_policy_new(void); /* empty; NULL: no memory */
HM_API void hm_policy_free(struct hm_policy *policy);

/*
 * Reads a policy file's text (README, "The policy"). Unknown keys, duplicates
 * and wrong types are refused; `error` then says what and where. Root files
 * that it names are not read here: ask hm_policy_root_file(policy, 0, 1, ...)
 * until NULL and hand each file's bytes to hm_policy_add_root_pem().
 * Returns 0 or -1 and then *out is NULL.
 */
HM_API HM_MUST_CHECK int hm_policy_parse(struct hm_policy **out,
    const char *json, size_t len, char error[HM_TEXT_MAX]);
HM_API const char *hm_policy_root_file(
    const struct hm_policy *policy, size_t index);

/* One PEM certificate, self-signed. With a P-384 key it is a root of documents:
 * one whose subject common name starts with "simulated." speaks for platform
 * "simulated", any other for "aws-nitro". With a P-256 key it is a root of
 * quotes, in Intel's place. One that is called like a known root and is another
 * is refused. 0 or -1. */
HM_API HM_MUST_CHECK int hm_policy_add_root_pem(
    struct hm_policy *policy, const char *pem, size_t len);
/* A root that the library knows: "aws-nitro-g1"; "intel-sgx", for quotes. 0 or
 * -1. */
HM_API HM_MUST_CHECK int hm_policy_add_root_name(
    struct hm_policy *policy, const char *name);
/* A release, then its PCRs; the values of one index of one release are
 * alternatives. Windows in Unix ms, INT64_MIN and INT64_MAX for none. Returns
 * the release's number or -1. */
HM_API HM_MUST_CHECK int hm_policy_add_release(struct hm_policy *policy,
    const char *name, int64_t not_before_ms, int64_t not_after_ms);
HM_API HM_MUST_CHECK int hm_policy_add_pcr(struct hm_policy *policy,
    int release, unsigned index, const uint8_t value[HM_PCR_LEN]);
HM_API void hm_policy_set_ages(struct hm_policy *policy, int64_t max_age_s,
    int64_t max_future_s); /* -1 (and whatever is out of range) keeps;
			      defaults 300 and 5 */
HM_API void hm_policy_insecure_allow_debug(struct hm_policy *policy);
/* An item must carry good co-signatures of so many enclaves besides the one
 * that published it: 0 (default) to HM_COSIGNATURES_MAX. 0 or -1. */
HM_API HM_MUST_CHECK int hm_policy_set_quorum(
    struct hm_policy *policy, int64_t enclaves);

/* An oracle whose key survives restarts counts its keys (key_epoch of struct
 * hm_document): only the one with this number and later ones will do, so one
 * that leaked, or that somebody brought back, is of no use. 0 (default): any
 * key. 0 or -1. */
HM_API HM_MUST_CHECK int hm_policy_set_min_key_epoch(
    struct hm_policy *policy, int64_t epoch);

/*
 * For the quotes of SGX enclaves and TDX domains. A release is of one
 * platform: it has PCRs, or one or several MRENCLAVEs (alternatives), or one
 * MRSIGNER with a product and the least security version, or MRTDs with the
 * values of any of RTMR0 to RTMR3 (alternatives each; MRTD alone pins the
 * firmware, and any kernel will do). 0 or -1.
 */
#define HM_MRENCLAVE_LEN 32
#define HM_RTMR_COUNT    4
HM_API HM_MUST_CHECK int hm_policy_add_mrenclave(struct hm_policy *policy,
    int release, const uint8_t value[HM_MRENCLAVE_LEN]);
HM_API HM_MUST_CHECK int hm_policy_add_mrsigner(struct hm_policy *policy,
    int release, const uint8_t value[HM_MRENCLAVE_LEN], uint16_t product_id,
    uint16_t min_svn);
HM_API HM_MUST_CHECK int hm_policy_add_mrtd(
    struct hm_policy *policy, int release, const uint8_t value[HM_PCR_LEN]);
HM_API HM_MUST_CHECK int hm_policy_add_rtmr(struct hm_policy *policy,
    int release, unsigned index, const uint8_t value[HM_PCR_LEN]);

/* How well patched a platform must be: "UpToDate" (the default, until the first
 * call), "SWHardeningNeeded", "ConfigurationNeeded" ..., as Intel names it. 0,
 * or -1: no such status, or "Revoked". */
HM_API HM_MUST_CHECK int hm_policy_accept_tcb(
    struct hm_policy *policy, const char *status);

/* Collateral: what Intel says of platforms and revocations, as files (README,
 * "SGX and TDX"). A policy's are asked for and handed over as its root files
 * are. 0; or -1, nothing is added and `error` says why. */
#define HM_COLLATERAL_MAX 1048576 /* bytes of a file */
HM_API const char *hm_policy_collateral_file(
    const struct hm_policy *policy, size_t index);
HM_API HM_MUST_CHECK int hm_policy_add_collateral(struct hm_policy *policy,
    const uint8_t *bytes, size_t len, char error[HM_TEXT_MAX]);
/* Without a part of it that part is not judged. What is there counts. */
HM_API void hm_policy_insecure_without_collateral(struct hm_policy *policy);

/* 0 if it can be used; -1 and what is wrong: no root, no release, a release
 * that pins none of PCR0, PCR1, PCR2 and no MRENCLAVE, MRSIGNER or MRTD, or is
 * of two platforms, or a root that the policy revokes. */
HM_API HM_MUST_CHECK int hm_policy_check(
    const struct hm_policy *policy, char error[HM_TEXT_MAX]);

#ifdef __cplusplus
}
#endif

#endif
