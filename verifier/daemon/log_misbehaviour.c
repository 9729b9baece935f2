/* log_misbehaviour: the file of proof, written and checked in one place. */
#include "verifier/daemon/log_misbehaviour.h"

#include "base/file.h"
#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/daemon/path_beside.h"
#include "verifier/envelope.h"
#include "verifier/merkle.h"
#include "verifier/tree_head.h"
#include "verifier/verify_item.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "misbehaviour-"

/* ---- writing ---- */

static int append_full(json_t *list, const struct hm_envelope *envelope)
{
	char *text = envelope_format(envelope, true);
	json_t *value = text ? json_loads(text, 0, NULL) : NULL;

	free(text);
	return json_array_append_new(list, value);
}

char *log_misbehaviour_format(const struct hm_envelope *first,
    const struct hm_envelope *second, const uint8_t boot_id[16], json_t *items,
    json_t *documents)
{
	json_t *heads = json_array(), *root;
	char boot[33], *text = NULL;

	hex_encode(boot_id, 16, boot);
	root = json_pack("{s:s, s:s, s:o}", "format", LOG_MISBEHAVIOUR_FORMAT,
	    "boot_id", boot, "heads", heads);
	if (root && (!first || append_full(heads, first) == 0) &&
	    append_full(heads, second) == 0 &&
	    (!items || json_object_set(root, "items", items) == 0) &&
	    (!documents || json_object_set(root, "documents", documents) == 0))
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	json_decref(items);
	json_decref(documents);
	return text;
}

/* Files that begin so in the archive's folder. */
static size_t count_files(const char *archive, const char *prefix)
{
	char folder[PATH_BESIDE_MAX];
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	if (path_beside(folder, archive, ".") || !(dir = opendir(folder)))
		return 0;
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
		    strstr(entry->d_name, ".json"))
			count++;
	closedir(dir);
	return count;
}

size_t log_misbehaviour_count(const char *archive)
{
	return count_files(archive, PREFIX);
}

int log_misbehaviour_write(const char *archive, const char *boot_id,
    uint64_t tree_size, const char *text, char *out, size_t out_max)
{
	char name[128], path[PATH_BESIDE_MAX];
	int rc;

	snprintf(name, sizeof(name), PREFIX "%s-%" PRIu64 ".json", boot_id,
	    tree_size);
	if (path_beside(path, archive, name)) {
		snprintf(out, out_max, "the path is too long");
		return -1;
	}
	snprintf(out, out_max, "%s", path);
	if (access(path, F_OK) == 0)
		return 1;
	snprintf(name, sizeof(name), PREFIX "%s-", boot_id);
	if (count_files(archive, name) >= LOG_MISBEHAVIOUR_FILES_MAX) {
		snprintf(out, out_max, "there are enough of this boot");
		return -1;
	}
	rc = file_write(path, text, strlen(text), 0644);
	if (rc)
		snprintf(out, out_max, "%s", strerror(-rc));
	return rc ? -1 : 0;
}

/* ---- checking ---- */

struct check {
	struct log_misbehaviour *out;
	const struct hm_policy *policy;
	struct hm_cache *cache;
	json_t *heads, *items, *documents; /* borrowed */
	const char *boot_id;               /* as it says */
	char *why;
};

static enum hm_verdict say(
    const struct check *c, enum hm_verdict verdict, const char *why)
{
	snprintf(c->why, LOG_MISBEHAVIOUR_ERROR_MAX, "%s", why);
	return verdict;
}

static enum hm_verdict read_envelope(struct hm_envelope *out, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	enum hm_verdict verdict = HM_NO_MEMORY;

	memset(out, 0, sizeof(*out));
	if (text)
		verdict = hm_envelope_parse(out, text, strlen(text));
	free(text);
	return verdict;
}

static enum hm_verdict check_head(
    const struct check *c, size_t i, struct hm_head *head)
{
	const struct hm_report quiet = {0};
	struct hm_envelope envelope;
	enum hm_verdict verdict = read_envelope(
	    &envelope, json_array_get(c->heads, i));

	if (verdict == HM_VALID)
		verdict = hm_head_verify_replay(
		    c->policy, c->cache, &envelope, NULL, 0, head, &quiet);
	hm_envelope_fini(&envelope);
	if (verdict != HM_VALID)
		return say(c, verdict,
		    i == 0 ? "the first head is not genuine"
			   : "the second head is not genuine");
	return HM_VALID;
}

/* With the document that `documents` has for it, if it has. */
static enum hm_verdict verify_item(const struct check *c,
    const struct hm_envelope *envelope, struct hm_item *item)
{
	char hex[2 * HM_SHA256_LEN + 1];
	enum hm_verdict verdict;
	uint8_t *bytes = NULL;
	const char *text;
	size_t len = 0;

	hex_encode(envelope->attestation_sha256, HM_SHA256_LEN, hex);
	text = json_string_value(json_object_get(c->documents, hex));
	if (text && base64_decode(&bytes, &len, text, strlen(text)))
		return HM_DOCUMENT_MALFORMED;
	verdict = verify_item_alone(
	    c->policy, c->cache, envelope, bytes, len, item);
	free(bytes);
	return verdict;
}

static bool is_leaf(const struct hm_item *item, const struct hm_head *head,
    const char *feed, uint64_t sequence)
{
	return memcmp(item->boot_id, head->boot_id, 16) == 0 &&
	       strcmp(item->feed, feed) == 0 && item->sequence == sequence;
}

