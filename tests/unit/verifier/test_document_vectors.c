/* Real documents of AWS, and real ones with one thing changed: each gets the
 * verdict that EXPECTED.tsv says at its own time, and none is good today. */
#include "tests/unit/verifier/vectors.h"

#include "feeds/hex.h"
#include "verifier/hallmark.h"

#include <stdbool.h>

#define ROWS_MAX     300
#define COLUMNS      11
#define TODAY_MS     1795219200000 /* 2026-11-21: after every one of them */
#define LINE_MAX_LEN 2048

enum column {
	FILE_NAME,
	WANTED,
	AT,
	AT_MS,
	PCR0,
	PCR1,
	PCR2,
	MODULE_ID
};

struct row {
	char line[LINE_MAX_LEN];
	char *column[COLUMNS];
	uint8_t *bytes;
	size_t len;
};

static struct row rows[ROWS_MAX];
static size_t row_count;

static void split(struct row *row)
{
	char *rest = row->line;

	row->line[strcspn(row->line, "\r\n")] = '\0';
	for (size_t i = 0; i < COLUMNS; i++) {
		char *column = strsep(&rest, "\t");

		row->column[i] = column != NULL ? column : rest;
		if (row->column[i] == NULL)
			row->column[i] = row->line + strlen(row->line);
	}
}

static int load(void **state)
{
	FILE *table = vectors_open("EXPECTED.tsv");
	char header[LINE_MAX_LEN];

	(void)state;
	if (table == NULL)
		return 0;
	assert_non_null(fgets(header, sizeof(header), table));
	while (row_count < ROWS_MAX &&
	       fgets(rows[row_count].line, LINE_MAX_LEN, table) != NULL) {
		struct row *row = &rows[row_count];

		split(row);
		row->bytes = vectors_read(row->column[FILE_NAME], &row->len);
		row_count++;
	}
	fclose(table);
	assert_true(row_count < ROWS_MAX);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	for (size_t i = 0; i < row_count; i++)
		free(rows[i].bytes);
	return 0;
}

static void need_rows(void)
{
	fclose(vectors_need("EXPECTED.tsv"));
	assert_true(row_count > 50);
}

/* Trusts AWS; one release that pins what the row says of PCR0-2, or, where it
 * says nothing, zeros, which is the most anybody could allow a document that
 * is to be refused. */
static struct hm_policy *policy_for(const struct row *row)
{
	struct hm_policy *policy = hm_policy_new();
	uint8_t pcr[HM_PCR_LEN];

	assert_non_null(policy);
	assert_int_equal(hm_policy_add_root_name(policy, "aws-nitro-g1"), 0);
	assert_int_equal(
	    hm_policy_add_release(policy, "pinned", INT64_MIN, INT64_MAX), 0);
	for (unsigned i = 0; i <= 2; i++) {
		const char *hex = row->column[PCR0 + i];

		memset(pcr, 0, sizeof(pcr));
		if (hex[0] != '\0')
			assert_int_equal(
			    hex_decode(pcr, sizeof(pcr), hex, strlen(hex)), 0);
		assert_int_equal(hm_policy_add_pcr(policy, 0, i, pcr), 0);
	}
	return policy;
}

static bool is_wanted(const struct row *row, enum hm_verdict verdict)
{
	const char *wanted = row->column[WANTED];

	if (strcmp(wanted, "valid") == 0)
		return verdict == HM_VALID;
	if (strcmp(wanted, "debug") == 0)
		return verdict == HM_DEBUG_ENCLAVE;
	return verdict != HM_VALID && verdict != HM_DEBUG_ENCLAVE;
}

