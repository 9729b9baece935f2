/* sgx_tcb: TCB infos and identities with one thing wrong each; which level a
 * platform has; and how statuses are joined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sgx/quote_builder.h"

static struct quote_builder *b;
static char error[HM_TEXT_MAX];

static int set_up(void **state)
{
	(void)state;
	b = qb_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	qb_free(b);
	return 0;
}

static struct sgx_tcb_info *parse_info(void)
{
	char *text = json_dumps(b->tcb_info, 0);
	struct sgx_tcb_info *info = sgx_tcb_info_parse(
	    text, strlen(text), error);

	assert_int_equal(info == NULL, error[0] != '\0');
	free(text);
	return info;
}

static struct sgx_qe_identity *parse_identity(void)
{
	char *text = json_dumps(b->identity, 0);
	struct sgx_qe_identity *identity = sgx_qe_identity_parse(
	    text, strlen(text), error);

	assert_int_equal(identity == NULL, error[0] != '\0');
	free(text);
	return identity;
}

static bool parses(bool is_info)
{
	struct sgx_tcb_info *info = is_info ? parse_info() : NULL;
	struct sgx_qe_identity *identity = is_info ? NULL : parse_identity();
	bool ok = info != NULL || identity != NULL;

	sgx_tcb_info_free(info);
	sgx_qe_identity_free(identity);
	return ok;
}

/* Text like {"svn": 256}: in place of the member of `object`, or "" for none,
 * it must be refused; what was there is put back. */
static void refused(
    bool is_info, json_t *object, const char *key, const char *instead)
{
	json_t *before = json_incref(json_object_get(object, key));
	json_t *value = json_loads(instead, JSON_DECODE_ANY, NULL);

	assert_non_null(before);
	assert_true(value != NULL || instead[0] == '\0');
	if (value != NULL)
		json_object_set_new(object, key, value);
	else
		json_object_del(object, key);
	if (parses(is_info))
		fail_msg("%s may be %s", key, instead);
	json_object_set_new(object, key, before);
	assert_true(parses(is_info));
}

/* Absent, of another type, and one more that is wrong. */
static void needed(
    bool is_info, json_t *object, const char *key, const char *wrong)
{
	refused(is_info, object, key, "");
	refused(is_info, object, key, "[]");
	refused(is_info, object, key, "null");
	refused(is_info, object, key, wrong);
}

static json_t *level_of(json_t *object)
{
	return json_array_get(json_object_get(object, "tcbLevels"), 0);
}

static void test_info_members(void **state)
{
	(void)state;
	needed(true, b->tcb_info, "id", "\"QE\"");
	needed(true, b->tcb_info, "version", "1");
	refused(true, b->tcb_info, "version", "4");
	needed(true, b->tcb_info, "issueDate", "\"yesterday\"");
	needed(true, b->tcb_info, "nextUpdate", "\"2026-02-30T00:00:00Z\"");
	needed(true, b->tcb_info, "fmspc", "\"00606a0000\"");
	refused(true, b->tcb_info, "fmspc", "\"00606a00000101\"");
	refused(true, b->tcb_info, "fmspc", "\"00606a00000g\"");
	needed(true, b->tcb_info, "pceId", "\"000000\"");
	needed(true, b->tcb_info, "tcbType", "1");
	needed(true, b->tcb_info, "tcbEvaluationDataNumber", "-1");
	refused(true, b->tcb_info, "tcbEvaluationDataNumber", "3000000000");
	refused(true, b->tcb_info, "tcbEvaluationDataNumber", "1.0");
	needed(true, b->tcb_info, "tcbLevels", "[{}]");
	/* what we do not know is passed over */
	json_object_set_new(b->tcb_info, "news", json_true());
	assert_true(parses(true));
}

static void test_levels_form(void **state)
{
	json_t *level = level_of(b->tcb_info);
	json_t *tcb = json_object_get(level, "tcb");
	json_t *list = json_object_get(tcb, "sgxtcbcomponents");
	json_t *first = json_array_get(list, 0);

	(void)state;
	needed(true, level, "tcbStatus", "\"Good\"");
	refused(true, level, "tcbStatus", "\"NotSupported\"");
	refused(true, level, "tcbDate", "\"2026\"");
	needed(true, level, "tcb", "{}");
	needed(true, tcb, "pcesvn", "65536");
	needed(true, first, "svn", "256");
	refused(true, first, "svn", "-1");
	json_array_remove(list, 15);
	assert_false(parses(true));
	json_array_append_new(list, json_pack("{s:i}", "svn", 0));
	assert_true(parses(true));
	json_array_append_new(list, json_pack("{s:i}", "svn", 0));
	assert_false(parses(true));
}

