/* replay_chain: see replay_order.h for what it is about. */
#include "verifier/archive/replay_chain.h"

#include "verifier/moment.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- telling ---- */

void replay_chain_tell(struct replay_step *step, enum replay_kind kind,
    uint64_t sequence, const char *format, ...)
{
	struct replay_told *told;
	va_list args;

	if (step->count == REPLAY_ORDER_TOLD_MAX)
		return;
	told = &step->told[step->count++];
	told->kind = kind;
	told->sequence = sequence;
	va_start(args, format);
	vsnprintf(told->text, sizeof(told->text), format, args);
	va_end(args);
}

static void tell_regression(
    struct replay_step *step, uint64_t sequence, int64_t ms, int64_t before_ms)
{
	char at[MOMENT_TEXT_MAX], before[MOMENT_TEXT_MAX];

	moment_format(ms, at);
	moment_format(before_ms, before);
	replay_chain_tell(step, REPLAY_TIME_REGRESSION, sequence,
	    "published at %s, and the one before it at %s", at, before);
}

/* ---- what is known of an item that was there ---- */

/* How many marks are at or before this number. */
static size_t marks_to(const struct replay_chain *chain, uint64_t sequence)
{
	size_t low = 0, high = chain->mark_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (chain->marks[middle].sequence <= sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int keep_mark(struct replay_chain *chain, const struct replay_mark *mark)
{
	size_t at = marks_to(chain, mark->sequence);

	if (chain->mark_count == chain->mark_capacity) {
		size_t capacity = chain->mark_capacity * 2 + 16;
		struct replay_mark *marks = realloc(
		    chain->marks, capacity * sizeof(*marks));

		if (!marks)
			return -1;
		chain->marks = marks;
		chain->mark_capacity = capacity;
	}
	memmove(&chain->marks[at + 1], &chain->marks[at],
	    (chain->mark_count - at) * sizeof(*mark));
	chain->marks[at] = *mark;
	chain->mark_count++;
	return 0;
}

static int keep_known(
    struct replay_chain *chain, const struct replay_seen *seen)
{
	struct replay_mark mark = {.sequence = seen->sequence};

	memcpy(mark.sha256, seen->content_sha256, HM_SHA256_LEN);
	chain->recent[seen->sequence % REPLAY_RECENT] = mark;
	chain->recent_set[seen->sequence % REPLAY_RECENT] = true;
	return seen->sequence % REPLAY_MARK_EVERY == 0 ? keep_mark(chain, &mark)
						       : 0;
}

/* Its hash, or NULL if it is known no more; it is inside this piece. */
static const uint8_t *known(const struct replay_chain *chain,
    const struct replay_piece *piece, uint64_t sequence)
{
	const struct replay_mark *recent =
	    &chain->recent[sequence % REPLAY_RECENT];
	size_t marks = marks_to(chain, sequence);

	if (sequence == piece->last)
		return piece->last_sha256;
	if (chain->recent_set[sequence % REPLAY_RECENT] &&
	    recent->sequence == sequence)
		return recent->sha256;
	if (marks > 0 && chain->marks[marks - 1].sequence == sequence)
		return chain->marks[marks - 1].sha256;
	return NULL;
}

/* ---- an item that is there a second time ---- */

void replay_chain_end_copy(struct replay_chain *chain, struct replay_step *step)
{
	const struct replay_copy *copy = &chain->copy;

	if (copy->unproved)
		replay_chain_tell(step, REPLAY_TWICE, copy->first,
		    "%" PRIu64 " to %" PRIu64 " are there twice, and whether "
		    "they are the same cannot be said any more",
		    copy->first, copy->last);
	chain->copy = (struct replay_copy){0};
}

static void take_copy(struct replay_chain *chain,
    const struct replay_piece *piece, const struct replay_seen *seen,
    struct replay_step *step)
{
	struct replay_copy *copy = &chain->copy;
	const uint8_t *before = known(chain, piece, seen->sequence);

	step->twice = true;
	if (copy->going && seen->sequence != copy->last + 1)
		replay_chain_end_copy(chain, step);
	if (copy->going &&
	    memcmp(seen->previous_sha256, copy->last_sha256, HM_SHA256_LEN))
		replay_chain_tell(step, REPLAY_FORK, seen->sequence,
		    "a second copy names another item before it than the copy "
		    "has");
	if (before && memcmp(before, seen->content_sha256, HM_SHA256_LEN))
		replay_chain_tell(step, REPLAY_FORK, seen->sequence,
		    "two items under this number, with different contents");
	if (!copy->unproved)
		copy->first = seen->sequence;
	copy->unproved = !before;
	copy->going = true;
	copy->last = seen->sequence;
	memcpy(copy->last_sha256, seen->content_sha256, HM_SHA256_LEN);
}

/* ---- pieces ---- */

/* How many pieces begin at or before this number. */
static size_t pieces_to(const struct replay_chain *chain, uint64_t sequence)
{
	size_t low = 0, high = chain->count;

	if (high > 0 && chain->pieces[high - 1].first <= sequence)
		return high; /* as nearly always */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (chain->pieces[middle].first <= sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct replay_piece *insert_piece(
    struct replay_chain *chain, size_t at, const struct replay_seen *seen)
{
	struct replay_piece *piece;

	if (chain->count == chain->capacity) {
		size_t capacity = chain->capacity * 2 + 1;
		struct replay_piece *pieces = realloc(
		    chain->pieces, capacity * sizeof(*pieces));

		if (!pieces)
			return NULL;
		chain->pieces = pieces;
		chain->capacity = capacity;
	}
	piece = &chain->pieces[at];
	memmove(piece + 1, piece, (chain->count - at) * sizeof(*piece));
	chain->count++;
	*piece = (struct replay_piece){
	    .first = seen->sequence,
	    .first_ms = seen->published_ms,
	    .past_known = seen->sequence == 0, /* nothing was before it */
	};
	memcpy(piece->before_sha256, seen->previous_sha256, HM_SHA256_LEN);
	return piece;
}

static void extend(struct replay_piece *piece, const struct replay_seen *seen,
    struct replay_step *step)
{
	if (memcmp(piece->last_sha256, seen->previous_sha256, HM_SHA256_LEN)) {
		replay_chain_tell(step, REPLAY_FORK, seen->sequence,
		    "names another item before it than the one that is there");
		piece->past_known = false;
	}
	if (seen->published_ms < piece->last_ms)
		tell_regression(
		    step, seen->sequence, seen->published_ms, piece->last_ms);
}

/* The item is the last of one piece and stands before the first of the next. */
static void join(
    struct replay_chain *chain, size_t at, struct replay_step *step)
{
	struct replay_piece *piece = &chain->pieces[at], *next = piece + 1;

	if (at + 1 == chain->count || next->first != piece->last + 1)
		return;
	if (memcmp(next->before_sha256, piece->last_sha256, HM_SHA256_LEN))
		replay_chain_tell(step, REPLAY_FORK, next->first,
		    "names another item before it than the one that is there");
	if (next->first_ms < piece->last_ms)
		tell_regression(
		    step, next->first, next->first_ms, piece->last_ms);
	next->first = piece->first;
	next->first_ms = piece->first_ms;
	memcpy(next->before_sha256, piece->before_sha256,
	    sizeof(piece->before_sha256));
	memmove(piece, next, (chain->count - at - 1) * sizeof(*piece));
	chain->count--;
}

/* From the item itself to what follows; an ok one says all that there is. */
static void remember(
    struct replay_piece *piece, const struct aggregate_past *after)
{
	if (!after) {
		piece->past_known = false;
		return;
	}
	if (after->has_price) {
		piece->past = *after;
		piece->past_known = true;
		return;
	}
	piece->past.has_candidate = after->has_candidate;
	piece->past.candidate = after->candidate;
}

static int add_new(struct replay_chain *chain, size_t pieces,
    const struct replay_seen *seen, struct replay_step *step)
{
	static const uint8_t zeros[HM_SHA256_LEN];
	struct replay_piece *piece = pieces > 0 ? &chain->pieces[pieces - 1]
						: NULL;

	if (piece && piece->last + 1 == seen->sequence) {
		extend(piece, seen, step);
		pieces--;
	} else {
		piece = insert_piece(chain, pieces, seen);
		if (!piece)
			return -1;
		if (seen->sequence == 0 &&
		    memcmp(seen->previous_sha256, zeros, HM_SHA256_LEN))
			replay_chain_tell(step, REPLAY_FORK, 0,
			    "is the first and names an item before it");
	}
	step->past = piece->past;
	step->past_known = piece->past_known;
	piece->last = seen->sequence;
	piece->last_ms = seen->published_ms;
	memcpy(piece->last_sha256, seen->content_sha256, HM_SHA256_LEN);
	remember(piece, seen->after);
	join(chain, pieces, step);
	chain->items++;
	return keep_known(chain, seen);
}

/* ---- public ---- */

int replay_chain_add(struct replay_chain *chain, const struct replay_seen *seen,
    struct replay_step *step)
{
	size_t pieces = pieces_to(chain, seen->sequence);
	struct replay_piece *piece = pieces > 0 ? &chain->pieces[pieces - 1]
						: NULL;

	step->twice = step->past_known = false;
	if (!piece || seen->sequence > piece->last)
		return add_new(chain, pieces, seen, step);
	take_copy(chain, piece, seen, step);
	return 0;
}

void replay_chain_free(struct replay_chain *chain)
{
	free(chain->pieces);
	free(chain->marks);
	free(chain);
}
