/* replay_order: see replay_order.h. The table of lines; one line is
 * replay_chain. */
#include "verifier/archive/replay_chain.h"

#include "feeds/hex.h"
#include "verifier/moment.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 64 /* to begin with */

struct replay_order {
	unsigned file;
	struct replay_chain **buckets;
	size_t bucket_count, line_count;
};

/* ---- lines ---- */

static uint64_t hash_of(const char *feed, const uint8_t *boot_id)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (; *feed; feed++)
		hash = (hash ^ (uint8_t)*feed) * 1099511628211u;
	for (int i = 0; i < REPLAY_BOOT_ID_LEN; i++)
		hash = (hash ^ boot_id[i]) * 1099511628211u;
	return hash;
}

static struct replay_chain *find_line(
    const struct replay_order *order, const char *feed, const uint8_t *boot_id)
{
	struct replay_chain *line =
	    order->buckets[hash_of(feed, boot_id) % order->bucket_count];

	while (
	    line && (memcmp(line->boot_id, boot_id, REPLAY_BOOT_ID_LEN) != 0 ||
			strcmp(line->feed, feed) != 0))
		line = line->next;
	return line;
}

static int grow_buckets(struct replay_order *order)
{
	size_t count = order->bucket_count * 2;
	struct replay_chain **buckets = calloc(count, sizeof(*buckets));

	if (!buckets)
		return -1;
	for (size_t i = 0; i < order->bucket_count; i++)
		for (struct replay_chain *line = order->buckets[i], *next; line;
		     line = next) {
			size_t at = hash_of(line->feed, line->boot_id) % count;

			next = line->next;
			line->next = buckets[at];
			buckets[at] = line;
		}
	free(order->buckets);
	order->buckets = buckets;
	order->bucket_count = count;
	return 0;
}

static struct replay_chain *add_line(
    struct replay_order *order, const char *feed, const uint8_t *boot_id)
{
	struct replay_chain *line;
	size_t at;

	assert(strlen(feed) < FEED_NAME_MAX);
	if (order->line_count == order->bucket_count && grow_buckets(order))
		return NULL;
	line = calloc(1, sizeof(*line));
	if (!line)
		return NULL;
	snprintf(line->feed, sizeof(line->feed), "%s", feed);
	memcpy(line->boot_id, boot_id, REPLAY_BOOT_ID_LEN);
	at = hash_of(feed, boot_id) % order->bucket_count;
	line->next = order->buckets[at];
	order->buckets[at] = line;
	order->line_count++;
	return line;
}

/* ---- public ---- */

struct replay_order *replay_order_new(void)
{
	struct replay_order *order = calloc(1, sizeof(*order));

	if (!order)
		return NULL;
	order->bucket_count = BUCKETS;
	order->buckets = calloc(order->bucket_count, sizeof(*order->buckets));
	if (order->buckets)
		return order;
	free(order);
	return NULL;
}

void replay_order_free(struct replay_order *order)
{
	if (!order)
		return;
	for (size_t i = 0; i < order->bucket_count; i++)
		for (struct replay_chain *line = order->buckets[i], *next; line;
		     line = next) {
			next = line->next;
			replay_chain_free(line);
		}
	free(order->buckets);
	free(order);
}

void replay_order_next_file(struct replay_order *order)
{
	order->file++;
}

/* Whether a later item of its line stood before it in the same file. */
static bool is_behind(
    struct replay_chain *line, unsigned file, uint64_t sequence)
{
	bool behind = line->items > 0 && line->file == file &&
		      sequence < line->file_newest;

	if (!behind)
		line->file_newest = sequence;
	line->file = file;
	return behind;
}

int replay_order_add(struct replay_order *order, const struct replay_seen *seen,
    struct replay_step *step)
{
	struct replay_chain *line = find_line(order, seen->feed, seen->boot_id);

	step->count = 0;
	if (!line)
		line = add_line(order, seen->feed, seen->boot_id);
	if (!line)
		return -1;
	if (is_behind(line, order->file, seen->sequence) && !seen->late)
		replay_chain_tell(step, REPLAY_OUT_OF_ORDER, seen->sequence,
		    "stands behind %" PRIu64, line->file_newest);
	return replay_chain_add(line, seen, step);
}

