/* seal_delivery: see seal_delivery.h. */
#include "verifier/cli/seal_delivery.h"

#include "base/log.h"
#include "verifier/base64.h"
#include "verifier/daemon/curl_body.h"
#include "verifier/secret_message.h"

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the receipt ---- */

static bool is_signed(const struct hm_bytes *key_der, const char *text,
    const uint8_t *signature, size_t len)
{
	const unsigned char *at = key_der->bytes;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)key_der->len);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = key && ctx && EVP_PKEY_is_a(key, "RSA") &&
		    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) ==
			1 &&
		    EVP_DigestVerify(ctx, signature, len, (const uint8_t *)text,
			strlen(text)) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good;
}

bool seal_receipt_ok(const char *json, size_t len,
    const struct channel_facts *facts, const char *name,
    const uint8_t cms_sha256[HM_SHA256_LEN])
{
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	const char *content, *text;
	char wanted[SECRET_RECEIPT_MAX];
	uint8_t *signature = NULL;
	size_t signature_len;
	bool good = false;

	secret_receipt_format(
	    wanted, facts->attested.boot_id, name, cms_sha256);
	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s:s}", "content",
		&content, "signature_b64", &text) == 0 &&
	    strcmp(content, wanted) == 0 &&
	    base64_decode(&signature, &signature_len, text, strlen(text)) == 0)
		good = is_signed(&facts->document.public_key, wanted, signature,
		    signature_len);
	free(signature);
	json_decref(root);
	return good;
}

/* ---- one try ---- */

static CURLcode post(struct curl_body *answer, long *status,
    const struct oracle_address *address, const char *name, const uint8_t *der,
    size_t len)
{
	struct curl_slist *headers = curl_slist_append(
	    NULL, "Content-Type: application/cms");
	char target[sizeof("/secrets/") + SECRET_NAME_MAX];
	CURLcode result;
	CURL *easy;

	snprintf(target, sizeof(target), "/secrets/%s", name);
	easy = oracle_address_get(address, target);
	if (!headers)
		log_die("seal", "out of memory");
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, (const char *)der);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)len);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_body_init(answer, SEAL_DELIVERY_MAX);
	curl_body_collect(answer, easy);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)SEAL_DELIVERY_MS);
	result = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status);
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
	return result;
}

/* ---- until it is taken ---- */

static enum seal_delivery_end judge(const struct curl_body *answer, long status,
    const struct channel_facts *facts, const char *name, const uint8_t *der,
    size_t len, char error[static SEAL_DELIVERY_ERROR_MAX])
{
	uint8_t sha256[HM_SHA256_LEN];
	char problem[400];

	if (status != 200) {
		curl_body_problem(answer, status, problem, sizeof(problem));
		snprintf(error, SEAL_DELIVERY_ERROR_MAX, "the answer is %s",
		    problem);
		return SEAL_REFUSED;
	}
	if (EVP_Digest(der, len, sha256, NULL, EVP_sha256(), NULL) != 1)
		log_die("seal", "out of memory");
	if (seal_receipt_ok(answer->bytes, answer->len, facts, name, sha256))
		return SEAL_TAKEN;
	snprintf(error, SEAL_DELIVERY_ERROR_MAX,
	    "the receipt is not signed by the enclave: somebody in between "
	    "says that the secret has arrived");
	return SEAL_FORGED;
}

enum seal_delivery_end seal_deliver(const struct oracle_address *address,
    const char *name, const struct channel_facts *facts, const uint8_t *der,
    size_t len, char error[static SEAL_DELIVERY_ERROR_MAX])
{
	struct curl_body answer = {.bytes = NULL};
	enum seal_delivery_end end = SEAL_NO_ANSWER;
	CURLcode result = CURLE_OK;
	long status = 0;

	for (int tries = 0; tries < SEAL_DELIVERY_TRIES; tries++) {
		curl_body_fini(&answer);
		result = post(&answer, &status, address, name, der, len);
		if (result != CURLE_OK || status != 429)
			break;
		sleep(1);
	}
	if (result == CURLE_OK)
		end = judge(&answer, status, facts, name, der, len, error);
	else
		snprintf(error, SEAL_DELIVERY_ERROR_MAX, "%s: %s",
		    address->text, curl_body_why(&answer, result));
	curl_body_fini(&answer);
	return end;
}
