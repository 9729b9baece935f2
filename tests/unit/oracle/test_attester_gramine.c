/* attester_gramine: quotes through a directory that behaves as Gramine's does,
 * and through some that do not. */
#include "oracle/attester_gramine.h"

#include "tests/sgx/gramine_directory.h"
#include "tests/sgx/quote_maker.h"

#include "base/file.h"
#include "verifier/sgx/sgx_quote.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_MS 1790000000000

static char directory[] = "/tmp/hallmark-gramine-XXXXXX";
static struct quote_maker *maker;
static const struct quote_maker_body enclave = {
    .kind = QUOTE_MAKER_SGX_3, .mrenclave = {0xab, 0xcd}};
static char error[ATTESTER_ERROR_MAX];
static uint8_t document[ATTESTER_DOCUMENT_MAX];
static size_t len;

static int set_up(void **state)
{
	(void)state;
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
	assert_non_null(mkdtemp(directory));
	gramine_directory_make(directory, "dcap");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gramine_directory_remove(directory);
	return 0;
}

static int make_platform(void **state)
{
	(void)state;
	maker = quote_maker_new(NOW_MS);
	return 0;
}

static int free_platform(void **state)
{
	(void)state;
	quote_maker_free(maker);
	return 0;
}

/* Gramine's side: so many readers, then it ends. */
struct server {
	pthread_t thread;
	int readers;
	const struct quote_maker_body *body;
};

static void *serve(void *data)
{
	struct server *s = data;

	for (int i = 0; i < s->readers; i++)
		gramine_directory_serve(directory, maker, s->body);
	return NULL;
}

static void start(
    struct server *s, int readers, const struct quote_maker_body *body)
{
	s->readers = readers;
	s->body = body;
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static struct attester *opened(void)
{
	struct attester *a = attester_gramine_open(directory, error);

	if (a == NULL)
		fail_msg("%s", error);
	return a;
}

static int attest(struct attester *a, const char *key)
{
	const struct attester_request request = {
	    .public_key = (const uint8_t *)key, .public_key_len = strlen(key)};

	return a->ops->attest(a, &request, document, &len, error);
}

static void expect_quote_for(const char *key)
{
	uint8_t wanted[64] = {0};
	struct sgx_quote quote;

	SHA256((const uint8_t *)key, strlen(key), wanted);
	assert_int_equal(
	    sgx_quote_parse(&quote, document, len, NULL), HM_VALID);
	assert_memory_equal(quote.report_data, wanted, 64);
	assert_memory_equal(quote.enclave.mrenclave, enclave.mrenclave, 32);
}

/* 64 bytes each time, whatever was there before. */
static void expect_written(void)
{
	char path[512];
	struct stat st;

	gramine_directory_path(path, directory, "user_report_data");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 64);
}

static void test_quotes(void **state)
{
	struct attester *a = opened();
	struct server server;

	(void)state;
	assert_string_equal(a->ops->platform, "sgx-dcap");
	assert_null(a->ops->root_pem(a));
	start(&server, 3, &enclave);
	assert_int_equal(attest(a, "a key"), 0);
	expect_quote_for("a key");
	expect_written();
	assert_int_equal(attest(a, "another"), 0);
	expect_quote_for("another");
	assert_int_equal(attest(a, ""), 0);
	expect_quote_for("");
	expect_written();
	pthread_join(server.thread, NULL);
	a->ops->close(a);
}

/* Each thread's quote is for its own key. */
struct asker {
	pthread_t thread;
	struct attester *attester;
	char key[32];
	int failures;
};

static void *ask(void *data)
{
	struct asker *k = data;
	const struct attester_request request = {
	    .public_key = (const uint8_t *)k->key,
	    .public_key_len = strlen(k->key)};
	char why[ATTESTER_ERROR_MAX];
	uint8_t out[ATTESTER_DOCUMENT_MAX], wanted[64] = {0};
	struct sgx_quote quote;
	size_t out_len;

	SHA256((const uint8_t *)k->key, strlen(k->key), wanted);
	for (int i = 0; i < 10; i++)
		if (k->attester->ops->attest(
			k->attester, &request, out, &out_len, why) != 0 ||
		    sgx_quote_parse(&quote, out, out_len, NULL) != HM_VALID ||
		    memcmp(quote.report_data, wanted, 64) != 0)
			k->failures++;
	return NULL;
}

