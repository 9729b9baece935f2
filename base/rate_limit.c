/* rate_limit: see rate_limit.h. A set holds the addresses of one hash; the
 * hash is keyed, so that nobody can choose addresses that crowd out another.
 */
#include "base/rate_limit.h"

#include "base/log.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define TOKEN 1000 /* tokens are counted in thousandths: per_s a ms */

struct slot {
	uint64_t key; /* 0: empty */
	int64_t at_ms;
	uint64_t tokens; /* at that time */
};

struct rate_limit {
	uint64_t per_s, full;
	uint64_t seed[2];
	struct slot sets[RATE_LIMIT_SETS][RATE_LIMIT_WAYS];
};

struct rate_limit *rate_limit_new(unsigned per_s, unsigned burst)
{
	struct rate_limit *limit;

	if (per_s == 0)
		return NULL;
	limit = calloc(1, sizeof(*limit));
	if (!limit)
		log_die("http", "out of memory");
	limit->per_s = per_s;
	limit->full = (uint64_t)(burst ? burst : per_s) * TOKEN;
	if (getrandom(limit->seed, sizeof(limit->seed), 0) !=
	    (ssize_t)sizeof(limit->seed))
		log_die("http", "no random bytes");
	return limit;
}

void rate_limit_free(struct rate_limit *limit)
{
	free(limit);
}

/* ---- addresses ---- */

static uint64_t key_of_v4(uint32_t host_order)
{
	if (host_order >> 24 == 127)
		return 0;
	return UINT64_C(1) << 32 | host_order;
}

static uint64_t key_of_v6(const struct in6_addr *addr)
{
	uint64_t key = 0;

	if (IN6_IS_ADDR_LOOPBACK(addr))
		return 0;
	if (IN6_IS_ADDR_V4MAPPED(addr)) {
		uint32_t v4;

		memcpy(&v4, addr->s6_addr + 12, sizeof(v4));
		return key_of_v4(ntohl(v4));
	}
	for (size_t i = 0; i < 8; i++)
		key = key << 8 | addr->s6_addr[i];
	/* ::/64 has nobody in it but the loopback */
	return key ? key : 1;
}

/* 0: is not limited. */
static uint64_t key_of(const struct sockaddr *addr)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (!addr)
		return 0;
	if (addr->sa_family == AF_INET) {
		memcpy(&in, addr, sizeof(in));
		return key_of_v4(ntohl(in.sin_addr.s_addr));
	}
	if (addr->sa_family == AF_INET6) {
		memcpy(&in6, addr, sizeof(in6));
		return key_of_v6(&in6.sin6_addr);
	}
	return 0;
}

/* The finalizer of MurmurHash3, with a secret before and between. */
static size_t hash(const struct rate_limit *limit, uint64_t key)
{
	key ^= limit->seed[0];
	key = (key ^ key >> 33) * UINT64_C(0xff51afd7ed558ccd);
	key ^= limit->seed[1];
	key = (key ^ key >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (size_t)((key ^ key >> 33) % RATE_LIMIT_SETS);
}

/* ---- buckets ---- */

/* That of this address, or the one it gets: an empty one, or the quietest. */
static struct slot *find_slot(
    struct rate_limit *limit, uint64_t key, int64_t now_ms)
{
	struct slot *set = limit->sets[hash(limit, key)], *oldest = &set[0];

	for (size_t i = 0; i < RATE_LIMIT_WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].key == 0 ||
		    (oldest->key != 0 && set[i].at_ms < oldest->at_ms))
			oldest = &set[i];
	}
	*oldest = (struct slot){key, now_ms, limit->full};
	return oldest;
}

static void refill(
    const struct rate_limit *limit, struct slot *slot, int64_t now_ms)
{
	uint64_t passed_ms = now_ms > slot->at_ms
				 ? (uint64_t)(now_ms - slot->at_ms)
				 : 0;

	slot->at_ms = now_ms;
	if (passed_ms >= limit->full / limit->per_s + 1)
		slot->tokens = limit->full;
	else
		slot->tokens += passed_ms * limit->per_s;
	if (slot->tokens > limit->full)
		slot->tokens = limit->full;
}

bool rate_limit_take(struct rate_limit *limit, const struct sockaddr *addr,
    int64_t now_ms, unsigned *retry_s)
{
	uint64_t key = limit ? key_of(addr) : 0;
	struct slot *slot;
	uint64_t wait_ms;

	*retry_s = 0;
	if (key == 0)
		return true;
	slot = find_slot(limit, key, now_ms);
	refill(limit, slot, now_ms);
	if (slot->tokens >= TOKEN) {
		slot->tokens -= TOKEN;
		return true;
	}
	wait_ms = (TOKEN - slot->tokens) / limit->per_s;
	*retry_s = (unsigned)(wait_ms / 1000) + 1;
	return false;
}