static void test_each_at_its_own_time(void **state)
{
	size_t wrong = 0;

	(void)state;
	need_rows();
	for (size_t i = 0; i < row_count; i++) {
		const struct row *row = &rows[i];
		struct hm_policy *policy = policy_for(row);
		struct hm_document document;
		enum hm_verdict verdict = hm_document_verify_replay(policy,
		    NULL, row->bytes, row->len, NULL, 0, &document, NULL);
		bool ok = is_wanted(row, verdict);

		printf("# %-4s %-6s %-20s %s\n", ok ? "ok" : "BAD",
		    row->column[WANTED], hm_verdict_name(verdict),
		    row->column[FILE_NAME]);
		wrong += !ok;
		if (verdict == HM_VALID) {
			assert_int_equal(document.timestamp_ms,
			    strtoll(row->column[AT_MS], NULL, 10));
			assert_string_equal(
			    document.module_id, row->column[MODULE_ID]);
			assert_string_equal(document.platform, "aws-nitro");
			assert_string_equal(document.root, "aws-nitro-g1");
			assert_string_equal(document.release, "pinned");
		} else {
			assert_int_equal(document.timestamp_ms, 0);
		}
		hm_policy_free(policy);
	}
	printf(
	    "# %zu documents, %zu with the wrong verdict\n", row_count, wrong);
	assert_int_equal(wrong, 0);
}

/* With debug enclaves allowed, what is to be refused still is. */
static void test_rejects_under_the_mildest_policy(void **state)
{
	(void)state;
	need_rows();
	for (size_t i = 0; i < row_count; i++) {
		struct hm_policy *policy = policy_for(&rows[i]);
		enum hm_verdict verdict;

		hm_policy_insecure_allow_debug(policy);
		hm_policy_set_ages(policy, 3000000000, 3000000000);
		verdict = hm_document_verify_replay(policy, NULL, rows[i].bytes,
		    rows[i].len, NULL, 0, NULL, NULL);
		if (strcmp(rows[i].column[WANTED], "reject") == 0)
			assert_int_not_equal(verdict, HM_VALID);
		else
			assert_int_equal(verdict, HM_VALID);
		hm_policy_free(policy);
	}
}

static void test_none_is_good_today(void **state)
{
	size_t expired = 0;

	(void)state;
	need_rows();
	for (size_t i = 0; i < row_count; i++) {
		struct hm_policy *policy = policy_for(&rows[i]);
		enum hm_verdict verdict;

		verdict = hm_document_verify_live(policy, NULL, rows[i].bytes,
		    rows[i].len, TODAY_MS, NULL, 0, NULL, NULL);
		assert_int_not_equal(verdict, HM_VALID);
		if (strcmp(rows[i].column[WANTED], "reject") != 0) {
			assert_int_equal(verdict, HM_CHAIN_EXPIRED);
			expired++;
		}
		hm_policy_free(policy);
	}
	printf(
	    "# %zu of %zu refused today as expired, the others for what they "
	    "are\n",
	    expired, row_count);
}

static void test_live_at_its_own_time(void **state)
{
	size_t valid = 0;

	(void)state;
	need_rows();
	for (size_t i = 0; i < row_count; i++) {
		struct hm_policy *policy = policy_for(&rows[i]);
		int64_t at = strtoll(rows[i].column[AT_MS], NULL, 10);

		if (strcmp(rows[i].column[WANTED], "valid") == 0) {
			assert_int_equal(
			    hm_document_verify_live(policy, NULL, rows[i].bytes,
				rows[i].len, at, NULL, 0, NULL, NULL),
			    HM_VALID);
			valid++;
		}
		hm_policy_free(policy);
	}
	assert_true(valid >= 3);
}

static void test_wrong_pcr(void **state)
{
	(void)state;
	need_rows();
	for (size_t i = 0; i < row_count; i++) {
		for (unsigned pcr = 0; pcr <= 2; pcr++) {
			struct hm_policy *policy;

			if (strcmp(rows[i].column[WANTED], "valid") != 0)
				continue;
			/* the last digit becomes another */
			char *last = rows[i].column[PCR0 + pcr] + 95,
			     was = *last;
			*last = was == '0' ? '1' : '0';
			policy = policy_for(&rows[i]);
			*last = was;
			assert_int_equal(hm_document_verify_replay(policy, NULL,
					     rows[i].bytes, rows[i].len, NULL,
					     0, NULL, NULL),
			    HM_PCR_MISMATCH);
			hm_policy_free(policy);
		}
	}
}

