/* log_answer: see log_answer.h. */
#include "verifier/daemon/log_answer.h"

#include "base/log.h"
#include "verifier/daemon/log_day.h"
#include "verifier/daemon/log_tiles.h"
#include "verifier/envelope.h"
#include "verifier/hex_json.h"
#include "verifier/merkle.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answering {
	sqlite3 *db;
	const struct log_question *q;
	char boot_id[LOG_BOOT_HEX];
	struct log_tiles tiles;
	struct log_head head;  /* the one that the proof leads to */
	struct log_head other; /* of consistency: the smaller one */
	struct hm_log_proof proof;
	struct log_answer *out;
};

static int refuse(
    struct answering *a, unsigned status, const char *code, const char *detail)
{
	a->out->status = status;
	a->out->code = code;
	snprintf(a->out->detail, LOG_DETAIL_MAX, "%s", detail);
	return -1;
}

/* Takes the object. */
static int give(struct answering *a, json_t *root)
{
	a->out->json = json_dumps(root, JSON_COMPACT);
	if (!a->out->json)
		log_die("log_answer", "out of memory");
	json_decref(root);
	a->out->status = 200;
	return 0;
}

static json_t *envelope_json(const struct hm_envelope *envelope, bool full)
{
	char *text = envelope_format(envelope, full);
	json_t *value = text ? json_loads(text, 0, NULL) : NULL;

	if (!value)
		log_die("log_answer", "out of memory");
	free(text);
	return value;
}

static json_t *path_json(const struct hm_log_proof *proof)
{
	json_t *list = json_array();

	for (size_t i = 0; i < proof->count; i++)
		json_array_append_new(
		    list, hex_json(proof->hashes[i], HM_SHA256_LEN));
	return list;
}

/* ---- heads ---- */

static int find_boot(struct answering *a)
{
	snprintf(a->boot_id, sizeof(a->boot_id), "%s", a->q->boot_id);
	if (a->boot_id[0] || log_heads_newest_boot(a->db, a->boot_id) == 0)
		return 0;
	return refuse(
	    a, 404, "LOG_UNKNOWN", "there is no head of any boot yet");
}

/* size 0: the newest. */
static int find_head(struct answering *a, struct log_head *out, uint64_t size)
{
	char detail[LOG_DETAIL_MAX];

	if (log_heads_find(out, a->db, a->boot_id,
		size ? LOG_HEADS_AT : LOG_HEADS_NEWEST, size) == 0)
		return 0;
	if (size == 0 ||
	    log_heads_find(out, a->db, a->boot_id, LOG_HEADS_NEWEST, 0) != 0)
		return refuse(
		    a, 404, "LOG_UNKNOWN", "there is no head of this boot");
	snprintf(detail, sizeof(detail),
	    "there is no head of this size; the newest has %" PRIu64,
	    out->head.tree_size);
	log_head_fini(out);
	return refuse(a, 404, "LOG_SIZE_UNKNOWN", detail);
}

static int answer_head(struct answering *a)
{
	if (find_head(a, &a->head, 0))
		return -1;
	return give(a, envelope_json(&a->head.envelope, true));
}

static int answer_heads(struct answering *a)
{
	uint64_t from = a->q->after + 1, last = 0;
	size_t bytes = 0;
	json_t *list;
	struct log_head head;

	if (find_head(a, &a->head, 0))
		return -1;
	list = json_array();
	while (json_array_size(list) < a->q->limit && bytes < LOG_HEADS_BYTES &&
	       log_heads_find(&head, a->db, a->boot_id, LOG_HEADS_FROM, from) ==
		   0) {
		last = head.head.tree_size;
		from = last + 1;
		bytes += head.envelope.content_len;
		json_array_append_new(
		    list, envelope_json(&head.envelope, false));
		log_head_fini(&head);
	}
	return give(a, json_pack("{s:s, s:o, s:o}", "boot_id", a->boot_id,
			   "heads", list, "next_after",
			   last && last < a->head.head.tree_size
			       ? json_integer((json_int_t)last)
			       : json_null()));
}

/* ---- proofs ---- */

static int lacks_hashes(struct answering *a)
{
	if (a->tiles.failed)
		return refuse(
		    a, 503, "ARCHIVE_UNREADABLE", "the archive cannot be read");
	return refuse(a, 404, "LOG_INCOMPLETE",
	    "the archive lacks items of this boot that the proof needs");
}

static int damaged(struct answering *a)
{
	return refuse(a, 500, "LOG_DAMAGED",
	    "what the archive holds of this log does not lead to the signed "
	    "root");
}

struct leaf {
	uint8_t content_sha256[HM_SHA256_LEN];
	uint64_t index;
};

static int item_unknown(struct answering *a)
{
	return refuse(a, 404, "ITEM_UNKNOWN",
	    "the archive has no item of this feed, boot and sequence");
}

