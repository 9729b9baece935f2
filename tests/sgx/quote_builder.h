/*
 * quote_builder: quotes, their certificates and their collateral, made here
 * under a root of our own, so that each part can be wrong. A new one makes a
 * quote that sgx_verify() finds valid and up to date, of an enclave (version 3)
 * at QB_NOW_MS; change what is needed, then qb_make().
 */
#ifndef HALLMARK_TESTS_SGX_QUOTE_BUILDER_H
#define HALLMARK_TESTS_SGX_QUOTE_BUILDER_H

#include "tests/sgx/quote_certs.h"
#include "verifier/sgx/sgx_verify.h"

#include <jansson.h>

#define QB_NOW_MS 1790000000000 /* in September 2026 */
#define QB_DAY_MS 86400000

struct quote_builder {
	EVP_PKEY *root_key, *ca_key, *pck_key, *signer_key, *attestation_key;
	struct qb_cert root, ca, pck, signer;
	/* the PCK's extension; qb_extension() makes it */
	uint8_t fmspc[6], pceid[2], components[16];
	unsigned pcesvn;
	struct qb_bytes extension;
	struct slice extension_value; /* all of it: what the PCK has */

	unsigned version;
	bool is_td;
	unsigned body_type;         /* version 5 */
	size_t body_len;            /* qb_kind() sets both */
	uint8_t body[SGX_TD15_LEN]; /* report_data apart from held: 0 */
	uint8_t qe_report[SGX_REPORT_LEN];
	uint8_t auth[32];
	const char *held;  /* its hash is report_data; NULL: as in body */
	bool without_root; /* of the PEM */
	EVP_PKEY *quote_signer, *qe_signer; /* NULL: as they must be */
	bool other_key_in_qe;

	json_t *tcb_info, *identity;         /* owned */
	int64_t from_ms, until_ms;           /* of these two */
	long revoked_by_root, revoked_by_ca; /* serials; 0: none */
	int64_t crl_from_ms, crl_until_ms;

	/* what qb_make() makes */
	struct qb_bytes quote;
	struct sgx_root trusted;
	struct sgx_policy policy; /* trusts it; UpToDate alone */
	struct sgx_collateral *collateral;
};

struct quote_builder *qb_new(void);
/* The same at another time. */
struct quote_builder *qb_new_at(int64_t now_ms);
void qb_free(struct quote_builder *b);

/* version 3 to 5; is_td with a body of 584 bytes (4) or 648 (5). */
void qb_kind(struct quote_builder *b, unsigned version, bool is_td);
void qb_make(struct quote_builder *b);
/* The parts alone. */
void qb_make_quote(struct quote_builder *b);
void qb_make_collateral(struct quote_builder *b);

/* A part as a file; the caller frees it. */
char *qb_tcb_file(struct quote_builder *b);
char *qb_identity_file(struct quote_builder *b);
void qb_crl(struct quote_builder *b, bool of_root, struct qb_bytes *der);
void qb_add(struct sgx_collateral *collateral, const void *bytes, size_t len);

void qb_extension(struct quote_builder *b);
/* Anew, for the components and the body that there are now. */
void qb_tcb_info(struct quote_builder *b);

enum hm_verdict qb_judge(struct quote_builder *b, struct sgx_result *out);

#endif
