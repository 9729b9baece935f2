/* attestation_other: documents for another key than ours: of a recipient, or of
 * the key that signs next; and when that becomes ours. */
#include "oracle/attestation_document.h"
#include "oracle/attestation_state.h"

#include <assert.h>
#include <string.h>

void attestation_set_subject(struct subject *out, const uint8_t *public_key,
    size_t len, const struct user_data *user_data)
{
	assert(len <= sizeof(out->public_key));
	memcpy(out->public_key, public_key, len);
	out->public_key_len = len;
	out->has_user_data = user_data != NULL;
	if (user_data != NULL)
		out->user_data_len = user_data_encode(
		    user_data, out->user_data);
}

void attestation_answer_other(struct attestation *a,
    const struct attestation_document *doc, const char *error)
{
	attestation_nonce_cb cb = a->other.cb;

	a->other.cb = NULL;
	if (cb != NULL)
		cb(doc, NULL, error, a->other.data);
}

void attestation_finish_other(struct attestation *a)
{
	struct attestation_document doc;
	char error[ATTESTER_ERROR_MAX];

	if (attestation_take_answer(a, &doc, error) != 0) {
		attestation_answer_other(a, NULL, error);
	} else if (a->other.keep) {
		attestation_answer_other(
		    a, attestation_ring_keep(&a->ring, &doc), NULL);
	} else {
		attestation_answer_other(a, &doc, NULL);
		attestation_document_fini(&doc);
	}
}

void attestation_request_subject(struct attestation *a,
    const struct attestation_subject *subject, attestation_nonce_cb cb,
    void *data)
{
	assert(a->other.cb == NULL && !a->stopping);
	attestation_set_subject(&a->other.subject, subject->public_key,
	    subject->public_key_len, subject->user_data);
	a->other.keep = subject->keep;
	a->other.cb = cb;
	a->other.data = data;
	attestation_advance(a);
}

void attestation_rekey(struct attestation *a, const uint8_t *public_key,
    size_t public_key_len, const uint8_t sha256[HM_SHA256_LEN])
{
	assert(public_key_len <= sizeof(a->public_key));
	memcpy(a->public_key, public_key, public_key_len);
	a->with.public_key_len = public_key_len;
	(void)attestation_ring_set_current(&a->ring, sha256);
	a->renew_due = true;
	attestation_advance(a);
}
