/*
 * Bundles that are not the one chain from the root to the leaf: entries
 * exchanged, left out, doubled, put in between, replaced by namesakes.
 * Every document is signed again by the leaf, as its enclave could.
 *
 * In all but the first table no certificate has a pathLen, so that nothing but
 * the given order can tell, and each case is asked twice: cold, and with the
 * chain known from the document that was good.
 */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/one_thing_wrong.h"

static struct builder *b;
static struct builder *other; /* the same names, other keys */

static void no_pathlens(struct builder *x, unsigned level, X509 *c)
{
	(void)x;
	if (level == BUILDER_LEAF)
		return;
	builder_drop_extension(c, NID_basic_constraints);
	builder_extension(c, NID_basic_constraints, "critical,CA:TRUE");
}

static void loose(struct builder *x)
{
	x->edit_cert = no_pathlens;
}

static int setup(void **state)
{
	(void)state;
	b = builder_new();
	other = builder_new();
	loose(other);
	builder_make(other);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	builder_free(other);
	builder_free(b);
	return 0;
}

/* ---- the bundle as a list ---- */

static void put_in(struct builder *x, size_t at, const struct blob *entry)
{
	for (size_t i = x->bundle_count++; i > at; i--)
		x->bundle[i] = x->bundle[i - 1];
	x->bundle[at] = *entry;
}

static void take_out(struct builder *x, size_t at)
{
	x->bundle_count--;
	for (size_t i = at; i < x->bundle_count; i++)
		x->bundle[i] = x->bundle[i + 1];
}

static void swap(struct builder *x, size_t i, size_t j)
{
	static struct blob kept;

	kept = x->bundle[i];
	x->bundle[i] = x->bundle[j];
	x->bundle[j] = kept;
}

/* A spoil function that edits the bundle. */
#define BUNDLE(name, statement)                    \
	static void edit_##name(struct builder *x) \
	{                                          \
		statement;                         \
	}                                          \
	static void name(struct builder *x)        \
	{                                          \
		x->edit_bundle = edit_##name;      \
	}

/* ---- with the pathLens of AWS ---- */

BUNDLE(swap_1_2, swap(x, 1, 2))
BUNDLE(swap_2_3, swap(x, 2, 3))
BUNDLE(swap_1_3, swap(x, 1, 3))
BUNDLE(swap_0_1, swap(x, 0, 1))
BUNDLE(reversed, swap(x, 0, 3); swap(x, 1, 2))
BUNDLE(no_root, take_out(x, 0))
BUNDLE(no_zonal, take_out(x, 2))
BUNDLE(no_instance, take_out(x, 3))
BUNDLE(root_only, x->bundle_count = 1)
BUNDLE(zonal_twice, put_in(x, 2, &x->der[2]))
BUNDLE(root_twice, put_in(x, 4, &x->der[0]))
BUNDLE(leaf_in_bundle, put_in(x, 4, &x->der[4]))
BUNDLE(bundle_of_8, for (int i = 4; i < 8; i++) put_in(x, 4, &x->der[3]))

/* So many good certificates, as many as the payload holds. */
static void fill_bundle(struct builder *x)
{
	struct blob *v = &builder_field(x, "cabundle")->value;

	v->len = 0;
	blob_head(v, 4, 20);
	for (int i = 0; i < 20; i++)
		blob_bytes(v, x->der[i % 4].at, x->der[i % 4].len);
}

static void bundle_of_20(struct builder *x)
{
	x->edit_fields = fill_bundle;
}

/* All there, a byte each: no larger ones would fit. */
static void fill_bundle_1000(struct builder *x)
{
	struct blob *v = &builder_field(x, "cabundle")->value;

	v->len = 0;
	blob_head(v, 4, 1000);
	for (int i = 0; i < 1000; i++)
		blob_bytes(v, "0", 1);
}

static void bundle_of_1000(struct builder *x)
{
	x->edit_fields = fill_bundle_1000;
}

#define PROFILE HM_CERTIFICATE_PROFILE

