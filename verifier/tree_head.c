/*
 * tree_head: see tree_head.h. The writer is jansson, which keeps the order in
 * which keys were set; nothing that a head holds needs an escape. The reader
 * takes what JSON it is, and then asks the writer whether it would have written
 * these very bytes, so neither can drift from the other. One head comes in
 * some seconds: there is no hot path here as there is for items.
 */
#include "verifier/tree_head.h"

#include "feeds/check.h"
#include "feeds/item_check.h"
#include "verifier/hex_json.h"
#include "verifier/merkle.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* ---- whether it holds together ---- */

static bool check_numbers(const struct hm_head *head)
{
	return REQUIRE(head_number, head->number <= ITEM_INTEGER_MAX) &&
	       REQUIRE(head_size_0, head->tree_size > 0) &&
	       REQUIRE(head_published_0, head->published_ms >= 0) &&
	       REQUIRE(
		   head_published_max, head->published_ms <= ITEM_INTEGER_MAX);
}

/* Their names ascend; their counts, each at least 1, add up to the size. */
static bool check_feeds(const struct hm_head *head)
{
	uint64_t left = head->tree_size;

	for (size_t i = 0; i < head->feed_count; i++) {
		const struct hm_head_feed *f = &head->feeds[i];

		if (REFUSE(head_feed_name,
			!item_check_name(f->feed, sizeof(f->feed))) ||
		    REFUSE(head_feed_order,
			i > 0 && strcmp(f[-1].feed, f->feed) >= 0) ||
		    REFUSE(head_feed_0, f->next_sequence == 0) ||
		    REFUSE(head_feeds_more, f->next_sequence > left))
			return false;
		left -= f->next_sequence;
	}
	return REQUIRE(head_feeds_less, left == 0);
}

static bool check_frontier(const struct hm_head *head)
{
	uint8_t root[HM_SHA256_LEN];
	struct merkle tree;

	if (merkle_resume(&tree, head->tree_size, head->frontier,
		head->frontier_count) != 0 ||
	    merkle_root(&tree, root) != 0)
		return false; /* unnamed: by merkle_resume, or for memory */
	return REQUIRE(head_frontier_root,
	    memcmp(root, head->root_sha256, HM_SHA256_LEN) == 0);
}

static bool check_previous(const struct hm_head *head)
{
	static const uint8_t none[HM_SHA256_LEN];
	bool has = memcmp(head->previous_sha256, none, sizeof(none)) != 0;

	return REQUIRE(head_previous, has == (head->number > 0));
}

static bool makes_sense(const struct hm_head *head)
{
	return check_numbers(head) && check_feeds(head) &&
	       check_frontier(head) && check_previous(head);
}

/* ---- writing ---- */

static json_t *tree_of(const struct hm_head *head)
{
	json_t *feeds = json_object(), *frontier = json_array();

	/* Where memory ended, json_pack() has a NULL and gives none. */
	for (size_t i = 0; i < head->feed_count; i++)
		if (json_object_set_new(feeds, head->feeds[i].feed,
			json_integer(
			    (json_int_t)head->feeds[i].next_sequence)) != 0)
			goto out;
	for (size_t i = 0; i < head->frontier_count; i++)
		if (json_array_append_new(frontier,
			hex_json(head->frontier[i], HM_SHA256_LEN)) != 0)
			goto out;
	return json_pack("{s:s, s:o, s:I, s:I, s:o, s:I, s:o, s:o, s:o, s:o}",
	    "format", TREE_HEAD_FORMAT, "boot_id",
	    hex_json(head->boot_id, sizeof(head->boot_id)), "head",
	    (json_int_t)head->number, "tree_size", (json_int_t)head->tree_size,
	    "root_sha256", hex_json(head->root_sha256, HM_SHA256_LEN),
	    "published_ms", (json_int_t)head->published_ms, "feeds", feeds,
	    "frontier", frontier, "config_sha256",
	    hex_json(head->config_sha256, HM_SHA256_LEN), "previous_sha256",
	    hex_json(head->previous_sha256, HM_SHA256_LEN));
out:
	json_decref(feeds);
	json_decref(frontier);
	return NULL;
}

