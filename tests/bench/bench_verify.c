/*
 * bench_verify: how near verification comes to its limits, which are measured
 * beside it. Each round times every subject in turn on this thread's own CPU
 * clock; what counts is the median of the rounds' ratios, so that a busy
 * machine or a changing clock rate meets both sides of a ratio alike.
 *
 * Nothing is judged here: a speed is never a test.
 */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/item_builder.c"

#include "verifier/envelope.h"

#include <time.h>

#define ROUNDS    9
#define ROUND_NS  40000000 /* for each subject in each round */
#define LIVE_MS   (ITEM_PUBLISHED_MS + 1000)
#define DOCUMENTS 16   /* of one chain */
#define SIGNED    4500 /* bytes that a document signs */

static void must(bool ok)
{
	if (!ok) {
		fprintf(stderr, "bench_verify: a subject does not work\n");
		exit(1);
	}
}

/* ---- what it is measured with ---- */

struct sample { /* an item in one form */
	struct item_builder item;
	char *json;
	size_t json_len;
};

static struct builder *builder;
static struct hm_policy *policy;
static struct blob documents[DOCUMENTS]; /* of the same certificates */
static struct blob siblings[DOCUMENTS];  /* each with a leaf of its own */
static struct sample short_ref, short_full, long_ref, long_full;
static EVP_PKEY_CTX *rsa_ctx;
static EVP_MD_CTX *sha256_ctx, *p384_ctx;
static uint8_t p384_signature[128], p384_message[SIGNED];
static size_t p384_signature_len;

static void make_documents(void)
{
	for (uint32_t i = 0; i < DOCUMENTS; i++) {
		blob_set(&builder->nonce, &i, sizeof(i));
		builder->kept = i == 0 ? 0 : BUILDER_LEVELS;
		builder_make(builder);
		documents[i] = builder->document;
	}
	for (uint32_t i = 0; i < DOCUMENTS; i++) {
		builder->kept = BUILDER_LEAF;
		builder_make(builder);
		siblings[i] = builder->document;
	}
}

/* As its users make it: the root as a certificate, not as a mere hash. */
static void make_policy(void)
{
	char *pem = builder_root_pem(builder);

	policy = builder_policy(builder);
	policy->root_count = 0;
	must(hm_policy_add_root_pem(policy, pem, strlen(pem)) == 0);
	free(pem);
}

static void make_sample(struct sample *s, unsigned sources, bool with_document)
{
	static const char *const exchanges[] = {
	    "binance", "bitstamp", "coinbase_exchange", "gemini", "kraken"};
	struct item_builder *i = &s->item;
	struct hm_envelope *e = &i->envelope;

	item_reset(i, builder);
	for (unsigned n = 0; n < sources; n++)
		set_source(&i->item.sources[n], exchanges[n]);
	i->item.source_count = sources;
	item_content(i);
	item_sign(i);
	e->content = i->content;
	e->content_len = i->content_len;
	e->signature = i->signature;
	e->public_key = builder->rsa_pem;
	snprintf(e->platform, sizeof(e->platform), "simulated");
	e->document = documents[0].at;
	e->document_len = documents[0].len;
	must(EVP_Digest(e->document, e->document_len, e->attestation_sha256,
		 NULL, EVP_sha256(), NULL) == 1);
	s->json = envelope_format(e, with_document);
	must(s->json != NULL);
	s->json_len = strlen(s->json);
}

/* The limits: contexts that were set up before, and nothing else. */
static void make_limits(void)
{
	EVP_MD_CTX *sign = EVP_MD_CTX_new();
	EVP_PKEY *key = builder->keys[BUILDER_LEAF];

	rsa_ctx = EVP_PKEY_CTX_new(builder->rsa, NULL);
	sha256_ctx = EVP_MD_CTX_new();
	must(EVP_PKEY_verify_init(rsa_ctx) == 1 &&
	     EVP_PKEY_CTX_set_rsa_padding(rsa_ctx, RSA_PKCS1_PADDING) == 1 &&
	     EVP_PKEY_CTX_set_signature_md(rsa_ctx, EVP_sha256()) == 1 &&
	     EVP_DigestInit_ex2(sha256_ctx, EVP_sha256(), NULL) == 1);
	p384_ctx = EVP_MD_CTX_new();
	p384_signature_len = sizeof(p384_signature);
	must(
	    EVP_DigestSignInit(sign, NULL, EVP_sha384(), NULL, key) == 1 &&
	    EVP_DigestSign(sign, p384_signature, &p384_signature_len,
		p384_message, sizeof(p384_message)) == 1 &&
	    EVP_DigestVerifyInit(p384_ctx, NULL, EVP_sha384(), NULL, key) == 1);
	EVP_MD_CTX_free(sign);
}

/* ---- what is measured ---- */

static void run_bare_rsa(const struct sample *s)
{
	const struct item_builder *i = &s->item;
	uint8_t sha256[32];

	must(EVP_DigestInit_ex2(sha256_ctx, NULL, NULL) == 1 &&
	     EVP_DigestUpdate(sha256_ctx, i->content, i->content_len) == 1 &&
	     EVP_DigestFinal_ex(sha256_ctx, sha256, NULL) == 1 &&
	     EVP_PKEY_verify(rsa_ctx, i->signature, i->envelope.signature_len,
		 sha256, sizeof(sha256)) == 1);
}

static void ask(struct hm_cache *cache, const struct blob *document)
{
	struct hm_document out;

	must(hm_document_verify_live(policy, cache, document->at, document->len,
		 BUILDER_NOW_MS, NULL, 0, &out, NULL) == HM_VALID);
}