static enum hm_verdict add_item(const struct check *c, size_t at,
    const char *feed, uint64_t sequence, struct merkle *tree)
{
	uint8_t leaf[HM_SHA256_LEN];
	struct hm_envelope envelope;
	struct hm_item item;
	enum hm_verdict verdict;

	if (at >= json_array_size(c->items))
		return say(c, HM_LOG_PROOF, "it lacks items");
	verdict = read_envelope(&envelope, json_array_get(c->items, at));
	if (verdict == HM_VALID)
		verdict = verify_item(c, &envelope, &item);
	hm_envelope_fini(&envelope);
	if (verdict != HM_VALID)
		return say(c, verdict, "an item is not genuine");
	if (!is_leaf(&item, &c->out->second, feed, sequence))
		return say(c, HM_LOG_PROOF,
		    "its items are not those that the second head added");
	if (merkle_leaf(item.content_sha256, HM_SHA256_LEN, leaf) ||
	    merkle_append(tree, leaf, NULL, NULL))
		return HM_NO_MEMORY;
	return HM_VALID;
}

/* All leaves that the second head adds, in their order; then its root. */
static enum hm_verdict check_items(struct check *c, const struct hm_head *first)
{
	const struct hm_head *second = &c->out->second;
	struct merkle tree = {0};
	uint8_t root[HM_SHA256_LEN];
	enum hm_verdict verdict;
	size_t at = 0;

	if (first && merkle_resume(&tree, first->tree_size, first->frontier,
			 first->frontier_count))
		return say(c, HM_LOG_PROOF, "the first head's frontier");
	for (size_t i = 0; i < second->feed_count; i++) {
		const struct hm_head_feed *f = &second->feeds[i];
		uint64_t n = first ? tree_head_count(first, f->feed) : 0;

		for (; n < f->next_sequence; n++, at++) {
			verdict = add_item(c, at, f->feed, n, &tree);
			if (verdict != HM_VALID)
				return verdict;
		}
	}
	if (at != json_array_size(c->items))
		return say(c, HM_LOG_PROOF, "it has items too many");
	if (merkle_root(&tree, root))
		return HM_NO_MEMORY;
	if (tree.size == second->tree_size &&
	    memcmp(root, second->root_sha256, HM_SHA256_LEN) == 0)
		return say(c, HM_LOG_PROOF,
		    "these items give the very root that was signed");
	c->out->items = at;
	return HM_LOG_FORK;
}

static enum hm_verdict check_all(struct check *c)
{
	struct log_misbehaviour *out = c->out;
	enum hm_verdict verdict;
	char boot_id[33];
	bool in_a_row;

	out->heads = json_array_size(c->heads);
	if (out->heads == 2) {
		verdict = check_head(c, 0, &out->first);
		if (verdict != HM_VALID)
			return verdict;
	}
	verdict = check_head(c, out->heads - 1, &out->second);
	if (verdict != HM_VALID)
		return verdict;
	hex_encode(out->second.boot_id, 16, boot_id);
	if (strcmp(boot_id, c->boot_id) != 0)
		return say(c, HM_LOG_PROOF, "its heads are of another boot");
	if (!c->items) {
		verdict = hm_head_compare(&out->first, &out->second);
		if (verdict != HM_VALID)
			return verdict;
		return say(c, HM_LOG_PROOF,
		    "these two heads do not contradict each other");
	}
	in_a_row = out->heads == 2
		       ? memcmp(out->first.boot_id, out->second.boot_id, 16) ==
				 0 &&
			     out->second.number == out->first.number + 1
		       : out->second.number == 0;
	if (!in_a_row)
		return say(c, HM_LOG_PROOF, "its heads are not in a row");
	return check_items(c, out->heads == 2 ? &out->first : NULL);
}

static bool has_form(const struct check *c, const char *format)
{
	size_t heads = json_array_size(c->heads);

	return strcmp(format, LOG_MISBEHAVIOUR_FORMAT) == 0 &&
	       json_is_array(c->heads) &&
	       (heads == 2 || (heads == 1 && c->items)) &&
	       (!c->items || json_is_array(c->items)) &&
	       (!c->documents || (c->items && json_is_object(c->documents))) &&
	       json_array_size(c->items) <= LOG_MISBEHAVIOUR_ITEMS_MAX;
}

enum hm_verdict log_misbehaviour_check(struct log_misbehaviour *out,
    const struct hm_policy *policy, const char *json, size_t len,
    char why[static LOG_MISBEHAVIOUR_ERROR_MAX])
{
	struct check c = {.out = out, .policy = policy, .why = why};
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	const char *format = NULL;
	enum hm_verdict verdict = HM_NO_MEMORY;

	memset(out, 0, sizeof(*out));
	why[0] = '\0';
	if (json_unpack(root, "{s:s, s:s, s:o, s?o, s?o !}", "format", &format,
		"boot_id", &c.boot_id, "heads", &c.heads, "items", &c.items,
		"documents", &c.documents) ||
	    !has_form(&c, format))
		verdict = say(&c, HM_CONTENT_MALFORMED,
		    "this is not a " LOG_MISBEHAVIOUR_FORMAT);
	else if ((c.cache = hm_cache_new(16)))
		verdict = check_all(&c);
	if (verdict != HM_LOG_FORK)
		memset(out, 0, sizeof(*out));
	hm_cache_free(c.cache);
	json_decref(root);
	return verdict;
}
