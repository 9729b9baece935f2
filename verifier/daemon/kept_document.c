/* kept_document: attestation documents by hash, counted. */
#include "verifier/daemon/kept_document.h"

#include "base/log.h"
#include "feeds/hex.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

struct kept_document *kept_document_new(const uint8_t *bytes, size_t len)
{
	struct kept_document *document = calloc(1, sizeof(*document));

	assert(len <= HM_DOCUMENT_MAX);
	if (!document || !(document->bytes = malloc(len + 1)))
		log_die("kept_document", "out of memory");
	memcpy(document->bytes, bytes, len);
	document->len = len;
	document->refs = 1;
	SHA256(bytes, len, document->sha256);
	hex_encode(document->sha256, HM_SHA256_LEN, document->sha256_hex);
	return document;
}

struct kept_document *kept_document_ref(struct kept_document *document)
{
	document->refs++;
	return document;
}

void kept_document_unref(struct kept_document *document)
{
	if (!document)
		return;
	assert(document->refs > 0);
	if (--document->refs)
		return;
	free(document->bytes);
	free(document);
}

struct kept_document *kept_documents_find(
    const struct kept_documents *documents, const uint8_t sha256[HM_SHA256_LEN])
{
	for (size_t i = 0; i < KEPT_DOCUMENTS_MAX; i++) {
		struct kept_document *d = documents->kept[i];

		if (d && memcmp(d->sha256, sha256, HM_SHA256_LEN) == 0)
			return d;
	}
	return NULL;
}

void kept_documents_add(
    struct kept_documents *documents, struct kept_document *document)
{
	struct kept_document **place = &documents->kept[documents->next];

	if (kept_documents_find(documents, document->sha256))
		return;
	kept_document_unref(*place);
	*place = kept_document_ref(document);
	documents->next = (documents->next + 1) % KEPT_DOCUMENTS_MAX;
}

void kept_documents_fini(struct kept_documents *documents)
{
	for (size_t i = 0; i < KEPT_DOCUMENTS_MAX; i++)
		kept_document_unref(documents->kept[i]);
	memset(documents, 0, sizeof(*documents));
}
