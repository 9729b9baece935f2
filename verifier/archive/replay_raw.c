/*
 * replay_raw: what exchanges answered, where an archive has kept it: parsed
 * again by the adapter that read it first. An answer that is kept is one that
 * had a price in it, so its status was 200.
 */
#include "verifier/archive/replay_task.h"

#include <stdio.h>
#include <string.h>

#define STATUS_OK 200

static bool same_quote(const struct quote *a, const struct quote *b)
{
	return quote_same_prices(a, b) &&
	       a->has_exchange_ms == b->has_exchange_ms &&
	       (!a->has_exchange_ms || a->exchange_ms == b->exchange_ms);
}

static bool has_quote(const struct quote *quote)
{
	return quote->has_last || quote->has_bid || quote->has_ask;
}

static void check(struct replay_task *task, const struct item_source *source,
    const uint8_t *body, size_t len)
{
	const struct exchange *exchange = exchange_find(source->exchange);
	struct quote quote = {0};
	enum quote_error error;

	if (!exchange)
		return; /* it is not asked any more: nobody can say */
	error = exchange_parse(&quote, exchange, source->symbol, STATUS_OK,
	    (const char *)body, len);
	if (error == QUOTE_OK && same_quote(&quote, &source->quote)) {
		task->answers++;
		return;
	}
	task->answer_differs = true;
	snprintf(task->answer, sizeof(task->answer),
	    "%s %s: the answer that is kept reads otherwise (%s)",
	    source->exchange, source->symbol, quote_error_name(error));
}

void replay_raw_check(struct replay_worker *worker, struct replay_task *task)
{
	const struct item *item = &worker->content;

	if (replay_blobs_count(worker->raws) == 0)
		return;
	for (size_t i = 0; i < item->source_count; i++) {
		const struct item_source *source = &item->sources[i];
		struct replay_blob *body = NULL;
		const uint8_t *bytes;
		size_t len;

		if (source->has_answer && has_quote(&source->quote))
			body = replay_blobs_get(
			    worker->raws, source->body_sha256);
		if (!body)
			continue;
		bytes = replay_blob_bytes(body, &len);
		check(task, source, bytes, len);
		replay_blobs_release(worker->raws, body);
	}
}
