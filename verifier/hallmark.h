/*
 * libhallmark: checks attestation documents (AWS Nitro's, and the quotes of
 * Intel SGX and TDX) and the price items that stand on them. Pure: no I/O, no
 * clock, no globals; the time and every byte come in as arguments. Not
 * thread-safe for one policy or cache at once.
 *
 * There is no policy that accepts by default: a policy without a root and a
 * release is refused by hm_policy_check(), and every verify function answers
 * HM_POLICY_EMPTY for it.
 *
 * Users include this file alone. Its parts, each building on those above it:
 *
 *   hallmark_verdict.h   the answers, and the report of what was checked
 *   hallmark_policy.h    who is believed
 *   hallmark_document.h  attestation documents and quotes, their cache, nonces
 *   hallmark_item.h      items: envelope, verification, order
 *   hallmark_log.h       heads of the log, proofs
 *   hallmark_answer.h    for one who asked: attested prices, fetched answers
 *
 * Sources of the rules: AWS nitro-enclaves-nsm-api docs/attestation_process.md
 * ("S1"), RFC 9052 (COSE), RFC 8949 (CBOR), RFC 5280 (X.509), RFC 8017 (RSA),
 * RFC 6962 and RFC 9162 (the log); Intel's for quotes are in verifier/sgx/.
 */
#ifndef HALLMARK_H
#define HALLMARK_H

#include "hallmark_answer.h"
#include "hallmark_document.h"
#include "hallmark_item.h"
#include "hallmark_log.h"
#include "hallmark_policy.h"
#include "hallmark_verdict.h"

#endif
