/* Images built by other software, and what it said of them: they are not part
 * of the project ($HALLMARK_VECTORS, or ../shared/vectors); without them this
 * is skipped, and fails in CI. */
#include "eif_fixture.h"

#include "feeds/hex.h"
#include "verifier/eif/eif_signature.h"

#include <jansson.h>

static const char *root(void)
{
	const char *set = getenv("HALLMARK_VECTORS");

	return set != NULL ? set : "../shared/vectors";
}

static json_t *need_expected(void)
{
	const char *ci = getenv("CI");
	char path[1024];
	json_t *all;

	snprintf(path, sizeof(path), "%s/eif/expected.json", root());
	all = json_load_file(path, 0, NULL);
	if (all == NULL && ci != NULL && strcmp(ci, "true") == 0)
		fail_msg("no vectors: %s", path);
	if (all == NULL)
		skip();
	return all;
}

static size_t read_vector(const char *name, uint8_t *out)
{
	char path[1024];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/eif/%s.eif", root(), name);
	file = fopen(path, "rb");
	assert_non_null(file);
	len = fread(out, 1, FIXTURE_MAX, file);
	fclose(file);
	return len;
}

static void check_pcr(
    const json_t *measurements, const char *name, const uint8_t *pcr)
{
	char hex[2 * HM_PCR_LEN + 1];

	hex_encode(pcr, HM_PCR_LEN, hex);
	assert_string_equal(
	    hex, json_string_value(json_object_get(measurements, name)));
}

static void check_signature(
    const json_t *measurements, const struct eif_reader *reader)
{
	const struct slice section = {
	    reader->signature.bytes, reader->signature.len};
	uint8_t pcr8[HM_PCR_LEN];
	X509 *x509;

	assert_int_equal(
	    section.at != NULL, json_object_get(measurements, "PCR8") != NULL);
	if (section.at == NULL)
		return;
	assert_int_equal(
	    eif_signature_verify(&x509, pcr8, section, reader->pcrs[0]),
	    EIF_NONE);
	X509_free(x509);
	check_pcr(measurements, "PCR8", pcr8);
}

static bool is_good(const json_t *expected)
{
	const json_t *problems = json_object_get(expected, "problems");

	return json_is_array(problems) && json_array_size(problems) == 0;
}

static void check_vector(const char *name, const json_t *expected)
{
	const json_t *m = json_object_get(expected, "measurements");
	static uint8_t bytes[FIXTURE_MAX];
	size_t len = read_vector(name, bytes);
	struct eif_reader reader;
	enum eif_fault fault = fixture_read(&reader, bytes, len, 4096);

	if ((fault == EIF_NONE) != is_good(expected))
		fail_msg("%s: %s", name, eif_fault_name(fault));
	if (fault == EIF_NONE) {
		check_pcr(m, "PCR0", reader.pcrs[0]);
		check_pcr(m, "PCR1", reader.pcrs[1]);
		check_pcr(m, "PCR2", reader.pcrs[2]);
		check_signature(m, &reader);
	}
	eif_reader_fini(&reader);
}

static void test_vectors(void **state)
{
	json_t *all = need_expected(), *expected;
	const char *name;

	(void)state;
	assert_true(json_object_size(all) > 0);
	json_object_foreach(all, name, expected)
	{
		check_vector(name, expected);
	}
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests_name("eif vectors", tests, NULL, NULL);
}
