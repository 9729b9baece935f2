/*
 * Certificates that somebody else issued than the one above them: loops, self-
 * signed ones, short cuts. Names, signatures and order are as they should be,
 * there is no pathLen; only the path does not lead to the root, or not this
 * way.
 */
#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/one_thing_wrong.h"

static struct builder *b;

static int setup(void **state)
{
	(void)state;
	b = builder_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	builder_free(b);
	return 0;
}

static void no_pathlens(struct builder *x, unsigned level, X509 *c)
{
	(void)x;
	if (level == BUILDER_LEAF)
		return;
	builder_drop_extension(c, NID_basic_constraints);
	builder_extension(c, NID_basic_constraints, "critical,CA:TRUE");
}

static void sign_again(struct blob *der, EVP_PKEY *key)
{
	const unsigned char *at = der->at;
	X509 *c = d2i_X509(NULL, &at, (long)der->len);
	unsigned char *bytes = NULL;
	int len;

	assert_non_null(c);
	assert_true(X509_sign(c, key, EVP_sha384()) > 0);
	len = i2d_X509(c, &bytes);
	blob_set(der, bytes, (size_t)len);
	OPENSSL_free(bytes);
	X509_free(c);
}

static void name_issuer(struct builder *x, X509 *c, unsigned level)
{
	X509_NAME *name = X509_NAME_new();

	set_name(name, subject_of(x, level));
	assert_int_equal(X509_set_issuer_name(c, name), 1);
	X509_NAME_free(name);
}

/* Which level's certificate is issued by which. */
static unsigned child, parent;

static void reissue(struct builder *x, unsigned level, X509 *c)
{
	no_pathlens(x, level, c);
	if (level == child)
		name_issuer(x, c, parent);
}

static void resign(struct builder *x, unsigned level, struct blob *der)
{
	if (level == child)
		sign_again(der, x->keys[parent]);
}

static void issued(struct builder *x, unsigned level, unsigned by)
{
	child = level;
	parent = by;
	x->edit_cert = reissue;
	x->edit_der = resign;
}

/* regional and zonal vouch for each other; the root for neither */
static void loop_of_two(struct builder *x)
{
	issued(x, 1, 2);
}

static void loop_of_three(struct builder *x)
{
	issued(x, 1, 3);
}

static void loop_through_leaf(struct builder *x)
{
	issued(x, 1, BUILDER_LEAF);
}

static void regional_self_signed(struct builder *x)
{
	issued(x, 1, 1);
}

static void instance_self_signed(struct builder *x)
{
	issued(x, 3, 3);
}

static void leaf_self_signed(struct builder *x)
{
	issued(x, BUILDER_LEAF, BUILDER_LEAF);
}

static void leaf_by_zonal(struct builder *x)
{
	issued(x, BUILDER_LEAF, 2);
}

static void leaf_by_root(struct builder *x)
{
	issued(x, BUILDER_LEAF, 0);
}

static void zonal_by_root(struct builder *x)
{
	issued(x, 2, 0);
}

static void nothing_else(struct builder *x)
{
	issued(x, 2, 1);
}

static void test_issuers(void **state)
{
	static const struct wrong cases[] = {
	    {"signed anew, the same issuers", nothing_else, HM_VALID},
	    {"regional and zonal in a loop", loop_of_two, HM_CHAIN_BROKEN},
	    {"a loop of all three CAs", loop_of_three, HM_CHAIN_BROKEN},
	    {"a loop through the leaf", loop_through_leaf, HM_CHAIN_BROKEN},
	    {"regional self-signed", regional_self_signed, HM_CHAIN_BROKEN},
	    {"instance self-signed", instance_self_signed, HM_CHAIN_BROKEN},
	    {"leaf self-signed", leaf_self_signed, HM_CHAIN_BROKEN},
	    {"leaf by the zonal CA", leaf_by_zonal, HM_CHAIN_BROKEN},
	    {"leaf by the root", leaf_by_root, HM_CHAIN_BROKEN},
	    {"zonal CA by the root", zonal_by_root, HM_CHAIN_BROKEN},
	};

	(void)state;
	wrong_run(b, cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_issuers),
	};

	return cmocka_run_group_tests_name("issuers", tests, setup, teardown);
}
