/* rule: the texts, in the order of the checks. */
#include "verifier/cli/rule.h"

#include <stddef.h>
#include <string.h>

const struct rule rules[] = {
    {"policy", "a root, a release, and PCR0, PCR1 or PCR2 in each release"},
    {"envelope", "the keys of an item, each once, and no other"},
    {"content", "the format hallmark/1 in its only spelling"},
    {"attestation_hash", "the document whose SHA-256 the item names"},
    {"attestation", "the document that the item refers to"},
    {"cose", "a COSE_Sign1 with ES384, as AWS writes it"},
    {"document", "an enclave's document, each field once and well formed"},
    {"root", "a root of the policy"},
    {"certificate_profile", "P-384 certificates of the kind that AWS issues"},
    {"chain", "each certificate signed by the one before it"},
    {"document_signature", "a signature by the last certificate's key"},
    {"quote", "a quote of version 3, 4 or 5, each length exact"},
    {"qe_signature", "the quoting enclave's report, signed by the PCK key"},
    {"attestation_key", "the key that the quoting enclave's report names"},
    {"quote_signature", "a signature of the quote by that key"},
    {"held_data", "report_data that is the SHA-256 of the data, and zeros"},
    {"root_crl", "the root's revocation list, signed, of that time"},
    {"pck_crl", "the list of the CA that issued the PCK, of that time"},
    {"tcb_info", "the TCB info of that platform, signed, of that time"},
    {"qe_identity", "the quoting enclave's identity, signed, of that time"},
    {"quoting_enclave", "the quoting enclave that Intel describes"},
    {"tdx_module", "a TDX module that Intel names"},
    {"tcb_status", "one of the policy's tcb_statuses"},
    {"policy_revoked", "no certificate of a quote on the policy's list"},
    {"revoked", "no certificate on the policy's list"},
    {"chain_time", "every certificate valid at that time"},
    {"document_time", "an age that max_age_s and max_future_s allow"},
    {"enclave_age", "a start at most max_enclave_age_s ago"},
    {"booted_after", "a start at or after booted_after"},
    {"debug", "an enclave whose memory its host cannot read"},
    {"pcrN", "one of the values that the release names"},
    {"mrenclave", "the code of one of the release's enclaves"},
    {"mrsigner", "the release's signer"},
    {"mrtd", "one of the release's MRTDs"},
    {"rtmrN", "one of the values that the release names"},
    {"product_id", "the signer's product that the release names"},
    {"svn", "at least the release's min_svn"},
    {"release", "a release that is accepted at that time"},
    {"nonce", "the nonce that was asked for"},
    {"policy_nonce", "the policy's nonce"},
    {"policy_user_data", "the policy's user_data"},
    {"policy_key_epoch", "a key_epoch of at least the policy's min_key_epoch"},
    {"platform", "the platform that the root speaks for"},
    {"public_key", "the key that the document attests"},
    {"item_signature", "a signature by that key over these very bytes"},
    {"attested_content", "a document that holds the SHA-256 of the content"},
    {"user_data", "the boot_id and config_sha256 that the document attests"},
    {"published", "a time in the document's life; live, also a recent one"},
    {"request", "the answer to the request that was made"},
    {"expires", "a price that is not past its expires_ms"},
    {"quorum", "co-signatures by as many other enclaves as the policy asks"},
    {NULL, NULL},
};

const char *rule_of(const char *check)
{
	size_t pcr = strlen("pcr"), rtmr = strlen("rtmr");
	const char *name = check;

	if (strncmp(check, "pcr", pcr) == 0 &&
	    strspn(check + pcr, "0123456789") > 0)
		name = "pcrN";
	else if (strncmp(check, "rtmr", rtmr) == 0)
		name = "rtmrN";
	for (const struct rule *r = rules; r->check; r++)
		if (strcmp(r->check, name) == 0)
			return r->wants;
	return NULL;
}
