/* input: what a file is, told from its bytes. */
#include "verifier/cli/input.c"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static void tell(struct input *out, const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	memcpy(copy, bytes, len);
	copy[len] = '\0';
	input_tell(out, copy, len);
}

static void expect(
    const char *text, enum input_kind kind, const void *bytes, size_t len)
{
	struct input input;

	tell(&input, text, strlen(text));
	assert_int_equal(input.kind, kind);
	assert_int_equal(input.len, len);
	assert_memory_equal(input.bytes, bytes, len);
	input_fini(&input);
	assert_null(input.bytes);
}

#define ANSWER                                                                   \
	"\"attestation_sha256\":\"00\",\"platform\":\"p\",\"public_key\":\"k\"," \
	"\"timestamp_ms\":1,\"not_after_ms\":2,\"attestation_doc_b64\":\"hEQ=\""

static void test_kinds(void **state)
{
	static const char item[] = " \n{\"content\":\"x\"}";
	static const char both[] =
	    "{\"content\":\"x\",\"attestation_doc_b64\":\"hEQ=\"}";
	static const char maimed[] = "{\"cnntent\":\"x\",\"signature_b64\":"
				     "\"\",\"attestation_doc_b64\":\"hEQ=\"}";
	static const char answer[] = "{" ANSWER "}";
	static const char more[] = "{" ANSWER ",\"signature_b65\":\"\"}";
	static const char twice[] = "{\"attestation_doc_b64\":\"hEQ=\","
				    "\"attestation_doc_b64\":\"hEQ=\"}";

	(void)state;
	expect(item, INPUT_ITEM, item, strlen(item));
	expect(both, INPUT_ITEM, both, strlen(both));
	expect(maimed, INPUT_ITEM, maimed, strlen(maimed));
	expect("{", INPUT_ITEM, "{", 1);
	/* The answer of GET /attestation. */
	expect(answer, INPUT_DOCUMENT, "\x84\x44", 2);
	expect(more, INPUT_ITEM, more, strlen(more));
	expect(twice, INPUT_ITEM, twice, strlen(twice));
	/* CBOR as it is, base64 of it in lines, and neither. */
	expect("\x84\x44", INPUT_DOCUMENT, "\x84\x44", 2);
	expect("hEQ=\n", INPUT_DOCUMENT, "\x84\x44", 2);
	expect("hE\r\n Q=\r\n", INPUT_DOCUMENT, "\x84\x44", 2);
	expect("hEQ", INPUT_DOCUMENT, "hEQ", 3);
	expect("", INPUT_DOCUMENT, "", 0);
	expect("\n", INPUT_DOCUMENT, "\n", 1);
}

/* The answer of POST /fetch, and what is only like it. */
static void test_fetched(void **state)
{
	static const char good[] =
	    "{\"attestation_doc_b64\":\"ZG9j\",\"content\":\"x\","
	    "\"public_key\":\"k\",\"signature_b64\":\"c2ln\"}";
	static const char more[] =
	    "{\"attestation_doc_b64\":\"ZG9j\",\"content\":\"x\","
	    "\"public_key\":\"k\",\"signature_b64\":\"c2ln\","
	    "\"platform\":\"p\"}";
	struct input input;

	(void)state;
	expect(good, INPUT_FETCHED, good, strlen(good));
	expect(more, INPUT_ITEM, more, strlen(more));
	expect(good + 1, INPUT_DOCUMENT, good + 1, strlen(good + 1));
	tell(&input, good, strlen(good));
	assert_string_equal(input.fetched.content, "x");
	input_fini(&input);
	assert_null(input.fetched.content);
}

static void test_nul_bytes(void **state)
{
	struct input input;

	(void)state;
	tell(&input, "\0\0hEQ=", 6);
	assert_int_equal(input.kind, INPUT_DOCUMENT);
	assert_int_equal(input.len, 6);
	input_fini(&input);
	tell(&input, "hE\0Q=", 5);
	assert_int_equal(input.len, 5);
	input_fini(&input);
	tell(&input, "{\0}", 3);
	assert_int_equal(input.kind, INPUT_ITEM);
	input_fini(&input);
}

static void test_files(void **state)
{
	char path[] = "/tmp/input-XXXXXX", error[INPUT_ERROR_MAX] = "";
	struct input input;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "hEQ=\n", 5), 5);
	assert_int_equal(input_read(&input, path, error), 0);
	assert_int_equal(input.len, 2);
	input_fini(&input);
	assert_int_equal(ftruncate(fd, INPUT_MAX + 1), 0);
	assert_int_equal(input_read(&input, path, error), -1);
	assert_null(input.bytes);
	assert_non_null(strstr(error, "too large"));
	close(fd);
	unlink(path);
	assert_int_equal(input_read(&input, path, error), -1);
	assert_non_null(strstr(error, path));
	assert_int_equal(input_read(&input, "/tmp", error), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_fetched),
	    cmocka_unit_test(test_nul_bytes),
	    cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
