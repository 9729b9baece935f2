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
