/* sgx_quote: see sgx_quote.h. */
#include "verifier/sgx/sgx_quote.h"

#include "feeds/check.h"

#include <string.h>

#define HEADER_LEN     48
#define KEY_TYPE_P256  2
#define TEE_SGX        0x00u
#define TEE_TDX        0x81u
#define CERT_PEM_CHAIN 5 /* of the PCK */
#define CERT_QE_REPORT 6 /* QE report certification data, from version 4 on */
#define BODY_SGX       1 /* version 5 */
#define BODY_TD10      2
#define BODY_TD15      3

static const uint8_t vendor_intel[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c,
    0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

/* What is being read, and what was wrong with it. */
struct reader {
	struct slice left;
	const char *why;
};

static enum hm_verdict malformed(struct reader *r, const char *why)
{
	r->why = why;
	return HM_QUOTE_MALFORMED; /* unnamed: the caller's to judge */
}

/* Steps over so many bytes; zeros for what is not there, which read on as what
 * cannot be. */
static int take(struct reader *r, size_t len, struct slice *out)
{
	*out = (struct slice){NULL, 0};
	if (REFUSE(quote_cut, r->left.len < len))
		return -1;
	*out = (struct slice){r->left.at, len};
	r->left.at += len;
	r->left.len -= len;
	return 0;
}

static uint16_t u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t u32(const uint8_t *at)
{
	return u16(at) | (uint32_t)u16(at + 2) << 16;
}

static int take_u16(struct reader *r, unsigned *out)
{
	struct slice bytes;

	if (take(r, 2, &bytes) != 0)
		return -1;
	*out = u16(bytes.at);
	return 0;
}

static int take_u32(struct reader *r, size_t *out)
{
	struct slice bytes;

	if (take(r, 4, &bytes) != 0)
		return -1;
	*out = u32(bytes.at);
	return 0;
}

/* Fields are read at their offset in the structure. */
#define FIELD(out, at) memcpy((out), (at), sizeof(out))

static void read_report(struct sgx_report *out, const uint8_t *at)
{
	FIELD(out->cpusvn, at);
	FIELD(out->misc_select, at + 16);
	FIELD(out->isv_ext_prod_id, at + 32);
	FIELD(out->attributes, at + 48);
	out->flags = u32(at + 48) | (uint64_t)u32(at + 52) << 32;
	FIELD(out->mrenclave, at + 64);
	FIELD(out->mrsigner, at + 128);
	FIELD(out->config_id, at + 192);
	out->isv_prod_id = u16(at + 256);
	out->isv_svn = u16(at + 258);
	out->config_svn = u16(at + 260);
	FIELD(out->isv_family_id, at + 304);
	FIELD(out->report_data, at + 320);
}

static void read_td(struct sgx_td *out, const uint8_t *at, size_t len)
{
	FIELD(out->tee_tcb_svn, at);
	FIELD(out->mrseam, at + 16);
	FIELD(out->mrsignerseam, at + 64);
	FIELD(out->seam_attributes, at + 112);
	FIELD(out->td_attributes, at + 120);
	FIELD(out->xfam, at + 128);
	FIELD(out->mrtd, at + 136);
	FIELD(out->mrconfigid, at + 184);
	FIELD(out->mrowner, at + 232);
	FIELD(out->mrownerconfig, at + 280);
	for (size_t i = 0; i < 4; i++)
		FIELD(out->rtmrs[i], at + 328 + 48 * i);
	FIELD(out->report_data, at + 520);
	out->is_15 = len == SGX_TD15_LEN;
	if (!out->is_15)
		return;
	FIELD(out->tee_tcb_svn2, at + 584);
	FIELD(out->mrservicetd, at + 600);
}

static enum hm_verdict read_header(
    struct sgx_quote *out, struct reader *r, uint32_t *tee)
{
	struct slice header;
	const uint8_t *at;

	if (take(r, HEADER_LEN, &header) != 0)
		return malformed(r, "shorter than its header");
	at = header.at;
	out->version = u16(at);
	*tee = u32(at + 4);
	out->qe_svn = u16(at + 8);
	out->pce_svn = u16(at + 10);
	FIELD(out->user_data, at + 28);
	if (REFUSE(quote_version, out->version < 3 || out->version > 5))
		return malformed(r, "not version 3, 4 or 5");
	if (REFUSE(quote_key_type, u16(at + 2) != KEY_TYPE_P256))
		return malformed(r, "not an ECDSA-P256 attestation key");
	if (REFUSE(quote_vendor,
		memcmp(at + 12, vendor_intel, sizeof(vendor_intel)) != 0))
		return malformed(r, "not Intel's quoting enclave");
	/* In version 3 the field is reserved, and zero. */
	if (REFUSE(quote_tee,
		*tee != TEE_SGX && (*tee != TEE_TDX || out->version == 3)))
		return malformed(r, "neither SGX nor TDX");
	out->is_td = *tee == TEE_TDX;
	return HM_VALID;
}

/* From version 5 on the body says what it is. */
static enum hm_verdict read_body_size(
    const struct sgx_quote *quote, struct reader *r, size_t *size)
{
	unsigned type = quote->is_td ? BODY_TD10 : BODY_SGX;
	size_t said;

	if (quote->version < 5) {
		*size = quote->is_td ? SGX_TD10_LEN : SGX_REPORT_LEN;
		return HM_VALID;
	}
	if (take_u16(r, &type) != 0 || take_u32(r, &said) != 0)
		return malformed(r, "no body");
	*size = type == BODY_SGX    ? SGX_REPORT_LEN
		: type == BODY_TD10 ? SGX_TD10_LEN
				    : SGX_TD15_LEN;
	if (REFUSE(quote_body_type, type < BODY_SGX || type > BODY_TD15) ||
	    REFUSE(quote_body_tee, quote->is_td != (type != BODY_SGX)))
		return malformed(r, "a body of another kind");
	if (REFUSE(quote_body_size, said != *size))
		return malformed(r, "a body of another size");
	return HM_VALID;
}

static enum hm_verdict read_body(struct sgx_quote *out, struct reader *r)
{
	struct slice body;
	size_t size;
	enum hm_verdict verdict = read_body_size(out, r, &size);

	if (verdict != HM_VALID)
		return verdict;
	if (take(r, size, &body) != 0)
		return malformed(r, "its body is cut off");
	if (out->is_td) {
		read_td(&out->td, body.at, size);
		FIELD(out->report_data, out->td.report_data);
		/* Intel TDX Module, ABI: of TDATTRIBUTES the lowest byte (TUD)
		 * has DEBUG and bits for other ways into the domain. */
		out->debug = out->td.td_attributes[0] != 0;
		return HM_VALID;
	}
	read_report(&out->enclave, body.at);
	FIELD(out->report_data, out->enclave.report_data);
	out->debug = (out->enclave.flags & SGX_FLAG_DEBUG) != 0;
	if (REFUSE(quote_init, (out->enclave.flags & SGX_FLAG_INIT) == 0))
		return malformed(r, "an enclave that was not initialised");
	return HM_VALID;
}

/* Of version 4 on the report and what follows are inside another element. */
static enum hm_verdict open_qe(const struct sgx_quote *quote, struct reader *r)
{
	unsigned type;
	size_t len;

	if (quote->version == 3)
		return HM_VALID;
	if (take_u16(r, &type) != 0 || take_u32(r, &len) != 0)
		return malformed(r, "its signature is cut off");
	if (REFUSE(quote_outer_type, type != CERT_QE_REPORT) ||
	    REFUSE(quote_outer_len, len != r->left.len))
		return malformed(r, "other certification data");
	return HM_VALID;
}

static enum hm_verdict read_pem(struct sgx_quote *out, struct reader *r)
{
	unsigned type;
	size_t len;

	if (take_u16(r, &type) != 0 || take_u32(r, &len) != 0)
		return malformed(r, "its certificates are cut off");
	if (REFUSE(quote_pem_type, type != CERT_PEM_CHAIN))
		return malformed(r, "its certificates are not in it");
	if (REFUSE(quote_pem_len, len != r->left.len))
		return malformed(r, "its certificates are of another length");
	out->pem = r->left;
	/* Most have C's end of a string. */
	if (len > 0 && out->pem.at[len - 1] == '\0')
		out->pem.len--;
	return HM_VALID;
}

static enum hm_verdict read_signature(struct sgx_quote *out, struct reader *r)
{
	enum hm_verdict verdict;
	unsigned auth;

	if (take(r, 64, &out->signature) != 0 ||
	    take(r, 64, &out->attestation_key) != 0)
		return malformed(r, "its signature is cut off");
	verdict = open_qe(out, r);
	if (verdict != HM_VALID)
		return verdict;
	if (take(r, SGX_REPORT_LEN, &out->qe_report) != 0 ||
	    take(r, 64, &out->qe_signature) != 0 || take_u16(r, &auth) != 0)
		return malformed(r, "its quoting enclave's report is cut off");
	if (REFUSE(quote_auth_max, auth > SGX_QE_AUTH_MAX) ||
	    take(r, auth, &out->qe_auth) != 0)
		return malformed(r, "its authentication data is too long");
	read_report(&out->qe, out->qe_report.at);
	return read_pem(out, r);
}

/* Some platforms hand out a fixed number of bytes. */
static bool only_zeros(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (REFUSE(quote_trailing, bytes.at[i] != 0))
			return false;
	return true;
}

static enum hm_verdict read_quote(
    struct sgx_quote *out, struct reader *r, const uint8_t *bytes)
{
	struct slice rest;
	size_t signature_len;
	uint32_t tee;
	enum hm_verdict verdict = read_header(out, r, &tee);

	if (verdict == HM_VALID)
		verdict = read_body(out, r);
	if (verdict != HM_VALID)
		return verdict;
	out->signed_part = (struct slice){bytes, (size_t)(r->left.at - bytes)};
	if (take_u32(r, &signature_len) != 0 ||
	    REFUSE(quote_signature_len, signature_len > r->left.len))
		return malformed(r, "its signature is cut off");
	rest.at = r->left.at + signature_len;
	rest.len = r->left.len - signature_len;
	r->left.len = signature_len;
	out->len = (size_t)(rest.at - bytes);
	if (!only_zeros(rest))
		return malformed(r, "something follows it");
	return read_signature(out, r);
}

enum hm_verdict sgx_quote_parse(
    struct sgx_quote *out, const uint8_t *bytes, size_t len, const char **why)
{
	struct reader r = {.left = {bytes, len}, .why = NULL};
	enum hm_verdict verdict;

	memset(out, 0, sizeof(*out));
	if (REFUSE(quote_max, len > SGX_QUOTE_MAX))
		verdict = malformed(&r, "too long");
	else
		verdict = read_quote(out, &r, bytes);
	if (verdict != HM_VALID)
		memset(out, 0, sizeof(*out));
	if (why != NULL)
		*why = r.why;
	return verdict;
}