/* *head_ms: when the head was published that counts it first. */
static int find_index(struct answering *a, struct leaf *leaf, int64_t *head_ms)
{
	struct log_head previous, first;
	bool newer;
	int rc;

	if (log_heads_around(&previous, &first, a->db, a->boot_id, a->q->feed,
		a->q->sequence, &newer)) {
		if (newer)
			return refuse(a, 404, "LOG_NOT_YET",
			    "no head counts this item yet; the next one will");
		return refuse(a, 404, "LOG_INCOMPLETE",
		    "the heads around this item are not in the archive");
	}
	*head_ms = first.head.published_ms;
	rc = hm_head_leaf_index(first.head.number ? &previous.head : NULL,
	    &first.head, a->q->feed, a->q->sequence, &leaf->index);
	log_head_fini(&previous);
	log_head_fini(&first);
	return rc ? refuse(a, 404, "LOG_INCOMPLETE",
			"heads around this item are missing")
		  : 0;
}

/* Heads and hashes of days that are over stay in the main file, items do
 * not. */
static int find_leaf(struct answering *a, struct leaf *leaf)
{
	const struct log_day_item item = {
	    a->q->feed, a->boot_id, a->q->sequence};
	bool here = log_day_item_sha256(a->db, &item, leaf->content_sha256) ==
		    0;
	int64_t head_ms = 0;

	if (find_index(a, leaf, &head_ms))
		return here ? -1 : item_unknown(a);
	if (!here &&
	    log_day_item_then(a->db, &item, head_ms, leaf->content_sha256))
		return item_unknown(a);
	return 0;
}

static int answer_inclusion(struct answering *a)
{
	const struct hm_head *head = &a->head.head;
	struct leaf leaf;

	if (find_head(a, &a->head, a->q->size) || find_leaf(a, &leaf))
		return -1;
	if (leaf.index >= head->tree_size)
		return refuse(a, 404, "LOG_NOT_YET",
		    "the tree of this size does not have this item yet");
	if (merkle_inclusion(log_tiles_get, &a->tiles, leaf.index,
		head->tree_size, &a->proof))
		return lacks_hashes(a);
	if (hm_log_inclusion_verify(leaf.content_sha256, leaf.index,
		head->tree_size, head->root_sha256, &a->proof) != HM_VALID)
		return damaged(a);
	return give(a,
	    json_pack("{s:s, s:s, s:s, s:I, s:o, s:I, s:I, s:o, s:o}", "format",
		"hallmark-inclusion/1", "boot_id", a->boot_id, "feed",
		a->q->feed, "sequence", (json_int_t)a->q->sequence,
		"content_sha256", hex_json(leaf.content_sha256, HM_SHA256_LEN),
		"leaf_index", (json_int_t)leaf.index, "tree_size",
		(json_int_t)head->tree_size, "path", path_json(&a->proof),
		"head", envelope_json(&a->head.envelope, true)));
}

static int answer_consistency(struct answering *a)
{
	const struct hm_head *first = &a->other.head, *second = &a->head.head;

	if (find_head(a, &a->other, a->q->from) ||
	    find_head(a, &a->head, a->q->size))
		return -1;
	if (first->tree_size > second->tree_size)
		return refuse(
		    a, 400, "PARAM_INVALID", "from must not be larger than to");
	if (merkle_consistency(log_tiles_get, &a->tiles, first->tree_size,
		second->tree_size, &a->proof))
		return lacks_hashes(a);
	if (hm_log_consistency_verify(first->tree_size, first->root_sha256,
		second->tree_size, second->root_sha256, &a->proof) != HM_VALID)
		return damaged(a);
	return give(
	    a, json_pack("{s:s, s:s, s:I, s:I, s:o, s:[o, o]}", "format",
		   "hallmark-consistency/1", "boot_id", a->boot_id, "from",
		   (json_int_t)first->tree_size, "to",
		   (json_int_t)second->tree_size, "path", path_json(&a->proof),
		   "heads", envelope_json(&a->other.envelope, true),
		   envelope_json(&a->head.envelope, true)));
}

static int (*const kinds[])(struct answering *a) = {
    [LOG_ASKED_HEAD] = answer_head,
    [LOG_ASKED_HEADS] = answer_heads,
    [LOG_ASKED_INCLUSION] = answer_inclusion,
    [LOG_ASKED_CONSISTENCY] = answer_consistency,
};

void log_answer(
    struct log_answer *out, sqlite3 *db, const struct log_question *question)
{
	struct answering *a = calloc(1, sizeof(*a)); /* 100 KiB */

	if (!a)
		log_die("log_answer", "out of memory");
	memset(out, 0, sizeof(*out));
	a->db = db;
	a->q = question;
	a->out = out;
	if (find_boot(a) == 0 &&
	    log_tiles_init(&a->tiles, db, a->boot_id) == 0) {
		(void)kinds[question->asked](a);
		log_tiles_fini(&a->tiles);
	}
	if (!out->status)
		refuse(
		    a, 503, "ARCHIVE_UNREADABLE", "the archive cannot be read");
	log_head_fini(&a->head);
	log_head_fini(&a->other);
	free(a);
}