static const struct row *find_row(const char *part)
{
	for (size_t i = 0; i < row_count; i++)
		if (strstr(rows[i].column[FILE_NAME], part) != NULL)
			return &rows[i];
	fail_msg("no vector named %s", part);
	return NULL;
}

/* A document with a nonce of 1024 bytes, and one without any. */
static void test_nonce(void **state)
{
	const struct row *row;
	struct hm_policy *policy;
	struct hm_document read;

	(void)state;
	need_rows();
	row = find_row("blocky_nitrite__nitro_attestation__72ffd835");
	policy = policy_for(row);
	assert_int_equal(
	    hm_document_read(row->bytes, row->len, &read), HM_VALID);
	assert_int_equal(read.nonce.len, 1024);
	assert_int_equal(
	    hm_document_verify_replay(policy, NULL, row->bytes, row->len,
		read.nonce.bytes, read.nonce.len, NULL, NULL),
	    HM_VALID);
	assert_int_equal(
	    hm_document_verify_replay(policy, NULL, row->bytes, row->len,
		read.nonce.bytes, read.nonce.len - 1, NULL, NULL),
	    HM_NONCE_MISMATCH);
	read.nonce.bytes[1023] ^= 1;
	assert_int_equal(
	    hm_document_verify_replay(policy, NULL, row->bytes, row->len,
		read.nonce.bytes, read.nonce.len, NULL, NULL),
	    HM_NONCE_MISMATCH);
	hm_policy_free(policy);
}

/* Each of the named defects has the verdict that says what is wrong. */
static void test_reasons(void **state)
{
	static const struct {
		const char *part;
		enum hm_verdict verdict;
	} reasons[] = {
	    {"nitrotpm-", HM_NOT_AN_ENCLAVE},
	    {"mock-", HM_ROOT_UNTRUSTED},
	    {"derived-pcr0_bitflip", HM_DOCUMENT_SIGNATURE},
	    {"derived-sig_bitflip", HM_DOCUMENT_SIGNATURE},
	    {"derived-sig_r_zero", HM_DOCUMENT_SIGNATURE},
	    {"derived-sig_r_plus_n", HM_DOCUMENT_SIGNATURE},
	    {"derived-sig_95", HM_COSE_MALFORMED},
	    {"derived-tag19", HM_COSE_MALFORMED},
	    {"derived-double_tag18", HM_COSE_MALFORMED},
	    {"derived-trailing", HM_COSE_MALFORMED},
	    {"derived-payload_trailing", HM_DOCUMENT_MALFORMED},
	    {"derived-payload_no_break", HM_DOCUMENT_MALFORMED},
	    {"derived-payload_definite", HM_DOCUMENT_SIGNATURE},
	    {"derived-cabundle_reversed", HM_ROOT_UNTRUSTED},
	};

	(void)state;
	need_rows();
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		const struct row *row = find_row(reasons[i].part);
		struct hm_policy *policy = policy_for(row);

		assert_int_equal(hm_document_verify_replay(policy, NULL,
				     row->bytes, row->len, NULL, 0, NULL, NULL),
		    reasons[i].verdict);
		hm_policy_free(policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_at_its_own_time),
	    cmocka_unit_test(test_rejects_under_the_mildest_policy),
	    cmocka_unit_test(test_none_is_good_today),
	    cmocka_unit_test(test_live_at_its_own_time),
	    cmocka_unit_test(test_wrong_pcr),
	    cmocka_unit_test(test_nonce),
	    cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests_name(
	    "document_vectors", tests, load, unload);
}