static void test_at_once(void **state)
{
	struct attester *a = opened();
	struct asker askers[4];
	struct server server;

	(void)state;
	start(&server, 40, &enclave);
	for (int i = 0; i < 4; i++) {
		askers[i] = (struct asker){.attester = a};
		snprintf(askers[i].key, sizeof(askers[i].key), "key %d", i);
		assert_int_equal(
		    pthread_create(&askers[i].thread, NULL, ask, &askers[i]),
		    0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(askers[i].thread, NULL);
		assert_int_equal(askers[i].failures, 0);
	}
	pthread_join(server.thread, NULL);
	a->ops->close(a);
}

static void refused(struct attester *a, const char *why)
{
	assert_int_equal(attest(a, "a key"), -1);
	assert_int_equal(len, 0);
	if (strstr(error, why) == NULL)
		fail_msg("%s, not %s", error, why);
}

/* What a quote cannot hold is not asked for in silence. */
static void test_requests(void **state)
{
	struct attester *a = opened();
	struct attester_request request = {.public_key = (const uint8_t *)"k",
	    .public_key_len = 1,
	    .nonce = (const uint8_t *)"n",
	    .nonce_len = 1};

	(void)state;
	assert_int_equal(
	    a->ops->attest(a, &request, document, &len, error), -1);
	assert_non_null(strstr(error, "nonce"));
	request.nonce = NULL;
	request.public_key = NULL;
	assert_int_equal(
	    a->ops->attest(a, &request, document, &len, error), -1);
	assert_non_null(strstr(error, "public key"));
	a->ops->close(a);
}

static void test_other_quotes(void **state)
{
	static const struct quote_maker_body domain = {
	    .kind = QUOTE_MAKER_TDX_4};
	struct attester *a = opened();
	struct server server;
	char path[512], other[512];

	(void)state;
	start(&server, 1, &domain);
	refused(a, "of no SGX enclave");
	pthread_join(server.thread, NULL);
	/* what was written is not what the quote is for */
	gramine_directory_path(path, directory, "user_report_data");
	gramine_directory_path(other, directory, "elsewhere");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(file_write(other, "", 0, 0600), 0);
	assert_int_equal(symlink("elsewhere", path), 0);
	start(&server, 1, &enclave);
	assert_int_equal(attest(a, "a key"), 0);
	pthread_join(server.thread, NULL);
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	start(&server, 1, &enclave);
	refused(a, "was made for something else");
	pthread_join(server.thread, NULL);
	unlink(other);
	a->ops->close(a);
}

static void replace_quote(const void *bytes, size_t size)
{
	char path[512];
	FILE *file;

	gramine_directory_path(path, directory, "quote");
	unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static void test_no_quotes(void **state)
{
	static const uint8_t zeros[ATTESTER_GRAMINE_QUOTE_MAX + 1];
	struct attester *a = opened();
	char path[512];

	(void)state;
	replace_quote("", 0);
	refused(a, "not a quote");
	replace_quote(zeros, ATTESTER_GRAMINE_QUOTE_MAX);
	refused(a, "not a quote");
	replace_quote(zeros, sizeof(zeros));
	refused(a, "File too large");
	gramine_directory_path(path, directory, "quote");
	unlink(path);
	refused(a, "No such file");
	gramine_directory_path(path, directory, "user_report_data");
	unlink(path);
	refused(a, "No such file");
	assert_int_equal(symlink("/dev/full", path), 0);
	refused(a, "of 64 bytes");
	a->ops->close(a);
}

static void set_type(const char *text)
{
	char path[GRAMINE_PATH_MAX];

	gramine_directory_path(path, directory, "attestation_type");
	assert_int_equal(file_write(path, text, strlen(text), 0600), 0);
}

static void test_type(void **state)
{
	static const char *const wrong[] = {
	    "none", "", "dcap2", "epid", "DCAP"};
	struct attester *a;
	char path[512], longer[700];

	(void)state;
	set_type("dcap\n");
	a = opened();
	a->ops->close(a);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set_type(wrong[i]);
		assert_null(attester_gramine_open(directory, error));
		assert_non_null(strstr(error, "is not dcap"));
	}
	gramine_directory_path(path, directory, "attestation_type");
	unlink(path);
	assert_null(attester_gramine_open(directory, error));
	assert_non_null(strstr(error, "gramine-sgx"));
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_null(attester_gramine_open(longer, error));
	assert_non_null(strstr(error, "too long"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_quotes),
	    TEST(test_at_once),
	    TEST(test_requests),
	    TEST(test_other_quotes),
	    TEST(test_no_quotes),
	    TEST(test_type),
	};

	return cmocka_run_group_tests_name(
	    "attester_gramine", tests, make_platform, free_platform);
}
