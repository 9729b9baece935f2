/*
 * nsm_message: what is said to a Nitro Security Module and what it answers,
 * as bytes; no device here. The form is serde's for Rust enums (AWS
 * aws-nitro-enclaves-nsm-api, src/api/mod.rs): a request or answer without
 * fields is a text, one with fields is a map of one pair, its name and the
 * map of its fields.
 *
 *   {"ExtendPCR": {"index": 16, "data": h'..'}} -> {"ExtendPCR": {"data":
 * h'..'}}
 *   {"LockPCR": {"index": 16}}                  -> "LockPCR"
 *   anything                                    -> {"Error": "ReadOnlyIndex"}
 *
 * Requests are written with their fields in the order of AWS's own library.
 * In answers any order will do, and maps of indefinite length too (AWS's
 * documents changed to those once), but nothing else that verifier/cursor.h
 * refuses; a field that is unknown, missing, there twice or of the wrong type
 * is refused, and so is any byte too many.
 */
#ifndef HALLMARK_ORACLE_NSM_MESSAGE_H
#define HALLMARK_ORACLE_NSM_MESSAGE_H

#include "oracle/attester.h"
#include "verifier/cursor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSM_MESSAGE_REQUEST_MAX 0x1000 /* the driver's ceilings */
#define NSM_MESSAGE_ANSWER_MAX  0x3000
#define NSM_MESSAGE_TEXT_MAX    64 /* bytes of a text and a NUL */

enum nsm_message_kind {
	NSM_MESSAGE_DESCRIBE_PCR,
	NSM_MESSAGE_EXTEND_PCR,
	NSM_MESSAGE_LOCK_PCR,
	NSM_MESSAGE_LOCK_PCRS,
	NSM_MESSAGE_DESCRIBE_NSM,
	NSM_MESSAGE_ATTESTATION,
	NSM_MESSAGE_GET_RANDOM,
	NSM_MESSAGE_ERROR, /* answers only */
	NSM_MESSAGE_KIND_COUNT
};

struct nsm_message_request {
	enum nsm_message_kind kind;
	uint16_t index;      /* DescribePCR, ExtendPCR, LockPCR */
	uint16_t range;      /* LockPCRs: all below it */
	const uint8_t *data; /* ExtendPCR; borrowed */
	size_t len;
	struct attester_request attest; /* Attestation; borrowed */
};

/* The number of bytes written to out; 0: longer than an NSM takes. */
__attribute__((warn_unused_result)) size_t nsm_message_encode(
    const struct nsm_message_request *request,
    uint8_t out[static NSM_MESSAGE_REQUEST_MAX]);

struct nsm_message_answer {
	enum nsm_message_kind kind;
	/* DescribePCR, ExtendPCR: the value; Attestation: the document;
	 * GetRandom: the bytes. Borrowed from the answer's bytes. */
	struct slice data;
	bool lock;                        /* DescribePCR */
	char error[NSM_MESSAGE_TEXT_MAX]; /* Error: "InvalidIndex" */

	/* DescribeNSM */
	uint16_t version_major, version_minor, version_patch, max_pcrs;
	uint32_t locked_mask; /* bit i: PCR i */
	char module_id[NSM_MESSAGE_TEXT_MAX], digest[NSM_MESSAGE_TEXT_MAX];
};

/* An answer that was cut is malformed, or its last value is. */
#define NSM_MESSAGE_STATUSES(X)                         \
	X(OK, "ok")                                     \
	X(MALFORMED, "malformed answer")                \
	X(TRAILING, "bytes after the answer")           \
	X(WRONG_ANSWER, "answer to another request")    \
	X(UNKNOWN_FIELD, "unknown field in the answer") \
	X(DUPLICATE_FIELD, "field twice in the answer") \
	X(MISSING_FIELD, "field missing in the answer") \
	X(BAD_VALUE, "malformed value in the answer")

enum nsm_message_status {
#define NSM_MESSAGE_ENUM(c, text) NSM_MESSAGE_##c,
	NSM_MESSAGE_STATUSES(NSM_MESSAGE_ENUM)
#undef NSM_MESSAGE_ENUM
};

/* Never NULL. */
const char *nsm_message_status_text(enum nsm_message_status status);

/* Reads the answer to a request of kind `wanted`: that kind, or an Error.
 * On failure *out is zeroed. */
__attribute__((warn_unused_result)) enum nsm_message_status nsm_message_decode(
    struct nsm_message_answer *out, enum nsm_message_kind wanted,
    const uint8_t *bytes, size_t len);

#endif
