/* quorum: how many enclaves stand by an item, and the ways to pretend to be
 * more than one is. */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/item_builder.c"

#include "tests/unit/verifier/cosign_fixture.h"
#include "verifier/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define VOICES  2
#define LIVE_MS (ITEM_PUBLISHED_MS + 1000)

static struct builder *b;
static struct item_builder i;
static struct voice voices[VOICES];
static struct hm_envelope given[HM_COSIGNATURES_MAX];
static uint8_t own_document[HM_DOCUMENT_MAX];

static int setup(void **state)
{
	(void)state;
	b = builder_new();
	for (int n = 0; n < VOICES; n++)
		voice_make(&voices[n], (uint8_t)(0x50 + n));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int n = 0; n < VOICES; n++)
		voice_drop(&voices[n]);
	builder_free(b);
	return 0;
}

/* An item whose policy wants two more enclaves; none stands by it yet. */
static int begin(void **state)
{
	(void)state;
	item_make(&i, b);
	memcpy(own_document, b->document.at, b->document.len);
	i.envelope.document = own_document;
	i.envelope.cosignatures = given;
	i.envelope.cosignature_count = 0;
	assert_int_equal(hm_policy_set_quorum(i.policy, 2), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t n = 0; n < i.envelope.cosignature_count; n++)
		hm_envelope_fini(&given[n]);
	item_drop(&i);
	return 0;
}

static struct hm_envelope *add(const struct voice *v, const struct cosign *c)
{
	struct hm_envelope *e = &given[i.envelope.cosignature_count++];

	voice_cosign(v, b, c, e);
	return e;
}

static struct hm_envelope *add_good(const struct voice *v)
{
	struct cosign c = voice_says(v, &i);

	return add(v, &c);
}

static enum hm_verdict live(struct hm_cache *cache)
{
	return hm_item_verify_live(
	    i.policy, cache, &i.envelope, NULL, 0, LIVE_MS, NULL, NULL);
}

static unsigned cosigners(void)
{
	struct hm_item out;
	enum hm_verdict verdict;

	assert_int_equal(hm_policy_set_quorum(i.policy, 1), 0);
	verdict = hm_item_verify_replay(
	    i.policy, NULL, &i.envelope, NULL, 0, &out, NULL);
	assert_int_equal(hm_policy_set_quorum(i.policy, 2), 0);
	return verdict == HM_VALID ? out.cosigners : 0;
}

/* ---- good ---- */

static void test_good(void **state)
{
	struct hm_item out;

	(void)state;
	assert_int_equal(live(NULL), HM_QUORUM_MISSING);
	add_good(&voices[0]);
	assert_int_equal(live(NULL), HM_QUORUM_MISSING);
	assert_int_equal(cosigners(), 1);
	add_good(&voices[1]);
	assert_int_equal(live(NULL), HM_VALID);
	assert_int_equal(hm_item_verify_replay(
			     i.policy, NULL, &i.envelope, NULL, 0, &out, NULL),
	    HM_VALID);
	assert_int_equal(out.cosigners, 2);
	assert_string_equal(out.price, "84036.00");
	assert_int_equal(hm_policy_set_quorum(i.policy, 3), 0);
	assert_int_equal(live(NULL), HM_QUORUM_MISSING);
}

struct told {
	unsigned count;
	bool passed;
	char wanted[HM_TEXT_MAX], found[HM_TEXT_MAX];
};

static void on_check(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	struct told *told = data;

	if (strcmp(check, "quorum") != 0)
		return;
	told->count++;
	told->passed = passed;
	snprintf(told->wanted, sizeof(told->wanted), "%s", wanted);
	snprintf(told->found, sizeof(told->found), "%s", found);
}

static enum hm_verdict tell(struct told *told)
{
	const struct hm_report report = {on_check, told};

	memset(told, 0, sizeof(*told));
	return hm_item_verify_live(
	    i.policy, NULL, &i.envelope, NULL, 0, LIVE_MS, NULL, &report);
}

static void test_report(void **state)
{
	struct told told;

	(void)state;
	assert_int_equal(tell(&told), HM_QUORUM_MISSING);
	assert_int_equal(told.count, 1);
	assert_false(told.passed);
	assert_string_equal(told.wanted, "2 other enclaves");
	assert_string_equal(told.found, "0 of 0 co-signatures hold");
	add_good(&voices[0]);
	add_good(&voices[0]);
	add_good(&voices[1])->signature[9] ^= 1;
	assert_int_equal(tell(&told), HM_QUORUM_MISSING);
	assert_string_equal(told.found,
	    "1 of 3 co-signatures hold, one is item_signature, one enclave "
	    "speaks twice");
	assert_int_equal(hm_policy_set_quorum(i.policy, 0), 0);
	assert_int_equal(tell(&told), HM_VALID);
	assert_true(told.passed && told.count == 1);
	i.envelope.cosignature_count = 0;
	assert_int_equal(tell(&told), HM_VALID);
	assert_int_equal(told.count, 0);
	i.envelope.cosignature_count = 3;
}

