/* log_verify_proof: see log_verify_proof.h. */
#include "verifier/cli/log_verify_proof.h"

#include "feeds/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trial {
	const struct log_verify_input *in;
	struct log_verify_result *out;
	struct hm_cache *cache;
};

static enum hm_verdict say(struct trial *t, const char *check,
    enum hm_verdict verdict, const char *why)
{
	if (t->in->check)
		t->in->check(t->in->data, check, verdict == HM_VALID);
	if (verdict != HM_VALID)
		snprintf(t->out->why, sizeof(t->out->why), "%s", why);
	return verdict;
}

static enum hm_verdict malformed(struct trial *t)
{
	return say(t, "form", HM_CONTENT_MALFORMED,
	    "this is neither a proof of the log nor a head");
}

/* ---- heads and items ---- */

struct last { /* the check that failed, if one did */
	char name[48];
};

static void on_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	struct last *last = data;

	(void)wanted;
	(void)found;
	snprintf(last->name, sizeof(last->name), "%s", passed ? "" : check);
}

/* Of a signed thing: which check of its own it failed. */
static enum hm_verdict say_signed(struct trial *t, const char *what,
    enum hm_verdict verdict, const struct last *last)
{
	char why[160];

	snprintf(why, sizeof(why), "the %s is not genuine: %s", what,
	    last->name[0] ? last->name : hm_verdict_name(verdict));
	return say(t, what, verdict, why);
}

static enum hm_verdict judge_head_text(struct trial *t, const char *what,
    const char *text, size_t len, struct hm_head *head)
{
	struct last last = {"envelope"};
	const struct hm_report report = {.cb = on_check, .data = &last};
	struct hm_envelope e;
	enum hm_verdict verdict = hm_envelope_parse(&e, text, len);

	if (verdict == HM_VALID)
		verdict = hm_head_verify_replay(
		    t->in->policy, t->cache, &e, NULL, 0, head, &report);
	hm_envelope_fini(&e);
	return say_signed(t, what, verdict, &last);
}

static enum hm_verdict judge_head(
    struct trial *t, const char *what, json_t *value, struct hm_head *head)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	enum hm_verdict verdict = HM_NO_MEMORY;

	if (text)
		verdict = judge_head_text(t, what, text, strlen(text), head);
	free(text);
	return verdict;
}

static enum hm_verdict judge_item(struct trial *t)
{
	struct last last = {"envelope"};
	const struct hm_report report = {.cb = on_check, .data = &last};
	struct hm_envelope e;
	enum hm_verdict verdict = hm_envelope_parse(
	    &e, t->in->item.text, t->in->item.len);

	if (verdict == HM_VALID)
		verdict = hm_item_verify_replay(t->in->policy, t->cache, &e,
		    NULL, 0, &t->out->item, &report);
	hm_envelope_fini(&e);
	return say_signed(t, "item", verdict, &last);
}

/* The head that was kept against one that came. */
static enum hm_verdict hold_against_kept(
    struct trial *t, const struct hm_head *head)
{
	const struct hm_head *kept = &t->out->kept;

	if (!t->in->head.text)
		return HM_VALID;
	if (memcmp(kept->boot_id, head->boot_id, sizeof(kept->boot_id)) != 0)
		return say(t, "kept_head", HM_LOG_PROOF,
		    "the head that was kept is of another boot");
	return say(t, "kept_head", hm_head_compare(kept, head),
	    "the head that was kept and this one contradict each other: the "
	    "enclave signed both");
}

/* ---- proofs ---- */

static int read_path(struct hm_log_proof *out, json_t *list)
{
	memset(out, 0, sizeof(*out));
	if (!json_is_array(list) || json_array_size(list) > HM_LOG_HASHES_MAX)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *hex = json_string_value(json_array_get(list, i));

		if (!hex ||
		    hex_decode(out->hashes[i], HM_SHA256_LEN, hex, strlen(hex)))
			return -1;
	}
	out->count = json_array_size(list);
	return 0;
}

static bool is_boot(const struct hm_head *head, const char *boot_id)
{
	char hex[33];

	hex_encode(head->boot_id, sizeof(head->boot_id), hex);
	return strcmp(hex, boot_id) == 0;
}

struct inclusion { /* texts are borrowed from the JSON */
	const char *format, *boot_id, *feed, *content;
	json_int_t sequence, leaf_index, tree_size;
	json_t *path, *head;
	uint8_t content_sha256[HM_SHA256_LEN];
	struct hm_log_proof proof;
};

static int read_inclusion(struct inclusion *p, json_t *root)
{
	return json_unpack(root,
		   "{s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:o, s:o !}", "format",
		   &p->format, "boot_id", &p->boot_id, "feed", &p->feed,
		   "sequence", &p->sequence, "content_sha256", &p->content,
		   "leaf_index", &p->leaf_index, "tree_size", &p->tree_size,
		   "path", &p->path, "head", &p->head) ||
	       p->sequence < 0 || p->leaf_index < 0 || p->tree_size < 1 ||
	       hex_decode(p->content_sha256, HM_SHA256_LEN, p->content,
		   strlen(p->content)) ||
	       read_path(&p->proof, p->path);
}

static enum hm_verdict hold_against_item(
    struct trial *t, const struct inclusion *p)
{
	const struct hm_item *item = &t->out->item;
	bool same = memcmp(item->boot_id, t->out->head.boot_id,
			sizeof(item->boot_id)) == 0 &&
		    strcmp(item->feed, p->feed) == 0 &&
		    item->sequence == (uint64_t)p->sequence &&
		    memcmp(item->content_sha256, p->content_sha256,
			HM_SHA256_LEN) == 0;

