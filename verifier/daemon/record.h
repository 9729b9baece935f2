/*
 * record: one item, or one head of the log, on its way through the daemon:
 * taken from a stream, judged, written to the archive, announced. Each stage
 * fills its part.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_RECORD_H
#define HALLMARK_VERIFIER_DAEMON_RECORD_H

#include "base/sse.h"
#include "verifier/daemon/kept_document.h"

#define RECORD_TEXT_MAX 65536 /* bytes of a refused text that we keep */
/* A co-signature with its document, about: what counts must not change while
 * one waits for the other. */
#define RECORD_COSIGNATURE_BYTES 10240

enum record_outcome {
	RECORD_PENDING,
	RECORD_STORED,    /* durable; the only one that is announced */
	RECORD_DUPLICATE, /* the same bytes were in the archive */
	RECORD_FORK,      /* other bytes are there under that number, or a
			     head that this one contradicts */
	RECORD_REFUSED,   /* not an item of ours; evidence, perhaps stored */
};

/* What a stored head is to our own copy of the log. */
enum record_log {
	RECORD_LOG_WHOLE,    /* our items, added to the tree, give its root */
	RECORD_LOG_JOINED,   /* our first one of a boot that had others */
	RECORD_LOG_LATE,     /* older than one that we have */
	RECORD_LOG_GAP,      /* items, or heads, before it are missing */
	RECORD_LOG_MISMATCH, /* our items give another root */
	RECORD_LOG_STATES
};

struct record_finding { /* with RECORD_STORED and RECORD_FORK of a head */
	enum record_log state;
	uint64_t heads_missing;
	uint64_t items_missing;
	char feed[32]; /* of the first missing item, or "" */
	uint64_t sequence;
	bool proven;     /* the proof of misbehaviour is there */
	bool new_proof;  /* and was not before */
	char proof[256]; /* its path, or why it was not */
};

struct record {
	struct record *next;

	/* intake */
	const char *origin;        /* the oracle's address; outlives us */
	char event_id[SSE_ID_MAX]; /* "" if it had none */
	int64_t received_ms;
	char *text; /* as it came, owned; NULL once accepted */
	size_t len;
	enum hm_verdict parsed; /* of the envelope */
	struct hm_envelope envelope;
	struct kept_document *document; /* a reference, or NULL */

	bool is_head; /* of the log (event tree_head); else an item */

	/* validator; of a head only some, and `head` */
	struct hm_head *head;    /* owned; NULL if refused */
	enum hm_verdict verdict; /* VALID, GAP, REPLAY, or why refused */
	bool refused;
	bool late; /* good when it was published: archived, never served */
	char feed[32];
	uint8_t boot_id[16];
	uint64_t sequence;
	uint64_t missing; /* with HM_SEQUENCE_GAP: how many before it */
	bool ok;
	char price[64], confidence[64], reason[32];
	int64_t published_ms, expires_ms;
	uint8_t content_sha256[HM_SHA256_LEN];

	/* archive */
	enum record_outcome outcome;
	bool tried; /* a commit with it failed; it may be there or not */
	struct record_finding finding;
};

/* Reads the envelope and copies the id and the first RECORD_TEXT_MAX bytes of
 * the text. */
struct record *record_new(const char *origin, const char *event_id,
    const char *text, size_t len, int64_t received_ms);
void record_free(struct record *record); /* NULL is fine */
void record_drop_text(struct record *record);
/* Gives each of its co-signatures its document, if it lacks it and it is among
 * these. NULL, or the hash of one that is not (borrowed from the record). */
const uint8_t *record_supply(
    struct record *record, const struct kept_documents *documents);
/* Drops the co-signatures that do not hold: they are nobody's word. */
void record_keep_cosigned(
    struct record *record, const bool holds[static HM_COSIGNATURES_MAX]);
/* Bytes that it holds, about: what queues count. */
size_t record_bytes(const struct record *record);

struct record_queue { /* first in, first out; zero to begin with */
	struct record *head, *last;
	size_t count, bytes;
};

void record_queue_push(struct record_queue *queue, struct record *record);
struct record *record_queue_pop(struct record_queue *queue); /* or NULL */
void record_queue_fini(struct record_queue *queue);

#endif
