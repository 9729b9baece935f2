/*
 * merkle: see merkle.h. All of it stands on one fact: a stretch of leaves that
 * RFC 6962, 2.1 cuts off begins where a full subtree may begin, so it is a row
 * of full subtrees, each smaller than the one before, and its hash is their
 * fold from the right. The frontier is that row for the whole tree.
 */
#include "verifier/merkle.h"

#include "feeds/check.h"

#include <openssl/evp.h>
#include <string.h>

#define HASH_LEN HM_SHA256_LEN

/* ---- hashes ---- */

static int sha256(
    const void *prefix, const void *bytes, size_t len, uint8_t out[HASH_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL &&
		  EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, prefix, 1) == 1 &&
		  EVP_DigestUpdate(ctx, bytes, len) == 1 &&
		  EVP_DigestFinal_ex(ctx, out, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1; /* unnamed: for want of memory */
}

int merkle_leaf(const uint8_t *entry, size_t len, uint8_t out[HASH_LEN])
{
	return sha256("\0", entry, len, out);
}

int merkle_node(const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN],
    uint8_t out[HASH_LEN])
{
	uint8_t both[2 * HASH_LEN];

	memcpy(both, left, HASH_LEN);
	memcpy(both + HASH_LEN, right, HASH_LEN);
	return sha256("\1", both, sizeof(both), out);
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	/* unnamed: the caller's to judge */
	return memcmp(a, b, HASH_LEN) == 0;
}

/* A row of at least one. */
static int fold(
    const uint8_t (*row)[HASH_LEN], size_t count, uint8_t out[HASH_LEN])
{
	memcpy(out, row[count - 1], HASH_LEN);
	for (size_t i = count - 1; i > 0; i--)
		if (merkle_node(row[i - 1], out, out) != 0)
			return -1;
	return 0;
}

/* The level of the largest full subtree among so many leaves, at least one. */
static unsigned top_level(uint64_t leaves)
{
	return 63 - (unsigned)__builtin_clzll(leaves);
}

/* ---- a tree that grows ---- */

int merkle_append(struct merkle *tree, const uint8_t leaf[HASH_LEN],
    merkle_full_cb cb, void *data)
{
	size_t count = tree->frontier_count;
	unsigned level = 0;
	uint8_t hash[HASH_LEN];

	if (REFUSE(merkle_append_max, tree->size >= MERKLE_SIZE_MAX))
		return -1;
	memcpy(hash, leaf, HASH_LEN);
	if (cb != NULL)
		cb(data, 0, tree->size, hash);
	for (; (tree->size >> level & 1) != 0; count--) {
		if (merkle_node(tree->frontier[count - 1], hash, hash) != 0)
			return -1;
		level++;
		if (cb != NULL)
			cb(data, level, tree->size >> level, hash);
	}
	memcpy(tree->frontier[count], hash, HASH_LEN);
	tree->frontier_count = count + 1;
	tree->size++;
	return 0;
}

int merkle_root(const struct merkle *tree, uint8_t out[HASH_LEN])
{
	if (tree->frontier_count == 0)
		return EVP_Digest("", 0, out, NULL, EVP_sha256(), NULL) == 1
			   ? 0
			   : -1;
	return fold(tree->frontier, tree->frontier_count, out);
}

int merkle_resume(struct merkle *tree, uint64_t size,
    const uint8_t (*frontier)[HASH_LEN], size_t count)
{
	size_t ones = (size_t)__builtin_popcountll(size);

	memset(tree, 0, sizeof(*tree));
	if (REFUSE(merkle_resume_max, size > MERKLE_SIZE_MAX) ||
	    REFUSE(merkle_resume_count, count != ones))
		return -1;
	tree->size = size;
	tree->frontier_count = count;
	if (count > 0)
		memcpy(tree->frontier, frontier, count * HASH_LEN);
	return 0;
}

/* ---- making proofs ---- */

