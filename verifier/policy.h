/*
 * policy: what struct hm_policy holds, and the questions that the verify
 * functions ask it. Building one is hallmark.h; policy_json.c reads the JSON;
 * policy_roots.c has all that is about roots, policy_quote.c what is about SGX
 * and TDX.
 */
#ifndef HALLMARK_VERIFIER_POLICY_H
#define HALLMARK_VERIFIER_POLICY_H

#include "verifier/chain.h"
#include "verifier/hallmark.h"
#include "verifier/policy_quote.h"

#define POLICY_ROOTS_MAX     8   /* platforms times renewals */
#define POLICY_RELEASES_MAX  64  /* of one product, at one time */
#define POLICY_PINS_MAX      256 /* of one release */
#define POLICY_REVOKED_MAX   1024
#define POLICY_AGE_MAX_S     3153600000       /* a hundred years */
#define POLICY_KEY_EPOCH_MAX 9007199254740991 /* JSON's integers: 2^53 - 1 */
#define POLICY_JSON_MAX      1048576
#define POLICY_PATH_MAX      512 /* bytes of a root file's name */
#define POLICY_PEM_MAX       16384

struct policy_root {
	uint8_t sha256[HM_SHA256_LEN]; /* of the DER */
	struct cert cert; /* the same, read once and for all; owned */
	char name[HM_TEXT_MAX];
	char platform[16];
};

struct policy_pin {
	unsigned index;
	uint8_t value[HM_PCR_LEN];
};

struct policy_release {
	char name[HM_TEXT_MAX];
	int64_t not_before_ms, not_after_ms;
	struct policy_pin *pins; /* owned */
	size_t pin_count;
	uint32_t pin_mask;               /* which PCRs are pinned */
	struct policy_measures measures; /* of SGX or TDX, or none */
};

struct policy_revoked {
	uint8_t issuer_spki_sha256[HM_SHA256_LEN];
	uint8_t serial[CERT_SERIAL_MAX]; /* no leading zero */
	size_t serial_len;
};

struct hm_policy {
	struct policy_root roots[POLICY_ROOTS_MAX];
	size_t root_count;
	char *root_files[POLICY_ROOTS_MAX]; /* owned */
	size_t root_file_count;
	struct policy_release *releases; /* owned */
	size_t release_count;
	struct policy_revoked *revoked; /* owned */
	size_t revoked_count;
	int64_t max_age_ms, max_future_ms;
	int64_t max_enclave_age_ms; /* -1: not asked for */
	int64_t booted_after_ms;    /* INT64_MIN: not asked for */
	/* present: the document's must be the same bytes */
	struct hm_bytes nonce, user_data;
	bool allow_debug;
	uint64_t min_key_epoch;      /* 0: not asked for */
	unsigned quorum;             /* other enclaves; 0: none asked for */
	struct policy_quotes quotes; /* what is about SGX and TDX */
};

/* The root with this hash of its DER, or NULL. */
const struct policy_root *policy_find_root(
    const struct hm_policy *policy, const uint8_t sha256[HM_SHA256_LEN]);

/* Whether one of these certificates is on the list; *which says which, counted
 * from the root's child. */
bool policy_revokes(const struct hm_policy *policy,
    const struct chain_facts *facts, size_t *which);

/* Whether the PCR is there and is one of the release's values for it; true if
 * the release does not pin it. */
bool policy_pcr_ok(const struct policy_release *release,
    const struct hm_document *document, unsigned index);

/*
 * The release that the document is judged by: of those with PCRs, the first
 * that matches them and whose window holds at_ms, else the first that matches
 * them, else the one with the most that match. NULL: no release has PCRs.
 */
const struct policy_release *policy_choose_release(
    const struct hm_policy *policy, const struct hm_document *document,
    int64_t at_ms);
/* The same of a quote, by its measurements. NULL: no release is of its
 * platform. */
const struct policy_release *policy_choose_quote_release(
    const struct hm_policy *policy, const struct hm_quote *quote,
    int64_t at_ms);
bool policy_window_holds(const struct policy_release *release, int64_t at_ms);

/* For policy_json.c; 0 or -1. */
HM_MUST_CHECK int policy_add_root_file(
    struct hm_policy *policy, const char *path);
HM_MUST_CHECK int policy_add_revoked(
    struct hm_policy *policy, const struct policy_revoked *revoked);

#endif
