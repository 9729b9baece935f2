/*
 * kms_helper: what the KMS stand-in (kms.py) leaves to libhallmark and OpenSSL:
 * to judge an attestation document by a root and PCRs as KMS does, and to
 * encrypt to the key that is in it.
 *
 *   kms_helper ROOT.pem chunks|whole [INDEX:HEX ...]
 *   < {"document": base64, "plaintext": base64}
 *   > {"verdict": "valid", "sealed": base64}
 */
#include "base/file.h"
#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "tests/simulator/kms_envelope.h"
#include "verifier/base64.h"
#include "verifier/hallmark.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static struct hm_policy *make_policy(const char *root, char **pcrs)
{
	struct hm_policy *policy = hm_policy_new();
	uint8_t *pem, value[HM_PCR_LEN];
	size_t len;
	int release;

	if (policy == NULL || file_read(root, 1 << 20, &pem, &len) != 0 ||
	    hm_policy_add_root_pem(policy, (const char *)pem, len) != 0)
		log_die("kms_helper", "root %s", root);
	free(pem);
	release = hm_policy_add_release(policy, "key", INT64_MIN, INT64_MAX);
	for (; release >= 0 && *pcrs != NULL; pcrs++) {
		char *hex;
		unsigned long index = strtoul(*pcrs, &hex, 10);

		if (*hex++ != ':' ||
		    hex_decode(value, sizeof(value), hex, strlen(hex)) != 0 ||
		    hm_policy_add_pcr(
			policy, release, (unsigned)index, value) != 0)
			log_die("kms_helper", "pcr %s", *pcrs);
	}
	return policy;
}

static uint8_t *take(const json_t *root, const char *key, size_t *len)
{
	const char *text = json_string_value(json_object_get(root, key));
	uint8_t *bytes;

	if (text == NULL || base64_decode(&bytes, len, text, strlen(text)) != 0)
		log_die("kms_helper", "no %s", key);
	return bytes;
}

static char *seal(
    const struct hm_document *document, const json_t *root, bool octet_strings)
{
	const struct kms_envelope_options options = {
	    .octet_strings = octet_strings};
	const uint8_t *end = document->public_key.bytes;
	EVP_PKEY *to = d2i_PUBKEY(NULL, &end, (long)document->public_key.len);
	struct kms_envelope envelope;
	uint8_t *plain;
	size_t len;
	char *text;

	if (to == NULL || !EVP_PKEY_is_a(to, "RSA"))
		return NULL;
	plain = take(root, "plaintext", &len);
	envelope = kms_envelope_make(to, plain, len, &options);
	text = base64_encode(envelope.bytes, envelope.len);
	EVP_PKEY_free(to);
	free(plain);
	return text;
}

int main(int argc, char **argv)
{
	json_t *root = json_loadf(stdin, JSON_REJECT_DUPLICATES, NULL);
	struct hm_document document;
	struct hm_policy *policy;
	enum hm_verdict verdict;
	char *sealed = NULL;
	uint8_t *bytes;
	size_t len;

	if (argc < 3 || root == NULL)
		log_die("kms_helper", "usage");
	policy = make_policy(argv[1], argv + 3);
	bytes = take(root, "document", &len);
	verdict = hm_document_verify_live(
	    policy, NULL, bytes, len, now_unix_ms(), NULL, 0, &document, NULL);
	if (verdict == HM_VALID)
		sealed = seal(&document, root, strcmp(argv[2], "chunks") == 0);
	printf("{\"verdict\": \"%s\", \"sealed\": \"%s\"}\n",
	    hm_verdict_name(verdict), sealed ? sealed : "");
	free(sealed);
	free(bytes);
	hm_policy_free(policy);
	json_decref(root);
	return 0;
}
