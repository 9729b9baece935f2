/* sgx_collateral: the forms that collateral comes in (sgx_collateral.h). */
#include "verifier/sgx/sgx_collateral.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/sgx/sgx_json.h"
#include "verifier/sgx/sgx_pem.h"
#include "verifier/sgx/sgx_stored.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_CERTS_MAX 8 /* of one file; Intel's chains have 2 or 3 */

/* The file that is being read. */
struct reader {
	struct sgx_collateral *collateral;
	char *error; /* HM_TEXT_MAX bytes */
};

struct sgx_collateral *sgx_collateral_new(void)
{
	return calloc(1, sizeof(struct sgx_collateral));
}

/* Down to so many parts. */
static void cut(struct sgx_collateral *collateral, size_t count)
{
	while (collateral->count > count)
		sgx_stored_fini(&collateral->parts[--collateral->count]);
}

void sgx_collateral_free(struct sgx_collateral *collateral)
{
	if (collateral == NULL)
		return;
	cut(collateral, 0);
	free(collateral);
}

/* Always -1, so that it can stand in a return. */
static int fail(const struct reader *r, const char *why)
{
	snprintf(r->error, HM_TEXT_MAX, "%s", why);
	return -1; /* unnamed: the caller's to judge */
}

static bool is_there(
    const struct sgx_collateral *collateral, const struct sgx_stored *part)
{
	for (size_t i = 0; i < collateral->count; i++) {
		const struct sgx_stored *other = &collateral->parts[i];

		if (other->kind == part->kind && other->len == part->len &&
		    memcmp(other->bytes, part->bytes, part->len) == 0 &&
		    memcmp(other->signature, part->signature,
			SGX_SIGNATURE_LEN) == 0)
			return true;
	}
	return false; /* unnamed: a fact */
}

/* Takes `part`, also where it fails. */
static int add_part(const struct reader *r, struct sgx_stored *part)
{
	struct sgx_collateral *c = r->collateral;

	if (is_there(c, part)) {
		sgx_stored_fini(part);
		return 0;
	}
	if (REFUSE(collateral_parts, c->count == SGX_COLLATERAL_PARTS_MAX)) {
		sgx_stored_fini(part);
		return fail(r, "more parts than there is room for");
	}
	c->parts[c->count++] = *part;
	return 0;
}

static int add_crl(const struct reader *r, struct slice der)
{
	struct sgx_stored part;

	if (sgx_stored_crl(&part, der, r->error) != 0)
		return -1;
	return add_part(r, &part);
}

static int add_cert(const struct reader *r, struct slice der)
{
	struct sgx_stored part;

	if (sgx_stored_cert(&part, der, r->error) != 0)
		return -1;
	return part.bytes == NULL ? 0 : add_part(r, &part);
}

static bool begins_with(struct slice text, const char *with)
{
	size_t len = strlen(with);

	/* unnamed: a fact */
	return text.len >= len && memcmp(text.at, with, len) == 0;
}

/* One block and what it is. */
static int add_block(const struct reader *r, struct slice *text)
{
	bool is_crl = begins_with(*text, "-----BEGIN X509 CRL-----");
	const char *label = is_crl ? "X509 CRL" : "CERTIFICATE";
	uint8_t *der;
	size_t len;
	int status;

	/* unnamed: sgx_pem names what is wrong with it */
	if (sgx_pem_next(text, label, &der, &len) != 0)
		return fail(r, "not PEM of certificates or a revocation list");
	status = is_crl ? add_crl(r, (struct slice){der, len})
			: add_cert(r, (struct slice){der, len});
	free(der);
	return status;
}

static int add_pem(const struct reader *r, struct slice text)
{
	for (int i = 0; text.len > 0; i++) {
		if (REFUSE(collateral_chain, i == CHAIN_CERTS_MAX))
			return fail(r, "more certificates than a chain has");
		if (add_block(r, &text) != 0)
			return -1;
	}
	return 0;
}

