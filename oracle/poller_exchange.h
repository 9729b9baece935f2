/*
 * poller_exchange: asks one exchange, over up to POLLER_LANES connections.
 * Only the files of poller include this.
 */
#ifndef HALLMARK_ORACLE_POLLER_EXCHANGE_H
#define HALLMARK_ORACLE_POLLER_EXCHANGE_H

#include "oracle/clock_check.h"
#include "oracle/https_client.h"
#include "oracle/poll_budget.h"
#include "oracle/poll_plan.h"
#include "oracle/poller.h"

/* One connection and the request that is under way on it. */
struct poller_lane {
	struct poller_exchange *owner;
	struct https_client *client;
	struct poll_request *request; /* NULL: IDLE */
	int64_t asked_ms;             /* monotonic */
};

struct poller_exchange {
	const struct exchange *exchange;
	uv_loop_t *loop;
	uv_timer_t timer;
	struct poller_lane lanes[POLLER_LANES];
	size_t lane_count;
	SSL_CTX *own_tls; /* of a pinned CA file; else NULL */
	struct poll_plan plan;
	struct poll_budget budget;
	struct clock_witness *witness; /* the poller's */
	struct raw_answers *raw;       /* the poller's; NULL: not kept */
	const struct secrets *secrets; /* see poller_use_secrets() */
	uint64_t requests, failures;

	/* room for as many as there could be, taken at the start */
	struct poll_source *sources;
	size_t source_count;
	struct poll_request *places;
	struct exchange_reading *readings; /* of one answer */
};

/* Room for source_max symbols. fini after the loop has ended. */
void poller_exchange_init(struct poller_exchange *ex,
    const struct exchange *exchange, size_t source_max);
void poller_exchange_fini(struct poller_exchange *ex);

/* A feed uses this symbol. Before start. */
void poller_exchange_add(struct poller_exchange *ex,
    const struct feed_config *feed, const char *symbol);

struct poller_exchange_options {
	uv_loop_t *loop;
	const struct config *config;
	SSL_CTX *tls;                  /* borrowed */
	struct clock_witness *witness; /* borrowed */
	struct raw_answers *raw;       /* borrowed, or NULL */
	unsigned place, places;        /* see poll_plan.h */
};

/* Dies if an exchange's own CA file cannot be read. */
void poller_exchange_start(
    struct poller_exchange *ex, const struct poller_exchange_options *options);
void poller_exchange_stop(struct poller_exchange *ex);

/* There is another key of this name, perhaps its own: then it is asked soon. */
void poller_exchange_key_changed(
    struct poller_exchange *ex, const char *key_name);

void poller_exchange_visit(const struct poller_exchange *ex,
    int64_t now_monotonic_ms, poller_exchange_cb exchange_cb,
    poller_source_cb source_cb, void *data);

#endif
