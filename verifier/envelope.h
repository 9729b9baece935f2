/*
 * envelope: the outer JSON of an item, written and read in one file. Reading
 * is hm_envelope_parse() of hallmark.h. Keys, in this order when written:
 * content, signature_b64, public_key, platform, attestation_sha256 (lower-case
 * hex), in the full form attestation_doc_b64, and where others vouch for the
 * same item, cosignatures: an array of such objects, with their documents in
 * the full form as far as they are there.
 */
#ifndef HALLMARK_VERIFIER_ENVELOPE_H
#define HALLMARK_VERIFIER_ENVELOPE_H

#include "verifier/hallmark.h"

/* Writes compact JSON into a new NUL-terminated buffer that the caller frees;
 * NULL: no memory. The document is left out if with_document is false. */
char *envelope_format(const struct hm_envelope *envelope, bool with_document);

/* The full form, made of what envelope_format(envelope, false) wrote: for
 * those who need both, without writing the content twice. As above. */
char *envelope_add_document(
    const char *reference, const struct hm_envelope *envelope);

#endif