/* RFC 3986, 2.1: as the certificates come in the headers of Intel's answers. */
static int add_percent_encoded(const struct reader *r, struct slice text)
{
	uint8_t *plain = malloc(text.len + 1);
	size_t len = 0;
	int status = 0;

	if (plain == NULL)
		return fail(r, "no memory");
	for (size_t i = 0; i < text.len && status == 0; i++) {
		plain[len++] = text.at[i];
		if (text.at[i] != '%')
			continue;
		if (REFUSE(percent_cut, text.len - i < 3) ||
		    hex_decode(&plain[len - 1], 1,
			(const char *)text.at + i + 1, 2) != 0)
			/* unnamed: the PEM would be refused as well */
			status = fail(r, "% without two hexadecimal digits");
		i += 2;
	}
	if (status == 0)
		status = add_pem(r, (struct slice){plain, len});
	free(plain);
	return status;
}

static int add_hex_crl(const struct reader *r, struct slice text)
{
	size_t len = text.len / 2;
	uint8_t *der = malloc(len + 1);
	int status;

	if (der == NULL)
		return fail(r, "no memory");
	status = hex_decode(der, len, (const char *)text.at, text.len);
	if (status != 0) /* unnamed: hex_decode() knows */
		status = fail(r, "none of the forms of collateral");
	else
		status = add_crl(r, (struct slice){der, len});
	free(der);
	return status;
}

static struct slice slice_of(const char *text)
{
	return (struct slice){(const uint8_t *)text, strlen(text)};
}

static int add_crl_text(const struct reader *r, struct slice text)
{
	return begins_with(text, "-") ? add_pem(r, text) : add_hex_crl(r, text);
}

/* One of the two kinds of signed JSON. */
static int add_signed(const struct reader *r, enum sgx_part_kind kind,
    struct slice text, const char *signature)
{
	struct sgx_stored part;
	int status;

	if (kind == SGX_PART_TCB_INFO)
		status = sgx_stored_tcb_info(&part, text, signature, r->error);
	else
		status = sgx_stored_qe_identity(
		    &part, text, signature, r->error);
	return status == 0 ? add_part(r, &part) : -1;
}

/* {"tcbInfo":{...},"signature":hex} */
static int add_answer(const struct reader *r, enum sgx_part_kind kind,
    const char *key, json_t *json, struct slice file)
{
	const char *signature;
	json_t *object;
	struct slice text;
	json_error_t why;
	int status = json_unpack_ex(json, &why, 0, "{s:o, s:s !}", key, &object,
	    "signature", &signature);

	if (REFUSE(answer_members, status != 0) ||
	    REFUSE(answer_text, sgx_json_text(&text, (const char *)file.at,
				    file.len, key) != 0))
		return fail(r, "not an object and its signature alone");
	return add_signed(r, kind, text, signature);
}

struct bundle { /* NULL or "": absent */
	const char *tcb_info, *tcb_signature, *tcb_chain;
	const char *qe_identity, *qe_signature, *qe_chain;
	const char *pck_crl, *root_crl, *pck_crl_chain;
};

static bool has(const char *text)
{
	return text != NULL && text[0] != '\0'; /* unnamed: a fact */
}

static int read_bundle(const struct reader *r, struct bundle *b, json_t *json)
{
	json_error_t why;
	int status;

	memset(b, 0, sizeof(*b));
	status = json_unpack_ex(json, &why, 0,
	    "{s?s, s?s, s?s, s?s, s?s, s?s, s?s, s?s, s?s !}", "tcb_info",
	    &b->tcb_info, "tcb_info_signature", &b->tcb_signature,
	    "tcb_info_issuer_chain", &b->tcb_chain, "qe_identity",
	    &b->qe_identity, "qe_identity_signature", &b->qe_signature,
	    "qe_identity_issuer_chain", &b->qe_chain, "pck_crl", &b->pck_crl,
	    "root_ca_crl", &b->root_crl, "pck_crl_issuer_chain",
	    &b->pck_crl_chain);
	if (REFUSE(bundle_members, status != 0))
		return fail(r, why.text);
	if (REFUSE(bundle_tcb, has(b->tcb_info) != has(b->tcb_signature)) ||
	    REFUSE(bundle_qe, has(b->qe_identity) != has(b->qe_signature)))
		return fail(r, "an object without its signature");
	return 0;
}