static void test_advisories_form(void **state)
{
	json_t *level = level_of(b->tcb_info);

	(void)state;
	json_object_del(level, "tcbDate");
	json_object_set_new(level, "advisoryIDs", json_pack("[s]", "SA-1"));
	assert_true(parses(true));
	refused(true, level, "advisoryIDs", "\"SA-1\"");
	refused(true, level, "advisoryIDs", "{\"SA-1\":1}");
	refused(true, level, "advisoryIDs", "[\"SA-1\", 2]");
}

static void test_levels_max(void **state)
{
	json_t *levels = json_object_get(b->tcb_info, "tcbLevels");
	json_t *level = json_array_get(levels, 0);

	(void)state;
	while (json_array_size(levels) < SGX_TCB_LEVELS_MAX)
		json_array_append(levels, level);
	assert_true(parses(true));
	json_array_append(levels, level);
	assert_false(parses(true));
}

static void test_modules_form(void **state)
{
	json_t *module, *list, *identity, *tcb;

	(void)state;
	qb_kind(b, 4, true);
	module = json_object_get(b->tcb_info, "tdxModule");
	list = json_object_get(b->tcb_info, "tdxModuleIdentities");
	identity = json_array_get(list, 0);
	tcb = json_object_get(level_of(b->tcb_info), "tcb");
	needed(true, b->tcb_info, "tdxModule", "{}");
	needed(true, module, "mrsigner", "\"00\"");
	needed(true, module, "attributes", "\"00\"");
	needed(true, module, "attributesMask", "\"FFFFFFFFFFFFFFFF00\"");
	needed(true, identity, "id", "\"a name that is much too long for it\"");
	needed(true, identity, "mrsigner", "\"00\"");
	needed(true, identity, "tcbLevels", "[]");
	needed(true, json_object_get(level_of(identity), "tcb"), "isvsvn",
	    "65536");
	needed(true, tcb, "tdxtcbcomponents", "[{\"svn\":0}]");
	refused(true, b->tcb_info, "tdxModuleIdentities", "{}");
	refused(true, b->tcb_info, "tdxModuleIdentities", "[1]");
	while (json_array_size(list) < SGX_TCB_MODULES_MAX)
		json_array_append(list, identity);
	assert_true(parses(true));
	json_array_append(list, identity);
	assert_false(parses(true));
	json_object_del(b->tcb_info, "tdxModuleIdentities");
	assert_true(parses(true));
}

static void test_identity_members(void **state)
{
	json_t *id = b->identity;

	(void)state;
	needed(false, id, "id", "\"QVE\"");
	needed(false, id, "version", "1");
	refused(false, id, "version", "3");
	needed(false, id, "issueDate", "\"\"");
	needed(false, id, "nextUpdate", "\"\"");
	needed(false, id, "tcbEvaluationDataNumber", "-1");
	needed(false, id, "miscselect", "\"000000\"");
	needed(false, id, "miscselectMask", "\"FF\"");
	needed(false, id, "attributes", "\"11\"");
	needed(false, id, "attributesMask", "\"11\"");
	needed(false, id, "mrsigner", "\"11\"");
	needed(false, id, "isvprodid", "65536");
	needed(false, id, "tcbLevels", "[{}]");
	needed(false, json_object_get(level_of(id), "tcb"), "isvsvn", "-1");
}