/* Who asks for no quorum is not troubled by what stands there. */
static void test_not_asked(void **state)
{
	struct hm_item out;

	(void)state;
	add_good(&voices[0])->signature[9] ^= 1;
	add_good(&voices[1]);
	assert_int_equal(hm_policy_set_quorum(i.policy, 0), 0);
	assert_int_equal(live(NULL), HM_VALID);
	assert_int_equal(hm_item_verify_live(i.policy, NULL, &i.envelope, NULL,
			     0, LIVE_MS, &out, NULL),
	    HM_VALID);
	/* and is told what it is worth */
	assert_int_equal(out.cosigners, 1);
	assert_false(out.cosigned[0]);
	assert_true(out.cosigned[1]);
}

static void test_policy(void **state)
{
	(void)state;
	assert_int_equal(hm_policy_set_quorum(i.policy, -1), -1);
	assert_int_equal(
	    hm_policy_set_quorum(i.policy, HM_COSIGNATURES_MAX + 1), -1);
	assert_int_equal(
	    hm_policy_set_quorum(i.policy, HM_COSIGNATURES_MAX), 0);
}

/* ---- the reference form ---- */

static void test_by_reference(void **state)
{
	struct hm_cache *cache = hm_cache_new(8);
	struct hm_envelope e;
	char *text;

	(void)state;
	add_good(&voices[0]);
	add_good(&voices[1]);
	text = envelope_format(&i.envelope, false);
	assert_int_equal(hm_envelope_parse(&e, text, strlen(text)), HM_VALID);
	free(text);
	assert_int_equal(hm_item_verify_live(i.policy, cache, &e, own_document,
			     i.envelope.document_len, LIVE_MS, NULL, NULL),
	    HM_QUORUM_MISSING);
	assert_int_equal(hm_envelope_supply(&e, own_document, 7), 0);
	assert_int_equal(hm_envelope_supply(&e, own_document, 0), -1);
	assert_int_equal(
	    hm_envelope_supply(&e, own_document, HM_DOCUMENT_MAX + 1), -1);
	assert_int_equal(
	    hm_envelope_supply(&e, own_document, i.envelope.document_len), 1);
	for (int n = 0; n < VOICES; n++)
		assert_int_equal(hm_envelope_supply(&e, given[n].document,
				     given[n].document_len),
		    1);
	assert_int_equal(
	    hm_envelope_supply(&e, given[0].document, given[0].document_len),
	    0);
	assert_int_equal(hm_item_verify_live(
			     i.policy, cache, &e, NULL, 0, LIVE_MS, NULL, NULL),
	    HM_VALID);
	hm_envelope_fini(&e);
	/* Now the cache has them all. */
	for (int n = 0; n < VOICES; n++) {
		free(given[n].document);
		given[n].document = NULL;
	}
	assert_int_equal(live(cache), HM_VALID);
	assert_int_equal(live(NULL), HM_QUORUM_MISSING);
	hm_cache_free(cache);
}

/* ---- one enclave is one voice ---- */

static void test_twice(void **state)
{
	struct cosign c = voice_says(&voices[0], &i);

	(void)state;
	add(&voices[0], &c);
	c.published_ms++;
	add(&voices[0], &c);
	assert_int_equal(live(NULL), HM_QUORUM_MISSING);
	assert_int_equal(cosigners(), 1);
}

/* A key may be attested for two boots, and a boot with two keys. */
static void test_key_or_boot_twice(void **state)
{
	struct voice same_key = voices[0], same_boot = voices[1];

	(void)state;
	memset(same_key.boot_id, 0x99, 16);
	memcpy(same_boot.boot_id, voices[0].boot_id, 16);
	add_good(&voices[0]);
	add_good(&same_key);
	assert_int_equal(live(NULL), HM_QUORUM_MISSING);
	add_good(&same_boot);
	assert_int_equal(live(NULL), HM_QUORUM_MISSING);
	assert_int_equal(cosigners(), 1);
	add_good(&voices[1]);
	assert_int_equal(live(NULL), HM_VALID);
}

/* Nor does the publisher stand by itself, by its key or by its boot. */
static void test_publisher(void **state)
{
	struct voice key = {.rsa = b->rsa, .pem = b->rsa_pem};
	struct voice boot = voices[0];

	(void)state;
	memset(key.boot_id, 0x99, 16);
	memcpy(boot.boot_id, i.item.boot_id, 16);
	add_good(&key);
	add_good(&boot);
	assert_int_equal(cosigners(), 0);
}

/* ---- what is no word on this item ---- */

static void expect_none(const struct cosign *c)
{
	add(&voices[0], c);
	assert_int_equal(cosigners(), 0);
	hm_envelope_fini(&given[--i.envelope.cosignature_count]);
}

