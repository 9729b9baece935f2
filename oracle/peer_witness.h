/*
 * peer_witness: the one that is asked. Another enclave's item comes in over an
 * attested link; it is judged as any verifier would under our own policy, and
 * held against our own newest item of that feed. If that is not too old and its
 * price is within the bound, we co-sign: cosign.h. If the item says that it has
 * no price, we co-sign that it said so, whatever we have.
 */
#ifndef HALLMARK_ORACLE_PEER_WITNESS_H
#define HALLMARK_ORACLE_PEER_WITNESS_H

#include "feeds/item.h"
#include "oracle/attestation.h"
#include "oracle/config.h"
#include "oracle/signer.h"

#define PEER_WITNESS_SIGNING_MAX 256 /* at a time; one more: busy */

/* The newest item of our own feed with this place; false: none yet. */
typedef bool (*peer_newest_cb)(size_t feed, const struct item **item,
    const uint8_t **content_sha256, void *data);

struct peer_witness_options { /* all borrowed until freed */
	uv_loop_t *loop;
	const struct config *config;
	struct signer *signer;
	struct attestation *attestation;
	const struct hm_policy *policy;
	struct hm_cache *cache;
	const uint8_t *boot_id; /* 16 bytes */
	const char *platform;
	unsigned max_gap_bps;
	peer_newest_cb newest;
	void *data;
};

struct peer_witness;

struct peer_witness *peer_witness_new(
    const struct peer_witness_options *options);
/* No signature may be under way: after the loop has ended. NULL is fine. */
void peer_witness_free(struct peer_witness *witness);

/* The answer, borrowed for the call; once if the asker is still there, perhaps
 * from within peer_witness_ask(). */
typedef void (*peer_witness_cb)(const char *text, size_t len, void *asker);

/* boot_id: of the enclave at the other end of the link; it may ask for its own
 * items alone. 0, or -1: no item, or not its own: cut the link. */
__attribute__((warn_unused_result)) int peer_witness_ask(
    struct peer_witness *witness, const uint8_t boot_id[static 16],
    const char *text, size_t len, peer_witness_cb cb, void *asker);
/* Its answers have nowhere to go any more. */
void peer_witness_forget(struct peer_witness *witness, const void *asker);

#endif
