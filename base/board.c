/*
 * board: see board.h. An entry holds the newest text of one name in both
 * forms; two hubs stream them, the one for the full form only once somebody
 * asked for it. Documents are kept in a ring and found by their hash.
 */
#include "base/board_state.h"

#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
	char *out = strdup(text);

	if (!out)
		log_die("board", "out of memory");
	return out;
}

static void welcome(struct sse_hub *hub, void *subscriber, void *data)
{
	const struct board *board = data;

	(void)hub;
	for (size_t i = 0; i < board->origin_count; i++) {
		const char *event = board->origins[i].event;

		sse_welcome(subscriber, "attestation", event, strlen(event));
	}
}

struct sse_hub *board_new_hub(struct board *board, const char *suffix)
{
	char epoch[40];
	struct sse_hub_options options = {
	    .loop = board->loop,
	    .epoch = epoch,
	    .welcome = welcome,
	    .data = board,
	};

	snprintf(epoch, sizeof(epoch), "%s%s", board->epoch, suffix);
	return sse_hub_new(&options);
}

struct board *board_new(uv_loop_t *loop, const char *epoch)
{
	struct board *board = calloc(1, sizeof(*board));

	if (!board)
		log_die("board", "out of memory");
	board->loop = loop;
	snprintf(board->epoch, sizeof(board->epoch) - 1, "%s", epoch);
	board->ref_hub = board_new_hub(board, "");
	board->waits = board_waits_new(board);
	board->gzip = gzip_new();
	return board;
}

struct board_entry *board_find_entry(
    const struct board *board, const char *name)
{
	for (size_t i = 0; i < board->entry_count; i++)
		if (strcmp(board->entries[i].name, name) == 0)
			return (struct board_entry *)&board->entries[i];
	return NULL;
}

void board_add_name(struct board *board, const char *name)
{
	struct board_entry *entry;

	assert(strlen(name) < BOARD_NAME_MAX);
	if (board_find_entry(board, name))
		return;
	if (board->entry_count == BOARD_NAMES_MAX) {
		log_warn("board", "name_dropped", LOG_S("name", name),
		    LOG_S("why", "too many names"));
		return;
	}
	entry = &board->entries[board->entry_count++];
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	hermes_id_of(name, entry->feed_id);
}

bool board_has_name(const struct board *board, const char *name)
{
	return board_find_entry(board, name) != NULL;
}

/* NULL is "". */
static void keep(char *out, size_t cap, const char *text)
{
	snprintf(out, cap, "%s", text ? text : "");
}

static void keep_text(struct board_entry *entry, const struct board_text *text)
{
	const char *boot_id = text->boot_id ? text->boot_id : "";

	entry->previous_ms = strcmp(entry->boot_id, boot_id) == 0
				 ? entry->published_ms
				 : 0;
	free(entry->full);
	free(entry->ref);
	free(entry->gzip);
	entry->gzip = NULL;
	entry->version++;
	entry->full = copy(text->full);
	entry->ref = copy(text->ref);
	keep(entry->sha256_hex, sizeof(entry->sha256_hex), text->sha256_hex);
	keep(entry->unavailable, sizeof(entry->unavailable), text->unavailable);
	keep(entry->boot_id, sizeof(entry->boot_id), boot_id);
	keep(entry->price, sizeof(entry->price), text->price);
	keep(entry->confidence, sizeof(entry->confidence), text->confidence);
	entry->sequence = text->sequence;
	entry->published_ms = text->published_ms;
	entry->expires_ms = text->expires_ms;
}

void board_post(struct board *board, const struct board_text *text)
{
	struct board_entry *entry = board_find_entry(board, text->name);
	const char *event = text->unavailable ? "status" : "price";

	assert(entry && !board->closed);
	keep_text(entry, text);
	sse_publish(board->ref_hub, event, entry->name, entry->ref,
	    strlen(entry->ref), true);
	if (board->full_hub)
		sse_publish(board->full_hub, event, entry->name, entry->full,
		    strlen(entry->full), true);
	board_hermes_posted(board, entry);
	board_waits_posted(board->waits, entry);
}

/* ---- documents ---- */

const struct board_document *board_find_document(
    const struct board *board, const char *sha256_hex)
{
	for (size_t i = 0; i < BOARD_DOCUMENTS_MAX; i++)
		if (board->documents[i].bytes &&
		    strcmp(board->documents[i].sha256_hex, sha256_hex) == 0)
			return &board->documents[i];
	return NULL;
}

bool board_has_document(const struct board *board, const char *sha256_hex)
{
	return board_find_document(board, sha256_hex) != NULL;
}

static void keep_document(struct board *board, const char *sha256_hex,
    const uint8_t *bytes, size_t len)
{
	struct board_document *slot = &board->documents[board->next_document];

	if (board_find_document(board, sha256_hex))
		return;
	free(slot->bytes);
	slot->bytes = malloc(len ? len : 1);
	if (!slot->bytes)
		log_die("board", "out of memory");
	memcpy(slot->bytes, bytes, len);
	slot->len = len;
	snprintf(slot->sha256_hex, sizeof(slot->sha256_hex), "%s", sha256_hex);
	board->next_document = (board->next_document + 1) % BOARD_DOCUMENTS_MAX;
}

void board_post_late(struct board *board, const char *name, const char *full,
    const char *ref, const char *document_sha256_hex, const uint8_t *document,
    size_t document_len)
{
	assert(board_find_entry(board, name) && !board->closed);
	keep_document(board, document_sha256_hex, document, document_len);
	sse_publish_behind(board->ref_hub, "late", name, ref, strlen(ref));
	if (board->full_hub)
		sse_publish_behind(
		    board->full_hub, "late", name, full, strlen(full));
}

