/* tree_log: see tree_log.h. */
#include "oracle/tree_log.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "oracle/own_envelope.h"
#include "oracle/tree_log_leaves.h"
#include "verifier/tree_head.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SELF_CHECK_DOCUMENTS 4 /* as the publisher's */

struct tree_log {
	struct tree_log_options with;
	uv_timer_t timer;
	struct hm_cache *cache;
	struct tree_log_leaves leaves;
	struct merkle tree; /* that the newest head counts */

	/* Of the next head: set when one is published. */
	uint64_t number;
	uint8_t previous_sha256[HM_SHA256_LEN];
	char *full, *ref; /* of the newest; owned */
	struct tree_log_newest newest;
	uint64_t failures;

	/* The head in the making, from begin() to on_signed(). */
	bool signing;
	struct hm_head head;
	struct merkle grown; /* the tree with what it counts */
	char content[TREE_HEAD_CONTENT_MAX];
	size_t content_len;
	uint8_t attestation_sha256[HM_SHA256_LEN];
	struct signer_op op;

	bool stopping, last_tried;
	void (*stopped)(void *data); /* set by stop */
	void *stopped_data;
};

/* ---- a head in the making ---- */

static int fill_head(struct tree_log *log)
{
	struct hm_head *head = &log->head;
	int64_t now_ms = now_unix_ms();

	memset(head, 0, sizeof(*head));
	head->number = log->number;
	/* never back in time */
	head->published_ms = now_ms > log->newest.published_ms
				 ? now_ms
				 : log->newest.published_ms;
	memcpy(head->boot_id, log->with.boot_id, sizeof(head->boot_id));
	memcpy(head->config_sha256, log->with.config->sha256, HM_SHA256_LEN);
	memcpy(head->previous_sha256, log->previous_sha256, HM_SHA256_LEN);
	log->grown = log->tree;
	return tree_log_leaves_take(&log->leaves, &log->grown, head);
}

static void fail(struct tree_log *log, const char *why)
{
	log->failures++;
	tree_log_leaves_give_back(&log->leaves);
	log_error("tree_log", "head_failed", LOG_D("head", log->number),
	    LOG_S("why", why));
}

static void on_signed(struct signer_op *op, int status);

/* Whether one is being signed now. */
static bool begin(struct tree_log *log)
{
	const struct attestation_document *document = attestation_current(
	    log->with.attestation, now_unix_ms());

	if (log->leaves.waiting == 0)
		return false;
	if (!document) {
		fail(log, "no current attestation document");
		return false;
	}
	if (fill_head(log) != 0 ||
	    tree_head_encode(&log->head, log->content, sizeof(log->content),
		&log->content_len) != 0)
		log_die("tree_log", "out of memory");
	memcpy(log->attestation_sha256, document->sha256, HM_SHA256_LEN);
	log->signing = true;
	log->op.data = log;
	signer_sign(log->with.signer, log->with.loop, &log->op, log->content,
	    log->content_len, on_signed);
	return true;
}

/* ---- publishing it ---- */

static void keep_newest(struct tree_log *log, const struct hm_head *head,
    const struct hm_envelope *envelope)
{
	struct tree_log_newest *newest = &log->newest;

	free(log->full);
	free(log->ref);
	own_envelope_texts(envelope, &log->ref, &log->full);
	newest->full = log->full;
	newest->ref = log->ref;
	newest->tree_size = head->tree_size;
	newest->published_ms = head->published_ms;
	hex_encode(head->content_sha256, HM_SHA256_LEN, newest->sha256_hex);
}

static void post(struct tree_log *log, const struct hm_head *head,
    const struct hm_envelope *envelope)
{
	tree_log_leaves_counted(&log->leaves);
	log->tree = log->grown;
	log->number++;
	memcpy(log->previous_sha256, head->content_sha256, HM_SHA256_LEN);
	keep_newest(log, head, envelope);
	board_event(log->with.board, "tree_head", log->ref, log->full);
}

