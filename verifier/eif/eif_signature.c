/* eif_signature: reading and judging; eif_signature_make.c writes one. */
#include "verifier/eif/eif_signature.h"

#include "feeds/check.h"
#include "verifier/cose.h"
#include "verifier/der.h"
#include "verifier/eif/eif_pcrs.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <string.h>

/* ---- the certificate ---- */

static struct slice skip_blanks(struct slice text)
{
	while (text.len > 0 && text.at[0] != '\0' &&
	       strchr(" \t\r\n", text.at[0]) != NULL) {
		text.at++;
		text.len--;
	}
	return text;
}

/* The same characters, blanks and line breaks aside. */
static bool is_same_text(struct slice a, struct slice b)
{
	for (;;) {
		a = skip_blanks(a);
		b = skip_blanks(b);
		if (a.len == 0 || b.len == 0 || a.at[0] != b.at[0])
			return a.len == 0 && b.len == 0;
		a = (struct slice){a.at + 1, a.len - 1};
		b = (struct slice){b.at + 1, b.len - 1};
	}
}

/* OpenSSL steps over what is before and behind, and over much in between: is
 * this what one would write for these bytes? */
static bool is_pem_of(struct slice pem, const uint8_t *der, long len)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool same = false;
	char *text;

	if (bio != NULL &&
	    PEM_write_bio(bio, PEM_STRING_X509, "", der, len) > 0) {
		long n = BIO_get_mem_data(bio, &text);

		same = is_same_text(
		    pem, (struct slice){(uint8_t *)text, (size_t)n});
	}
	BIO_free(bio);
	return same;
}

/* The DER of the one certificate that this text is; -1. The caller frees. */
static int pem_decode(struct slice pem, uint8_t **der, long *der_len)
{
	BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
	char *name = NULL, *header = NULL;
	int rc = -1;

	*der = NULL;
	if (bio != NULL &&
	    PEM_read_bio(bio, &name, &header, der, der_len) == 1 &&
	    REQUIRE(eif_pem, is_pem_of(pem, *der, *der_len)))
		rc = 0;
	OPENSSL_free(name);
	OPENSSL_free(header);
	BIO_free(bio);
	return rc;
}

static bool is_p384(const X509 *x509)
{
	EVP_PKEY *key = X509_get0_pubkey(x509);
	char group[32] = "";

	return key != NULL && EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, SN_secp384r1) == 0;
}

enum eif_fault eif_signature_certificate(
    X509 **out, uint8_t pcr8[HM_PCR_LEN], struct slice pem)
{
	enum eif_fault fault = EIF_CERTIFICATE;
	const uint8_t *at;
	uint8_t *der;
	long len = 0;

	*out = NULL;
	memset(pcr8, 0, HM_PCR_LEN);
	if (pem_decode(pem, &der, &len) != 0)
		goto out;
	at = der;
	*out = d2i_X509(NULL, &at, len);
	if (*out != NULL &&
	    REQUIRE(eif_cert_der,
		der_check((struct slice){der, (size_t)len}) == 0) &&
	    REQUIRE(eif_cert_p384, is_p384(*out)))
		fault = EIF_NONE;
out:
	if (fault == EIF_NONE) {
		eif_pcrs_of(pcr8, der, (size_t)len);
	} else {
		X509_free(*out);
		*out = NULL;
	}
	OPENSSL_free(der);
	ERR_clear_error();
	return fault;
}

/* ---- CBOR ---- */

/* An array of numbers that are bytes: at most max of them, at least one. */
static int read_octets(
    struct cursor *cursor, uint8_t *out, size_t *out_len, size_t max)
{
	uint64_t count, octet;

	if (cursor_array(cursor, &count) != 0 ||
	    REFUSE(eif_octets_none, count == 0) ||
	    REFUSE(eif_octets_max, count > max))
		return -1;
	for (uint64_t i = 0; i < count; i++) {
		if (cursor_uint(cursor, &octet) != 0 ||
		    REFUSE(eif_octet, octet > UINT8_MAX))
			return -1;
		out[i] = (uint8_t)octet;
	}
	*out_len = (size_t)count;
	return 0;
}

