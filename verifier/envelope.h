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

#define ENVELOPE_SIGNATURE_MAX 512 /* bytes, RSA-4096 */

/* Reads the fields of an envelope's JSON into a zeroed *out; their texts may
 * stand in `room`, of len + FLAT_JSON_SLACK bytes, as long as it runs. 0 or -1;
 * then what it has put into *out is freed by the caller. */
typedef int envelope_reader(
    struct hm_envelope *out, const char *json, size_t len, char *room);

/* For every form of an envelope: HM_VALID, and *out is the caller's to
 * hm_envelope_fini(); or HM_ENVELOPE_MALFORMED (no JSON, longer than max bytes,
 * not what `read` takes, no memory), and *out is zeroed. */
HM_MUST_CHECK enum hm_verdict envelope_read(struct hm_envelope *out,
    const char *json, size_t len, size_t max, envelope_reader *read);

/* Does its content call itself this, in its first member? */
bool envelope_has_format(
    const struct hm_envelope *envelope, const char *format);

/* Writes compact JSON into a new NUL-terminated buffer that the caller frees;
 * NULL: no memory. The document is left out if with_document is false. */
char *envelope_format(const struct hm_envelope *envelope, bool with_document);

/* The full form, made of what envelope_format(envelope, false) wrote: for
 * those who need both, without writing the content twice. As above. */
char *envelope_add_document(
    const char *reference, const struct hm_envelope *envelope);

#endif