int merkle_fold(merkle_get_cb get, void *data, unsigned from, unsigned level,
    uint64_t index, uint8_t out[HASH_LEN])
{
	uint64_t count = UINT64_C(1) << (level - from);
	struct merkle tree = {.size = 0};
	uint8_t hash[HASH_LEN];

	for (uint64_t i = 0; i < count; i++) {
		if (get(data, from, index * count + i, hash) != 0 ||
		    merkle_append(&tree, hash, NULL, NULL) != 0)
			return -1; /* unnamed: not there, the caller knows */
	}
	memcpy(out, tree.frontier[0], HASH_LEN);
	return 0;
}

/* Which hashes a proof is made of, and what came of it. */
struct maker {
	merkle_get_cb get;
	void *data;
	struct hm_log_proof *proof;
	bool failed;
};

/* MTH(D[begin:end]), begin < end. */
static int hash_stretch(merkle_get_cb get, void *data, uint64_t begin,
    uint64_t end, uint8_t out[HASH_LEN])
{
	uint8_t row[HM_LOG_HASHES_MAX][HASH_LEN];
	size_t count = 0;

	while (begin < end) {
		unsigned level = top_level(end - begin);

		if (get(data, level, begin >> level, row[count]) != 0)
			return -1; /* unnamed: not there, the caller knows */
		begin += UINT64_C(1) << level;
		count++;
	}
	return fold((const uint8_t(*)[HASH_LEN])row, count, out);
}

int merkle_root_of(
    merkle_get_cb get, void *data, uint64_t size, uint8_t out[HASH_LEN])
{
	const struct merkle none = {.size = 0};

	if (size == 0)
		return merkle_root(&none, out);
	if (REFUSE(merkle_root_of_max, size > MERKLE_SIZE_MAX))
		return -1;
	return hash_stretch(get, data, 0, size, out);
}

static void take(struct maker *m, uint64_t begin, uint64_t end)
{
	if (!m->failed)
		m->failed = hash_stretch(m->get, m->data, begin, end,
				m->proof->hashes[m->proof->count++]) != 0;
}

/* They were taken from the root downwards. */
static int finish(struct maker *m)
{
	struct hm_log_proof *proof = m->proof;

	for (size_t i = 0, j = proof->count; i + 1 < j--; i++) {
		uint8_t hash[HASH_LEN];

		memcpy(hash, proof->hashes[i], HASH_LEN);
		memcpy(proof->hashes[i], proof->hashes[j], HASH_LEN);
		memcpy(proof->hashes[j], hash, HASH_LEN);
	}
	if (m->failed)
		memset(proof, 0, sizeof(*proof));
	return m->failed ? -1 : 0; /* unnamed: not there */
}

/* Where RFC 6962, 2.1 cuts the stretch in two, of at least two leaves: the
 * largest power of two below its length. */
static uint64_t cut(uint64_t begin, uint64_t end)
{
	return begin + (UINT64_C(1) << top_level(end - begin - 1));
}

int merkle_inclusion(merkle_get_cb get, void *data, uint64_t index,
    uint64_t size, struct hm_log_proof *out)
{
	struct maker m = {.get = get, .data = data, .proof = out};
	uint64_t begin = 0, end = size;

	memset(out, 0, sizeof(*out));
	if (REFUSE(merkle_inclusion_index, index >= size) ||
	    REFUSE(merkle_inclusion_max, size > MERKLE_SIZE_MAX))
		return -1;
	while (end - begin > 1) {
		uint64_t middle = cut(begin, end);

		if (index < middle) {
			take(&m, middle, end);
			end = middle;
		} else {
			take(&m, begin, middle);
			begin = middle;
		}
	}
	return finish(&m);
}

int merkle_consistency(merkle_get_cb get, void *data, uint64_t first,
    uint64_t second, struct hm_log_proof *out)
{
	struct maker m = {.get = get, .data = data, .proof = out};
	uint64_t begin = 0, end = second;

	memset(out, 0, sizeof(*out));
	if (REFUSE(merkle_consistency_zero, first == 0) ||
	    REFUSE(merkle_consistency_order, first > second) ||
	    REFUSE(merkle_consistency_max, second > MERKLE_SIZE_MAX))
		return -1;
	while (first != end) {
		uint64_t middle = cut(begin, end);

		if (first <= middle) {
			take(&m, middle, end);
			end = middle;
		} else {
			take(&m, begin, middle);
			begin = middle;
		}
	}
	if (begin > 0) /* else it is first's root, which the asker has */
		take(&m, begin, end);
	return finish(&m);
}