/* The next key of a map is this one, its value follows. */
static int read_key(
    struct cursor *cursor, struct cursor_map *map, const char *name)
{
	struct slice key;

	if (cursor_map_next(cursor, map) != 1 ||
	    cursor_text(cursor, &key, 1, 32) != 0 ||
	    REFUSE(eif_signature_key, !slice_is(key, name)))
		return -1;
	return 0;
}

struct parts {
	uint8_t pem[EIF_PEM_MAX], cose[EIF_COSE_MAX];
	size_t pem_len, cose_len;
};

static int read_parts(struct parts *out, struct slice section)
{
	struct cursor cursor;
	struct cursor_map map;
	uint64_t count;

	cursor_init(&cursor, section);
	if (cursor_array(&cursor, &count) != 0 ||
	    REFUSE(eif_signature_one, count != 1) ||
	    cursor_map(&cursor, &map, false) != 0 ||
	    read_key(&cursor, &map, "signing_certificate") != 0 ||
	    read_octets(&cursor, out->pem, &out->pem_len, EIF_PEM_MAX) != 0 ||
	    read_key(&cursor, &map, "signature") != 0 ||
	    read_octets(&cursor, out->cose, &out->cose_len, EIF_COSE_MAX) !=
		0 ||
	    REFUSE(eif_signature_more, map.left != 0) ||
	    REFUSE(eif_signature_end, cursor_end(&cursor) != 0))
		return -1;
	return 0;
}

/* The register that the payload is about must be PCR0. */
static int read_payload(uint8_t pcr0[HM_PCR_LEN], struct slice payload)
{
	struct cursor cursor;
	struct cursor_map map;
	uint64_t index;
	size_t len;

	cursor_init(&cursor, payload);
	if (cursor_map(&cursor, &map, false) != 0 ||
	    read_key(&cursor, &map, "register_index") != 0 ||
	    cursor_uint(&cursor, &index) != 0 ||
	    REFUSE(eif_payload_index, index != 0) ||
	    read_key(&cursor, &map, "register_value") != 0 ||
	    read_octets(&cursor, pcr0, &len, HM_PCR_LEN) != 0 ||
	    REFUSE(eif_payload_len, len != HM_PCR_LEN) ||
	    REFUSE(eif_payload_more, map.left != 0) ||
	    REFUSE(eif_payload_end, cursor_end(&cursor) != 0))
		return -1;
	return 0;
}

/* ---- together ---- */

static enum eif_fault judge(
    const struct cose *cose, X509 *x509, const uint8_t measured[HM_PCR_LEN])
{
	uint8_t pcr0[HM_PCR_LEN];
	enum hm_verdict verdict;

	if (read_payload(pcr0, cose->payload) != 0)
		return EIF_SIGNATURE_FORM;
	verdict = cose_verify(cose, X509_get0_pubkey(x509));
	ERR_clear_error();
	if (verdict == HM_NO_MEMORY)
		return EIF_NO_MEMORY;
	if (verdict != HM_VALID)
		return EIF_SIGNATURE_WRONG;
	if (REFUSE(eif_signed_other, memcmp(pcr0, measured, sizeof(pcr0)) != 0))
		return EIF_SIGNED_OTHER;
	return EIF_NONE;
}

enum eif_fault eif_signature_verify(X509 **out, uint8_t pcr8[HM_PCR_LEN],
    struct slice section, const uint8_t pcr0[HM_PCR_LEN])
{
	struct parts parts;
	enum eif_fault fault;
	struct cose cose;

	*out = NULL;
	memset(pcr8, 0, HM_PCR_LEN);
	if (read_parts(&parts, section) != 0 ||
	    cose_parse(&cose, parts.cose, parts.cose_len) != HM_VALID)
		return EIF_SIGNATURE_FORM;
	fault = eif_signature_certificate(
	    out, pcr8, (struct slice){parts.pem, parts.pem_len});
	if (fault != EIF_NONE)
		return fault;
	fault = judge(&cose, *out, pcr0);
	if (fault != EIF_NONE) {
		X509_free(*out);
		*out = NULL;
	}
	return fault;
}
