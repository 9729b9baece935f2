/* nonce: whether a document answers somebody's nonce, alone or as one of many
 * (hallmark.h). */
#include "verifier/merkle.h"

#include "feeds/check.h"

#include <openssl/crypto.h>
#include <string.h>

static bool is_plain(const uint8_t *document_nonce, size_t document_nonce_len,
    const uint8_t *nonce, size_t nonce_len)
{
	return REQUIRE(nonce_plain_len, document_nonce_len == nonce_len) &&
	       REQUIRE(nonce_plain_bytes,
		   CRYPTO_memcmp(document_nonce, nonce, nonce_len) == 0);
}

static bool is_leaf(const uint8_t root[HM_SHA256_LEN], const uint8_t *nonce,
    size_t nonce_len, uint64_t index, uint64_t size,
    const struct hm_log_proof *path)
{
	uint8_t leaf[HM_SHA256_LEN];

	if (merkle_leaf(nonce, nonce_len, leaf) != 0)
		return false; /* unnamed: for want of memory */
	return merkle_inclusion_holds(leaf, index, size, root, path);
}

enum hm_verdict hm_nonce_verify(const uint8_t *document_nonce,
    size_t document_nonce_len, const uint8_t *nonce, size_t nonce_len,
    uint64_t index, uint64_t size, const uint8_t (*path)[HM_SHA256_LEN],
    size_t path_len)
{
	struct hm_log_proof proof;
	bool ok;

	/* A nonce of nothing answers nobody's question. */
	if (REFUSE(nonce_none, nonce == NULL || nonce_len == 0))
		return HM_NONCE_MISMATCH;
	if (size == 0) {
		ok = REQUIRE(nonce_plain_path, path_len == 0) &&
		     is_plain(
			 document_nonce, document_nonce_len, nonce, nonce_len);
		return ok ? HM_VALID : HM_NONCE_MISMATCH;
	}
	if (REFUSE(nonce_root_len, document_nonce_len != HM_SHA256_LEN) ||
	    REFUSE(nonce_path_max, path_len > HM_LOG_HASHES_MAX))
		return HM_NONCE_MISMATCH;
	proof.count = path_len;
	if (path_len > 0)
		memcpy(proof.hashes, path, path_len * sizeof(path[0]));
	ok = is_leaf(document_nonce, nonce, nonce_len, index, size, &proof);
	return ok ? HM_VALID : HM_NONCE_MISMATCH;
}
