/*
 * fetch: one GET for somebody outside, answered with the signed answer. Only
 * what the measured configuration allows (config_fetch.h), with no header of
 * the caller's, and no redirect followed. Each host has lanes of its own:
 *
 *     fetch_ask     answer of the host     signed, and verified by us
 *   IDLE --------> ASKING ------------> SIGNING ----------------> IDLE
 *                    |                                             ^
 *                    +-- no answer, or fetch_stop -----------------+
 *
 * ASKING waits for https_client, FETCH_DEADLINE_MS at the most; SIGNING for the
 * thread pool. Whoever asks for what is under way waits for the same answer and
 * costs the host nothing. Else a request goes out when the host's budget (a
 * request each 60000 / per_minute ms; none while it asked to be left alone, or
 * while the poller leaves that exchange alone) and a lane allow it, and is
 * refused at once if not: nothing is queued, and nothing here is in the way of
 * a price.
 *
 * An answer with any status is signed, since it is one; a failure is not.
 */
#ifndef HALLMARK_ORACLE_FETCH_H
#define HALLMARK_ORACLE_FETCH_H

#include "oracle/attestation.h"
#include "oracle/fetch_text.h"
#include "oracle/poller.h"
#include "oracle/signer.h"

#include <sys/queue.h>

#define FETCH_DEADLINE_MS 10000 /* from request to last byte */
/* Of answers that slow clients have not taken yet; then nothing is asked for.
 */
#define FETCH_HELD_MAX (64u << 20)

struct fetch;

struct fetch_options { /* all borrowed until fetch_free */
	uv_loop_t *loop;
	const struct config *config;
	SSL_CTX *tls; /* of ca_bundle */
	struct signer *signer;
	struct attestation *attestation;
	const struct hm_policy *policy;
	const struct poller *poller; /* NULL: there is none to look at */
	const uint8_t *boot_id;      /* 16 bytes */
	const char *platform;        /* the attester's */
	size_t held_max;             /* for tests; 0: FETCH_HELD_MAX */
};

/* NULL if the configuration does not allow anything. Dies with a reason. */
struct fetch *fetch_start(const struct fetch_options *options);
/* Ends what is under way, but for signatures: who waits and is not answered
 * must be forgotten. A second stop is ignored. NULL is fine, for free too. */
void fetch_stop(struct fetch *fetch);
/* After the loop has ended, and each text was let go. */
void fetch_free(struct fetch *fetch);

struct fetch_outcome {
	struct fetch_text *text; /* borrowed, hold it; NULL: it failed */
	/* When it failed; NOT_POLLED: there is an answer, but it could not be
	 * signed. */
	enum quote_error error;
	const char *why; /* for people */
};

struct fetch_waiter { /* the caller's, from fetch_ask to cb or forget */
	void (*cb)(
	    struct fetch_waiter *waiter, const struct fetch_outcome *outcome);
	void *data; /* the caller's */

	/* private */
	LIST_ENTRY(fetch_waiter) entry;
};

enum fetch_result {
	FETCH_STARTED,     /* or joined: cb fires once, later */
	FETCH_NOT_ALLOWED, /* or fetch is NULL */
	FETCH_NO_BUDGET,   /* *retry_ms says when to come again */
	FETCH_BUSY,
	FETCH_UNATTESTED,      /* no current attestation document */
	FETCH_CLOCK_UNCERTAIN, /* an answer's time would be a guess */
};

/* hostname and path are such by verifier/fetched.h. cb, which may free its
 * struct, fires with FETCH_STARTED only. */
enum fetch_result fetch_ask(struct fetch *fetch,
    const struct hm_fetch_request *request, struct fetch_waiter *waiter,
    int64_t *retry_ms);
/* cb will not fire. The request goes on: the host has it already. */
void fetch_forget(struct fetch_waiter *waiter);

struct fetch_stats {       /* since the start; zeros for NULL */
	uint64_t asked;    /* requests that went out */
	uint64_t shared;   /* that joined one */
	uint64_t failed;   /* of those asked: not answered, not signed */
	uint64_t refused;  /* for want of budget, a lane or memory */
	uint64_t outside;  /* not on the allow-list */
	size_t held_bytes; /* that clients have not taken yet */
};
void fetch_stats(const struct fetch *fetch, struct fetch_stats *out);

#endif
