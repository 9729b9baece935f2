/* raw_keeper: see raw_keeper.h. */
#include "verifier/daemon/raw_keeper.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "verifier/daemon/budget.h"
#include "verifier/daemon/oracle_get.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATER_MS 100 /* when the budget of this second is used up */

struct lane { /* one oracle */
	struct raw_keeper *keeper;
	const struct oracle_address *address;
	uint8_t (*queue)[HM_SHA256_LEN]; /* a ring */
	size_t first, count;
	struct oracle_get get;
	bool busy;             /* the first of the queue is asked for */
	unsigned misses;       /* in a row */
	uint64_t paused_until; /* uv_now */
	struct budget budget;
};

struct raw_keeper {
	struct raw_keeper_options options;
	struct lane *lanes;
	uv_timer_t timer; /* runs while somebody waits for time to pass */
	uint8_t (*seen)[HM_SHA256_LEN]; /* by the first bytes of the hash */
	struct raw_keeper_stats stats;
};

static void ask_next(struct lane *lane);

/* ---- answers ---- */

static void on_timer(uv_timer_t *timer)
{
	struct raw_keeper *k = timer->data;

	for (size_t i = 0; i < k->options.oracle_count; i++)
		ask_next(&k->lanes[i]);
}

static void later(struct raw_keeper *k)
{
	if (!uv_is_active((uv_handle_t *)&k->timer))
		uv_timer_start(&k->timer, on_timer, LATER_MS, 0);
}

static void missed(struct lane *lane, const char *error)
{
	struct raw_keeper *k = lane->keeper;

	k->stats.missing++;
	if (++lane->misses < RAW_KEEPER_MISSES)
		return;
	if (lane->misses == RAW_KEEPER_MISSES)
		log_warn("raw", "unavailable",
		    LOG_S("oracle", lane->address->text), LOG_S("why", error));
	lane->paused_until = uv_now(k->options.loop) + RAW_KEEPER_PAUSE_MS;
	k->stats.dropped += lane->count;
	lane->count = 0; /* by then they are gone there as well */
}

static void keep(struct lane *lane, const uint8_t sha256[HM_SHA256_LEN],
    const uint8_t *body, size_t len)
{
	struct raw_keeper *k = lane->keeper;
	uint8_t found[HM_SHA256_LEN];

	SHA256(body, len, found);
	if (memcmp(found, sha256, HM_SHA256_LEN) != 0) {
		if (k->stats.wrong++ == 0)
			log_error("raw", "other_hash",
			    LOG_S("oracle", lane->address->text));
		return;
	}
	lane->misses = 0;
	if (archive_writer_put_raw(
		k->options.writer, sha256, body, len, now_unix_ms()))
		k->stats.kept++;
	else
		k->stats.dropped++;
}

static void on_answer(
    struct oracle_get *get, const char *error, const uint8_t *body, size_t len)
{
	struct lane *lane = get->data;
	uint8_t sha256[HM_SHA256_LEN];

	memcpy(sha256, lane->queue[lane->first], sizeof(sha256));
	lane->busy = false;
	lane->first = (lane->first + 1) % RAW_KEEPER_QUEUE_MAX;
	lane->count--;
	if (body)
		keep(lane, sha256, body, len);
	else
		missed(lane, error);
	ask_next(lane);
}

static void ask_next(struct lane *lane)
{
	struct raw_keeper *k = lane->keeper;
	char target[ORACLE_TARGET_MAX], hex[2 * HM_SHA256_LEN + 1];
	uint64_t now = uv_now(k->options.loop);

	if (lane->busy || lane->count == 0)
		return;
	if (now < lane->paused_until ||
	    !budget_take(&lane->budget, now, RAW_KEEPER_PER_S)) {
		later(k);
		return;
	}
	hex_encode(lane->queue[lane->first], HM_SHA256_LEN, hex);
	snprintf(target, sizeof(target), "/raw/%s", hex);
	lane->busy = true;
	lane->get.data = lane;
	oracle_get_start(&lane->get, k->options.curl, lane->address, target,
	    "application/octet-stream", RAW_KEEPER_BODY_MAX, on_answer);
}

