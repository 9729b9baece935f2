/* replay_blobs: see replay_blobs.h. A table of lists, and one list of all by
 * age, the oldest at its end. */
#include "verifier/archive/replay_blobs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

struct replay_blob {
	struct replay_blob *chained;       /* the next in its bucket */
	struct replay_blob *newer, *older; /* by age */
	uint8_t sha256[HM_SHA256_LEN];
	size_t len;
	unsigned held;
	uint8_t bytes[];
};

struct replay_blobs {
	pthread_mutex_t lock;
	struct replay_blob *buckets[BUCKETS];
	struct replay_blob *newest, *oldest;
	size_t bytes, bytes_max;
	uint64_t count;
};

struct replay_blobs *replay_blobs_new(size_t bytes_max)
{
	struct replay_blobs *blobs = calloc(1, sizeof(*blobs));

	if (!blobs)
		return NULL;
	pthread_mutex_init(&blobs->lock, NULL);
	blobs->bytes_max = bytes_max;
	return blobs;
}

void replay_blobs_free(struct replay_blobs *blobs)
{
	if (!blobs)
		return;
	for (struct replay_blob *b = blobs->newest, *older; b; b = older) {
		older = b->older;
		free(b);
	}
	pthread_mutex_destroy(&blobs->lock);
	free(blobs);
}

static struct replay_blob **bucket_of(
    struct replay_blobs *blobs, const uint8_t *sha256)
{
	return &blobs->buckets[(sha256[0] << 8 | sha256[1]) % BUCKETS];
}

static struct replay_blob *find(
    struct replay_blobs *blobs, const uint8_t *sha256)
{
	struct replay_blob *b = *bucket_of(blobs, sha256);

	while (b && memcmp(b->sha256, sha256, HM_SHA256_LEN) != 0)
		b = b->chained;
	return b;
}

/* ---- the list by age ---- */

static void leave(struct replay_blobs *blobs, struct replay_blob *b)
{
	*(b->newer ? &b->newer->older : &blobs->newest) = b->older;
	*(b->older ? &b->older->newer : &blobs->oldest) = b->newer;
	b->newer = b->older = NULL;
}

static void become_newest(struct replay_blobs *blobs, struct replay_blob *b)
{
	b->older = blobs->newest;
	*(b->older ? &b->older->newer : &blobs->oldest) = b;
	blobs->newest = b;
}

static void drop(struct replay_blobs *blobs, struct replay_blob *b)
{
	struct replay_blob **at = bucket_of(blobs, b->sha256);

	while (*at != b)
		at = &(*at)->chained;
	*at = b->chained;
	leave(blobs, b);
	blobs->bytes -= b->len;
	free(b);
}

/* Those that are held stay, whatever they come to. */
static void make_room(struct replay_blobs *blobs)
{
	struct replay_blob *b = blobs->oldest, *newer;

	for (; b && blobs->bytes > blobs->bytes_max; b = newer) {
		newer = b->newer;
		if (b->held == 0)
			drop(blobs, b);
	}
}

/* ---- public ---- */

static int add(struct replay_blobs *blobs, const uint8_t *sha256,
    const uint8_t *bytes, size_t len)
{
	struct replay_blob **bucket = bucket_of(blobs, sha256);
	struct replay_blob *b = malloc(sizeof(*b) + len);

	if (!b)
		return -1;
	*b = (struct replay_blob){.chained = *bucket, .len = len};
	memcpy(b->sha256, sha256, HM_SHA256_LEN);
	memcpy(b->bytes, bytes, len);
	*bucket = b;
	blobs->bytes += len;
	blobs->count++;
	make_room(blobs); /* before it is in the list: it stays */
	become_newest(blobs, b);
	return 0;
}

int replay_blobs_put(struct replay_blobs *blobs,
    const uint8_t sha256[HM_SHA256_LEN], const uint8_t *bytes, size_t len)
{
	struct replay_blob *b;
	int rc = 0;

	pthread_mutex_lock(&blobs->lock);
	b = find(blobs, sha256);
	if (!b) {
		rc = add(blobs, sha256, bytes, len);
	} else {
		leave(blobs, b);
		become_newest(blobs, b);
	}
	pthread_mutex_unlock(&blobs->lock);
	return rc;
}

struct replay_blob *replay_blobs_get(
    struct replay_blobs *blobs, const uint8_t sha256[HM_SHA256_LEN])
{
	struct replay_blob *b;

	pthread_mutex_lock(&blobs->lock);
	b = find(blobs, sha256);
	if (b) {
		b->held++;
		leave(blobs, b);
		become_newest(blobs, b);
	}
	pthread_mutex_unlock(&blobs->lock);
	return b;
}

const uint8_t *replay_blob_bytes(const struct replay_blob *blob, size_t *len)
{
	*len = blob->len;
	return blob->bytes;
}

void replay_blobs_release(struct replay_blobs *blobs, struct replay_blob *blob)
{
	if (!blob)
		return;
	pthread_mutex_lock(&blobs->lock);
	blob->held--;
	pthread_mutex_unlock(&blobs->lock);
}

uint64_t replay_blobs_count(struct replay_blobs *blobs)
{
	uint64_t count;

	pthread_mutex_lock(&blobs->lock);
	count = blobs->count;
	pthread_mutex_unlock(&blobs->lock);
	return count;
}
