/* raw_answers: a queue in the order of age, and buckets to find one in it. */
#include "oracle/raw_answers.h"

#include "base/log.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct answer {
	struct answer *older, *newer; /* the queue */
	struct answer *next;          /* of its bucket */
	int64_t at_ms;                /* when it came last */
	size_t len;
	uint8_t sha256[32];
	uint8_t body[];
};

struct raw_answers {
	int64_t keep_ms;
	size_t bytes_max, bytes, count;
	struct answer *oldest, *newest;
	struct answer *buckets[RAW_ANSWERS_BUCKETS];
};

struct raw_answers *raw_answers_new(int64_t keep_ms, size_t bytes_max)
{
	struct raw_answers *raw = calloc(1, sizeof(*raw));

	if (raw == NULL)
		log_die("raw_answers", "out of memory");
	raw->keep_ms = keep_ms;
	raw->bytes_max = bytes_max;
	return raw;
}

/* A hash: its first bytes are as good as any. */
static size_t bucket_of(const uint8_t sha256[32])
{
	return (((size_t)sha256[0] << 8) | sha256[1]) % RAW_ANSWERS_BUCKETS;
}

static struct answer *find(
    const struct raw_answers *raw, const uint8_t sha256[32])
{
	struct answer *a = raw->buckets[bucket_of(sha256)];

	while (a != NULL && memcmp(a->sha256, sha256, 32) != 0)
		a = a->next;
	return a;
}

/* ---- the queue ---- */

static void take_out(struct raw_answers *raw, struct answer *a)
{
	if (a->older != NULL)
		a->older->newer = a->newer;
	else
		raw->oldest = a->newer;
	if (a->newer != NULL)
		a->newer->older = a->older;
	else
		raw->newest = a->older;
}

static void put_last(struct raw_answers *raw, struct answer *a, int64_t now_ms)
{
	a->at_ms = now_ms;
	a->newer = NULL;
	a->older = raw->newest;
	if (raw->newest != NULL)
		raw->newest->newer = a;
	else
		raw->oldest = a;
	raw->newest = a;
}

static void drop(struct raw_answers *raw, struct answer *a)
{
	struct answer **at = &raw->buckets[bucket_of(a->sha256)];

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	take_out(raw, a);
	raw->bytes -= a->len;
	raw->count--;
	free(a);
}

static bool too_old(
    const struct raw_answers *raw, const struct answer *a, int64_t now_ms)
{
	return a->at_ms < now_ms - raw->keep_ms;
}

/* Until there is room for so many bytes. */
static void make_room(struct raw_answers *raw, size_t len, int64_t now_ms)
{
	while (raw->oldest != NULL && (raw->bytes + len > raw->bytes_max ||
					  too_old(raw, raw->oldest, now_ms)))
		drop(raw, raw->oldest);
}

/* ---- public ---- */

void raw_answers_put(struct raw_answers *raw, const uint8_t sha256[32],
    const void *body, size_t len, int64_t now_ms)
{
	struct answer *a = find(raw, sha256);

	if (a != NULL) {
		take_out(raw, a);
		put_last(raw, a, now_ms);
		make_room(raw, 0, now_ms);
		return;
	}
	make_room(raw, len, now_ms);
	if (len > raw->bytes_max)
		return;
	a = malloc(sizeof(*a) + len);
	if (a == NULL)
		log_die("raw_answers", "out of memory");
	a->len = len;
	memcpy(a->sha256, sha256, sizeof(a->sha256));
	memcpy(a->body, body, len);
	a->next = raw->buckets[bucket_of(sha256)];
	raw->buckets[bucket_of(sha256)] = a;
	put_last(raw, a, now_ms);
	raw->bytes += len;
	raw->count++;
}

const uint8_t *raw_answers_find(const struct raw_answers *raw,
    const uint8_t sha256[32], int64_t now_ms, size_t *len)
{
	const struct answer *a = find(raw, sha256);

	*len = 0;
	if (a == NULL || too_old(raw, a, now_ms))
		return NULL;
	*len = a->len;
	return a->body;
}

size_t raw_answers_count(const struct raw_answers *raw)
{
	return raw->count;
}

size_t raw_answers_bytes(const struct raw_answers *raw)
{
	return raw->bytes;
}

void raw_answers_free(struct raw_answers *raw)
{
	if (raw == NULL)
		return;
	while (raw->oldest != NULL)
		drop(raw, raw->oldest);
	free(raw);
}
