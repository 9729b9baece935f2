/*
 * fetch_place: one host and port that the configuration allows to fetch from:
 * its connections, and when it may be asked. For fetch.c.
 */
#ifndef HALLMARK_ORACLE_FETCH_PLACE_H
#define HALLMARK_ORACLE_FETCH_PLACE_H

#include "oracle/fetch.h"
#include "oracle/https_client.h"
#include "oracle/poll_budget.h"

#define FETCH_LANES 2 /* connections to one place */

enum fetch_state {
	FETCH_IDLE,
	FETCH_ASKING,
	FETCH_SIGNING
};

struct fetch_lane {
	struct fetch *owner;
	struct fetch_place *place;
	enum fetch_state state;
	struct https_client *client; /* NULL once stopped */
	LIST_HEAD(, fetch_waiter) waiters;
	char path[HM_FETCHED_PATH_MAX]; /* set with ASKING */
	int64_t asked_ms;               /* monotonic; set with ASKING */
	/* set with SIGNING */
	char *content; /* owned */
	size_t content_len;
	uint8_t attestation_sha256[HM_SHA256_LEN];
	struct signer_op op;
};

struct fetch_place {
	const char *hostname; /* of the configuration */
	uint16_t port;
	/* An exchange of ours has this host; or NULL. */
	const struct exchange *exchange;
	SSL_CTX *own_tls; /* instead of that of ca_bundle; or NULL */
	/* One for all ports of a host. */
	struct poll_budget *budget, own_budget;
	struct fetch_lane lanes[FETCH_LANES];
};

/* The place of this entry; its lanes have no owner yet. `same_host`: another
 * place of this host, or NULL. Dies with a reason. */
void fetch_place_init(struct fetch_place *place,
    const struct config_fetch_allow *allow, const struct fetch_place *same_host,
    const struct fetch_options *with);
/* No callback of its connections any more. */
void fetch_place_stop(struct fetch_place *place);
/* After the loop has ended. */
void fetch_place_fini(struct fetch_place *place);

/* That which has this request under way, or NULL. */
struct fetch_lane *fetch_place_same(
    struct fetch_place *place, const char *path);
/* One that has nothing to do, or NULL. */
struct fetch_lane *fetch_place_idle(struct fetch_place *place);

/* How long until it may be asked; 0: now. An exchange that has had enough of
 * the poller (may be NULL) has had enough of this address. */
int64_t fetch_place_wait_ms(
    const struct fetch_place *place, const struct poller *poller);
/* An answer, or none: what the host says about too many requests is kept to. */
void fetch_place_judge(struct fetch_place *place,
    const struct https_answer *answer, int64_t asked_ms);

#endif
