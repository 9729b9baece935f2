/*
 * peers: the other enclaves of the same image and configuration. We dial each
 * of `connect` and ask over these links; over those that are dialed to us we
 * answer (peer_witness.h). So each pair has two links, and each goes one way.
 *
 *   an item, signed -> peers_ask -> to each open link -> answers, judged
 *      -> peers_done_cb with the co-signatures: when there are `quorum`, when
 *         all have answered, or after wait_ms, whatever comes first
 *
 * A peer that is slow, stalls, lies or is gone costs a price at most wait_ms.
 * What it answers is judged as any verifier would; it counts only if the price
 * that it names is within the bound of ours. Each peer's opinion of each feed
 * is kept, logged when it changes, and shown in a signed status (peers_status).
 */
#ifndef HALLMARK_ORACLE_PEERS_H
#define HALLMARK_ORACLE_PEERS_H

#include "oracle/config.h"
#include "oracle/peer_link.h"
#include "oracle/peer_witness.h"

/* Links that others dialed. Where all places are taken, a new one gets that of
 * the oldest that is not attested yet: who sends connections and nothing more
 * keeps a peer out only if he sends so many within a peer's handshake. */
#define PEERS_INCOMING_MAX 64
#define PEERS_RETRY_MIN_MS 500 /* between two attempts to dial one */
#define PEERS_RETRY_MAX_MS 15000
#define PEERS_SELF_MS      60000 /* the next try, if it was ourselves */
#define PEERS_SILENT_MS    10000 /* asked for so long without an answer */

struct peers_options { /* all borrowed until peers_free */
	uv_loop_t *loop;
	const struct config *config;
	SSL_CTX *tls; /* peer_tls_context() */
	struct signer *signer;
	struct attestation *attestation;
	const struct hm_policy *policy;
	const uint8_t *boot_id; /* 16 bytes */
	const char *platform;
	peer_newest_cb newest; /* of our own feeds */
	void *newest_data;
	/* A co-signature that will be published, with its document; may be
	 * NULL. */
	void (*document)(const struct hm_envelope *cosignature, void *data);
	void *document_data;
};

struct peers;

/* Dies if it cannot listen. */
struct peers *peers_start(const struct peers_options *options);
/* Links end, nobody is asked any more; `done` (may be NULL) is called from the
 * loop, once. No peers_done_cb fires after this. */
void peers_stop(struct peers *peers, void (*done)(void *data), void *data);
/* After the loop has ended. NULL is fine. */
void peers_free(struct peers *peers);

/* Borrowed for the call; they verify. */
typedef void (*peers_done_cb)(
    struct hm_envelope *cosignatures, size_t count, void *data);

/*
 * Asks the others about our new item of this feed. False, and cb never fires:
 * nobody is there. Else it fires once, later. One item of a feed at a time
 * (asserted). text: the full form, copied; item: as it was verified.
 */
bool peers_ask(struct peers *peers, size_t feed, const char *text, size_t len,
    const struct hm_item *item, peers_done_cb cb, void *data);

/* ---- what there is to show ---- */

enum peer_state {
	PEER_DIALING,
	PEER_ATTESTING,
	PEER_OPEN,
	PEER_SELF,
	PEER_DOWN /* `why`; it is tried again */
};
const char *peer_state_name(enum peer_state state);

struct peer_opinion { /* of one peer, of our newest item of one feed */
	bool known, disagrees;
	uint64_t sequence;
	unsigned gap_bps; /* of its price from ours; 0 without one */
	char why[24];     /* if it disagrees: peer_answer.h */
	char price[DECIMAL_STRMAX];
};

struct peer_view { /* borrowed until the loop turns */
	const char *endpoint;
	enum peer_state state;
	const char *why;                     /* if down */
	const uint8_t *boot_id;              /* zeros before it was ever open */
	uint64_t cosigned, disagreed, late;  /* answers, since the start */
	uint64_t refused;                    /* that did not hold */
	const struct peer_opinion *opinions; /* one for each feed */
};

size_t peers_count(const struct peers *peers);
void peers_look(const struct peers *peers, size_t peer, struct peer_view *out);
size_t peers_incoming(const struct peers *peers); /* open links to us */

/* Of a feed's items with a price, since the start: whether there were as many
 * co-signatures in time as `quorum` names. Zeros without one. */
struct peers_quorum {
	uint64_t reached, missed;
};
void peers_quorum(
    const struct peers *peers, size_t feed, struct peers_quorum *out);

/* Something changed since the last call. */
bool peers_changed(struct peers *peers);

#endif
