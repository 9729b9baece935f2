/* nonce_queue: see nonce_queue.h. */
#include "oracle/nonce_queue.h"

#include <string.h>

void nonce_queue_init(struct nonce_queue *queue)
{
	memset(queue, 0, sizeof(*queue));
	TAILQ_INIT(&queue->waiting);
}

static bool is_for(const struct nonce_batch *batch, const uint8_t *content)
{
	return batch->for_result == (content != NULL) &&
	       (content == NULL ||
		   memcmp(batch->content_sha256, content, HM_SHA256_LEN) == 0);
}

struct nonce_batch *nonce_queue_batch(
    struct nonce_queue *queue, const uint8_t *content_sha256)
{
	struct nonce_batch *batch;

	TAILQ_FOREACH(batch, &queue->waiting, entry)
	if (is_for(batch, content_sha256))
		return batch;
	if (content_sha256 != NULL && queue->results >= ATTESTATION_RESULTS_MAX)
		return NULL;
	batch = nonce_batch_new(content_sha256);
	TAILQ_INSERT_TAIL(&queue->waiting, batch, entry);
	queue->results += batch->for_result;
	return batch;
}

static uint64_t due_of(
    const struct nonce_queue *queue, const struct nonce_batch *batch)
{
	return batch->for_result && queue->result_due_ms > queue->call_due_ms
		   ? queue->result_due_ms
		   : queue->call_due_ms;
}

static void leave(struct nonce_queue *queue, struct nonce_batch *batch)
{
	TAILQ_REMOVE(&queue->waiting, batch, entry);
	queue->results -= batch->for_result;
}

struct nonce_batch *nonce_queue_take(
    struct nonce_queue *queue, uint64_t now_ms, uint64_t *due_ms)
{
	struct nonce_batch *batch;

	*due_ms = UINT64_MAX;
	TAILQ_FOREACH(batch, &queue->waiting, entry)
	{
		uint64_t due = due_of(queue, batch);

		if (due <= now_ms)
			break;
		if (due < *due_ms)
			*due_ms = due;
	}
	if (batch == NULL)
		return NULL;
	leave(queue, batch);
	queue->call_due_ms = now_ms + ATTESTATION_CALL_MS;
	if (batch->for_result)
		queue->result_due_ms = now_ms + ATTESTATION_RESULT_MS;
	return batch;
}

struct nonce_batch *nonce_queue_drain(struct nonce_queue *queue)
{
	struct nonce_batch *batch = TAILQ_FIRST(&queue->waiting);

	if (batch != NULL)
		leave(queue, batch);
	return batch;
}
