/*
 * board_wait: requests that wait for a text newer than one they have.
 *
 * Newer than after_sequence=N is, of the same boot, a higher number; any text
 * of another boot is newer. Who gives boot_id says of which boot N is. Who
 * does not is taken to have N of the boot that is here now, unless N is higher
 * than all that this boot has given: then it is of an earlier one.
 *
 *   waiting --> a newer text is posted: answered with it, or with 503 if
 *      |        there is no price in it
 *      +------> wait_ms is over: 204, or 503 if the old text is stale by now
 *      +------> the client leaves: forgotten
 *      +------> the board closes: 503
 */
#include "base/board_state.h"

#include "base/log.h"
#include "base/now.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct board_wait {
	TAILQ_ENTRY(board_wait) link;
	struct board_waits *waits;
	struct http_request *req;
	struct board_entry *entry;
	struct board_ask ask;
	int64_t until_ms; /* monotonic */
};

TAILQ_HEAD(board_wait_list, board_wait);

struct board_waits {
	struct board *board;
	struct board_wait_list list;
	size_t count;
	uv_timer_t timer; /* the earliest deadline */
	bool closed;
};

struct board_waits *board_waits_new(struct board *board)
{
	struct board_waits *waits = calloc(1, sizeof(*waits));

	if (!waits)
		log_die("board", "out of memory");
	waits->board = board;
	TAILQ_INIT(&waits->list);
	uv_timer_init(board->loop, &waits->timer);
	waits->timer.data = waits;
	return waits;
}

size_t board_waits_count(const struct board_waits *waits)
{
	return waits->count;
}

bool board_must_wait(
    const struct board_entry *entry, const struct board_ask *ask)
{
	bool same = strcmp(ask->boot_id, entry->boot_id) == 0;

	if (!ask->waits)
		return false;
	if (!entry->full)
		return true;
	if (ask->boot_id[0])
		return same && entry->sequence <= ask->after;
	return entry->sequence == ask->after;
}

/* ---- the end of one ---- */

/* Its request is not kept any more. */
static struct http_request *forget(struct board_wait *wait)
{
	struct http_request *req = wait->req;

	TAILQ_REMOVE(&wait->waits->list, wait, link);
	wait->waits->count--;
	free(wait);
	return req;
}

static void on_abandoned(struct http_request *req, void *data)
{
	(void)req;
	(void)forget(data);
}

static struct http_request *release(struct board_wait *wait)
{
	struct http_request *req = forget(wait);

	http_on_abandoned(req, NULL, NULL);
	return req;
}

static void give_up(struct board_wait *wait)
{
	struct board *board = wait->waits->board;
	struct board_entry *entry = wait->entry;
	struct board_ask ask = wait->ask;
	struct http_request *req = release(wait);
	char detail[BOARD_DETAIL_MAX];

	if (board_refusal(entry, now_unix_ms(), ask.max_age_ms, detail))
		board_answer(board, req, entry, &ask);
	else
		http_reply(req, &(struct http_reply){.status = 204});
}

/* ---- deadlines ---- */

static void on_timer(uv_timer_t *timer);

static void arm(struct board_waits *waits)
{
	const struct board_wait *wait;
	int64_t first_ms = INT64_MAX, left_ms;

	TAILQ_FOREACH(wait, &waits->list, link)
	if (wait->until_ms < first_ms)
		first_ms = wait->until_ms;
	if (first_ms == INT64_MAX) {
		uv_timer_stop(&waits->timer);
		return;
	}
	left_ms = first_ms - now_monotonic_ms();
	uv_update_time(waits->timer.loop);
	uv_timer_start(
	    &waits->timer, on_timer, left_ms > 0 ? (uint64_t)left_ms : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct board_waits *waits = timer->data;
	struct board_wait *wait, *next;
	int64_t now_ms = now_monotonic_ms();

	for (wait = TAILQ_FIRST(&waits->list); wait; wait = next) {
		next = TAILQ_NEXT(wait, link);
		if (wait->until_ms <= now_ms)
			give_up(wait);
	}
	arm(waits);
}

/* ---- the board's calls ---- */

void board_wait(struct board_waits *waits, struct http_request *req,
    struct board_entry *entry, const struct board_ask *ask)
{
	struct board_wait *wait;

	if (waits->closed || waits->count == BOARD_WAITING_MAX) {
		http_problem(req, 503, "BUSY",
		    "too many requests wait for an item; try again", NULL);
		return;
	}
	wait = malloc(sizeof(*wait));
	if (!wait)
		log_die("board", "out of memory");
	*wait = (struct board_wait){
	    .waits = waits,
	    .req = req,
	    .entry = entry,
	    .ask = *ask,
	    .until_ms = now_monotonic_ms() + ask->wait_ms,
	};
	memcpy(wait->ask.boot_id, entry->boot_id, sizeof(entry->boot_id));
	TAILQ_INSERT_TAIL(&waits->list, wait, link);
	waits->count++;
	http_on_abandoned(req, on_abandoned, wait);
	arm(waits);
}

void board_waits_posted(struct board_waits *waits, struct board_entry *entry)
{
	struct board_wait *wait, *next;

	for (wait = TAILQ_FIRST(&waits->list); wait; wait = next) {
		struct board_ask ask = wait->ask;

		next = TAILQ_NEXT(wait, link);
		if (wait->entry == entry && !board_must_wait(entry, &ask))
			board_answer(waits->board, release(wait), entry, &ask);
	}
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void board_waits_close(struct board_waits *waits)
{
	struct board_wait *wait;

	waits->closed = true;
	while ((wait = TAILQ_FIRST(&waits->list)))
		http_problem(release(wait), 503, "SERVER_STOPPING",
		    "the server is being stopped", NULL);
	uv_close((uv_handle_t *)&waits->timer, on_closed);
}
