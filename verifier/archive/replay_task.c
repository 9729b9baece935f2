/* replay_task: see replay_task.h. */
#include "verifier/archive/replay_task.h"

#include "feeds/hex.h"
#include "verifier/verify_item.h"

#include <stdlib.h>
#include <string.h>

/* ---- batches ---- */

static void *keep(struct replay_batch *batch, const void *bytes, size_t len)
{
	uint8_t *at = batch->bytes + batch->used;

	if (!bytes)
		return NULL;
	memcpy(at, bytes, len);
	at[len] = '\0'; /* of texts; nobody minds it elsewhere */
	batch->used += len + 1;
	return at;
}

static size_t size_of(const struct archive_entry *entry)
{
	const struct hm_envelope *e = &entry->envelope;

	return e->content_len + e->signature_len +
	       (e->public_key ? strlen(e->public_key) : 0) +
	       (entry->problem ? strlen(entry->problem) : 0) + 4;
}

bool replay_batch_add(
    struct replay_batch *batch, const struct archive_entry *entry)
{
	struct replay_task *task = &batch->tasks[batch->count];
	struct hm_envelope *e = &task->entry.envelope;
	size_t key_len;

	if (batch->count == REPLAY_BATCH_TASKS ||
	    size_of(entry) > REPLAY_BATCH_BYTES - batch->used)
		return false;
	task->entry = *entry;
	key_len = e->public_key ? strlen(e->public_key) : 0;
	e->content = keep(batch, e->content, e->content_len);
	e->signature = keep(batch, e->signature, e->signature_len);
	e->public_key = keep(batch, e->public_key, key_len);
	e->document = NULL;
	if (entry->problem)
		task->entry.problem = keep(
		    batch, entry->problem, strlen(entry->problem));
	task->entry.bytes = NULL;
	task->head = NULL;
	batch->count++;
	return true;
}

void replay_batch_clear(struct replay_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->tasks[i].head);
	batch->count = batch->used = 0;
}

/* ---- judging ---- */

static enum hm_verdict verify(struct replay_worker *w,
    const struct hm_envelope *envelope, const uint8_t *document, size_t len)
{
	return verify_item_and_content(w->policy, w->cache, envelope, document,
	    len, w->with->live ? &w->with->now_ms : NULL, &w->item,
	    &w->content);
}

/* By reference first: whatever is in the cache need not be hashed again. */
static enum hm_verdict verify_item(
    struct replay_worker *w, const struct hm_envelope *envelope)
{
	enum hm_verdict verdict = verify(w, envelope, NULL, 0);
	struct replay_blob *document = NULL;
	const uint8_t *bytes;
	size_t len;

	if (verdict == HM_ATTESTATION_MISSING)
		document = replay_blobs_get(
		    w->documents, envelope->attestation_sha256);
	if (document) {
		bytes = replay_blob_bytes(document, &len);
		verdict = verify(w, envelope, bytes, len);
		replay_blobs_release(w->documents, document);
	}
	return verdict;
}

/* The first column that says something else, or NULL. */
static const char *compare_row(
    const struct archive_stated *row, const struct hm_item *item)
{
	char boot_id[2 * sizeof(item->boot_id) + 1];
	char sha256[2 * HM_SHA256_LEN + 1];

	if (!row->has)
		return NULL;
	hex_encode(item->boot_id, sizeof(item->boot_id), boot_id);
	hex_encode(item->content_sha256, HM_SHA256_LEN, sha256);
	if (strcmp(row->feed, item->feed) != 0)
		return "feed";
	if (strcmp(row->boot_id, boot_id) != 0)
		return "boot_id";
	if (row->sequence != item->sequence)
		return "sequence";
	if (row->published_ms != item->published_ms)
		return "published_ms";
	if (row->expires_ms != item->expires_ms)
		return "expires_ms";
	return strcmp(row->content_sha256, sha256) == 0 ? NULL
							: "content_sha256";
}

static void make_price(struct replay_worker *w, struct replay_task *task)
{
	const struct replay_options *with = w->with;
	const struct hm_envelope *e = &task->entry.envelope;

	task->config = NULL;
	if (with->feeds && memcmp(with->config_sha256, w->item.config_sha256,
			       HM_SHA256_LEN) == 0)
		task->config = feed_set_find(with->feeds, w->item.feed);
	replay_price_make(&task->price, task->config, &w->content, e->content,
	    e->content_len, &w->room);
}

static void judge_item(struct replay_worker *w, struct replay_task *task)
{
	const struct hm_item *item = &w->item;

	task->row_differs = NULL;
	task->priced = task->answer_differs = false;
	task->answers = 0;
	task->verdict = verify_item(w, &task->entry.envelope);
	if (task->verdict != HM_VALID)
		return;
	memcpy(task->feed, item->feed, sizeof(task->feed));
	memcpy(task->boot_id, item->boot_id, sizeof(task->boot_id));
	task->sequence = item->sequence;
	task->published_ms = item->published_ms;
	memcpy(task->previous_sha256, item->previous_sha256, HM_SHA256_LEN);
	memcpy(task->content_sha256, item->content_sha256, HM_SHA256_LEN);
	task->row_differs = compare_row(&task->entry.stated, item);
	task->priced = !w->with->no_prices;
	if (!task->priced)
		return;
	make_price(w, task);
	replay_raw_check(w, task);
}

static enum hm_verdict verify_head(struct replay_worker *w,
    const struct hm_envelope *envelope, const uint8_t *document, size_t len,
    struct hm_head *out)
{
	if (w->with->live)
		return hm_head_verify_live(w->policy, w->cache, envelope,
		    document, len, w->with->now_ms, out, NULL);
	return hm_head_verify_replay(
	    w->policy, w->cache, envelope, document, len, out, NULL);
}

static void judge_head(struct replay_worker *w, struct replay_task *task)
{
	const struct hm_envelope *e = &task->entry.envelope;
	struct replay_blob *document;
	const uint8_t *bytes = NULL;
	size_t len = 0;

	task->verdict = HM_NO_MEMORY;
	task->head = calloc(1, sizeof(*task->head));
	if (!task->head)
		return;
	document = replay_blobs_get(w->documents, e->attestation_sha256);
	if (document)
		bytes = replay_blob_bytes(document, &len);
	task->verdict = verify_head(w, e, bytes, len, task->head);
	replay_blobs_release(w->documents, document);
	if (task->verdict == HM_VALID)
		return;
	free(task->head);
	task->head = NULL;
}

void replay_worker_judge(
    struct replay_worker *worker, struct replay_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct replay_task *task = &batch->tasks[i];

		if (task->entry.kind == ARCHIVE_ENTRY_ITEM)
			judge_item(worker, task);
		else if (task->entry.kind == ARCHIVE_ENTRY_HEAD)
			judge_head(worker, task);
	}
}

int replay_worker_init(struct replay_worker *worker,
    const struct replay_options *options, unsigned job,
    struct replay_blobs *documents, struct replay_blobs *raws)
{
	memset(worker, 0, sizeof(*worker));
	worker->with = options;
	worker->policy = options->policies[job];
	worker->documents = documents;
	worker->raws = raws;
	worker->cache = hm_cache_new(REPLAY_DOCUMENTS);
	return worker->cache ? 0 : -1;
}

void replay_worker_fini(struct replay_worker *worker)
{
	hm_cache_free(worker->cache);
	worker->cache = NULL;
}
