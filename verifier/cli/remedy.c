/* remedy: the texts. The table is made from HM_VERDICTS, so a verdict without
 * its line below does not compile. */
#include "verifier/cli/remedy.h"

#include <assert.h>

#define SAYS_VALID "Every check passed.", "Nothing to do."
#define SAYS_ENVELOPE_MALFORMED                                  \
	"The item's outer JSON is not exactly its six members.", \
	    "Fetch the item again and keep it byte for byte."
#define SAYS_CONTENT_MALFORMED                                       \
	"The signed content does not follow the format hallmark/1.", \
	    "Use a verifier as new as the oracle, or fetch the item again."
#define SAYS_COSE_MALFORMED                                               \
	"The attestation document is not a COSE_Sign1 as AWS writes it.", \
	    "Check that the file is an attestation document, and whole."
#define SAYS_DOCUMENT_MALFORMED                                  \
	"The attestation document's payload breaks its format.", \
	    "Fetch the document again; if it stays so, it is not from an enclave."
#define SAYS_NOT_AN_ENCLAVE                                               \
	"The document speaks for an ordinary instance (NitroTPM), which " \
	"anybody can rent.",                                              \
	    "Ask the operator for a document of the enclave."
#define SAYS_QUOTE_MALFORMED                                             \
	"The quote is not one of version 3, 4 or 5 as Intel's enclaves " \
	"write it.",                                                     \
	    "Check that the file is an SGX or TDX quote, and whole."
#define SAYS_NO_MEMORY                              \
	"There was not enough memory to judge it.", \
	    "Try again on a machine with free memory."
#define SAYS_DOCUMENT_SIGNATURE                                   \
	"The hypervisor's signature does not cover these bytes.", \
	    "The document was altered: fetch it again from another source."
#define SAYS_ITEM_SIGNATURE                             \
	"The enclave's key did not sign this content.", \
	    "The content or signature was altered: fetch the item again."
#define SAYS_KEY_NOT_ATTESTED                                               \
	"The key, of an item or of a connection, is not the attested one.", \
	    "Do not use it: whoever holds this key is not the enclave."
#define SAYS_QE_SIGNATURE                                                \
	"The platform's key did not sign the quoting enclave's report.", \
	    "The quote was altered: fetch it again from another source."
#define SAYS_CONTENT_NOT_ATTESTED                                  \
	"The document does not hold the SHA-256 of this content.", \
	    "The content was altered: ask again, with a new nonce."
#define SAYS_ATTESTATION_MISSING                           \
	"The item refers to a document that is not here.", \
	    "Fetch the item with ?attestation=full."
#define SAYS_ATTESTATION_MISMATCH                                           \
	"The document is not the one that the item, or what came with it, " \
	"names.",                                                           \
	    "Fetch the item again with ?attestation=full."
#define SAYS_ROOT_UNTRUSTED                                                \
	"The document's chain starts at a root the policy does not name.", \
	    "If you trust that root, name it in the policy; otherwise refuse."
#define SAYS_CHAIN_BROKEN                                                    \
	"The certificates do not lead from the root to the document's key.", \
	    "Fetch the document again; if it stays so, do not trust its source."
#define SAYS_CERTIFICATE_PROFILE                                           \
	"A certificate of the chain is not of the kind that AWS or Intel " \
	"issues.",                                                         \
	    "Do not use it, and tell the operator."
#define SAYS_CERTIFICATE_REVOKED                                               \
	"A certificate of the chain is on the policy's list of revoked ones.", \
	    "Wait for the operator to move the enclave to another machine."
#define SAYS_COLLATERAL_SIGNATURE                                         \
	"A part of the collateral is not signed by Intel.",               \
	    "Fetch the collateral again from Intel or from who keeps it " \
	    "for you."
#define SAYS_POLICY_EMPTY                                                    \
	"The policy names no root, no release or no PCR0, PCR1 or PCR2, or " \
	"revokes a root that it names.",                                     \
	    "Mend the policy; hallmark policy check says what is wrong."
#define SAYS_PCR_MISMATCH                                                         \
	"The enclave's code or configuration is of no release you accept.",       \
	    "Compare the PCRs found with the release you built, and add them to " \
	    "the policy only if they are the same."
#define SAYS_RELEASE_WINDOW                                     \
	"The release is known, but not accepted at that time.", \
	    "Change its not_before or not_after, or wait for the new release."
#define SAYS_PLATFORM_MISMATCH                                       \
	"The item names another platform than its root speaks for.", \
	    "Fetch the item again; a simulated oracle cannot pass for a real one."
#define SAYS_NONCE_MISMATCH                                                  \
	"The document does not hold the nonce that you or the policy asked " \
	"for.",                                                              \
	    "Ask for a document with your nonce: it may be an old one."
#define SAYS_USER_DATA_MISMATCH                                             \
	"The item's boot or configuration is not the one attested, or the " \
	"document's user_data is not the policy's.",                        \
	    "Do not use it, and tell the operator."
#define SAYS_REQUEST_MISMATCH                                   \
	"This is the answer to another request than was made.", \
	    "Ask again; if it stays so, do not trust who hands it over."
#define SAYS_HELD_DATA_MISMATCH                                         \
	"The quote was not made for this data: its report_data is not " \
	"the SHA-256 of it and zeros.",                                 \
	    "Do not use the data; ask for the data of this quote, whole."