static void test_no_json(void **state)
{
	static char text[SGX_TCB_JSON_MAX + 2];
	static const char *const wrong[] = {"", "{", "[]", "1", "{} {}",
	    "{\"id\":\"SGX\",\"id\":\"SGX\"}", "{\"id\":\"\xff\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(
		    sgx_tcb_info_parse(wrong[i], strlen(wrong[i]), error));
		assert_null(
		    sgx_qe_identity_parse(wrong[i], strlen(wrong[i]), error));
	}
	assert_non_null(strstr(error, "QE identity: "));
	/* a longer one than Intel's would ever be, and good but for that */
	for (int is_info = 0; is_info < 2; is_info++) {
		json_t *json = is_info ? b->tcb_info : b->identity;
		char *begin = json_dumps(json, 0);
		struct sgx_tcb_info *info;
		struct sgx_qe_identity *identity;

		memset(text, ' ', sizeof(text));
		memcpy(text, begin, strlen(begin));
		free(begin);
		info = sgx_tcb_info_parse(text, SGX_TCB_JSON_MAX, error);
		assert_int_equal(info != NULL, is_info);
		sgx_tcb_info_free(info);
		identity = sgx_qe_identity_parse(text, SGX_TCB_JSON_MAX, error);
		assert_int_equal(identity != NULL, !is_info);
		sgx_qe_identity_free(identity);
		assert_null(
		    sgx_tcb_info_parse(text, SGX_TCB_JSON_MAX + 1, error));
		assert_null(
		    sgx_qe_identity_parse(text, SGX_TCB_JSON_MAX + 1, error));
	}
	sgx_tcb_info_free(NULL);
	sgx_qe_identity_free(NULL);
}

static struct sgx_level level;

static enum sgx_status platform_status(const struct sgx_td *td)
{
	struct sgx_platform platform = {.pcesvn = (uint16_t)b->pcesvn};
	struct sgx_tcb_info *info = parse_info();

	assert_non_null(info);
	memcpy(platform.components, b->components, SGX_SVN_COUNT);
	sgx_tcb_info_platform(info, &platform, td, &level);
	sgx_tcb_info_free(info);
	return level.status;
}

/* Each component counts, and so does the PCE's SVN; more than is needed is as
 * good. */
static void test_components(void **state)
{
	(void)state;
	assert_int_equal(platform_status(NULL), SGX_UP_TO_DATE);
	assert_int_equal(level.tcb_date_ms, 1767225600000);
	for (size_t i = 0; i < SGX_SVN_COUNT; i++) {
		b->components[i]++;
		assert_int_equal(platform_status(NULL), SGX_UP_TO_DATE);
		b->components[i]--;
		if (b->components[i] == 0)
			continue;
		b->components[i]--;
		assert_int_equal(platform_status(NULL), SGX_NOT_SUPPORTED);
		b->components[i]++;
	}
	b->pcesvn++;
	assert_int_equal(platform_status(NULL), SGX_UP_TO_DATE);
	b->pcesvn -= 2;
	assert_int_equal(platform_status(NULL), SGX_NOT_SUPPORTED);
	assert_int_equal(level.tcb_date_ms, 0);
}

/* The first that is reached, not the best. */
static void test_order(void **state)
{
	json_t *levels = json_object_get(b->tcb_info, "tcbLevels");
	json_t *second = json_deep_copy(json_array_get(levels, 0));
	json_t *tcb = json_object_get(second, "tcb");

	(void)state;
	json_object_set_new(second, "tcbStatus", json_string("OutOfDate"));
	json_array_append_new(levels, second);
	assert_int_equal(platform_status(NULL), SGX_UP_TO_DATE);
	json_object_set_new(tcb, "pcesvn", json_integer(5));
	b->pcesvn = 10;
	assert_int_equal(platform_status(NULL), SGX_OUT_OF_DATE);
	b->pcesvn = 4;
	assert_int_equal(platform_status(NULL), SGX_NOT_SUPPORTED);
}

static void test_advisories(void **state)
{
	json_t *list = json_array();

	(void)state;
	json_object_set(level_of(b->tcb_info), "advisoryIDs", list);
	platform_status(NULL);
	assert_string_equal(level.advisories, "");
	json_array_append_new(list, json_string("INTEL-SA-00615"));
	json_array_append_new(list, json_string("INTEL-SA-00657"));
	platform_status(NULL);
	assert_string_equal(level.advisories, "INTEL-SA-00615 INTEL-SA-00657");
	for (int i = 0; i < 100; i++)
		json_array_append_new(list, json_string("INTEL-SA-01234"));
	platform_status(NULL);
	assert_true(strlen(level.advisories) < SGX_TCB_ADVISORIES_MAX);
	assert_string_equal(
	    level.advisories + strlen(level.advisories) - 4, " ...");
	json_decref(list);
}

