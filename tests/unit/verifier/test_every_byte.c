/*
 * A document or an item that lost a byte, has one twice, has two neighbours
 * exchanged or ends early, at each place that it has: all are refused. (Bits
 * that changed: test_bit_flips.c.)
 *
 * The document and its chain are in a cache, as a daemon's would be, so that
 * each question costs one signature at most, and must not be taken for what is
 * known. A length that no longer fits ends most of them in the outer array, so
 * the payload's length is also mended, which nothing protects: then it is the
 * payload's own form, a certificate or the signature that tells.
 */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/item_builder.c"
#include "tests/unit/verifier/verdict_counts.h"

#include "verifier/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PAYLOAD_HEAD 7 /* where the payload's head is: 59 LL LL */
#define PAYLOAD      10

static struct item_builder item;
static struct hm_cache *cache;

static int setup(void **state)
{
	(void)state;
	item_make(&item, builder_new());
	cache = hm_cache_new(4);
	return cache == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	hm_cache_free(cache);
	item_drop(&item);
	builder_free(item.b);
	return 0;
}

static enum hm_verdict judge_document(const uint8_t *bytes, size_t len)
{
	return hm_document_verify_replay(
	    item.policy, cache, bytes, len, NULL, 0, NULL, NULL);
}

static enum hm_verdict judge_item(const uint8_t *bytes, size_t len)
{
	struct hm_envelope envelope;
	enum hm_verdict verdict = hm_envelope_parse(
	    &envelope, (const char *)bytes, len);

	if (verdict == HM_VALID)
		verdict = hm_item_verify_replay(
		    item.policy, cache, &envelope, NULL, 0, NULL, NULL);
	hm_envelope_fini(&envelope);
	return verdict;
}

/* What becomes of byte `at`. */
enum change {
	CUT_HERE,
	DROP,
	DOUBLE,
	EXCHANGE
};
static const char *const change_names[] = {"ends early", "without a byte",
    "with a byte twice", "with two bytes exchanged"};

/* Copies into a buffer that nothing follows, so that the sanitizer sees a read
 * behind the end. The caller frees it. */
static uint8_t *changed(
    const uint8_t *bytes, size_t *len, size_t at, enum change change)
{
	size_t skip = change == DROP ? 1 : 0, again = change == DOUBLE ? 1 : 0;
	size_t rest = change == CUT_HERE ? 0 : *len - at;
	uint8_t *copy = malloc(1 + *len);

	assert_non_null(copy);
	memcpy(copy, bytes, at);
	if (again)
		copy[at] = bytes[at];
	if (rest > skip)
		memcpy(copy + at + again, bytes + at + skip, rest - skip);
	*len = at + again + rest - skip;
	if (change == EXCHANGE) {
		copy[at] = bytes[at + 1];
		copy[at + 1] = bytes[at];
	}
	copy = realloc(copy, *len > 0 ? *len : 1);
	assert_non_null(copy);
	return copy;
}

struct text {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	enum hm_verdict (*judge)(const uint8_t *bytes, size_t len);
};

/* The payload's head says `more` bytes more than it did. */
static void mend_head(uint8_t *document, size_t more)
{
	uint8_t *len = document + PAYLOAD_HEAD + 1;
	size_t payload = ((size_t)len[0] << 8 | len[1]) + more;

	len[0] = (uint8_t)(payload >> 8);
	len[1] = (uint8_t)payload;
}

static enum hm_verdict change_one(
    const struct text *t, enum change change, size_t at, bool mend)
{
	size_t len = t->len;
	uint8_t *copy = changed(t->bytes, &len, at, change);
	enum hm_verdict verdict;

	if (mend)
		mend_head(copy, len - t->len);
	verdict = t->judge(copy, len);
	free(copy);
	return verdict;
}

/* The bytes from `first` to before `end`; `mend` makes the payload's head right
 * again. */
static void change_each(const struct text *t, enum change change, size_t first,
    size_t end, bool mend)
{
	size_t counts[HM_VERDICT_COUNT] = {0}, tried = 0;

	assert_int_equal(t->judge(t->bytes, t->len), HM_VALID);
	for (size_t at = first; at < end; at++) {
		if (change == EXCHANGE && t->bytes[at] == t->bytes[at + 1])
			continue;
		counts[change_one(t, change, at, mend)]++;
		tried++;
	}
	printf("# %s %s%s: %zu tried:", t->name, change_names[change],
	    mend ? ", length mended" : "", tried);
	print_counts(counts);
	assert_int_equal(counts[HM_VALID], 0);
	assert_int_equal(t->judge(t->bytes, t->len), HM_VALID);
}

static void change_all(const struct text *t)
{
	change_each(t, CUT_HERE, 0, t->len, false);
	change_each(t, DROP, 0, t->len, false);
	change_each(t, DOUBLE, 0, t->len, false);
	change_each(t, EXCHANGE, 0, t->len - 1, false);
}

static void test_document(void **state)
{
	const struct text t = {"document", item.b->document.at,
	    item.b->document.len, judge_document};
	size_t end = t.len - 98; /* the signature and its head */

	(void)state;
	change_all(&t);
	assert_int_equal(t.bytes[PAYLOAD_HEAD], 0x59);
	change_each(&t, DROP, PAYLOAD, end, true);
	change_each(&t, DOUBLE, PAYLOAD, end, true);
}

static void test_item(void **state)
{
	char *full = envelope_format(&item.envelope, true);
	char *reference = envelope_format(&item.envelope, false);
	struct text t = {
	    "item", (const uint8_t *)full, strlen(full), judge_item};

	(void)state;
	change_all(&t);
	t = (struct text){"item that names its document",
	    (const uint8_t *)reference, strlen(reference), judge_item};
	change_all(&t);
	free(full);
	free(reference);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_document),
	    cmocka_unit_test(test_item),
	};

	return cmocka_run_group_tests_name(
	    "every_byte", tests, setup, teardown);
}