static void test_with_pathlens(void **state)
{
	static const struct wrong cases[] = {
	    {"1 and 2 swapped", swap_1_2, PROFILE},
	    {"2 and 3 swapped", swap_2_3, PROFILE},
	    {"1 and 3 swapped", swap_1_3, PROFILE},
	    {"0 and 1 swapped", swap_0_1, HM_ROOT_UNTRUSTED},
	    {"reversed", reversed, HM_ROOT_UNTRUSTED},
	    {"root missing", no_root, HM_ROOT_UNTRUSTED},
	    {"zonal missing", no_zonal, HM_CHAIN_BROKEN},
	    {"instance missing", no_instance, HM_CHAIN_BROKEN},
	    {"root alone", root_only, HM_CHAIN_BROKEN},
	    {"zonal twice", zonal_twice, PROFILE},
	    {"root twice", root_twice, PROFILE},
	    {"leaf in the bundle", leaf_in_bundle, PROFILE},
	    {"eight in the bundle", bundle_of_8, HM_DOCUMENT_MALFORMED},
	    {"twenty good ones", bundle_of_20, HM_DOCUMENT_MALFORMED},
	    {"a thousand, all there", bundle_of_1000, HM_DOCUMENT_MALFORMED},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
}

/* ---- without: each change at each place ---- */

/* The change under way: what is done with entries i and j. */
static void (*now)(struct builder *x, size_t i, size_t j);
static size_t now_i, now_j;

static void edit_now(struct builder *x)
{
	now(x, now_i, now_j);
}

/* On the certificates of the good document. */
static void kept_and_changed(struct builder *x)
{
	x->kept = BUILDER_LEVELS;
	x->edit_bundle = edit_now;
}

static struct hm_cache *cache;
static size_t tried, bad;

static void try_both(
    const char *name, void (*spoil)(struct builder *x), enum hm_verdict verdict)
{
	char known[80];
	struct wrong w = {name, spoil, verdict};

	bad += !wrong_try(b, &w, NULL);
	snprintf(known, sizeof(known), "%s, chain known", name);
	w.name = known;
	bad += !wrong_try(b, &w, cache);
	tried += 2;
}

#define NONE BUILDER_LEAF /* no second entry, and no name */

static void try_at(const char *what,
    void (*change)(struct builder *x, size_t i, size_t j), size_t i, size_t j)
{
	static const char *const names[] = {
	    "root", "regional", "zonal", "instance", ""};
	char name[64];

	now = change;
	now_i = i;
	now_j = j;
	snprintf(name, sizeof(name), "%s %s%s", names[i], what, names[j]);
	/* builder_make() calls the hook, and what it leaves decides */
	builder_reset(b);
	kept_and_changed(b);
	builder_make(b);
	try_both(name, kept_and_changed,
	    slice_equal((struct slice){b->bundle[0].at, b->bundle[0].len},
		(struct slice){b->der[0].at, b->der[0].len})
		? HM_CHAIN_BROKEN
		: HM_ROOT_UNTRUSTED);
}

static void leave_out(struct builder *x, size_t i, size_t j)
{
	(void)j;
	take_out(x, i);
}

static void again_beside(struct builder *x, size_t i, size_t j)
{
	(void)j;
	put_in(x, i, &x->der[i]);
}

static void again_at_the_end(struct builder *x, size_t i, size_t j)
{
	(void)j;
	put_in(x, x->bundle_count, &x->der[i]);
}

static void in_place_of(struct builder *x, size_t i, size_t j)
{
	x->bundle[j] = x->der[i];
}

static void namesake_for(struct builder *x, size_t i, size_t j)
{
	(void)j;
	x->bundle[i] = other->der[i];
}

static void namesake_beside(struct builder *x, size_t i, size_t j)
{
	(void)j;
	put_in(x, i + 1, &other->der[i]);
}

static void namesake_before(struct builder *x, size_t i, size_t j)
{
	(void)j;
	put_in(x, i, &other->der[i]);
}

static void namesake_chain(struct builder *x, size_t i, size_t j)
{
	(void)j;
	for (; i < BUILDER_LEAF; i++)
		x->bundle[i] = other->der[i];
}

/* The good one, whose certificates stay, is known after this. */
static void begin_loose(void)
{
	const struct wrong good = {"no pathLen at all", loose, HM_VALID};

	tried = bad = 0;
	cache = hm_cache_new(8);
	bad += !wrong_try(b, &good, cache);
}

static void end_loose(void)
{
	struct hm_cache_stats stats;

	hm_cache_stats(cache, &stats);
	assert_int_equal(stats.documents, 1); /* none of the others */
	hm_cache_free(cache);
	cache = NULL;
	wrong_summary(tried, bad);
}

static void test_each_place(void **state)
{
	(void)state;
	begin_loose();
	for (size_t i = 0; i < BUILDER_LEAF; i++) {
		for (size_t j = i + 1; j < BUILDER_LEAF; j++)
			try_at("exchanged with ", swap, i, j);
		for (size_t j = 0; j < BUILDER_LEAF; j++)
			if (i != j)
				try_at("in place of ", in_place_of, i, j);
		try_at("missing", leave_out, i, NONE);
		try_at("twice", again_beside, i, NONE);
		try_at("again at the end", again_at_the_end, i, NONE);
		try_at("of another", namesake_for, i, NONE);
		try_at("of another too, below", namesake_beside, i, NONE);
		try_at("of another too, above", namesake_before, i, NONE);
		try_at("and all below of another", namesake_chain, i, NONE);
	}
	end_loose();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_with_pathlens),
	    cmocka_unit_test(test_each_place),
	};

	return cmocka_run_group_tests_name("bundle", tests, setup, teardown);
}