/* 0 if there was no room or no memory. */
static size_t write_content(
    const struct hm_head *head, char *out, size_t capacity)
{
	json_t *tree = tree_of(head);
	size_t len = json_dumpb(tree, out, capacity, JSON_COMPACT);

	json_decref(tree);
	return len < capacity ? len : 0;
}

int tree_head_encode(
    const struct hm_head *head, char *out, size_t capacity, size_t *len)
{
	assert(head->feed_count <= HM_HEAD_FEEDS_MAX &&
	       head->frontier_count <= HM_LOG_HASHES_MAX);
	*len = makes_sense(head) ? write_content(head, out, capacity) : 0;
	if (capacity > 0)
		out[*len] = '\0';
	return *len > 0 ? 0 : -1; /* unnamed: nothing from outside */
}

/* ---- reading: whatever is left unsaid here, the writer says ---- */

static int read_feeds(struct hm_head *out, json_t *feeds)
{
	const char *name;
	json_t *value;

	if (REFUSE(head_feeds_max, json_object_size(feeds) > HM_HEAD_FEEDS_MAX))
		return -1;
	json_object_foreach(feeds, name, value)
	{
		struct hm_head_feed *f = &out->feeds[out->feed_count++];

		/* One that was cut is not as it was written; so is a count
		 * that is no integer. */
		snprintf(f->feed, sizeof(f->feed), "%s", name);
		f->next_sequence = (uint64_t)json_integer_value(value);
	}
	return 0;
}

static int read_frontier(struct hm_head *out, json_t *frontier)
{
	size_t i;
	json_t *value;

	if (REFUSE(head_frontier_max,
		json_array_size(frontier) > HM_LOG_HASHES_MAX))
		return -1;
	json_array_foreach(frontier, i, value)
	    hex_json_read(out->frontier[out->frontier_count++], HM_SHA256_LEN,
		json_string_value(value));
	return 0;
}

/* tree may be NULL: not JSON. */
static int read_tree(struct hm_head *out, json_t *tree)
{
	const char *format, *boot_id, *root, *config, *previous;
	json_int_t number, size, published_ms;
	json_t *feeds, *frontier;
	int status = json_unpack(tree,
	    "{s:s, s:s, s:I, s:I, s:s, s:I, s:o, s:o, s:s, s:s}", "format",
	    &format, "boot_id", &boot_id, "head", &number, "tree_size", &size,
	    "root_sha256", &root, "published_ms", &published_ms, "feeds",
	    &feeds, "frontier", &frontier, "config_sha256", &config,
	    "previous_sha256", &previous);

	if (REFUSE(head_members, status != 0))
		return -1;
	out->number = (uint64_t)number;
	out->tree_size = (uint64_t)size;
	out->published_ms = published_ms;
	hex_json_read(out->boot_id, sizeof(out->boot_id), boot_id);
	hex_json_read(out->root_sha256, HM_SHA256_LEN, root);
	hex_json_read(out->config_sha256, HM_SHA256_LEN, config);
	hex_json_read(out->previous_sha256, HM_SHA256_LEN, previous);
	return read_feeds(out, feeds) == 0 && read_frontier(out, frontier) == 0
		   ? 0
		   : -1; /* unnamed: by the two */
}

static bool is_as_written(
    const struct hm_head *head, const char *text, size_t len)
{
	char again[TREE_HEAD_CONTENT_MAX];
	size_t again_len = write_content(head, again, sizeof(again));

	return REQUIRE(
	    head_as_written, again_len == len && memcmp(again, text, len) == 0);
}

int tree_head_decode(struct hm_head *out, const char *text, size_t len)
{
	json_t *tree = NULL;
	bool ok;

	memset(out, 0, sizeof(*out));
	/* unnamed: what is so long would not have been written */
	if (len < TREE_HEAD_CONTENT_MAX)
		tree = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	ok = read_tree(out, tree) == 0 && makes_sense(out) &&
	     is_as_written(out, text, len);
	json_decref(tree);
	if (!ok)
		memset(out, 0, sizeof(*out));
	return ok ? 0 : -1; /* unnamed: by what was wrong */
}

uint64_t tree_head_count(const struct hm_head *head, const char *feed)
{
	for (size_t i = 0; i < head->feed_count; i++)
		if (strcmp(head->feeds[i].feed, feed) == 0)
			return head->feeds[i].next_sequence;
	return 0;
}