/* ---- items ---- */

/* True once for each hash, or again when others have taken its place. */
static bool is_new(struct raw_keeper *k, const uint8_t sha256[HM_SHA256_LEN])
{
	size_t at = (((size_t)sha256[0] << 8) | sha256[1]) % RAW_KEEPER_SEEN;

	if (memcmp(k->seen[at], sha256, HM_SHA256_LEN) == 0)
		return false;
	memcpy(k->seen[at], sha256, HM_SHA256_LEN);
	return true;
}

static void enqueue(struct lane *lane, const uint8_t sha256[HM_SHA256_LEN])
{
	size_t at = (lane->first + lane->count) % RAW_KEEPER_QUEUE_MAX;

	if (uv_now(lane->keeper->options.loop) < lane->paused_until ||
	    lane->count == RAW_KEEPER_QUEUE_MAX) {
		lane->keeper->stats.dropped++;
		return;
	}
	if (!is_new(lane->keeper, sha256))
		return;
	memcpy(lane->queue[at], sha256, HM_SHA256_LEN);
	lane->count++;
}

/* The content is signed JSON of ours, and has been read: a quotation mark in
 * one of its texts has a backslash before it. */
static void enqueue_all(struct lane *lane, const char *content)
{
	static const char key[] = "\"body_sha256\":\"";
	uint8_t sha256[HM_SHA256_LEN];
	const char *at = content;

	while ((at = strstr(at, key))) {
		at += sizeof(key) - 1;
		if (strnlen(at, 2 * HM_SHA256_LEN) == 2 * HM_SHA256_LEN &&
		    hex_decode(sha256, sizeof(sha256), at, 2 * HM_SHA256_LEN) ==
			0)
			enqueue(lane, sha256);
	}
}

void raw_keeper_item(struct raw_keeper *keeper, const struct record *record)
{
	if (!keeper || record->is_head || record->outcome != RECORD_STORED)
		return;
	for (size_t i = 0; i < keeper->options.oracle_count; i++) {
		struct lane *lane = &keeper->lanes[i];

		if (lane->address->text != record->origin)
			continue;
		enqueue_all(lane, record->envelope.content);
		ask_next(lane);
	}
}

/* ---- start and stop ---- */

struct raw_keeper *raw_keeper_start(const struct raw_keeper_options *options)
{
	struct raw_keeper *k = calloc(1, sizeof(*k));

	if (!k ||
	    !(k->lanes = calloc(options->oracle_count, sizeof(*k->lanes))) ||
	    !(k->seen = calloc(RAW_KEEPER_SEEN, sizeof(*k->seen))))
		log_die("raw", "out of memory");
	k->options = *options;
	for (size_t i = 0; i < options->oracle_count; i++) {
		struct lane *lane = &k->lanes[i];

		lane->keeper = k;
		lane->address = &options->oracles[i];
		lane->queue = calloc(
		    RAW_KEEPER_QUEUE_MAX, sizeof(*lane->queue));
		if (!lane->queue)
			log_die("raw", "out of memory");
	}
	uv_timer_init(options->loop, &k->timer);
	k->timer.data = k;
	return k;
}

static void on_closed(uv_handle_t *handle)
{
	struct raw_keeper *k = handle->data;

	for (size_t i = 0; i < k->options.oracle_count; i++)
		free(k->lanes[i].queue);
	free(k->lanes);
	free(k->seen);
	free(k);
}

void raw_keeper_stop(struct raw_keeper *keeper)
{
	if (!keeper)
		return;
	for (size_t i = 0; i < keeper->options.oracle_count; i++)
		oracle_get_cancel(&keeper->lanes[i].get);
	uv_close((uv_handle_t *)&keeper->timer, on_closed);
}

void raw_keeper_stats(
    const struct raw_keeper *keeper, struct raw_keeper_stats *out)
{
	*out = keeper->stats;
	for (size_t i = 0; i < keeper->options.oracle_count; i++)
		out->waiting += keeper->lanes[i].count;
}
