/*
 * Bit-flip totality: a document or an item with any one bit changed is refused.
 *
 * make check: two real documents (definite and indefinite map), every seventh
 * bit (7 is prime to 8: each position of a byte has its turn), and every bit of
 * one item; one document of the builder's where the recorded ones are not at
 * hand. Documents are judged cold, with up to five P-384 verifications each.
 *
 * HALLMARK_LONG=1: every bit of those, cold; and every bit of every enclave
 * document of the vectors (those of debug enclaves under a policy that allows
 * them by name) with a cache that holds the document itself and its chain, as
 * a daemon's would: one verification for most flips, and the harder question,
 * for a flip must not be taken for what is known. A document takes two
 * cores some 25 seconds with AddressSanitizer, the 90 that were recorded about
 * 40 minutes.
 *
 * Each document is shared out between as many processes as there are cores.
 * They end by exit(), not _exit(), so that leaks are looked for in them too.
 */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/item_builder.c"
#include "tests/unit/verifier/vectors.h"
#include "tests/unit/verifier/verdict_counts.h"

#include "verifier/envelope.h"

#include <sys/wait.h>
#include <unistd.h>

#define SAMPLE_STRIDE 7
#define WORKERS_MAX   64

static const char *const definite =
    "yawn_nitro-attest__attestation__19b71700.bin";
static const char *const indefinite =
    "tkhq_rust-sdk__valid_provisioning_details__277e236b.bin";

/* What is flipped, and how it is judged. */
struct target {
	const char *name;
	struct hm_policy *policy;
	uint8_t *bytes;
	size_t len;
	bool known; /* the document and its chain are in a cache */
};

/* What one worker, or all of them, found. */
struct tally {
	size_t counts[HM_VERDICT_COUNT]; /* of the flipped */
	size_t tried;
	size_t accepted_bit;  /* the last one, if counts[HM_VALID] > 0 */
	size_t sound_workers; /* the unflipped was valid, before and after */
};
_Static_assert(sizeof(struct tally) <= 4096, "one write to a pipe: PIPE_BUF");

static bool is_long(void)
{
	const char *all = getenv("HALLMARK_LONG");

	return all != NULL && strcmp(all, "1") == 0;
}

static size_t usual_stride(void)
{
	return is_long() ? 1 : SAMPLE_STRIDE;
}

static void flip_bit(uint8_t *bytes, size_t bit)
{
	bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
}

static enum hm_verdict judge(const struct target *t, struct hm_cache *cache)
{
	return hm_document_verify_replay(
	    t->policy, cache, t->bytes, t->len, NULL, 0, NULL, NULL);
}

/* No flip has entered the cache, nor left a trace in the bytes. */
static bool is_sound(const struct target *t, struct hm_cache *cache)
{
	struct hm_cache_stats stats = {.documents = 1};

	if (cache != NULL)
		hm_cache_stats(cache, &stats);
	return stats.documents == 1 && judge(t, cache) == HM_VALID &&
	       judge(t, NULL) == HM_VALID;
}

/* Runs in a worker, where cmocka's assertions would not be heard. */
static void flip_share(
    const struct target *t, size_t first, size_t step, struct tally *out)
{
	struct hm_cache *cache = t->known ? hm_cache_new(2) : NULL;
	bool sound = t->known == (cache != NULL) &&
		     judge(t, cache) == HM_VALID && is_sound(t, cache);

	memset(out, 0, sizeof(*out));
	for (size_t bit = first; bit < 8 * t->len; bit += step, out->tried++) {
		enum hm_verdict verdict;

		flip_bit(t->bytes, bit);
		verdict = judge(t, cache);
		flip_bit(t->bytes, bit);
		out->counts[verdict]++;
		if (verdict == HM_VALID)
			out->accepted_bit = bit;
	}
	out->sound_workers = sound && is_sound(t, cache);
	hm_cache_free(cache);
}

static size_t worker_count(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 1)
		return 1;
	return cores < WORKERS_MAX ? (size_t)cores : WORKERS_MAX;
}

static pid_t start_worker(
    const struct target *t, size_t first, size_t step, int out)
{
	struct tally tally;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	flip_share(t, first, step, &tally);
	exit(write(out, &tally, sizeof(tally)) == sizeof(tally) ? 0 : 1);
}

static void add(struct tally *sum, const struct tally *part)
{
	for (int v = 0; v < HM_VERDICT_COUNT; v++)
		sum->counts[v] += part->counts[v];
	sum->tried += part->tried;
	sum->sound_workers += part->sound_workers;
	if (part->counts[HM_VALID] > 0)
		sum->accepted_bit = part->accepted_bit;
}

/* Every stride-th bit, by all workers; each of them must end well. */
static void flip_shared(
    const struct target *t, size_t stride, struct tally *sum)
{
	size_t workers = worker_count();
	struct tally part;
	int ends[2];

	memset(sum, 0, sizeof(*sum));
	assert_int_equal(pipe(ends), 0);
	fflush(NULL); /* or they would print it again */
	for (size_t i = 0; i < workers; i++)
		assert_true(
		    start_worker(t, i * stride, workers * stride, ends[1]) > 0);
	close(ends[1]);
	while (read(ends[0], &part, sizeof(part)) == sizeof(part))
		add(sum, &part);
	close(ends[0]);
	for (size_t i = 0; i < workers; i++) {
		int status = -1;

		assert_true(wait(&status) > 0);
		if (status != 0)
			fail_msg("%s: a worker died: %d", t->name, status);
	}
	assert_int_equal(sum->sound_workers, workers);
}