static int add_bundle(const struct reader *r, json_t *json)
{
	struct bundle b;

	if (read_bundle(r, &b, json) != 0)
		return -1;
	if (has(b.tcb_chain) && add_pem(r, slice_of(b.tcb_chain)) != 0)
		return -1;
	if (has(b.qe_chain) && add_pem(r, slice_of(b.qe_chain)) != 0)
		return -1;
	if (has(b.pck_crl_chain) && add_pem(r, slice_of(b.pck_crl_chain)) != 0)
		return -1;
	if (has(b.root_crl) && add_crl_text(r, slice_of(b.root_crl)) != 0)
		return -1;
	if (has(b.pck_crl) && add_crl_text(r, slice_of(b.pck_crl)) != 0)
		return -1;
	if (has(b.tcb_info) && add_signed(r, SGX_PART_TCB_INFO,
				   slice_of(b.tcb_info), b.tcb_signature) != 0)
		return -1;
	if (!has(b.qe_identity))
		return 0;
	return add_signed(
	    r, SGX_PART_QE_IDENTITY, slice_of(b.qe_identity), b.qe_signature);
}

static int add_json(const struct reader *r, struct slice file)
{
	json_error_t why;
	json_t *json = json_loadb(
	    (const char *)file.at, file.len, JSON_REJECT_DUPLICATES, &why);
	int status;

	if (json == NULL) /* unnamed: nothing to read */
		return fail(r, why.text);
	if (json_object_get(json, "tcbInfo") != NULL)
		status = add_answer(
		    r, SGX_PART_TCB_INFO, "tcbInfo", json, file);
	else if (json_object_get(json, "enclaveIdentity") != NULL)
		status = add_answer(
		    r, SGX_PART_QE_IDENTITY, "enclaveIdentity", json, file);
	else
		status = add_bundle(r, json);
	json_decref(json);
	return status;
}

/* Editors leave newlines at the end of a text. */
static struct slice without_newlines(struct slice file)
{
	while (file.len > 0 &&
	       (file.at[file.len - 1] == '\n' || file.at[file.len - 1] == '\r'))
		file.len--;
	return file;
}

static int add_file(const struct reader *r, struct slice file)
{
	if (begins_with(file, "{"))
		return add_json(r, file);
	if (begins_with(file, "0\x82") || begins_with(file, "0\x81"))
		return add_crl(r, file);
	file = without_newlines(file);
	if (begins_with(file, "-----BEGIN%20"))
		return add_percent_encoded(r, file);
	if (begins_with(file, "-----BEGIN "))
		return add_pem(r, file);
	return add_hex_crl(r, file);
}

int sgx_collateral_add(struct sgx_collateral *collateral, const uint8_t *bytes,
    size_t len, char error[HM_TEXT_MAX])
{
	const struct reader r = {collateral, error};
	size_t before = collateral->count;
	int status;

	error[0] = '\0';
	if (REFUSE(collateral_max, len > SGX_COLLATERAL_FILE_MAX))
		return fail(&r, "longer than a megabyte");
	/* What OpenSSL notes on refusals is not the caller's concern. */
	ERR_set_mark();
	status = add_file(&r, (struct slice){bytes, len});
	ERR_pop_to_mark();
	if (status != 0)
		cut(collateral, before);
	return status;
}

size_t sgx_collateral_count(const struct sgx_collateral *collateral)
{
	return collateral->count;
}
