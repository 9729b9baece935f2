/* established: see established.h. */
#include "verifier/established.h"

#include "feeds/check.h"
#include "verifier/cose.h"
#include "verifier/report.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* One establishing under way. */
struct work {
	const struct hm_policy *policy;
	const struct hm_report *report;
	struct established *out;
	struct cose cose;               /* set by read_form */
	struct document_certs certs;    /* set by read_form */
	struct cert_cache *known;       /* may be NULL */
	const struct policy_root *root; /* set by check_root */
};

static enum hm_verdict read_form(struct work *w, struct slice bytes)
{
	enum hm_verdict verdict = report_check(w->report, "cose",
	    cose_parse(&w->cose, bytes.at, bytes.len), NULL, NULL);

	if (verdict != HM_VALID)
		return verdict;
	verdict = document_parse(&w->out->document, &w->certs, w->cose.payload);
	return report_check(w->report, "document", verdict, NULL,
	    verdict == HM_VALID ? w->out->document.module_id : NULL);
}

/* The first certificate of the bundle was chosen by whoever made the document:
 * it counts only if it is, byte for byte, one of ours. */
static enum hm_verdict check_root(struct work *w)
{
	struct slice first = w->certs.cabundle[0];
	bool trusted;

	if (EVP_Digest(first.at, first.len, w->out->root_sha256, NULL,
		EVP_sha256(), NULL) != 1)
		return HM_NO_MEMORY;
	w->root = policy_find_root(w->policy, w->out->root_sha256);
	trusted = REQUIRE(document_root, w->root != NULL);
	return report_check(w->report, "root",
	    trusted ? HM_VALID : HM_ROOT_UNTRUSTED, "a root of the policy",
	    w->root != NULL ? w->root->name : "another");
}

static enum hm_verdict check_chain(struct work *w)
{
	const char *why = NULL;
	enum hm_verdict verdict = chain_open(&w->out->chain, &w->certs,
	    w->out->document.module_id, w->root != NULL ? &w->root->cert : NULL,
	    w->known);

	verdict = report_check(
	    w->report, "certificate_profile", verdict, NULL, NULL);
	if (verdict != HM_VALID)
		return verdict;
	verdict = chain_verify(&w->out->chain, &why);
	if (verdict == HM_VALID && w->known != NULL)
		w->known->signatures += chain_unknown_links(&w->out->chain);
	return report_check(w->report, "chain", verdict, NULL, why);
}

static enum hm_verdict check_signature(struct work *w)
{
	enum hm_verdict verdict = cose_verify(
	    &w->cose, chain_leaf_key(&w->out->chain));

	if (verdict == HM_VALID && w->known != NULL)
		w->known->signatures++;
	return report_check(
	    w->report, "document_signature", verdict, NULL, NULL);
}

static void keep_facts(struct work *w)
{
	struct hm_document *document = &w->out->document;
	const struct hm_bytes *key = &document->public_key;

	chain_read_facts(&w->out->chain, &w->out->facts);
	document->not_before_ms = w->out->facts.not_before_ms;
	document->not_after_ms = w->out->facts.not_after_ms;
	/* Documents may carry other keys or none: no fault of theirs. */
	if (key->present)
		(void)!item_key_open(
		    &w->out->key, (struct slice){key->bytes, key->len});
}

static enum hm_verdict run(struct work *w, struct slice bytes)
{
	enum hm_verdict verdict = read_form(w, bytes);

	if (verdict == HM_VALID)
		verdict = check_root(w);
	if (verdict == HM_VALID)
		verdict = check_chain(w);
	if (verdict == HM_VALID)
		verdict = check_signature(w);
	if (verdict == HM_VALID)
		keep_facts(w);
	return verdict;
}

enum hm_verdict established_new(struct established **out,
    const struct hm_policy *policy, struct cert_cache *known,
    struct slice bytes, const uint8_t sha256[HM_SHA256_LEN],
    const struct hm_report *report)
{
	struct work w = {.policy = policy, .report = report, .known = known};
	enum hm_verdict verdict;

	*out = NULL;
	w.out = calloc(1, sizeof(*w.out));
	if (w.out == NULL)
		return HM_NO_MEMORY;
	verdict = run(&w, bytes);
	if (verdict != HM_VALID) {
		established_free(w.out);
		return verdict;
	}
	memcpy(w.out->document.sha256, sha256, HM_SHA256_LEN);
	*out = w.out;
	return HM_VALID;
}

void established_free(struct established *established)
{
	if (established == NULL)
		return;
	item_key_close(&established->key);
	chain_close(&established->chain);
	free(established->quote.at);
	free(established);
}
