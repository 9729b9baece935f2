/*
 * peers_status: what the other enclaves are to us, signed by our attested key
 * as an item is: GET /peers. Made anew when something has changed, at most once
 * in PEERS_STATUS_MIN_MS, and every PEERS_STATUS_MAX_MS in any case. Content,
 * compact JSON:
 *
 *   {"format":"hallmark-peers/1","boot_id","config_sha256","published_ms",
 *    "quorum","max_disagreement_bps","incoming",
 *    "peers":[{"endpoint","state","why","boot_id","cosigned","disagreed",
 *      "late","refused","agrees","disagrees",
 *      "disagreements":[{"feed","sequence","why","price","gap_bps"}]}]}
 *
 * agrees and disagrees count feeds; of disagreements at most
 * PEERS_STATUS_LISTED_MAX are listed for each peer.
 */
#ifndef HALLMARK_ORACLE_PEERS_STATUS_H
#define HALLMARK_ORACLE_PEERS_STATUS_H

#include "oracle/peers.h"
#include "verifier/verify_peers.h"

#define PEERS_STATUS_MIN_MS     1000
#define PEERS_STATUS_MAX_MS     10000
#define PEERS_STATUS_LISTED_MAX 16

struct peers_status_options { /* all borrowed until freed */
	uv_loop_t *loop;
	const struct config *config;
	struct peers *peers;
	struct signer *signer;
	struct attestation *attestation;
	const uint8_t *boot_id; /* 16 bytes */
	const char *platform;
};

struct peers_status;

struct peers_status *peers_status_start(
    const struct peers_status_options *options);
void peers_status_stop(struct peers_status *status);
/* After the loop has ended. NULL is fine. */
void peers_status_free(struct peers_status *status);

/* The newest as an envelope in the full form; NULL before the first. Borrowed
 * until the loop turns. */
const char *peers_status_text(const struct peers_status *status);

/* The content, the caller's to free; NULL: no memory. */
char *peers_status_content(
    const struct peers_status_options *options, int64_t now_ms);

#endif