/* The slot of this origin; a new one, or NULL if there is no room. */
static struct board_origin *origin_slot(struct board *board, const char *name)
{
	for (size_t i = 0; i < board->origin_count; i++)
		if (strcmp(board->origins[i].name, name) == 0)
			return &board->origins[i];
	if (board->origin_count == BOARD_ORIGINS_MAX)
		return NULL;
	board->origins[board->origin_count].name = copy(name);
	return &board->origins[board->origin_count++];
}

void board_attest(struct board *board, const char *origin,
    const char *sha256_hex, const uint8_t *bytes, size_t len, const char *event)
{
	struct board_origin *slot = origin_slot(board, origin);

	assert(!board->closed);
	keep_document(board, sha256_hex, bytes, len);
	if (!slot)
		return;
	free(slot->event);
	slot->event = copy(event);
	sse_publish(
	    board->ref_hub, "attestation", "", event, strlen(event), false);
	if (board->full_hub)
		sse_publish(board->full_hub, "attestation", "", event,
		    strlen(event), false);
}

/* ---- state ---- */

static bool is_older(
    const struct board_entry *entry, int64_t now_ms, int64_t max_age_ms)
{
	return max_age_ms != BOARD_ANY_AGE &&
	       now_ms - entry->published_ms > max_age_ms;
}

const char *board_refusal(const struct board_entry *entry, int64_t now_ms,
    int64_t max_age_ms, char detail[BOARD_DETAIL_MAX])
{
	if (!entry->full) {
		snprintf(detail, BOARD_DETAIL_MAX,
		    "%s has no item yet; ask /readyz why", entry->name);
		return "FEED_UNAVAILABLE";
	}
	if (now_ms > entry->expires_ms) {
		snprintf(detail, BOARD_DETAIL_MAX,
		    "the newest item of %s expired %lld ms ago", entry->name,
		    (long long)(now_ms - entry->expires_ms));
		return "PRICE_STALE";
	}
	if (is_older(entry, now_ms, max_age_ms)) {
		snprintf(detail, BOARD_DETAIL_MAX,
		    "the newest item of %s was published %lld ms ago; "
		    "max_age_ms is %lld",
		    entry->name, (long long)(now_ms - entry->published_ms),
		    (long long)max_age_ms);
		return "PRICE_STALE";
	}
	if (entry->unavailable[0]) {
		snprintf(detail, BOARD_DETAIL_MAX,
		    "%s has no price: %s; the signed item says what each "
		    "source did",
		    entry->name, entry->unavailable);
		return "FEED_UNAVAILABLE";
	}
	return NULL;
}

size_t board_names(const struct board *board)
{
	return board->entry_count;
}

size_t board_fresh(
    const struct board *board, int64_t now_ms, char *missing, size_t cap)
{
	char detail[BOARD_DETAIL_MAX];
	size_t fresh = 0, used = 0;

	if (cap)
		missing[0] = '\0';
	for (size_t i = 0; i < board->entry_count; i++) {
		const struct board_entry *entry = &board->entries[i];

		if (!board_refusal(entry, now_ms, BOARD_ANY_AGE, detail)) {
			fresh++;
		} else if (used + strlen(entry->name) + 2 < cap) {
			used += (size_t)snprintf(missing + used, cap - used,
			    "%s%s", used ? "," : "", entry->name);
		}
	}
	return fresh;
}

size_t board_waiting(const struct board *board)
{
	return board_waits_count(board->waits);
}

static void add_stats(struct sse_hub *hub, void *data)
{
	struct sse_stats *sum = data, stats;

	sse_hub_stats(hub, &stats);
	sum->subscribers += stats.subscribers;
	sum->events += stats.events;
	sum->deliveries += stats.deliveries;
	sum->slow_closed += stats.slow_closed;
	sum->resumed += stats.resumed;
	sum->resynced += stats.resynced;
}

static void each_hub(struct board *board,
    void (*cb)(struct sse_hub *hub, void *data), void *data)
{
	cb(board->ref_hub, data);
	if (board->full_hub)
		cb(board->full_hub, data);
	board_hermes_each(board, cb, data);
}

void board_stream_stats(const struct board *board, struct sse_stats *out)
{
	*out = (struct sse_stats){.subscribers = 0};
	each_hub((struct board *)board, add_stats, out);
}

static void close_hub(struct sse_hub *hub, void *reason)
{
	sse_hub_close(hub, *(const char **)reason);
}

static void free_hub(struct sse_hub *hub, void *data)
{
	(void)data;
	sse_hub_free(hub);
}

void board_close(struct board *board, const char *reason)
{
	if (board->closed)
		return;
	board->closed = true;
	board_waits_close(board->waits);
	each_hub(board, close_hub, &reason);
}

void board_free(struct board *board)
{
	if (!board)
		return;
	board_close(board, "closed");
	each_hub(board, free_hub, NULL);
	for (size_t i = 0; i < board->entry_count; i++) {
		free(board->entries[i].full);
		free(board->entries[i].ref);
		free(board->entries[i].gzip);
	}
	for (size_t i = 0; i < BOARD_DOCUMENTS_MAX; i++)
		free(board->documents[i].bytes);
	for (size_t i = 0; i < board->origin_count; i++) {
		free(board->origins[i].name);
		free(board->origins[i].event);
	}
	gzip_free(board->gzip);
	free(board);
}
