/*
 * replay: see replay.h. Batches go round in a ring:
 *
 *   caller's thread    fills a batch, hands it over, settles the oldest that
 *                      was judged (and waits for it when the ring is full)
 *   each worker        takes the next batch that nobody has, judges it
 *
 * Settled in the order in which they were filled, so that what is told does not
 * depend on the threads. With one job the caller's thread does it all.
 */
#include "verifier/archive/replay.h"

#include "verifier/archive/replay_settle.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define DOCUMENT_BYTES_MAX (32u << 20) /* some 5000; a batch needs few */
#define RAW_BYTES_MAX      (128u << 20)
#define BATCHES_MORE       2 /* than two for each job */

enum batch_state {
	EMPTY,
	FILLED,
	TAKEN,
	JUDGED
};

struct place {
	enum batch_state state;
	struct replay_batch *batch;
};

struct replay;
struct thread {
	struct replay *replay;
	struct replay_worker worker;
	pthread_t id;
	bool started;
};

struct replay {
	struct replay_options with;
	struct replay_blobs *documents, *raws;
	struct replay_settle settle;
	struct thread *threads;

	pthread_mutex_t lock;
	pthread_cond_t filled, judged;
	struct place *ring;
	size_t places;
	size_t next_fill, next_take, next_settle; /* indices */
	bool stopping;
};

/* ---- workers ---- */

static struct place *take(struct replay *r)
{
	struct place *place = NULL;

	pthread_mutex_lock(&r->lock);
	while (!r->stopping && r->ring[r->next_take].state != FILLED)
		pthread_cond_wait(&r->filled, &r->lock);
	if (!r->stopping) {
		place = &r->ring[r->next_take];
		place->state = TAKEN;
		r->next_take = (r->next_take + 1) % r->places;
	}
	pthread_mutex_unlock(&r->lock);
	return place;
}

static void *run(void *data)
{
	struct thread *thread = data;
	struct replay *r = thread->replay;
	struct place *place;

	while ((place = take(r))) {
		replay_worker_judge(&thread->worker, place->batch);
		pthread_mutex_lock(&r->lock);
		place->state = JUDGED;
		pthread_cond_signal(&r->judged);
		pthread_mutex_unlock(&r->lock);
	}
	return NULL;
}

/* ---- the caller's thread ---- */

static void settle(struct replay *r, struct place *place)
{
	replay_settle_batch(&r->settle, place->batch);
	replay_batch_clear(place->batch);
	pthread_mutex_lock(&r->lock);
	place->state = EMPTY;
	pthread_mutex_unlock(&r->lock);
	r->next_settle = (r->next_settle + 1) % r->places;
}

/* What is judged; and if `wait`, the oldest in any case, if there is one. */
static void settle_some(struct replay *r, bool wait)
{
	for (;;) {
		struct place *place = &r->ring[r->next_settle];
		enum batch_state state;

		pthread_mutex_lock(&r->lock);
		while (
		    wait && (place->state == FILLED || place->state == TAKEN))
			pthread_cond_wait(&r->judged, &r->lock);
		state = place->state;
		pthread_mutex_unlock(&r->lock);
		if (state != JUDGED)
			return;
		settle(r, place);
		wait = false;
	}
}

static void hand_over(struct replay *r, struct place *place)
{
	r->next_fill = (r->next_fill + 1) % r->places;
	if (r->with.jobs == 1) {
		replay_worker_judge(&r->threads[0].worker, place->batch);
		settle(r, place);
		return;
	}
	pthread_mutex_lock(&r->lock);
	place->state = FILLED;
	pthread_cond_signal(&r->filled);
	pthread_mutex_unlock(&r->lock);
	settle_some(r, r->next_fill == r->next_settle); /* if it is full */
}

static void tell_progress(
    struct replay *r, const struct archive_source *source, uint64_t position)
{
	struct replay_progress progress = {
	    .items = r->settle.report.items,
	    .position = position,
	    .total = archive_source_total(source),
	};

	if (r->with.progress)
		r->with.progress(&progress, r->with.data);
}

static void take_bytes(struct replay *r, const struct archive_entry *entry)
{
	bool raw = entry->kind == ARCHIVE_ENTRY_RAW;

	if (replay_blobs_put(raw ? r->raws : r->documents, entry->sha256,
		entry->bytes, entry->len))
		r->settle.failed = true;
}

