/*
 * log_verify_proof: what `hallmark log verify` is given, judged: texts in, a
 * verdict out, no I/O. Told apart by "format":
 *
 *   hallmark-inclusion/1     as GET /log/inclusion answers
 *   hallmark-consistency/1   as GET /log/consistency answers
 *   hallmark-misbehaviour/1  log_misbehaviour.h
 *   none                     the envelope of a head
 *
 * Heads and items are judged as of when they were published. What stands beside
 * them in a proof is not signed, and is held against them.
 */
#ifndef HALLMARK_VERIFIER_CLI_LOG_VERIFY_PROOF_H
#define HALLMARK_VERIFIER_CLI_LOG_VERIFY_PROOF_H

#include "verifier/daemon/log_misbehaviour.h"

#define LOG_VERIFY_WHY_MAX 320

enum log_verify_kind {
	LOG_VERIFY_HEAD,
	LOG_VERIFY_INCLUSION,
	LOG_VERIFY_CONSISTENCY,
	LOG_VERIFY_MISBEHAVIOUR
};

struct log_verify_text { /* borrowed; {NULL, 0}: not given */
	const char *text;
	size_t len;
};

struct log_verify_input {
	const struct hm_policy *policy;
	struct log_verify_text proof; /* or the head */
	struct log_verify_text item;  /* the item that is to be included */
	struct log_verify_text head;  /* kept earlier: must agree */
	/* Each check that was made; may be NULL. */
	void (*check)(void *data, const char *check, bool passed);
	void *data;
};

struct log_verify_result { /* large: not on the stack */
	enum log_verify_kind kind;
	/* Of misbehaviour HM_LOG_FORK is what is hoped for: it is proven. */
	enum hm_verdict verdict;
	char why[LOG_VERIFY_WHY_MAX]; /* "" if nothing is wrong */
	struct hm_head head;          /* the newest of them */
	struct hm_head first;         /* of consistency and misbehaviour */
	struct hm_head kept;          /* if it was given */
	struct hm_item item;          /* if it was given */
	uint64_t leaf_index;          /* of inclusion */
	struct log_misbehaviour misbehaviour;
};

/* out->verdict, also returned. */
enum hm_verdict log_verify_proof(
    struct log_verify_result *out, const struct log_verify_input *input);

#endif