/* Version 2: no id, no lists. */
static void test_version_2(void **state)
{
	json_t *tcb = json_object_get(level_of(b->tcb_info), "tcb");
	char key[32];

	(void)state;
	json_object_del(b->tcb_info, "id");
	json_object_set_new(b->tcb_info, "version", json_integer(2));
	json_object_del(tcb, "sgxtcbcomponents");
	for (int i = 1; i <= SGX_SVN_COUNT; i++) {
		assert_false(parses(true));
		snprintf(key, sizeof(key), "sgxtcbcomp%02dsvn", i);
		json_object_set_new(
		    tcb, key, json_integer(b->components[i - 1]));
	}
	assert_int_equal(platform_status(NULL), SGX_UP_TO_DATE);
	b->components[7]--;
	assert_int_equal(platform_status(NULL), SGX_NOT_SUPPORTED);
}

/* Of a domain whose module has a version the first two SVNs are the module's
 * levels' to judge, and not the platform's. */
static void test_td_components(void **state)
{
	struct sgx_td td = {.tee_tcb_svn = {4, 1, 7}};

	(void)state;
	qb_kind(b, 4, true);
	assert_int_equal(platform_status(&td), SGX_UP_TO_DATE);
	td.tee_tcb_svn[0] = 0;
	assert_int_equal(platform_status(&td), SGX_UP_TO_DATE);
	td.tee_tcb_svn[2] = 6;
	assert_int_equal(platform_status(&td), SGX_NOT_SUPPORTED);
	td.tee_tcb_svn[2] = 7;
	td.tee_tcb_svn[0] = 4;
	td.tee_tcb_svn[1] = 0;
	assert_int_equal(platform_status(&td), SGX_NOT_SUPPORTED);
	/* the level says 4, 0, 7 */
	memcpy(b->body, "\x04\x00\x07", 3);
	qb_tcb_info(b);
	assert_int_equal(platform_status(&td), SGX_UP_TO_DATE);
	td.tee_tcb_svn[0] = 3;
	assert_int_equal(platform_status(&td), SGX_NOT_SUPPORTED);
}

static enum hm_verdict module_of(const struct sgx_td *td, const char *name)
{
	struct sgx_tcb_info *info = parse_info();
	char found[32];
	enum hm_verdict verdict = sgx_tcb_info_module(info, td, &level, found);

	assert_string_equal(found, name);
	sgx_tcb_info_free(info);
	return verdict;
}

static void test_module(void **state)
{
	struct sgx_td td = {.tee_tcb_svn = {4, 1, 7}};

	(void)state;
	qb_kind(b, 4, true);
	assert_int_equal(module_of(&td, "TDX_01"), HM_VALID);
	assert_int_equal(level.status, SGX_UP_TO_DATE);
	td.tee_tcb_svn[0] = 3;
	assert_int_equal(module_of(&td, "TDX_01"), HM_VALID);
	assert_int_equal(level.status, SGX_NOT_SUPPORTED);
	td.tee_tcb_svn[1] = 0x1a;
	assert_int_equal(module_of(&td, "TDX_1A"), HM_TDX_MODULE);
	td.tee_tcb_svn[1] = 0;
	assert_int_equal(module_of(&td, "TDX"), HM_VALID);
	assert_int_equal(level.status, SGX_UP_TO_DATE);
	td.mrsignerseam[0] = 1;
	assert_int_equal(module_of(&td, "TDX"), HM_TDX_MODULE);
	td.mrsignerseam[0] = 0;
	td.seam_attributes[0] = 1;
	assert_int_equal(module_of(&td, "TDX"), HM_TDX_MODULE);
	json_object_set_new(json_object_get(b->tcb_info, "tdxModule"),
	    "attributesMask", json_string("FEFFFFFFFFFFFFFF"));
	assert_int_equal(module_of(&td, "TDX"), HM_VALID);
}

