/*
 * attester_simulated: documents as a Nitro Security Module gives them, under a
 * root that is nobody's. Everything else is as in the real ones (shape of the
 * document, chain, PCRs), so that all that stands on it is exercised; the only
 * thing it does not do is vouch for anything.
 *
 * The document, byte for byte as AWS writes it since August 2025:
 *
 *   84 44 a1013822 a0 59xxxx payload 5860 signature   COSE_Sign1, untagged,
 *                                                     ES384 (RFC 9053, 2.1)
 *   payload = bf module_id digest timestamp pcrs certificate cabundle
 *             public_key user_data nonce ff           absent ones null
 */
#include "oracle/attester_simulated.h"

#include "base/log.h"
#include "base/now.h"
#include "oracle/cbor_writer.h"
#include "oracle/simulated_chain.h"
#include "oracle/simulated_root.h"

#include <assert.h>
#include <openssl/ecdsa.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRS            32
#define PCRS_AT_BOOT    16  /* locked from the start, always in a document */
#define INSTANCE_ID_LEN 19  /* i-<17 hex> */
#define COORDINATE_LEN  48  /* of P-384 */
#define ECDSA_DER_MAX   104 /* two such integers and three heads */
#define SIGNED_HEAD_MAX 32  /* of a Sig_structure, before the payload */

static const uint8_t protected_header[] = {0xa1, 0x01, 0x38, 0x22};

struct pcr {
	uint8_t value[ATTESTER_PCR_LEN];
	bool locked;
};

struct attester_simulated {
	struct attester base;
	int64_t (*now_ms)(void);
	struct simulated_chain chain;
	char root_pem[SIMULATED_ROOT_PEM_MAX];
	struct pcr pcrs[PCRS];
};

static int say(
    char error[ATTESTER_ERROR_MAX], const char *what, const char *why)
{
	snprintf(error, ATTESTER_ERROR_MAX, "simulated %s: %s", what, why);
	return -1;
}

/* ---- PCRs ---- */

static void sha384(uint8_t out[ATTESTER_PCR_LEN], const uint8_t *prefix,
    size_t prefix_len, const void *data, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha384(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, prefix, prefix_len) != 1 ||
	    EVP_DigestUpdate(ctx, data, len) != 1 ||
	    EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		log_die("attester_simulated", "SHA-384 failed");
	EVP_MD_CTX_free(ctx);
}

static void boot_pcrs(struct attester_simulated *s)
{
	static const uint8_t zeros[ATTESTER_PCR_LEN];
	char text[32];

	for (unsigned i = 0; i < PCRS_AT_BOOT; i++)
		s->pcrs[i].locked = true;
	for (unsigned i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "hallmark simulated pcr%u", i);
		sha384(s->pcrs[i].value, zeros, 0, text, strlen(text));
	}
	/* AWS Nitro Enclaves User Guide: PCR4 is extended with the instance
	 * id; PCR3, the IAM role, stays zero where there is none. */
	sha384(s->pcrs[4].value, zeros, sizeof(zeros), s->chain.module_id,
	    INSTANCE_ID_LEN);
}

static struct pcr *find_pcr(struct attester *a, unsigned index)
{
	return index < PCRS ? &((struct attester_simulated *)a)->pcrs[index]
			    : NULL;
}

static int extend_pcr(struct attester *a, unsigned index, const uint8_t *data,
    size_t len, char error[ATTESTER_ERROR_MAX])
{
	struct pcr *pcr = find_pcr(a, index);

	if (pcr == NULL)
		return say(error, "ExtendPCR", "InvalidIndex");
	if (pcr->locked)
		return say(error, "ExtendPCR", "ReadOnlyIndex");
	sha384(pcr->value, pcr->value, sizeof(pcr->value), data, len);
	return 0;
}

static int lock_pcr(
    struct attester *a, unsigned index, char error[ATTESTER_ERROR_MAX])
{
	struct pcr *pcr = find_pcr(a, index);

	if (pcr == NULL)
		return say(error, "LockPCR", "InvalidIndex");
	if (pcr->locked)
		return say(error, "LockPCR", "ReadOnlyIndex");
	pcr->locked = true;
	return 0;
}

