/* eif_signature_make: writes the signature section, see eif_signature.h. */
#include "verifier/eif/eif_signature.h"

#include "verifier/cose.h"

#include <cbor.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define SCALAR_LEN  (COSE_SIGNATURE_LEN / 2)
#define PAYLOAD_MAX 256

/* CBOR in the caller's buffer. What does not fit makes it full for good. */
struct out {
	uint8_t *bytes;
	size_t len, cap;
	bool full;
};

static void took(struct out *out, size_t n)
{
	out->full |= n == 0; /* libcbor: "0 if the buffer is too small" */
	out->len += n;
}

static void put_uint(struct out *out, uint64_t value)
{
	took(out, cbor_encode_uint(
		      value, out->bytes + out->len, out->cap - out->len));
}

static void put_array(struct out *out, size_t count)
{
	took(out, cbor_encode_array_start(
		      count, out->bytes + out->len, out->cap - out->len));
}

static void put_map(struct out *out, size_t count)
{
	took(out, cbor_encode_map_start(
		      count, out->bytes + out->len, out->cap - out->len));
}

static void put_raw(struct out *out, const void *bytes, size_t len)
{
	if (out->full || len > out->cap - out->len) {
		out->full = true;
		return;
	}
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

static void put_text(struct out *out, const char *text)
{
	size_t len = strlen(text);

	took(out, cbor_encode_string_start(
		      len, out->bytes + out->len, out->cap - out->len));
	put_raw(out, text, len);
}

static void put_bytes(struct out *out, const uint8_t *bytes, size_t len)
{
	took(out, cbor_encode_bytestring_start(
		      len, out->bytes + out->len, out->cap - out->len));
	put_raw(out, bytes, len);
}

static void put_octets(struct out *out, const uint8_t *bytes, size_t len)
{
	put_array(out, len);
	for (size_t i = 0; i < len && !out->full; i++)
		put_uint(out, bytes[i]);
}

/* r || s, of what OpenSSL writes as DER. */
static int raw_signature(
    uint8_t out[COSE_SIGNATURE_LEN], const uint8_t *der, size_t len)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	int rc = -1;

	if (sig != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, SCALAR_LEN) > 0 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + SCALAR_LEN, SCALAR_LEN) >
		0)
		rc = 0;
	ECDSA_SIG_free(sig);
	return rc;
}

static int sign(uint8_t out[COSE_SIGNATURE_LEN], EVP_PKEY *key,
    const uint8_t *payload, size_t len)
{
	uint8_t prefix[COSE_PREFIX_MAX], der[128];
	size_t prefix_len = cose_signed_prefix(prefix, len);
	size_t der_len = sizeof(der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = -1;

	if (ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key) == 1 &&
	    EVP_DigestSignUpdate(ctx, prefix, prefix_len) == 1 &&
	    EVP_DigestSignUpdate(ctx, payload, len) == 1 &&
	    EVP_DigestSignFinal(ctx, der, &der_len) == 1)
		rc = raw_signature(out, der, der_len);
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return rc;
}

static int make_cose(
    struct out *out, EVP_PKEY *key, const uint8_t pcr0[HM_PCR_LEN])
{
	static const uint8_t es384[] = {0xa1, 0x01, 0x38, 0x22}; /* {1: -35} */
	uint8_t bytes[PAYLOAD_MAX], signature[COSE_SIGNATURE_LEN];
	struct out payload = {bytes, 0, sizeof(bytes), false};

	put_map(&payload, 2);
	put_text(&payload, "register_index");
	put_uint(&payload, 0);
	put_text(&payload, "register_value");
	put_octets(&payload, pcr0, HM_PCR_LEN);
	if (payload.full || sign(signature, key, bytes, payload.len) != 0)
		return -1;
	put_array(out, 4);
	put_bytes(out, es384, sizeof(es384));
	put_map(out, 0);
	put_bytes(out, bytes, payload.len);
	put_bytes(out, signature, sizeof(signature));
	return out->full ? -1 : 0;
}

int eif_signature_make(uint8_t **out, size_t *out_len, struct slice pem,
    EVP_PKEY *key, const uint8_t pcr0[HM_PCR_LEN])
{
	uint8_t bytes[EIF_COSE_MAX];
	struct out cose = {bytes, 0, sizeof(bytes), false};
	struct out section = {NULL, 0, EIF_SIGNATURE_MAX, false};

	*out = NULL;
	*out_len = 0;
	if (make_cose(&cose, key, pcr0) != 0)
		return -1;
	section.bytes = malloc(EIF_SIGNATURE_MAX);
	if (section.bytes == NULL)
		return -1;
	put_array(&section, 1);
	put_map(&section, 2);
	put_text(&section, "signing_certificate");
	put_octets(&section, pem.at, pem.len);
	put_text(&section, "signature");
	put_octets(&section, bytes, cose.len);
	if (section.full) {
		free(section.bytes);
		return -1;
	}
	*out = section.bytes;
	*out_len = section.len;
	return 0;
}
