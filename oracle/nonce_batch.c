/* nonce_batch: see nonce_batch.h. */
#include "oracle/nonce_batch.h"

#include "base/log.h"
#include "verifier/merkle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct nonce_asker {
	uint8_t leaf[HM_SHA256_LEN];
	attestation_nonce_cb cb;
	void *data;
};

static void *need(void *memory)
{
	if (memory == NULL)
		log_die("nonce_batch", "out of memory");
	return memory;
}

static void must(int status)
{
	if (status != 0)
		log_die("nonce_batch", "SHA-256 failed");
}

struct nonce_batch *nonce_batch_new(const uint8_t *content_sha256)
{
	struct nonce_batch *batch = need(calloc(1, sizeof(*batch)));

	batch->for_result = content_sha256 != NULL;
	if (batch->for_result)
		memcpy(batch->content_sha256, content_sha256, HM_SHA256_LEN);
	return batch;
}

void nonce_batch_add(struct nonce_batch *batch, const uint8_t *nonce,
    size_t len, attestation_nonce_cb cb, void *data)
{
	struct nonce_asker *asker;

	assert(!batch->sealed && len > 0 && len <= sizeof(batch->nonce));
	if (batch->count == batch->room) {
		batch->room = batch->room != 0 ? 2 * batch->room : 1;
		batch->askers = need(realloc(
		    batch->askers, batch->room * sizeof(*batch->askers)));
	}
	if (batch->count == 0) {
		memcpy(batch->nonce, nonce, len);
		batch->nonce_len = len;
	}
	asker = &batch->askers[batch->count++];
	*asker = (struct nonce_asker){.cb = cb, .data = data};
	must(merkle_leaf(nonce, len, asker->leaf));
}

/* ---- the tree ---- */

/* Level by level, the leaves first: count, count / 2, count / 4 ... */
static uint8_t *place(
    const struct nonce_batch *batch, unsigned level, uint64_t index)
{
	size_t begin = 0;

	for (unsigned l = 0; l < level; l++)
		begin += batch->count >> l;
	assert(index < batch->count >> level);
	return batch->tree[begin + index];
}

static void on_full(void *data, unsigned level, uint64_t index,
    const uint8_t hash[HM_SHA256_LEN])
{
	memcpy(place(data, level, index), hash, HM_SHA256_LEN);
}

static int get(
    void *data, unsigned level, uint64_t index, uint8_t out[HM_SHA256_LEN])
{
	memcpy(out, place(data, level, index), HM_SHA256_LEN);
	return 0;
}

void nonce_batch_seal(struct nonce_batch *batch)
{
	struct merkle tree = {.size = 0};

	assert(!batch->sealed && batch->count > 0);
	batch->sealed = true;
	if (batch->count == 1)
		return;
	batch->tree = need(calloc(2 * batch->count, sizeof(batch->tree[0])));
	for (size_t i = 0; i < batch->count; i++)
		must(merkle_append(
		    &tree, batch->askers[i].leaf, on_full, batch));
	must(merkle_root(&tree, batch->nonce));
	batch->nonce_len = HM_SHA256_LEN;
}

/* ---- answers ---- */

static void answer_one(const struct nonce_batch *batch, size_t index,
    const struct attestation_document *doc)
{
	const struct nonce_asker *asker = &batch->askers[index];
	struct nonce_path path = {.index = index, .size = batch->count};

	if (batch->count > 1)
		must(merkle_inclusion(
		    get, (void *)batch, index, batch->count, &path.proof));
	asker->cb(doc, batch->count > 1 ? &path : NULL, NULL, asker->data);
}

void nonce_batch_answer(struct nonce_batch *batch,
    const struct attestation_document *doc, const char *error)
{
	assert(doc == NULL || batch->sealed);
	for (size_t i = 0; i < batch->count; i++) {
		if (doc != NULL)
			answer_one(batch, i, doc);
		else
			batch->askers[i].cb(
			    NULL, NULL, error, batch->askers[i].data);
	}
	free(batch->askers);
	free(batch->tree);
	free(batch);
}
