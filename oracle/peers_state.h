/* peers_state: what the files of peers share. Only peers*.c include this. */
#ifndef HALLMARK_ORACLE_PEERS_STATE_H
#define HALLMARK_ORACLE_PEERS_STATE_H

#include "base/http_listener.h"
#include "oracle/peer_dial.h"
#include "oracle/peers.h"

struct dialed { /* one of `connect` */
	struct peers *peers;
	size_t index;
	char endpoint[ENDPOINT_TEXT_MAX];
	enum peer_state state;
	char why[PEER_LINK_WHY_MAX];
	struct peer_dial dial;
	bool dialing;
	uv_timer_t retry;
	unsigned failures;      /* in a row */
	struct peer_link *link; /* NULL: none */
	uint8_t boot_id[16];
	unsigned unanswered; /* of what it was asked over this link */
	int64_t heard_ms;    /* monotonic: its last word, or our first */
	uint64_t cosigned, disagreed, late, refused;
	struct peer_opinion *opinions; /* owned */
};

struct incoming { /* a place for a link that somebody dialed to us */
	struct peers *peers;
	struct peer_link *link; /* NULL: free */
	uint64_t number;        /* the how-manieth it is */
};

struct round { /* one feed: the item that the others are asked about */
	struct peers *peers;
	uv_timer_t timer;
	bool active;
	struct hm_item item;
	bool asked[CONFIG_PEERS_MAX];                /* and has not answered */
	struct hm_envelope got[HM_COSIGNATURES_MAX]; /* owned */
	uint8_t voices[HM_COSIGNATURES_MAX][16];     /* their boot_ids */
	size_t count;
	struct peers_quorum quorum;
	peers_done_cb cb;
	void *data;
};

struct peers {
	struct peers_options with;
	struct hm_cache *cache;
	struct peer_witness *witness;
	struct peer_link_options asks, answers;
	struct http_listener listener;
	struct dialed dialed[CONFIG_PEERS_MAX];
	size_t dialed_count;
	struct incoming incoming[PEERS_INCOMING_MAX];
	uint64_t accepted;    /* so many, since the start */
	struct round *rounds; /* one for each feed */
	bool stopping, changed;
	unsigned ending; /* what is still to be closed */
	void (*done)(void *data);
	void *done_data;
};

/* One frame from a peer that we asked; false: cut it off. */
bool peers_round_answer(struct dialed *from, const char *text, size_t len);
/* It will not answer any more. */
void peers_round_gone(struct dialed *dialed);
void peers_round_init(struct peers *peers);
void peers_round_stop(struct peers *peers);

/* With `asks` as it will be. Dies if it cannot listen. */
void peers_incoming_start(struct peers *peers);
/* One more to wait for. */
void peers_incoming_stop(struct peers *peers);

/* Stopping: one less to wait for. */
void peers_ended(struct peers *peers);

#endif
