/*
 * archive_bundle: one JSON file that verifies alone,
 *
 *   {"format":"hallmark-bundle/1",
 *    "created_ms":N,
 *    "policy":{...the policy file...},
 *    "roots":[{"file":"simulated-root.pem","pem":"..."}],
 *    "collateral":[{"file":"collateral.json","b64":"..."}],
 *    "attestations":[{"attestation_sha256","platform","public_key",
 *        "attestation_doc_b64"}],
 *    "items":[envelopes in the reference form],
 *    "tree_heads":[the same]}
 *
 * its keys in this order, each once and no other, so that it is read in one
 * pass whatever its size; without collateral where its policy names none. It is
 * written with a member a line: then a damaged one costs no other.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_BUNDLE_H
#define HALLMARK_VERIFIER_ARCHIVE_ARCHIVE_BUNDLE_H

#include "verifier/archive/archive_source.h"

#include <jansson.h>

#define ARCHIVE_BUNDLE_FORMAT "hallmark-bundle/1"
/* bytes of its policy, of its roots, and of each file of collateral */
#define ARCHIVE_BUNDLE_PART_MAX  262144
#define ARCHIVE_BUNDLE_FILES_MAX 64 /* of collateral */

struct archive_bundle_about {
	int64_t created_ms;
	json_t *policy; /* owned: the object */
	json_t *roots;  /* owned: [{"file","pem"}], in the policy's order */
	/* owned: [{"file","b64"}], in the policy's order; NULL: none */
	json_t *collateral;
	/* what --policy-sha256 pins */
	uint8_t sha256[HM_SHA256_LEN];
};

/* What a source's bundle says of itself, borrowed until it is closed; NULL: it
 * is no bundle. */
const struct archive_bundle_about *archive_source_bundle(
    const struct archive_source *source);

/*
 * The hash of a policy with its roots: of the compact JSON
 * {"policy":...,"roots":[{"file","pem"}...]} with all keys sorted, and
 * "collateral" as above if there is some, so that it does not depend on how it
 * was written down. Without these it would pin only their names. Sets
 * about->sha256. 0, or -1: no memory.
 */
HM_MUST_CHECK int archive_bundle_hash(struct archive_bundle_about *about);

/* The policy, its roots and collateral added, as hm_policy_check() accepts it;
 * the caller frees it. 0, or -1, *out NULL and why. */
HM_MUST_CHECK int archive_bundle_policy(struct hm_policy **out,
    const struct archive_bundle_about *about,
    char error[static ARCHIVE_SOURCE_ERROR_MAX]);

void archive_bundle_about_fini(struct archive_bundle_about *about);

#endif
