/* documents: see documents.h. */
#include "verifier/cli/documents.h"

#include "feeds/hex.h"
#include "verifier/base64.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void documents_keep(struct documents *d, const struct archive_entry *entry)
{
	int at;

	if (entry->len > HM_DOCUMENT_MAX ||
	    archive_ring_find(&d->ring, entry->sha256) >= 0)
		return;
	at = archive_ring_add(&d->ring, entry->sha256);
	memcpy(d->bytes[at], entry->bytes, entry->len);
	d->lens[at] = entry->len;
}

const uint8_t *documents_find(
    const struct documents *d, const uint8_t sha256[HM_SHA256_LEN], size_t *len)
{
	int at = archive_ring_find(&d->ring, sha256);

	*len = at < 0 ? 0 : d->lens[at];
	return at < 0 ? NULL : d->bytes[at];
}

void documents_lend(const struct documents *documents,
    const struct hm_envelope *envelope, struct documents_cosigned *out)
{
	size_t count = 0, len;

	out->envelope = *envelope;
	for (size_t i = 0; i < envelope->cosignature_count; i++) {
		struct hm_envelope *to = &out->list[count];
		const uint8_t *bytes = documents_find(documents,
		    envelope->cosignatures[i].attestation_sha256, &len);

		if (bytes == NULL || count == HM_COSIGNATURES_MAX)
			continue;
		*to = envelope->cosignatures[i];
		to->document = (uint8_t *)(uintptr_t)bytes; /* looked at only */
		to->document_len = len;
		count++;
	}
	out->envelope.cosignatures = count > 0 ? out->list : NULL;
	out->envelope.cosignature_count = count;
}

int documents_use(struct documents *d, const uint8_t sha256[HM_SHA256_LEN])
{
	struct archive_place place = {.len = 1};

	if (archive_seen_find(&d->used, sha256) != NULL)
		return 0;
	memcpy(place.sha256, sha256, HM_SHA256_LEN);
	return archive_seen_add(&d->used, &place) == 0 ? 1 : -1;
}

void documents_fini(struct documents *documents)
{
	archive_seen_fini(&documents->used);
}

char *documents_format(
    const struct hm_envelope *envelope, const uint8_t *bytes, size_t len)
{
	char *base64 = base64_encode(bytes, len), *text = NULL;
	char hex[2 * HM_SHA256_LEN + 1];
	json_t *root;

	if (base64 == NULL)
		return NULL;
	hex_encode(envelope->attestation_sha256, HM_SHA256_LEN, hex);
	root = json_pack("{s:s, s:s, s:s, s:s}", "attestation_sha256", hex,
	    "platform", envelope->platform, "public_key", envelope->public_key,
	    "attestation_doc_b64", base64);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	free(base64);
	return text;
}
