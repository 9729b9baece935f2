/* attestation_state: what attestation is made of. Only attestation*.c include
 * this. */
#ifndef HALLMARK_ORACLE_ATTESTATION_STATE_H
#define HALLMARK_ORACLE_ATTESTATION_STATE_H

#include "oracle/attestation_ring.h"
#include "oracle/nonce_queue.h"

/* What a document is to vouch for. */
struct subject {
	uint8_t public_key[ATTESTER_PUBLIC_KEY_MAX];
	size_t public_key_len;
	bool has_user_data;
	uint8_t user_data[USER_DATA_MAX];
	size_t user_data_len;
};

struct other { /* who asked for another key's */
	struct subject subject;
	bool keep;
	attestation_nonce_cb cb; /* NULL: nobody */
	void *data;
};

struct call { /* the one under way; the pool's thread writes the answer */
	uv_work_t work;
	struct nonce_batch *batch; /* owned; NULL: a renewal, unless */
	bool for_other;
	struct subject subject;
	int failed;
	uint8_t document[ATTESTER_DOCUMENT_MAX];
	size_t len;
	char error[ATTESTER_ERROR_MAX];
};

struct attestation {
	struct attestation_options with;
	uint8_t public_key[ATTESTER_PUBLIC_KEY_MAX]; /* ours */
	uv_timer_t timer; /* until the next renewal */
	uv_timer_t pace;  /* until a batch may be asked for */
	struct call call;
	bool working;   /* call is under way */
	bool renew_due; /* by on_timer, until the call starts */
	bool stopping;
	unsigned open_timers;
	struct nonce_queue queue;
	struct attestation_stats stats; /* and how many are unanswered */
	struct other other;             /* waits for a call, or has it */
	struct attestation_ring ring;
	struct hm_cache *cache; /* of the chain, which most documents share */
	void (*stopped)(void *data);
	void *stopped_data;
};

/* Starts the next call, if there is something to ask for and none under way. */
void attestation_advance(struct attestation *a);
/* The call's answer as a document, or why not. */
__attribute__((warn_unused_result)) int attestation_take_answer(
    const struct attestation *a, struct attestation_document *out,
    char error[ATTESTER_ERROR_MAX]);

/* ---- attestation_other.c ---- */

void attestation_set_subject(struct subject *out, const uint8_t *public_key,
    size_t len, const struct user_data *user_data);
/* A call for another key has ended. */
void attestation_finish_other(struct attestation *a);
/* Tells who asked for it, if somebody has. */
void attestation_answer_other(struct attestation *a,
    const struct attestation_document *doc, const char *error);

#endif