static void test_of_another_item(void **state)
{
	struct cosign c;

	(void)state;
	c = voice_says(&voices[0], &i);
	c.content_sha256[0] ^= 1;
	expect_none(&c);
	c = voice_says(&voices[0], &i);
	c.item_boot_id[0] ^= 1;
	expect_none(&c);
	c = voice_says(&voices[0], &i);
	c.sequence++;
	expect_none(&c);
	c = voice_says(&voices[0], &i);
	c.feed[0] = 'E';
	expect_none(&c);
	c = voice_says(&voices[0], &i);
	c.price[0] = '\0';
	expect_none(&c);
	c = voice_says(&voices[0], &i);
	expect_none(&(struct cosign){.feed = "X"});
	c.boot_id[0] ^= 1; /* not the attested one */
	expect_none(&c);
	c = voice_says(&voices[0], &i);
	c.config_sha256[0] ^= 1;
	expect_none(&c);
	c = voice_says(&voices[0], &i);
	add(&voices[0], &c);
	assert_int_equal(cosigners(), 1);
}

static void test_at_another_time(void **state)
{
	int64_t far_ms = i.policy->max_future_ms;
	struct cosign c = voice_says(&voices[0], &i);

	(void)state;
	c.published_ms = i.item.published_ms + far_ms + 1;
	expect_none(&c);
	c.published_ms = i.item.published_ms + far_ms;
	add(&voices[0], &c);
	assert_int_equal(cosigners(), 1);
	hm_envelope_fini(&given[--i.envelope.cosignature_count]);
	c.published_ms = i.item.published_ms - far_ms - 1;
	expect_none(&c);
	c.published_ms = i.item.published_ms - far_ms;
	add(&voices[0], &c);
	assert_int_equal(cosigners(), 1);
}

/* Its own word, asked alone. */
static void test_self(void **state)
{
	struct voice self = voices[0];
	struct hm_envelope *e;
	struct hm_item item;
	struct cosign c;

	(void)state;
	assert_int_equal(hm_policy_set_quorum(i.policy, 0), 0);
	assert_int_equal(hm_item_verify_replay(
			     i.policy, NULL, &i.envelope, NULL, 0, &item, NULL),
	    HM_VALID);
	memcpy(self.boot_id, i.item.boot_id, 16);
	e = add_good(&self);
	assert_int_equal(cosign_verify(i.policy, NULL, e, NULL, &item, &c),
	    HM_USER_DATA_MISMATCH);
	e = add_good(&voices[0]);
	assert_int_equal(
	    cosign_verify(i.policy, NULL, e, NULL, &item, &c), HM_VALID);
	assert_string_equal(c.price, "84036.10");
	e->content[0] = ' ';
	assert_int_equal(cosign_verify(i.policy, NULL, e, NULL, &item, &c),
	    HM_CONTENT_MALFORMED);
}

/* An item without a price may be seen by one who has none either. */
static void test_unavailable(void **state)
{
	struct cosign c;

	(void)state;
	item_drop(&i);
	item_reset(&i, b);
	i.item.status = ITEM_UNAVAILABLE;
	i.item.reason = ITEM_INSUFFICIENT_SOURCES;
	i.item.min_sources = 3;
	item_content(&i);
	item_sign(&i);
	item_envelope(&i);
	memcpy(own_document, b->document.at, b->document.len);
	i.envelope.document = own_document;
	i.envelope.cosignatures = given;
	c = voice_says(&voices[0], &i);
	c.price[0] = '\0';
	add(&voices[0], &c);
	assert_int_equal(cosigners(), 1);
}

/* An item of the enclave is no co-signature, nor is a good signature by a key
 * that nothing attests. */
static void test_other_envelopes(void **state)
{
	struct hm_envelope *e = add_good(&voices[0]);

	(void)state;
	free(e->content);
	e->content = strdup(i.content);
	e->content_len = i.content_len;
	free(e->signature);
	voice_sign(&voices[0], e);
	assert_int_equal(cosigners(), 0);
	e = add_good(&voices[0]);
	free(e->public_key);
	e->public_key = strdup(voices[1].pem);
	free(e->signature);
	voice_sign(&voices[1], e);
	assert_int_equal(cosigners(), 0);
	e = add_good(&voices[1]);
	e->document[e->document_len / 2] ^= 1;
	assert_int_equal(cosigners(), 0);
}

/* Live, a co-signature's document must be good now, as the item's own. */
static void test_expired(void **state)
{
	int64_t at_ms = ITEM_PUBLISHED_MS;

	(void)state;
	add_good(&voices[0]);
	add_good(&voices[1]);
	assert_int_equal(hm_item_verify_live(i.policy, NULL, &i.envelope, NULL,
			     0, at_ms, NULL, NULL),
	    HM_VALID);
	i.policy->max_age_ms = 990; /* theirs are 40 ms younger */
	assert_int_equal(live(NULL), HM_ITEM_TOO_OLD);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	    CASE(test_good),
	    CASE(test_report),
	    CASE(test_not_asked),
	    CASE(test_policy),
	    CASE(test_by_reference),
	    CASE(test_twice),
	    CASE(test_key_or_boot_twice),
	    CASE(test_publisher),
	    CASE(test_of_another_item),
	    CASE(test_at_another_time),
	    CASE(test_self),
	    CASE(test_unavailable),
	    CASE(test_other_envelopes),
	    CASE(test_expired),
	};

	return cmocka_run_group_tests_name("quorum", tests, setup, teardown);
}