	return say(t, "item_in_proof", same ? HM_VALID : HM_LOG_PROOF,
	    "the proof is about another item than the one that was given");
}

static enum hm_verdict judge_inclusion(struct trial *t, json_t *root)
{
	const struct hm_head *head = &t->out->head;
	enum hm_verdict verdict;
	struct inclusion p;

	if (read_inclusion(&p, root))
		return malformed(t);
	verdict = judge_head(t, "head", p.head, &t->out->head);
	if (verdict == HM_VALID)
		verdict = hold_against_kept(t, head);
	if (verdict == HM_VALID)
		verdict = say(t, "head_in_proof",
		    is_boot(head, p.boot_id) &&
			    head->tree_size == (uint64_t)p.tree_size
			? HM_VALID
			: HM_LOG_PROOF,
		    "the proof is about another head than the one in it");
	if (verdict == HM_VALID && t->in->item.text) {
		verdict = judge_item(t);
		if (verdict == HM_VALID)
			verdict = hold_against_item(t, &p);
	}
	if (verdict != HM_VALID)
		return verdict;
	t->out->leaf_index = (uint64_t)p.leaf_index;
	return say(t, "inclusion",
	    hm_log_inclusion_verify(p.content_sha256, t->out->leaf_index,
		head->tree_size, head->root_sha256, &p.proof),
	    "the path does not lead from this item to the root that the head "
	    "signs: the item is not in this log");
}

static enum hm_verdict judge_consistency(struct trial *t, json_t *root)
{
	struct hm_head *first = &t->out->first, *second = &t->out->head;
	const char *format, *boot_id;
	json_int_t from = 0, to = 0;
	struct hm_log_proof proof;
	enum hm_verdict verdict;
	json_t *heads, *path;
	bool same;

	if (json_unpack(root, "{s:s, s:s, s:I, s:I, s:o, s:o !}", "format",
		&format, "boot_id", &boot_id, "from", &from, "to", &to, "path",
		&path, "heads", &heads) ||
	    json_array_size(heads) != 2 || read_path(&proof, path))
		return malformed(t);
	verdict = judge_head(t, "first_head", json_array_get(heads, 0), first);
	if (verdict == HM_VALID)
		verdict = judge_head(
		    t, "second_head", json_array_get(heads, 1), second);
	if (verdict != HM_VALID)
		return verdict;
	same = is_boot(first, boot_id) && is_boot(second, boot_id) &&
	       first->tree_size == (uint64_t)from &&
	       second->tree_size == (uint64_t)to;
	verdict = say(t, "heads_in_proof", same ? HM_VALID : HM_LOG_PROOF,
	    "the proof is about other heads than those in it");
	if (verdict == HM_VALID)
		verdict = hold_against_kept(t, first);
	if (verdict == HM_VALID)
		verdict = hold_against_kept(t, second);
	if (verdict == HM_VALID)
		verdict = say(t, "heads_agree", hm_head_compare(first, second),
		    "these two heads contradict each other: the enclave "
		    "signed both");
	if (verdict != HM_VALID)
		return verdict;
	return say(t, "consistency",
	    hm_log_consistency_verify(first->tree_size, first->root_sha256,
		second->tree_size, second->root_sha256, &proof),
	    "the path does not lead from the first root to the second: this "
	    "does not show that the log has only grown");
}

static enum hm_verdict judge_misbehaviour(struct trial *t)
{
	char why[LOG_MISBEHAVIOUR_ERROR_MAX];
	enum hm_verdict verdict = log_misbehaviour_check(&t->out->misbehaviour,
	    t->in->policy, t->in->proof.text, t->in->proof.len, why);

	t->out->head = t->out->misbehaviour.second;
	t->out->first = t->out->misbehaviour.first;
	say(t, "misbehaviour", verdict == HM_LOG_FORK ? HM_VALID : verdict,
	    why);
	return verdict;
}

/* ---- which of them it is ---- */

static enum hm_verdict judge(struct trial *t, json_t *root)
{
	const char *format = json_string_value(json_object_get(root, "format"));
	enum hm_verdict verdict;

	if (!json_is_object(root))
		return malformed(t);
	if (!format) {
		t->out->kind = LOG_VERIFY_HEAD;
		verdict = judge_head(t, "head", root, &t->out->head);
		return verdict == HM_VALID ? hold_against_kept(t, &t->out->head)
					   : verdict;
	}
	if (strcmp(format, "hallmark-inclusion/1") == 0) {
		t->out->kind = LOG_VERIFY_INCLUSION;
		return judge_inclusion(t, root);
	}
	if (strcmp(format, "hallmark-consistency/1") == 0) {
		t->out->kind = LOG_VERIFY_CONSISTENCY;
		return judge_consistency(t, root);
	}
	if (strcmp(format, LOG_MISBEHAVIOUR_FORMAT) != 0)
		return malformed(t);
	t->out->kind = LOG_VERIFY_MISBEHAVIOUR;
	return judge_misbehaviour(t);
}

enum hm_verdict log_verify_proof(
    struct log_verify_result *out, const struct log_verify_input *input)
{
	struct trial t = {.in = input, .out = out};
	json_t *root = json_loadb(
	    input->proof.text, input->proof.len, JSON_REJECT_DUPLICATES, NULL);

	memset(out, 0, sizeof(*out));
	t.cache = hm_cache_new(8);
	out->verdict = t.cache ? HM_VALID : HM_NO_MEMORY;
	if (out->verdict == HM_VALID && input->head.text)
		out->verdict = judge_head_text(&t, "kept_head",
		    input->head.text, input->head.len, &out->kept);
	if (out->verdict == HM_VALID)
		out->verdict = judge(&t, root);
	hm_cache_free(t.cache);
	json_decref(root);
	return out->verdict;
}
