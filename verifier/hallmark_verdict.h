/*
 * Part of hallmark.h: the answers of every question, what was checked for one,
 * and the sizes that several parts share.
 */
#ifndef HALLMARK_VERDICT_H
#define HALLMARK_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HM_MUST_CHECK __attribute__((warn_unused_result))
#define HM_API        __attribute__((visibility("default")))

#define HM_SHA256_LEN   32
#define HM_PCR_LEN      48 /* SHA-384 */
#define HM_PCR_COUNT    32
#define HM_DOCUMENT_MAX 20480  /* bytes of a document; real ones: < 8 KiB */
#define HM_ENVELOPE_MAX 131072 /* bytes of an item with its document */
#define HM_NONCE_MAX    1024
#define HM_TEXT_MAX     160

/*
 * Every answer there is. class: what the command line's exit code is made of
 * (0 valid, 2 malformed, 3 signature, 4 chain, 5 policy, 6 time, 7 debug,
 * 8 sequence). The names are stable and the same in library, daemon, command
 * line, HTTP and metrics.
 */
#define HM_VERDICTS(X)                                             \
	X(VALID, "valid", 0)                                       \
	X(ENVELOPE_MALFORMED, "envelope_malformed", 2)             \
	X(CONTENT_MALFORMED, "content_malformed", 2)               \
	X(COSE_MALFORMED, "cose_malformed", 2)                     \
	X(DOCUMENT_MALFORMED, "document_malformed", 2)             \
	X(NOT_AN_ENCLAVE, "not_an_enclave", 2)                     \
	X(QUOTE_MALFORMED, "quote_malformed", 2)                   \
	X(NO_MEMORY, "no_memory", 2)                               \
	X(DOCUMENT_SIGNATURE, "document_signature", 3)             \
	X(ITEM_SIGNATURE, "item_signature", 3)                     \
	X(KEY_NOT_ATTESTED, "key_not_attested", 3)                 \
	X(CONTENT_NOT_ATTESTED, "content_not_attested", 3)         \
	X(QE_SIGNATURE, "qe_signature", 3)                         \
	X(ATTESTATION_MISSING, "attestation_missing", 3)           \
	X(ATTESTATION_MISMATCH, "attestation_mismatch", 3)         \
	X(ROOT_UNTRUSTED, "root_untrusted", 4)                     \
	X(CHAIN_BROKEN, "chain_broken", 4)                         \
	X(CERTIFICATE_PROFILE, "certificate_profile", 4)           \
	X(CERTIFICATE_REVOKED, "certificate_revoked", 4)           \
	X(COLLATERAL_SIGNATURE, "collateral_signature", 4)         \
	X(POLICY_EMPTY, "policy_empty", 5)                         \
	X(PCR_MISMATCH, "pcr_mismatch", 5)                         \
	X(RELEASE_WINDOW, "release_window", 5)                     \
	X(PLATFORM_MISMATCH, "platform_mismatch", 5)               \
	X(NONCE_MISMATCH, "nonce_mismatch", 5)                     \
	X(USER_DATA_MISMATCH, "user_data_mismatch", 5)             \
	X(REQUEST_MISMATCH, "request_mismatch", 5)                 \
	X(HELD_DATA_MISMATCH, "held_data_mismatch", 5)             \
	X(MEASUREMENT_MISMATCH, "measurement_mismatch", 5)         \
	X(COLLATERAL_MISSING, "collateral_missing", 5)             \
	X(QE_IDENTITY, "qe_identity", 5)                           \
	X(TDX_MODULE, "tdx_module", 5)                             \
	X(TCB_STATUS, "tcb_status", 5)                             \
	X(KEY_EPOCH, "key_epoch", 5)                               \
	X(QUORUM_MISSING, "quorum_missing", 5)                     \
	X(CHAIN_EXPIRED, "chain_expired", 6)                       \
	X(CHAIN_NOT_YET_VALID, "chain_not_yet_valid", 6)           \
	X(COLLATERAL_EXPIRED, "collateral_expired", 6)             \
	X(COLLATERAL_NOT_YET_VALID, "collateral_not_yet_valid", 6) \
	X(DOCUMENT_TOO_OLD, "document_too_old", 6)                 \
	X(DOCUMENT_IN_FUTURE, "document_in_future", 6)             \
	X(ENCLAVE_TOO_OLD, "enclave_too_old", 6)                   \
	X(ITEM_EXPIRED, "item_expired", 6)                         \
	X(ITEM_TOO_OLD, "item_too_old", 6)                         \
	X(ITEM_IN_FUTURE, "item_in_future", 6)                     \
	X(ITEM_BEFORE_DOCUMENT, "item_before_document", 6)         \
	X(ITEM_AFTER_CHAIN, "item_after_chain", 6)                 \
	X(DEBUG_ENCLAVE, "debug_enclave", 7)                       \
	X(SEQUENCE_GAP, "sequence_gap", 8)                         \
	X(SEQUENCE_REPLAY, "sequence_replay", 8)                   \
	X(SEQUENCE_FORK, "sequence_fork", 8)                       \
	X(TIME_REGRESSION, "time_regression", 8)                   \
	X(LOG_GAP, "log_gap", 8)                                   \
	X(LOG_FORK, "log_fork", 8)                                 \
	X(LOG_PROOF, "log_proof", 8)

enum hm_verdict {
#define HM_VERDICT_ENUM(c, name, exit_class) HM_##c,
	HM_VERDICTS(HM_VERDICT_ENUM)
#undef HM_VERDICT_ENUM
	HM_VERDICT_COUNT
};

/* "item_signature"; never NULL. */
HM_API const char *hm_verdict_name(enum hm_verdict verdict);
/* 0 or 2..8, see above. */
HM_API int hm_verdict_class(enum hm_verdict verdict);

/*
 * What was checked, one call for each check in order, the failed one last:
 * `check` is a stable name ("chain", "pcr0"); wanted and found are texts for
 * people, NULL where there is nothing to say. All borrowed for the call.
 *
 * The names in their order; an item has those of its document in between, and
 * what was not asked for is left out: envelope, content, attestation_hash
 * (attestation, if there is none) | cose, document, root, certificate_profile,
 * chain, document_signature, revoked, chain_time (live: twice, now and at the
 * document's timestamp), document_time, enclave_age, booted_after, debug,
 * pcr0 ... pcr31, release, nonce, policy_nonce, policy_user_data,
 * policy_key_epoch | platform, public_key, item_signature (attested_content),
 * user_data, published, expires, quorum (if one is asked for, or co-signatures
 * are there), or of a fetched answer request. "policy" alone: the policy cannot
 * be used.
 */
typedef void (*hm_report_cb)(void *data, const char *check, bool passed,
    const char *wanted, const char *found);
struct hm_report {
	hm_report_cb cb; /* NULL: nobody listens */
	void *data;
};

#ifdef __cplusplus
}
#endif

#endif