#define SAYS_MEASUREMENT_MISMATCH                                         \
	"The enclave's code, or who signed it, is of no release you "     \
	"accept.",                                                        \
	    "Compare the measurements found with the release you built, " \
	    "and add them to the policy only if they are the same."
#define SAYS_COLLATERAL_MISSING                                       \
	"What Intel says of this platform is not among the policy's " \
	"collateral_files.",                                          \
	    "Fetch the part that is named and add its file to "       \
	    "collateral_files."
#define SAYS_QE_IDENTITY                                          \
	"The enclave that made the quote is not Intel's quoting " \
	"enclave.",                                               \
	    "Do not use it: anybody can write such quotes on that machine."
#define SAYS_TDX_MODULE                                        \
	"The platform's TDX module is none that Intel names.", \
	    "Fetch newer collateral; if it stays so, do not use it."
#define SAYS_TCB_STATUS                                             \
	"The platform is not patched as the policy demands.",       \
	    "Ask the operator to update it, or name its status in " \
	    "tcb_statuses."
#define SAYS_KEY_EPOCH                                                     \
	"It is signed by an older key of the oracle's than min_key_epoch " \
	"demands, or by one that has no number.",                          \
	    "Do not use it: somebody may have brought back a key that you gave up."
#define SAYS_QUORUM_MISSING                                                \
	"Fewer other enclaves stand by the item than the policy's quorum " \
	"asks for.",                                                       \
	    "Ask the oracle for its /peers: one is down, or disagrees."
#define SAYS_CHAIN_EXPIRED                                                     \
	"A certificate of the document's chain has expired; the last of them " \
	"lives three hours.",                                                  \
	    "Fetch a newer one, or judge it at its own time with --at document."
#define SAYS_CHAIN_NOT_YET_VALID                                   \
	"A certificate of the document's chain is not valid yet.", \
	    "Check this machine's clock."
#define SAYS_COLLATERAL_EXPIRED                              \
	"A part of the collateral is past its next update.", \
	    "Fetch it anew: Intel renews it every month."
#define SAYS_COLLATERAL_NOT_YET_VALID                                   \
	"A part of the collateral was issued after the time it is "     \
	"judged at.",                                                   \
	    "Check this machine's clock, or keep older collateral for " \
	    "older quotes."
#define SAYS_DOCUMENT_TOO_OLD                           \
	"The document is older than max_age_s allows.", \
	    "Fetch a new one, or judge it at its own time with --at document."
#define SAYS_DOCUMENT_IN_FUTURE                                    \
	"The document was signed after the time it is judged at.", \
	    "Check this machine's clock."
#define SAYS_ENCLAVE_TOO_OLD                                              \
	"The enclave was started before booted_after, or has run longer " \
	"than max_enclave_age_s allows.",                                 \
	    "Ask the operator to start it anew, or allow a longer time."
#define SAYS_ITEM_EXPIRED                    \
	"The price is past its expires_ms.", \
	    "Fetch the newest, or judge it at its own time with --at published."
#define SAYS_ITEM_TOO_OLD                            \
	"The price is older than max_age_s allows.", \
	    "Fetch the newest, or judge it at its own time with --at published."
#define SAYS_ITEM_IN_FUTURE                                        \
	"The price was published after the time it is judged at.", \
	    "Check this machine's clock; if it is right, the oracle's is wrong."
#define SAYS_ITEM_BEFORE_DOCUMENT                                           \
	"The price was published before the document that vouches for it.", \
	    "Fetch the item again with its own document."
#define SAYS_ITEM_AFTER_CHAIN                                              \
	"The price was published after the document's chain had expired.", \
	    "Fetch a newer item; the oracle must renew its document."
#define SAYS_DEBUG_ENCLAVE                                                      \
	"A debug enclave (PCR0, PCR1 or PCR2 all zero, or Intel's DEBUG set), " \
	"whose memory its host can read.",                                      \
	    "Never rely on it; for a test, the policy key is "                  \
	    "insecure_allow_debug."
#define SAYS_SEQUENCE_GAP                     \
	"Items before this one are missing.", \
	    "Fetch the missing ones from an archive before drawing conclusions."
#define SAYS_SEQUENCE_REPLAY                         \
	"This number of this feed was seen before.", \
	    "Ignore it; if it goes on, somebody replays old items."
#define SAYS_SEQUENCE_FORK                                       \
	"Two different items of one feed claim the same place.", \
	    "Keep both as evidence and stop using this oracle."
#define SAYS_TIME_REGRESSION                        \
	"It was published before its predecessor.", \
	    "Do not use it: the enclave's clock went backwards."
#define SAYS_LOG_GAP                                         \
	"Items that a signed tree head counts are missing.", \
	    "Fetch the missing ones: the oracle signed that they exist."
#define SAYS_LOG_FORK                                        \
	"Two tree heads of one boot contradict each other.", \
	    "Keep both as evidence and stop using this oracle."
#define SAYS_LOG_PROOF                                                 \
	"The path does not lead to the root of the signed tree head.", \
	    "Ask for the proof again; if it stays so, keep it as evidence."

/* Each line above is two initializers, separated by a comma. */
static const struct remedy remedies[HM_VERDICT_COUNT] = {
#define REMEDY_ROW(c, name, exit_class) [HM_##c] = {SAYS_##c},
    HM_VERDICTS(REMEDY_ROW)
#undef REMEDY_ROW
};

const struct remedy *remedy_of(enum hm_verdict verdict)
{
	assert(verdict >= 0 && verdict < HM_VERDICT_COUNT);
	return &remedies[verdict];
}