/* ---- judging proofs ---- */

/* The way from a leaf, or a subtree, up to the root: its index among its
 * siblings and the last index there, as RFC 9162 calls them fn and sn. */
struct climb {
	uint64_t fn, sn;
};

/* Whether the sibling at this height stands to the left; else to the right. */
static bool sibling_is_left(struct climb *c)
{
	bool left = (c->fn & 1) != 0 || c->fn == c->sn;

	/* Heights at which the last one has no sibling. */
	while (left && (c->fn & 1) == 0 && c->fn != 0) {
		c->fn >>= 1;
		c->sn >>= 1;
	}
	c->fn >>= 1;
	c->sn >>= 1;
	return left;
}

bool merkle_inclusion_holds(const uint8_t leaf[HASH_LEN], uint64_t index,
    uint64_t size, const uint8_t root[HASH_LEN],
    const struct hm_log_proof *proof)
{
	struct climb c = {.fn = index, .sn = size - 1};
	uint8_t hash[HASH_LEN];

	/* The size bounds how many hashes of the proof are looked at. */
	if (REFUSE(inclusion_index, index >= size) ||
	    REFUSE(inclusion_max, size > MERKLE_SIZE_MAX))
		return false;
	memcpy(hash, leaf, HASH_LEN);
	for (size_t i = 0; i < proof->count; i++) {
		const uint8_t *p = proof->hashes[i];
		int status;

		if (REFUSE(inclusion_long, c.sn == 0))
			return false;
		status = sibling_is_left(&c) ? merkle_node(p, hash, hash)
					     : merkle_node(hash, p, hash);
		if (status != 0)
			return false; /* unnamed: for want of memory */
	}
	return REQUIRE(inclusion_short, c.sn == 0) &&
	       REQUIRE(inclusion_root, same(hash, root));
}

/* What both roots are folded to, on the way from the largest subtree that the
 * two trees share at the first one's end. */
struct pair {
	uint8_t first[HASH_LEN], second[HASH_LEN];
};

static int fold_pair(struct pair *pair, struct climb *c, const uint8_t *p)
{
	if (!sibling_is_left(c))
		return merkle_node(pair->second, p, pair->second);
	if (merkle_node(p, pair->first, pair->first) != 0)
		return -1;
	return merkle_node(p, pair->second, pair->second);
}

/* 0 < first < second <= MERKLE_SIZE_MAX. */
static bool climb_both(uint64_t first, uint64_t second, struct pair *pair,
    const struct hm_log_proof *proof, size_t next)
{
	struct climb c = {.fn = first - 1, .sn = second - 1};

	while ((c.fn & 1) != 0) {
		c.fn >>= 1;
		c.sn >>= 1;
	}
	for (; next < proof->count; next++) {
		if (REFUSE(consistency_long, c.sn == 0))
			return false;
		if (fold_pair(pair, &c, proof->hashes[next]) != 0)
			return false; /* unnamed: for want of memory */
	}
	return REQUIRE(consistency_short, c.sn == 0);
}

bool merkle_consistency_holds(uint64_t first,
    const uint8_t first_root[HASH_LEN], uint64_t second,
    const uint8_t second_root[HASH_LEN], const struct hm_log_proof *proof)
{
	bool whole = (first & (first - 1)) == 0; /* a full subtree */
	struct pair pair;

	if (REFUSE(consistency_zero, first == 0) ||
	    REFUSE(consistency_order, first > second) ||
	    REFUSE(consistency_max, second > MERKLE_SIZE_MAX))
		return false;
	if (first == second)
		return REQUIRE(consistency_none, proof->count == 0) &&
		       REQUIRE(consistency_same, same(first_root, second_root));
	/* An empty proof is too short, whatever stands in its first place. */
	memcpy(pair.first, whole ? first_root : proof->hashes[0], HASH_LEN);
	memcpy(pair.second, pair.first, HASH_LEN);
	return climb_both(first, second, &pair, proof, whole ? 0 : 1) &&
	       REQUIRE(consistency_first, same(pair.first, first_root)) &&
	       REQUIRE(consistency_second, same(pair.second, second_root));
}