bool replay_order_lacks(const struct replay_order *order, const char *feed,
    const uint8_t boot_id[16], uint64_t sequence, const char *by,
    const uint8_t *content_sha256, struct replay_told *told)
{
	const struct replay_chain *line = strlen(feed) < FEED_NAME_MAX
					      ? find_line(order, feed, boot_id)
					      : NULL;
	const struct replay_piece *last = line && line->count
					      ? &line->pieces[line->count - 1]
					      : NULL;

	*told = (struct replay_told){
	    .kind = REPLAY_END_MISSING, .sequence = sequence};
	if (!last)
		snprintf(told->text, sizeof(told->text),
		    "%s says that there are items of this boot up to %" PRIu64
		    ", and there is none",
		    by, sequence);
	else if (last->last < sequence)
		snprintf(told->text, sizeof(told->text),
		    "%s says that there are items up to %" PRIu64
		    ", and %" PRIu64 " is the last",
		    by, sequence, last->last);
	else if (content_sha256 && last->last == sequence &&
		 memcmp(last->last_sha256, content_sha256, HM_SHA256_LEN) != 0)
		snprintf(told->text, sizeof(told->text),
		    "%s names another content under this number", by);
	else
		return false;
	return true;
}

/* ---- the end ---- */

static int compare_lines(const void *a, const void *b)
{
	const struct replay_chain *x = *(struct replay_chain *const *)a;
	const struct replay_chain *y = *(struct replay_chain *const *)b;
	int64_t x_ms = x->pieces[0].first_ms, y_ms = y->pieces[0].first_ms;
	int feeds = strcmp(x->feed, y->feed);

	return feeds ? feeds : (x_ms > y_ms) - (x_ms < y_ms);
}

static void describe(const struct replay_chain *line, struct replay_line *out)
{
	const struct replay_piece *first = &line->pieces[0];
	const struct replay_piece *last = &line->pieces[line->count - 1];

	*out = (struct replay_line){
	    .feed = line->feed,
	    .first = first->first,
	    .last = last->last,
	    .items = line->items,
	    .missing = last->last - first->first + 1 - line->items,
	    .pieces = line->count,
	    .first_ms = first->first_ms,
	    .last_ms = last->last_ms,
	};
	hex_encode(line->boot_id, REPLAY_BOOT_ID_LEN, out->boot_id);
}

static void describe_gap(const struct replay_piece *before,
    const struct replay_piece *after, struct replay_told *told)
{
	char from[MOMENT_TEXT_MAX], to[MOMENT_TEXT_MAX];
	uint64_t count = after->first - before->last - 1;

	moment_format(before->last_ms, from);
	moment_format(after->first_ms, to);
	told->kind = REPLAY_GAP;
	told->sequence = before->last + 1;
	if (count == 1)
		snprintf(told->text, sizeof(told->text),
		    "is missing, between %s and %s", from, to);
	else
		snprintf(told->text, sizeof(told->text),
		    "to %" PRIu64 " are missing: %" PRIu64
		    " items, between %s and %s",
		    after->first - 1, count, from, to);
}

static void end_line(struct replay_chain *line,
    const struct replay_line *described,
    void (*told)(const struct replay_told *told, const struct replay_line *line,
	void *data),
    void *data)
{
	struct replay_step step = {0};
	struct replay_told gap;

	replay_chain_end_copy(line, &step);
	for (size_t i = 0; i < step.count; i++)
		told(&step.told[i], described, data);
	for (size_t i = 1; i < line->count; i++) {
		describe_gap(&line->pieces[i - 1], &line->pieces[i], &gap);
		told(&gap, described, data);
	}
}

int replay_order_end(struct replay_order *order,
    void (*told)(const struct replay_told *told, const struct replay_line *line,
	void *data),
    void (*line)(const struct replay_line *line, void *data), void *data)
{
	struct replay_chain **all = calloc(
	    order->line_count + 1, sizeof(struct replay_chain *));
	struct replay_line described;
	size_t count = 0;

	if (!all)
		return -1;
	for (size_t i = 0; i < order->bucket_count; i++)
		for (struct replay_chain *l = order->buckets[i]; l; l = l->next)
			if (l->count > 0)
				all[count++] = l;
	qsort(all, count, sizeof(struct replay_chain *), compare_lines);
	for (size_t i = 0; i < count; i++) {
		describe(all[i], &described);
		end_line(all[i], &described, told, data);
		line(&described, data);
	}
	free(all);
	return 0;
}