/* How many flips were refused; fails if one was not. */
static size_t flip_all(const struct target *t, size_t stride)
{
	size_t bits = 8 * t->len;
	struct tally tally;

	flip_shared(t, stride, &tally);
	if (tally.counts[HM_VALID] > 0)
		fail_msg("%s: bit %zu changed and valid", t->name,
		    tally.accepted_bit);
	assert_int_equal(tally.tried, (bits + stride - 1) / stride);
	printf("# %s%s: %zu of %zu single-bit changes tried, all refused:",
	    t->name, t->known ? " (known)" : "", tally.tried, bits);
	print_counts(tally.counts);
	return tally.tried;
}

/* Trusts AWS and accepts the document's own PCRs. */
static struct hm_policy *policy_for(const uint8_t *bytes, size_t len)
{
	struct hm_policy *policy = hm_policy_new();
	struct hm_document document;

	assert_int_equal(hm_document_read(bytes, len, &document), HM_VALID);
	assert_int_equal(hm_policy_add_root_name(policy, "aws-nitro-g1"), 0);
	assert_int_equal(
	    hm_policy_add_release(policy, "own", INT64_MIN, INT64_MAX), 0);
	for (unsigned i = 0; i <= 2; i++)
		assert_int_equal(
		    hm_policy_add_pcr(policy, 0, i, document.pcrs[i]), 0);
	return policy;
}

static size_t flip_vector(
    const char *name, bool debug, bool known, size_t stride)
{
	struct target t = {.name = name, .known = known};
	size_t tried;

	t.bytes = vectors_read(name, &t.len);
	t.policy = policy_for(t.bytes, t.len);
	if (debug)
		hm_policy_insecure_allow_debug(t.policy);
	tried = flip_all(&t, stride);
	hm_policy_free(t.policy);
	free(t.bytes);
	return tried;
}

static void test_definite(void **state)
{
	(void)state;
	flip_vector(definite, false, false, usual_stride());
}

static void test_indefinite(void **state)
{
	(void)state;
	flip_vector(indefinite, false, false, usual_stride());
}

/* A row of EXPECTED.tsv: the number of changes that were tried. */
static size_t flip_row(char *row, size_t documents[2])
{
	char *name = strtok(row, "\t"), *wanted = strtok(NULL, "\t");
	bool debug = wanted != NULL && strcmp(wanted, "debug") == 0;

	if (wanted == NULL || (!debug && strcmp(wanted, "valid") != 0))
		return 0;
	documents[debug]++;
	return flip_vector(name, debug, true, 1);
}

/* Every bit of every valid or debug document there is. The table is read
 * before the first fork: a worker's exit() would turn back a file that we
 * share with it and are still reading. */
static void test_each_known(void **state)
{
	size_t documents[2] = {0}, tried = 0, len;
	char *table, *rest, *row;

	(void)state;
	if (!is_long())
		skip();
	table = (char *)vectors_read("EXPECTED.tsv", &len);
	assert_true(len < VECTORS_FILE_MAX);
	table[len] = '\0';
	for (rest = table; (row = strsep(&rest, "\n")) != NULL;)
		tried += flip_row(row, documents);
	free(table);
	assert_true(documents[false] > 0 && documents[true] > 0);
	printf("# %zu valid and %zu debug documents: %zu single-bit changes, "
	       "all refused\n",
	    documents[false], documents[true], tried);
}

static void test_made_here(void **state)
{
	FILE *recorded = vectors_open("EXPECTED.tsv");
	struct target t = {.name = "made here"};
	struct builder *b;

	(void)state;
	if (recorded != NULL) {
		fclose(recorded);
		if (!is_long())
			skip();
	}
	b = builder_new();
	builder_make(b);
	t.policy = builder_policy(b);
	t.bytes = b->document.at;
	t.len = b->document.len;
	flip_all(&t, usual_stride());
	hm_policy_free(t.policy);
	builder_free(b);
}

static enum hm_verdict judge_text(const struct hm_policy *policy,
    struct hm_cache *cache, const char *text, size_t len)
{
	struct hm_envelope envelope;
	enum hm_verdict verdict = hm_envelope_parse(&envelope, text, len);

	if (verdict == HM_VALID)
		verdict = hm_item_verify_replay(
		    policy, cache, &envelope, NULL, 0, NULL, NULL);
	hm_envelope_fini(&envelope);
	return verdict;
}

/* Every bit of the envelope's text, always: the document is in the cache. */
static void test_item(void **state)
{
	static struct item_builder i;
	struct builder *b = builder_new();
	struct hm_cache *cache = hm_cache_new(4);
	size_t counts[HM_VERDICT_COUNT] = {0}, len, refused = 0;
	char *text;

	(void)state;
	item_make(&i, b);
	text = envelope_format(&i.envelope, true);
	len = strlen(text);
	assert_int_equal(judge_text(i.policy, cache, text, len), HM_VALID);
	for (size_t bit = 0; bit < 8 * len; bit++, refused++) {
		enum hm_verdict verdict;

		flip_bit((uint8_t *)text, bit);
		verdict = judge_text(i.policy, cache, text, len);
		flip_bit((uint8_t *)text, bit);
		if (verdict == HM_VALID)
			fail_msg("item: bit %zu changed and valid", bit);
		counts[verdict]++;
	}
	printf("# item: all %zu single-bit changes refused:", refused);
	print_counts(counts);
	free(text);
	item_drop(&i);
	hm_cache_free(cache);
	builder_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_definite),
	    cmocka_unit_test(test_indefinite),
	    cmocka_unit_test(test_each_known),
	    cmocka_unit_test(test_made_here),
	    cmocka_unit_test(test_item),
	};

	return cmocka_run_group_tests_name("bit_flips", tests, NULL, NULL);
}