static int describe_pcr(struct attester *a, unsigned index,
    uint8_t out[ATTESTER_PCR_LEN], int *locked, char error[ATTESTER_ERROR_MAX])
{
	const struct pcr *pcr = find_pcr(a, index);

	memset(out, 0, ATTESTER_PCR_LEN);
	*locked = 0;
	if (pcr == NULL)
		return say(error, "DescribePCR", "InvalidIndex");
	memcpy(out, pcr->value, ATTESTER_PCR_LEN);
	*locked = pcr->locked;
	return 0;
}

/* ---- documents ---- */

static void encode_pcrs(struct writer *w, const struct pcr pcrs[PCRS])
{
	size_t count = 0;

	for (unsigned i = 0; i < PCRS; i++)
		count += pcrs[i].locked;
	writer_map(w, count);
	for (unsigned i = 0; i < PCRS; i++) {
		if (!pcrs[i].locked)
			continue;
		writer_uint(w, i);
		writer_bytes(w, pcrs[i].value, sizeof(pcrs[i].value));
	}
}

static void encode_chain(struct writer *w, const struct simulated_chain *chain)
{
	const struct simulated_chain_link *links = chain->links;

	writer_text(w, "certificate");
	writer_bytes(w, links[SIMULATED_CHAIN_LEAF].der,
	    links[SIMULATED_CHAIN_LEAF].der_len);
	writer_text(w, "cabundle");
	writer_array(w, SIMULATED_CHAIN_LEAF);
	for (unsigned i = SIMULATED_CHAIN_ROOT; i < SIMULATED_CHAIN_LEAF; i++)
		writer_bytes(w, links[i].der, links[i].der_len);
}

static size_t encode_payload(const struct attester_simulated *s,
    const struct attester_request *req, int64_t now_ms,
    uint8_t out[ATTESTER_DOCUMENT_MAX])
{
	struct writer w;

	writer_init(&w, out, ATTESTER_DOCUMENT_MAX);
	writer_open_map(&w);
	writer_text(&w, "module_id");
	writer_text(&w, s->chain.module_id);
	writer_text(&w, "digest");
	writer_text(&w, "SHA384");
	writer_text(&w, "timestamp");
	writer_uint64(&w, (uint64_t)now_ms);
	writer_text(&w, "pcrs");
	encode_pcrs(&w, s->pcrs);
	encode_chain(&w, &s->chain);
	writer_text(&w, "public_key");
	writer_bytes_or_null(&w, req->public_key, req->public_key_len);
	writer_text(&w, "user_data");
	writer_bytes_or_null(&w, req->user_data, req->user_data_len);
	writer_text(&w, "nonce");
	writer_bytes_or_null(&w, req->nonce, req->nonce_len);
	writer_break(&w);
	return writer_end(&w);
}

/* ECDSA gives DER; COSE wants r and s, each as long as the curve's order
 * (RFC 9053, 2.1). */
static int raw_signature(
    const uint8_t *der, size_t der_len, uint8_t out[2 * COORDINATE_LEN])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
	int rc = -1;

	if (sig != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, COORDINATE_LEN) ==
		COORDINATE_LEN &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + COORDINATE_LEN,
		COORDINATE_LEN) == COORDINATE_LEN)
		rc = 0;
	ECDSA_SIG_free(sig);
	return rc;
}

/* Signs the Sig_structure (RFC 9052, 4.4): ["Signature1", protected, h'',
 * payload]. */
static int sign(EVP_PKEY *key, const uint8_t *payload, size_t len,
    uint8_t out[2 * COORDINATE_LEN])
{
	uint8_t signed_bytes[SIGNED_HEAD_MAX + ATTESTER_DOCUMENT_MAX];
	uint8_t der[ECDSA_DER_MAX];
	size_t der_len = sizeof(der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct writer w;
	int rc = -1;

	writer_init(&w, signed_bytes, sizeof(signed_bytes));
	writer_array(&w, 4);
	writer_text(&w, "Signature1");
	writer_bytes(&w, protected_header, sizeof(protected_header));
	writer_bytes(&w, NULL, 0);
	writer_bytes(&w, payload, len);
	if (writer_end(&w) != 0 && ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, der, &der_len, signed_bytes, writer_end(&w)) ==
		1)
		rc = raw_signature(der, der_len, out);
	EVP_MD_CTX_free(ctx);
	return rc;
}

