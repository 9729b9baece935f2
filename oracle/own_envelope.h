/* own_envelope: the envelope around what this oracle signed: an item, or a
 * head of the log. */
#ifndef HALLMARK_ORACLE_OWN_ENVELOPE_H
#define HALLMARK_ORACLE_OWN_ENVELOPE_H

#include "oracle/attestation.h"
#include "oracle/signer.h"

/* Borrows all it is given; nothing to free. */
struct hm_envelope own_envelope(const char *content, size_t len,
    const struct signer *signer, const struct signer_op *op,
    const char *platform, const struct attestation_document *document);

/* Both forms as JSON, the caller's to free. Dies without memory. */
void own_envelope_texts(
    const struct hm_envelope *envelope, char **ref, char **full);

/* How many of its `count` co-signatures fit into what a verifier reads. */
size_t own_envelope_fitting(const struct hm_envelope *envelope, size_t count);

#endif
