/* poll_source: one source's memory, see the header. */
#include "oracle/poll_source.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void poll_source_init(struct poll_source *source,
    const struct exchange *exchange, const char *symbol)
{
	*source = (struct poll_source){
	    .exchange = exchange,
	    .interval_ms = INT64_MAX,
	    .max_age_ms = INT64_MAX,
	    .newest = {.error = QUOTE_NOT_POLLED, .latency_ms = -1},
	    .judged = QUOTE_NOT_POLLED,
	};
	snprintf(source->symbol, sizeof(source->symbol), "%s", symbol);
}

void poll_source_use(
    struct poll_source *source, int64_t interval_ms, int64_t max_age_ms)
{
	if (interval_ms < source->interval_ms)
		source->interval_ms = interval_ms;
	if (max_age_ms < source->max_age_ms)
		source->max_age_ms = max_age_ms;
}

/* ---- frozen or not ---- */

/* A quiet market still has a clock that goes on, where it shows us one. Two
 * caches in turn, one behind the other, are no such clock. */
static bool has_moved(const struct poll_source *source, const struct quote *now)
{
	return !source->has_answer ||
	       (now->has_exchange_ms &&
		   now->exchange_ms > source->exchange_ms_max) ||
	       !quote_same_prices(&source->quote, now);
}

static bool is_frozen(const struct poll_source *source, int64_t after_ms)
{
	return after_ms > 0 &&
	       source->received_steady_ms - source->moved_steady_ms >= after_ms;
}

/* ---- attempts ---- */

static void keep_answer(
    struct poll_source *source, const struct poll_answer *answer)
{
	if (has_moved(source, &answer->quote))
		source->moved_steady_ms = answer->received_steady_ms;
	if (answer->quote.has_exchange_ms &&
	    answer->quote.exchange_ms > source->exchange_ms_max)
		source->exchange_ms_max = answer->quote.exchange_ms;
	source->has_answer = true;
	source->quote = answer->quote;
	source->received_ms = answer->received_ms;
	source->received_steady_ms = answer->received_steady_ms;
	memcpy(source->body_sha256, answer->body_sha256,
	    sizeof(source->body_sha256));
	memcpy(source->tls_spki_sha256, answer->tls_spki_sha256,
	    sizeof(source->tls_spki_sha256));
}

enum quote_error poll_source_note(struct poll_source *source,
    const struct poll_attempt *attempt, const struct poll_answer *answer)
{
	enum quote_error before = source->judged;

	assert((attempt->error == QUOTE_OK) == (answer != NULL));
	source->newest = *attempt;
	source->judged = attempt->error;
	source->attempts++;
	source->errors[attempt->error]++;
	if (answer != NULL) {
		source->failures = 0;
		keep_answer(source, answer);
	} else {
		source->failures++;
	}
	return before;
}

void poll_source_note_refused(
    struct poll_source *source, const struct poll_attempt *attempt)
{
	assert(attempt->error != QUOTE_OK);
	if (source->judged != QUOTE_OK)
		source->newest = *attempt;
}

/* ---- reading ---- */

void poll_source_read(const struct poll_source *source,
    const struct feed_config *feed, int64_t now_ms, struct item_source *out)
{
	*out = (struct item_source){.state = SOURCE_FAILED};
	snprintf(
	    out->exchange, sizeof(out->exchange), "%s", source->exchange->name);
	snprintf(out->symbol, sizeof(out->symbol), "%s", source->symbol);

	bool young = source->has_answer &&
		     now_ms - source->received_ms <= feed->max_age_ms;
	if (source->newest.error != QUOTE_OK && !young) {
		out->error = source->newest.error;
		return;
	}
	out->state = is_frozen(source, feed->frozen_after_ms) ? SOURCE_FROZEN
							      : SOURCE_USED;
	out->quote = source->quote;
	out->has_answer = true;
	out->received_ms = source->received_ms;
	memcpy(out->body_sha256, source->body_sha256, sizeof(out->body_sha256));
	memcpy(out->tls_spki_sha256, source->tls_spki_sha256,
	    sizeof(out->tls_spki_sha256));
}
