/* tree_log_leaves: see tree_log_leaves.h. */
#include "oracle/tree_log_leaves.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

/* By insertion: once, of 256 at most. */
static void sort_names(struct tree_log_leaves *leaves)
{
	for (size_t i = 0; i < leaves->feed_count; i++) {
		size_t at = i;

		for (; at > 0; at--) {
			size_t before = leaves->by_name[at - 1];

			if (strcmp(leaves->feeds[before].name,
				leaves->feeds[i].name) <= 0)
				break;
			leaves->by_name[at] = before;
		}
		leaves->by_name[at] = i;
	}
}

void tree_log_leaves_init(
    struct tree_log_leaves *leaves, const struct feed_set *set)
{
	memset(leaves, 0, sizeof(*leaves));
	leaves->feed_count = set->count;
	for (size_t i = 0; i < set->count; i++)
		leaves->feeds[i].name = set->feeds[i].feed;
	sort_names(leaves);
}

void tree_log_leaves_fini(struct tree_log_leaves *leaves)
{
	for (size_t i = 0; i < leaves->feed_count; i++)
		free(leaves->feeds[i].waiting);
	memset(leaves, 0, sizeof(*leaves));
}

static int make_room(struct tree_log_feed *feed)
{
	size_t capacity = feed->capacity ? 2 * feed->capacity : FIRST_CAPACITY;
	void *more;

	if (feed->count < feed->capacity)
		return 0;
	more = realloc(feed->waiting, capacity * HM_SHA256_LEN);
	if (!more)
		return -1;
	feed->waiting = more;
	feed->capacity = capacity;
	return 0;
}

int tree_log_leaves_add(struct tree_log_leaves *leaves, size_t feed,
    const uint8_t content_sha256[HM_SHA256_LEN])
{
	struct tree_log_feed *f = &leaves->feeds[feed];

	assert(feed < leaves->feed_count);
	if (leaves->waiting == TREE_LOG_LEAVES_MAX || make_room(f) != 0)
		return -1;
	memcpy(f->waiting[f->count++], content_sha256, HM_SHA256_LEN);
	leaves->waiting++;
	return 0;
}

uint64_t tree_log_leaves_sequence(
    const struct tree_log_leaves *leaves, size_t feed)
{
	assert(feed < leaves->feed_count);
	return leaves->feeds[feed].counted + leaves->feeds[feed].count;
}

static int append(const struct tree_log_feed *feed, struct merkle *tree)
{
	uint8_t leaf[HM_SHA256_LEN];

	for (size_t i = 0; i < feed->count; i++)
		if (merkle_leaf(feed->waiting[i], HM_SHA256_LEN, leaf) != 0 ||
		    merkle_append(tree, leaf, NULL, NULL) != 0)
			return -1;
	return 0;
}

static void count_feed(const struct tree_log_feed *feed, struct hm_head *head)
{
	struct hm_head_feed *f = &head->feeds[head->feed_count];

	f->next_sequence = feed->counted + feed->count;
	if (f->next_sequence == 0) /* it has had none yet */
		return;
	memset(f->feed, 0, sizeof(f->feed));
	memcpy(f->feed, feed->name, strnlen(feed->name, sizeof(f->feed) - 1));
	head->feed_count++;
}

static int describe(const struct merkle *tree, struct hm_head *head)
{
	head->tree_size = tree->size;
	head->frontier_count = tree->frontier_count;
	memset(head->frontier, 0, sizeof(head->frontier));
	memcpy(head->frontier, tree->frontier,
	    tree->frontier_count * HM_SHA256_LEN);
	return merkle_root(tree, head->root_sha256);
}

int tree_log_leaves_take(
    struct tree_log_leaves *leaves, struct merkle *tree, struct hm_head *head)
{
	int status = 0;

	head->feed_count = 0;
	for (size_t i = 0; i < leaves->feed_count; i++) {
		struct tree_log_feed *f = &leaves->feeds[leaves->by_name[i]];

		assert(f->taken == 0);
		status |= append(f, tree);
		count_feed(f, head);
		f->taken = f->count;
	}
	status |= describe(tree, head);
	if (status != 0)
		tree_log_leaves_give_back(leaves);
	return status;
}

void tree_log_leaves_counted(struct tree_log_leaves *leaves)
{
	for (size_t i = 0; i < leaves->feed_count; i++) {
		struct tree_log_feed *f = &leaves->feeds[i];

		f->count -= f->taken;
		f->counted += f->taken;
		leaves->waiting -= f->taken;
		if (f->count > 0)
			memmove(f->waiting, f->waiting + f->taken,
			    f->count * HM_SHA256_LEN);
		f->taken = 0;
	}
}

void tree_log_leaves_give_back(struct tree_log_leaves *leaves)
{
	for (size_t i = 0; i < leaves->feed_count; i++)
		leaves->feeds[i].taken = 0;
}
