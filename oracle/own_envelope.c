/* own_envelope: see own_envelope.h. */
#include "oracle/own_envelope.h"

#include "base/log.h"
#include "verifier/envelope.h"

#include <stdio.h>
#include <string.h>

struct hm_envelope own_envelope(const char *content, size_t len,
    const struct signer *signer, const struct signer_op *op,
    const char *platform, const struct attestation_document *document)
{
	struct hm_envelope envelope = {
	    .content = (char *)content,
	    .content_len = len,
	    .signature = (uint8_t *)op->signature,
	    .signature_len = sizeof(op->signature),
	    .public_key = (char *)signer_public_pem(signer),
	    .document = document->bytes,
	    .document_len = document->len,
	};

	snprintf(envelope.platform, sizeof(envelope.platform), "%s", platform);
	memcpy(envelope.attestation_sha256, document->sha256, HM_SHA256_LEN);
	return envelope;
}

void own_envelope_texts(
    const struct hm_envelope *envelope, char **ref, char **full)
{
	*ref = envelope_format(envelope, false);
	*full = *ref ? envelope_add_document(*ref, envelope) : NULL;
	if (!*full)
		log_die("oracle", "out of memory");
}

/* About: base64 takes 4 bytes for 3, and a text is escaped; what is not counted
 * has room in an eighth. */
static size_t size_of(const struct hm_envelope *e)
{
	size_t size = 512 + e->content_len + strlen(e->public_key) +
		      (e->signature_len + e->document_len) / 3 * 4;

	for (size_t i = 0; i < e->content_len; i++)
		size += e->content[i] == '"' || e->content[i] == '\\';
	return size;
}

size_t own_envelope_fitting(const struct hm_envelope *envelope, size_t count)
{
	size_t size = size_of(envelope), fit = 0;

	while (fit < count) {
		size += size_of(&envelope->cosignatures[fit]);
		if (size > HM_ENVELOPE_MAX / 8 * 7)
			break;
		fit++;
	}
	return fit;
}
