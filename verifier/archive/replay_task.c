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

/* And what they point to, but documents, which come by hash. */
static size_t size_of_envelopes(const struct hm_envelope *e, size_t count)
{
	size_t size = 0;

	for (; count > 0; count--, e++)
		size +=
		    e->content_len + e->signature_len +
		    (e->public_key ? strlen(e->public_key) : 0) + 3 +
		    size_of_envelopes(e->cosignatures, e->cosignature_count) +
		    e->cosignature_count * sizeof(*e) + _Alignof(max_align_t);
	return size;
}

static size_t size_of(const struct archive_entry *entry)
{
	return size_of_envelopes(&entry->envelope, 1) +
	       (entry->problem ? strlen(entry->problem) : 0) + 1;
}

static void keep_envelope(struct replay_batch *batch, struct hm_envelope *e)
{
	size_t key_len = e->public_key ? strlen(e->public_key) : 0;

	e->content = keep(batch, e->content, e->content_len);
	e->signature = keep(batch, e->signature, e->signature_len);
	e->public_key = keep(batch, e->public_key, key_len);
	e->document = NULL;
	e->document_len = 0;
}

static void keep_cosignatures(struct replay_batch *batch, struct hm_envelope *e)
{
	const size_t align = _Alignof(max_align_t);

	if (e->cosignature_count == 0)
		return;
	batch->used = (batch->used + align - 1) / align * align;
	e->cosignatures = keep(batch, e->cosignatures,
	    e->cosignature_count * sizeof(*e->cosignatures));
	for (size_t i = 0; i < e->cosignature_count; i++)
		keep_envelope(batch, &e->cosignatures[i]);
}

bool replay_batch_add(
    struct replay_batch *batch, const struct archive_entry *entry)
{
	struct replay_task *task = &batch->tasks[batch->count];

	if (batch->count == REPLAY_BATCH_TASKS ||
	    size_of(entry) > REPLAY_BATCH_BYTES - batch->used)
		return false;
	task->entry = *entry;
	keep_envelope(batch, &task->entry.envelope);
	keep_cosignatures(batch, &task->entry.envelope);
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

/* Its document and those of its co-signatures, as far as they are there. */
static void lend(struct replay_worker *w, struct hm_envelope *e,
    struct replay_blob *lent[static HM_COSIGNATURES_MAX])
{
	for (size_t i = 0; i < e->cosignature_count; i++) {
		struct hm_envelope *c = &e->cosignatures[i];

		lent[i] = replay_blobs_get(w->documents, c->attestation_sha256);
		/* only looked at */
		if (lent[i])
			c->document = (uint8_t *)(uintptr_t)replay_blob_bytes(
			    lent[i], &c->document_len);
	}
}

static void take_back(struct replay_worker *w, struct hm_envelope *e,
    struct replay_blob *lent[static HM_COSIGNATURES_MAX])
{
	for (size_t i = 0; i < e->cosignature_count; i++) {
		e->cosignatures[i].document = NULL;
		e->cosignatures[i].document_len = 0;
		replay_blobs_release(w->documents, lent[i]);
	}
}

static enum hm_verdict verify_with_documents(
    struct replay_worker *w, struct hm_envelope *e)
{
	struct replay_blob *lent[HM_COSIGNATURES_MAX] = {NULL};
	struct replay_blob *document = replay_blobs_get(
	    w->documents, e->attestation_sha256);
	const uint8_t *bytes = NULL;
	enum hm_verdict verdict;
	size_t len = 0;

	if (document)
		bytes = replay_blob_bytes(document, &len);
	lend(w, e, lent);
	verdict = verify(w, e, bytes, len);
	take_back(w, e, lent);
	replay_blobs_release(w->documents, document);
	return verdict;
}

/* By reference first: whatever is in the cache need not be hashed again. */
static enum hm_verdict verify_item(
    struct replay_worker *w, struct hm_envelope *e)
{
	enum hm_verdict verdict = verify(w, e, NULL, 0);
	bool all = w->item.cosigners == e->cosignature_count;

	if (verdict == HM_ATTESTATION_MISSING || verdict == HM_QUORUM_MISSING ||
	    (verdict == HM_VALID && !all))
		verdict = verify_with_documents(w, e);
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
	task->not_cosigned = 0;
	task->priced = task->answer_differs = false;
	task->answers = 0;
	task->verdict = verify_item(w, &task->entry.envelope);
	if (task->verdict != HM_VALID)
		return;
	task->not_cosigned = task->entry.envelope.cosignature_count -
			     item->cosigners;
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
