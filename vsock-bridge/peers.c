/* peers: see peers.h. */
#include "vsock-bridge/peers.h"

#include <assert.h>
#include <stdlib.h>

struct peers_entry {
	struct peers_entry *next; /* of the bucket */
	struct peer_key key;
	unsigned count; /* never 0 */
};

/* The last step of SplitMix64 (Steele, Lea and Flood, 2014). */
static size_t bucket_of(const struct peers *peers, const struct peer_key *key)
{
	uint64_t hash = key->value ^ peers->seed ^ (uint64_t)key->kind << 56;

	hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
	return (hash ^ hash >> 31) % PEERS_BUCKETS;
}

static struct peers_entry *find(
    const struct peers *peers, const struct peer_key *key)
{
	struct peers_entry *entry = peers->buckets[bucket_of(peers, key)];

	while (entry != NULL &&
	       (entry->key.kind != key->kind || entry->key.value != key->value))
		entry = entry->next;
	return entry;
}

static struct peers_entry *add(struct peers *peers, const struct peer_key *key)
{
	struct peers_entry **bucket = &peers->buckets[bucket_of(peers, key)];
	struct peers_entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->key = *key;
	entry->next = *bucket;
	*bucket = entry;
	return entry;
}

bool peers_enter(
    struct peers *peers, const struct peer_key *key, struct peers_entry **out)
{
	struct peers_entry *entry;

	*out = NULL;
	if (peers->max == 0 || key->kind == PEER_UNKNOWN)
		return true;
	entry = find(peers, key);
	if (entry != NULL && entry->count >= peers->max)
		return false;
	if (entry == NULL)
		entry = add(peers, key);
	if (entry == NULL)
		return false;
	entry->count++;
	*out = entry;
	return true;
}

void peers_leave(struct peers *peers, struct peers_entry *entry)
{
	struct peers_entry **at;

	if (entry == NULL || --entry->count > 0)
		return;
	at = &peers->buckets[bucket_of(peers, &entry->key)];
	while (*at != entry) {
		assert(*at != NULL);
		at = &(*at)->next;
	}
	*at = entry->next;
	free(entry);
}
