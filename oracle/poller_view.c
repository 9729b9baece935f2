/* poller_view: what one exchange's poller knows, for people. */
#include "oracle/poller_exchange.h"

#include <string.h>

static bool is_up(const struct poll_source *source)
{
	return source->newest.error == QUOTE_OK;
}

static bool any_is_up(const struct poller_exchange *ex)
{
	for (size_t i = 0; i < ex->source_count; i++)
		if (is_up(&ex->sources[i]))
			return true;
	return false;
}

static struct poller_exchange_view view_exchange(
    const struct poller_exchange *ex, int64_t now_ms)
{
	unsigned spacing_ms = ex->exchange->spacing_ms;
	int64_t paused_ms = ex->budget.paused_until_ms - now_ms;

	return (struct poller_exchange_view){
	    .exchange = ex->exchange,
	    .up = any_is_up(ex),
	    .requests_planned = (unsigned)poll_plan_requests(&ex->plan),
	    .requests = ex->requests,
	    .failures = ex->failures,
	    .requests_last_minute = poll_budget_last_minute(
		&ex->budget, now_ms),
	    .budget_per_min = 60000 / (spacing_ms > 0 ? spacing_ms : 1),
	    .paused_ms = paused_ms > 0 ? paused_ms : 0,
	    .has_clock_offset = ex->witness->has_offset,
	    .clock_offset_ms = ex->witness->offset_ms,
	};
}

static struct poller_source_view view_source(const struct poll_source *source)
{
	struct poller_source_view view = {
	    .symbol = source->symbol,
	    .up = is_up(source),
	    .newest = source->newest.error,
	    .status = source->newest.status,
	    .latency_ms = source->newest.latency_ms,
	    .has_answer = source->has_answer,
	    .received_ms = source->received_ms,
	    .failures = source->failures,
	    .attempts = source->attempts,
	};

	memcpy(view.errors, source->errors, sizeof(view.errors));
	return view;
}

void poller_exchange_visit(const struct poller_exchange *ex,
    int64_t now_monotonic_ms, poller_exchange_cb exchange_cb,
    poller_source_cb source_cb, void *data)
{
	struct poller_exchange_view exchange = view_exchange(
	    ex, now_monotonic_ms);

	if (exchange_cb != NULL)
		exchange_cb(&exchange, data);
	for (size_t i = 0; source_cb != NULL && i < ex->source_count; i++) {
		struct poller_source_view source = view_source(&ex->sources[i]);
		source_cb(&exchange, &source, data);
	}
}