static int attest(struct attester *a, const struct attester_request *req,
    uint8_t *out, size_t *out_len, char error[ATTESTER_ERROR_MAX])
{
	struct attester_simulated *s = (struct attester_simulated *)a;
	uint8_t payload[ATTESTER_DOCUMENT_MAX], signature[2 * COORDINATE_LEN];
	int64_t now_ms = s->now_ms();
	struct writer w;
	size_t len;

	*out_len = 0;
	if (req->public_key_len > ATTESTER_PUBLIC_KEY_MAX ||
	    req->user_data_len > ATTESTER_USER_DATA_MAX ||
	    req->nonce_len > ATTESTER_NONCE_MAX)
		return say(error, "Attestation", "InputTooLarge");
	if (simulated_chain_renew(&s->chain, now_ms / 1000) != 0)
		return say(error, "Attestation",
		    "no certificates: is the clock within the root's life?");
	len = encode_payload(s, req, now_ms, payload);
	if (len == 0 || sign(s->chain.links[SIMULATED_CHAIN_LEAF].key, payload,
			    len, signature) != 0)
		return say(error, "Attestation", "InternalError");
	writer_init(&w, out, ATTESTER_DOCUMENT_MAX);
	writer_array(&w, 4);
	writer_bytes(&w, protected_header, sizeof(protected_header));
	writer_map(&w, 0);
	writer_bytes(&w, payload, len);
	writer_bytes(&w, signature, sizeof(signature));
	*out_len = writer_end(&w);
	return *out_len != 0 ? 0 : say(error, "Attestation", "InternalError");
}

/* ---- open and close ---- */

static const char *root_pem(struct attester *a)
{
	return ((struct attester_simulated *)a)->root_pem;
}

static void simulated_close(struct attester *a)
{
	struct attester_simulated *s = (struct attester_simulated *)a;

	simulated_chain_fini(&s->chain);
	free(s);
}

static const struct attester_ops ops = {
    .platform = "simulated",
    .extend_pcr = extend_pcr,
    .lock_pcr = lock_pcr,
    .describe_pcr = describe_pcr,
    .attest = attest,
    .root_pem = root_pem,
    .close = simulated_close,
};

void attester_simulated_set_pcr(struct attester *a, unsigned index,
    const uint8_t value[static ATTESTER_PCR_LEN])
{
	assert(a->ops == &ops && index < PCRS_AT_BOOT);
	memcpy(((struct attester_simulated *)a)->pcrs[index].value, value,
	    ATTESTER_PCR_LEN);
}

struct attester *attester_simulated_open_at(const char *directory,
    int64_t (*now_ms)(void), char error[ATTESTER_ERROR_MAX])
{
	struct attester_simulated *s = calloc(1, sizeof(*s));
	struct simulated_chain_link root;

	if (s == NULL)
		log_die("attester_simulated", "out of memory");
	error[0] = '\0';
	s->base.ops = &ops;
	s->now_ms = now_ms;
	if (simulated_root_open(
		&root, s->root_pem, directory, now_ms() / 1000, error) != 0) {
		free(s);
		return NULL;
	}
	if (simulated_chain_init(&s->chain, &root, now_ms()) != 0)
		log_die("attester_simulated", "no random bytes");
	boot_pcrs(s);
	log_warn("attester_simulated", "SIMULATED",
	    LOG_S("meaning",
		"documents vouch for nothing; no verifier accepts them "
		"unless its policy names this root"),
	    LOG_S("root", directory), LOG_S("module_id", s->chain.module_id));
	return &s->base;
}

struct attester *attester_simulated_open(
    const char *directory, char error[ATTESTER_ERROR_MAX])
{
	return attester_simulated_open_at(directory, now_unix_ms, error);
}