/* From the text to the price, its document being in the cache. */
static void run_item(const struct sample *s)
{
	static struct hm_cache *cache;
	struct hm_envelope envelope;
	struct hm_item out;

	if (cache == NULL) {
		cache = hm_cache_new(4);
		ask(cache, &documents[0]);
	}
	must(hm_envelope_parse(&envelope, s->json, s->json_len) == HM_VALID &&
	     hm_item_verify_live(policy, cache, &envelope, NULL, 0, LIVE_MS,
		 &out, NULL) == HM_VALID);
	hm_envelope_fini(&envelope);
}

static void run_bare_p384(const struct sample *s)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	(void)s;
	must(EVP_MD_CTX_copy_ex(ctx, p384_ctx) == 1 &&
	     EVP_DigestVerify(ctx, p384_signature, p384_signature_len,
		 p384_message, sizeof(p384_message)) == 1);
	EVP_MD_CTX_free(ctx);
}

static void run_cold(const struct sample *s)
{
	struct hm_cache *cache = hm_cache_new(1);

	(void)s;
	ask(cache, &documents[0]);
	hm_cache_free(cache);
}

/* The cache has room for one document: each of these is a new one. */
static void run_known_chain(const struct sample *s)
{
	static struct hm_cache *cache;
	static unsigned turn;

	(void)s;
	if (cache == NULL)
		cache = hm_cache_new(1);
	ask(cache, &documents[turn++ % DOCUMENTS]);
}

/* And room for ten certificates: each of these leaves is a new one. */
static void run_sibling(const struct sample *s)
{
	static struct hm_cache *cache;
	static unsigned turn;

	(void)s;
	if (cache == NULL)
		cache = hm_cache_new(1);
	ask(cache, &siblings[turn++ % DOCUMENTS]);
}

static struct subject {
	const char *name;
	void (*run)(const struct sample *);
	const struct sample *sample;
	double ns[ROUNDS]; /* of one run */
} subjects[] = {
    {"bare RSA-2048, over a content of 2 sources", run_bare_rsa, &short_ref,
	{0}},
    {"item of 2 sources, by reference", run_item, &short_ref, {0}},
    {"item of 2 sources, with its document", run_item, &short_full, {0}},
    {"bare RSA-2048, over a content of 5 sources", run_bare_rsa, &long_ref,
	{0}},
    {"item of 5 sources, by reference", run_item, &long_ref, {0}},
    {"item of 5 sources, with its document", run_item, &long_full, {0}},
    {"bare P-384", run_bare_p384, NULL, {0}},
    {"cold document", run_cold, NULL, {0}},
    {"document of a known chain", run_known_chain, NULL, {0}},
    {"document of a known instance, new leaf", run_sibling, NULL, {0}},
};
enum {
	SHORT_RSA,
	SHORT_REF,
	SHORT_FULL,
	LONG_RSA,
	LONG_REF,
	LONG_FULL,
	P384,
	COLD,
	KNOWN,
	SIBLING,
	SUBJECTS
};

/* ---- measuring ---- */

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double time_one(const struct subject *s)
{
	int64_t start, spent;
	unsigned runs = 0;

	s->run(s->sample); /* what the one before left in the caches goes */
	start = cpu_ns();
	do {
		for (int i = 0; i < 4; i++, runs++)
			s->run(s->sample);
		spent = cpu_ns() - start;
	} while (spent < ROUND_NS);
	return (double)spent / runs;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(const double values[ROUNDS])
{
	double sorted[ROUNDS];

	memcpy(sorted, values, sizeof(sorted));
	qsort(sorted, ROUNDS, sizeof(sorted[0]), compare);
	return sorted[ROUNDS / 2];
}

/* The time of a as a part of `count` times that of b. */
static double part_of(int a, int b, int count)
{
	double values[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		values[i] = subjects[a].ns[i] / (count * subjects[b].ns[i]);
	return median(values);
}

/* ---- telling ---- */

static void tell(const char *what, double found, const char *wanted)
{
	printf("%-58s %5.2f   %s\n", what, found, wanted);
}

static void tell_all(void)
{
	printf("%-58s %8s\n", "one run, thread CPU time", "us");
	for (int s = 0; s < SUBJECTS; s++)
		printf("%-58s %8.2f\n", subjects[s].name,
		    median(subjects[s].ns) / 1000);
	printf(
	    "\n%-58s %5s   wanted\n", "ratios, medians of 9 rounds", "found");
	tell("items/s by the bare RSA rate: 2 sources, by reference",
	    part_of(SHORT_RSA, SHORT_REF, 1), "at least 0.75");
	tell("  5 sources, by reference", part_of(LONG_RSA, LONG_REF, 1),
	    "at least 0.75");
	tell("  2 sources, with the document",
	    part_of(SHORT_RSA, SHORT_FULL, 1), "-");
	tell("  5 sources, with the document", part_of(LONG_RSA, LONG_FULL, 1),
	    "-");
	tell("cold document, by five bare P-384", part_of(COLD, P384, 5),
	    "at most 1.25");
	tell("document of a known chain, by a cold one",
	    part_of(KNOWN, COLD, 1), "at most 0.33");
	tell("  known but for its leaf", part_of(SIBLING, COLD, 1), "-");
}

int main(void)
{
	builder = builder_new();
	item_reset(&short_ref.item, builder); /* what is attested */
	make_documents();
	make_policy();
	make_sample(&short_ref, 2, false);
	make_sample(&short_full, 2, true);
	make_sample(&long_ref, 5, false);
	make_sample(&long_full, 5, true);
	make_limits();
	for (int round = 0; round < ROUNDS; round++)
		for (int s = 0; s < SUBJECTS; s++)
			subjects[s].ns[round] = time_one(&subjects[s]);
	tell_all();
	return 0;
}