static void test_qe_levels(void **state)
{
	struct sgx_report qe = {.isv_prod_id = 1, .attributes = {0x11}};
	struct sgx_qe_identity *identity;
	const char *why;

	(void)state;
	json_array_append_new(json_object_get(b->identity, "tcbLevels"),
	    json_pack("{s:{s:i}, s:s}", "tcb", "isvsvn", 2, "tcbStatus",
		"OutOfDate"));
	identity = parse_identity();
	memcpy(qe.mrsigner, b->qe_report + 128, 32);
	for (qe.isv_svn = 0; qe.isv_svn < 10; qe.isv_svn++) {
		assert_int_equal(
		    sgx_qe_identity_judge(identity, &qe, &level, &why),
		    HM_VALID);
		assert_int_equal(level.status, qe.isv_svn >= 8 ? SGX_UP_TO_DATE
					       : qe.isv_svn >= 2
						   ? SGX_OUT_OF_DATE
						   : SGX_NOT_SUPPORTED);
	}
	sgx_qe_identity_free(identity);
}

static void test_status_names(void **state)
{
	enum sgx_status status;

	(void)state;
	for (int i = 0; i <= SGX_REVOKED; i++) {
		const char *name = sgx_status_name((enum sgx_status)i);

		assert_int_equal(sgx_status_parse(&status, name), 0);
		assert_int_equal(status, i);
	}
	assert_int_equal(sgx_status_parse(&status, "Unknown"), -1);
	assert_int_equal(status, SGX_UNKNOWN);
	assert_int_equal(sgx_status_parse(&status, "NotSupported"), -1);
	assert_int_equal(sgx_status_parse(&status, "uptodate"), -1);
	assert_string_equal(sgx_status_name(SGX_STATUS_COUNT), "Unknown");
}

static void test_join(void **state)
{
	static const struct {
		enum sgx_status a, b, both;
	} rows[] = {
	    {SGX_UP_TO_DATE, SGX_SW_HARDENING, SGX_SW_HARDENING},
	    {SGX_UP_TO_DATE, SGX_OUT_OF_DATE, SGX_OUT_OF_DATE},
	    {SGX_SW_HARDENING, SGX_OUT_OF_DATE, SGX_OUT_OF_DATE},
	    {SGX_CONFIGURATION, SGX_OUT_OF_DATE, SGX_OUT_OF_DATE_CONFIGURATION},
	    {SGX_CONFIGURATION_AND_SW_HARDENING, SGX_OUT_OF_DATE,
		SGX_OUT_OF_DATE_CONFIGURATION},
	    {SGX_OUT_OF_DATE, SGX_OUT_OF_DATE_CONFIGURATION,
		SGX_OUT_OF_DATE_CONFIGURATION},
	    {SGX_CONFIGURATION, SGX_SW_HARDENING,
		SGX_CONFIGURATION_AND_SW_HARDENING},
	    {SGX_UP_TO_DATE, SGX_CONFIGURATION, SGX_CONFIGURATION},
	    {SGX_UP_TO_DATE, SGX_NOT_SUPPORTED, SGX_NOT_SUPPORTED},
	    {SGX_UNKNOWN, SGX_NOT_SUPPORTED, SGX_NOT_SUPPORTED},
	    {SGX_UNKNOWN, SGX_UP_TO_DATE, SGX_UNKNOWN},
	    {SGX_UNKNOWN, SGX_REVOKED, SGX_REVOKED},
	    {SGX_NOT_SUPPORTED, SGX_REVOKED, SGX_REVOKED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    sgx_status_join(rows[i].a, rows[i].b), rows[i].both);
		assert_int_equal(
		    sgx_status_join(rows[i].b, rows[i].a), rows[i].both);
	}
	for (int i = 0; i < SGX_STATUS_COUNT; i++)
		assert_int_equal(
		    sgx_status_join((enum sgx_status)i, (enum sgx_status)i), i);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_info_members),
	    TEST(test_levels_form),
	    TEST(test_advisories_form),
	    TEST(test_levels_max),
	    TEST(test_modules_form),
	    TEST(test_identity_members),
	    TEST(test_no_json),
	    TEST(test_components),
	    TEST(test_order),
	    TEST(test_advisories),
	    TEST(test_version_2),
	    TEST(test_td_components),
	    TEST(test_module),
	    TEST(test_qe_levels),
	    TEST(test_status_names),
	    TEST(test_join),
	};

	return cmocka_run_group_tests_name("sgx_tcb", tests, NULL, NULL);
}