static void publish(struct tree_log *log, const struct signer_op *op)
{
	const struct attestation_document *document = attestation_find(
	    log->with.attestation, log->attestation_sha256);
	struct hm_envelope envelope;
	struct hm_head checked;
	enum hm_verdict verdict;

	if (!document) {
		fail(log, "its attestation document is gone");
		return;
	}
	envelope = own_envelope(log->content, log->content_len,
	    log->with.signer, op, log->with.platform, document);
	/* What we serve verifies, because we looked. */
	verdict = hm_head_verify_live(log->with.policy, log->cache, &envelope,
	    NULL, 0, now_unix_ms(), &checked, NULL);
	if (verdict == HM_VALID)
		post(log, &checked, &envelope);
	else
		fail(log, hm_verdict_name(verdict));
}

/* ---- the end ---- */

static void on_closed(uv_handle_t *timer)
{
	struct tree_log *log = timer->data;

	if (log->stopped)
		log->stopped(log->stopped_data);
}

/* Stopping, and nothing is being signed. */
static void finish(struct tree_log *log)
{
	bool signs = !log->last_tried && begin(log);

	log->last_tried = true;
	if (!signs)
		uv_close((uv_handle_t *)&log->timer, on_closed);
}

void tree_log_stop(
    struct tree_log *log, void (*stopped)(void *data), void *data)
{
	if (log->stopping)
		return;
	log->stopping = true;
	log->stopped = stopped;
	log->stopped_data = data;
	uv_timer_stop(&log->timer);
	if (!log->signing)
		finish(log);
}

/* ---- what makes it go ---- */

static void on_signed(struct signer_op *op, int status)
{
	struct tree_log *log = op->data;

	log->signing = false;
	if (status == 0)
		publish(log, op);
	else
		fail(log, uv_strerror(status));
	if (log->stopping)
		finish(log);
}

static void on_timer(uv_timer_t *timer)
{
	struct tree_log *log = timer->data;

	if (!log->signing)
		(void)begin(log);
}

void tree_log_add(struct tree_log *log, size_t feed, uint64_t sequence,
    const uint8_t content_sha256[HM_SHA256_LEN])
{
	assert(!log->stopping);
	assert(tree_log_leaves_sequence(&log->leaves, feed) == sequence);
	if (tree_log_leaves_add(&log->leaves, feed, content_sha256) != 0)
		log_die("tree_log",
		    "no room for more items: %zu wait for a "
		    "head that is never signed",
		    log->leaves.waiting);
}

/* ---- life ---- */

struct tree_log *tree_log_start(const struct tree_log_options *options)
{
	struct tree_log *log = calloc(1, sizeof(*log));
	uint64_t interval_ms = (uint64_t)options->config->tree_head_interval_ms;

	if (!log)
		log_die("tree_log", "out of memory");
	log->with = *options;
	log->cache = hm_cache_new(SELF_CHECK_DOCUMENTS);
	if (!log->cache)
		log_die("tree_log", "out of memory");
	tree_log_leaves_init(&log->leaves, &options->config->feeds);
	uv_timer_init(options->loop, &log->timer);
	log->timer.data = log;
	uv_timer_start(&log->timer, on_timer, interval_ms, interval_ms);
	return log;
}

void tree_log_free(struct tree_log *log)
{
	if (!log)
		return;
	tree_log_leaves_fini(&log->leaves);
	hm_cache_free(log->cache);
	free(log->full);
	free(log->ref);
	free(log);
}

const struct tree_log_newest *tree_log_newest(const struct tree_log *log)
{
	return &log->newest;
}

void tree_log_stats(const struct tree_log *log, struct tree_log_stats *out)
{
	*out = (struct tree_log_stats){
	    .heads = log->number,
	    .failures = log->failures,
	    .tree_size = log->newest.tree_size,
	    .waiting = log->leaves.waiting,
	};
}