static void take_entry(struct replay *r, const struct archive_source *source,
    const struct archive_entry *entry)
{
	struct place *place = &r->ring[r->next_fill];

	if (replay_batch_add(place->batch, entry))
		return;
	hand_over(r, place);
	tell_progress(r, source, entry->position);
	place = &r->ring[r->next_fill];
	if (!replay_batch_add(place->batch, entry))
		r->settle.failed = true; /* no envelope is so large */
}

void replay_read(struct replay *replay, struct archive_source *source)
{
	struct archive_entry entry;

	replay_settle_next_file(&replay->settle);
	while (archive_source_next(source, &entry) == 1) {
		if (entry.kind == ARCHIVE_ENTRY_DOCUMENT ||
		    entry.kind == ARCHIVE_ENTRY_RAW)
			take_bytes(replay, &entry);
		else
			take_entry(replay, source, &entry);
	}
	hand_over(replay, &replay->ring[replay->next_fill]);
	while (replay->next_settle != replay->next_fill)
		settle_some(replay, true);
	tell_progress(replay, source, archive_source_total(source));
}

/* ---- life ---- */

static int make_ring(struct replay *r)
{
	r->places = r->with.jobs == 1 ? 2 : 2 * r->with.jobs + BATCHES_MORE;
	r->ring = calloc(r->places, sizeof(*r->ring));
	for (size_t i = 0; r->ring && i < r->places; i++) {
		r->ring[i].batch = malloc(sizeof(*r->ring[i].batch));
		if (!r->ring[i].batch)
			return -1;
		r->ring[i].batch->count = r->ring[i].batch->used = 0;
	}
	return r->ring ? 0 : -1;
}

static int start(struct replay *r)
{
	r->threads = calloc(r->with.jobs, sizeof(*r->threads));
	for (unsigned i = 0; r->threads && i < r->with.jobs; i++) {
		struct thread *thread = &r->threads[i];

		thread->replay = r;
		if (replay_worker_init(
			&thread->worker, &r->with, i, r->documents, r->raws))
			return -1;
		if (r->with.jobs > 1 &&
		    pthread_create(&thread->id, NULL, run, thread))
			return -1;
		thread->started = r->with.jobs > 1;
	}
	return r->threads ? 0 : -1;
}

struct replay *replay_new(const struct replay_options *options)
{
	struct replay *r = calloc(1, sizeof(*r));

	assert(options->jobs >= 1 && options->jobs <= REPLAY_JOBS_MAX);
	if (!r)
		return NULL;
	r->with = *options;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->filled, NULL);
	pthread_cond_init(&r->judged, NULL);
	r->documents = replay_blobs_new(DOCUMENT_BYTES_MAX);
	r->raws = replay_blobs_new(RAW_BYTES_MAX);
	if (r->documents && r->raws &&
	    replay_settle_init(&r->settle, &r->with) == 0 &&
	    make_ring(r) == 0 && start(r) == 0)
		return r;
	replay_free(r);
	return NULL;
}

void replay_end(struct replay *replay, struct replay_report *out)
{
	replay_settle_end(&replay->settle);
	*out = replay->settle.report;
	out->documents = replay_blobs_count(replay->documents);
	out->raw = replay_blobs_count(replay->raws);
}

static void stop(struct replay *r)
{
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_broadcast(&r->filled);
	pthread_mutex_unlock(&r->lock);
	for (unsigned i = 0; r->threads && i < r->with.jobs; i++) {
		if (r->threads[i].started)
			pthread_join(r->threads[i].id, NULL);
		replay_worker_fini(&r->threads[i].worker);
	}
	free(r->threads);
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	stop(replay);
	for (size_t i = 0; replay->ring && i < replay->places; i++)
		if (replay->ring[i].batch) {
			replay_batch_clear(replay->ring[i].batch);
			free(replay->ring[i].batch);
		}
	free(replay->ring);
	replay_settle_fini(&replay->settle);
	replay_blobs_free(replay->documents);
	replay_blobs_free(replay->raws);
	pthread_cond_destroy(&replay->filled);
	pthread_cond_destroy(&replay->judged);
	pthread_mutex_destroy(&replay->lock);
	free(replay);
}
