/*
 * pairing: brings each item of one oracle's stream together with the document
 * it names, in the order of the stream. A document is fetched once, by its
 * hash, and kept; items behind one that waits for it wait too. Nothing is
 * judged here.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_PAIRING_H
#define HALLMARK_VERIFIER_DAEMON_PAIRING_H

#include "verifier/daemon/curl_loop.h"
#include "verifier/daemon/oracle_address.h"
#include "verifier/daemon/record.h"

struct pairing;

struct pairing_options { /* all borrowed until freed */
	struct curl_loop *curl;
	const struct oracle_address *address;
	/* An item whose turn it is; taken. Its document is there, unless it
	 * could not be fetched or the envelope is malformed. */
	void (*ready)(struct record *record, void *data);
	/* After a fetch, when no more are ready: counts have changed. */
	void (*fetched)(void *data);
	/* Why a document is not there; the items that name it come all the
	 * same. Borrowed for the call. */
	void (*missing)(const char *why, void *data);
	void *data;
	bool heads; /* heads of the log as well, in their place */
};

struct pairing *pairing_new(const struct pairing_options *options);
/* Takes price, status, late, tree_head and attestation; others are nothing to
 * it. May call `ready`. */
void pairing_event(struct pairing *pairing, const struct sse_event *event);
size_t pairing_waiting(const struct pairing *pairing); /* items */
size_t pairing_bytes(const struct pairing *pairing);   /* that they hold */
/* No callback comes after this. Not from one of curl's callbacks. */
void pairing_free(struct pairing *pairing);

#endif
