/* Recorded quotes of SGX and TDX: each gets the verdict that its side file, by
 * another program, says it deserves at its time; and what is in it, as there.
 */
#include "tests/unit/sgx/quote_vectors.h"

#include "feeds/hex.h"

#include <dirent.h>
#include <strings.h>

#define VECTORS_MAX 64

static char names[VECTORS_MAX][64];
static size_t name_count;

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Each .bin of the directory. */
static void find_vectors(void)
{
	const char *root = getenv("HALLMARK_VECTORS");
	struct dirent *entry;
	char path[1024];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sgx",
	    root != NULL ? root : "../shared/vectors");
	dir = opendir(path);
	assert_non_null(dir);
	name_count = 0;
	while ((entry = readdir(dir)) != NULL) {
		const char *end = strstr(entry->d_name, ".bin");

		if (end == NULL || end[4] != '\0')
			continue;
		assert_true(name_count < VECTORS_MAX);
		snprintf(names[name_count++], sizeof(names[0]), "%.*s",
		    (int)(end - entry->d_name), entry->d_name);
	}
	closedir(dir);
	qsort(names, name_count, sizeof(names[0]), by_name);
}

static void each(void (*test)(const struct quote_vector *))
{
	struct quote_vector v;

	if (!quote_vectors_present())
		skip();
	find_vectors();
	assert_true(name_count >= 15);
	for (size_t i = 0; i < name_count; i++) {
		quote_vector_open(&v, names[i]);
		test(&v);
		quote_vector_close(&v);
	}
}

static const struct sgx_policy strict = {
    .roots = &sgx_intel_root,
    .root_count = 1,
    .statuses = 1u << SGX_UP_TO_DATE,
};

/* By the checks that failed there, in our order. */
static enum hm_verdict deserved(const struct quote_vector *v)
{
	static const struct {
		const char *check, *status;
		enum hm_verdict verdict;
	} rules[] = {
	    {"enclave_not_debug", "FAIL", HM_DEBUG_ENCLAVE},
	    {"td_not_debug", "FAIL", HM_DEBUG_ENCLAVE},
	    {"collateral(tcb,qe identity,crl)", "SKIP", HM_COLLATERAL_MISSING},
	    {"root_crl", "SKIP", HM_COLLATERAL_MISSING},
	    {"pck_crl", "SKIP", HM_COLLATERAL_MISSING},
	    {"tcb_info_fmspc", "FAIL", HM_COLLATERAL_MISSING},
	    {"qe_identity", "SKIP", HM_COLLATERAL_MISSING},
	    {"qe_identity_time", "FAIL", HM_COLLATERAL_EXPIRED},
	    {"tcb_status", "FAIL", HM_TCB_STATUS},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (quote_vector_says(v, rules[i].check, rules[i].status))
			return rules[i].verdict;
	return HM_VALID;
}

static void judge_strictly(const struct quote_vector *v)
{
	struct sgx_result result;
	enum hm_verdict wanted = deserved(v);
	enum hm_verdict found = sgx_verify(
	    v->quote, v->len, v->collateral, &strict, v->at_ms, &result, NULL);

	if (found != wanted)
		fail_msg("%s: %s, not %s", v->name, hm_verdict_name(found),
		    hm_verdict_name(wanted));
	printf("# %s: %s\n", v->name, hm_verdict_name(found));
}

static void test_verdicts(void **state)
{
	(void)state;
	each(judge_strictly);
}

static const json_t *member(
    const struct quote_vector *v, const char *a, const char *b, const char *c)
{
	const json_t *json = json_object_get(v->side, a);

	if (b != NULL)
		json = json_object_get(json, b);
	return c != NULL ? json_object_get(json, c) : json;
}

static void same_hex(const struct quote_vector *v, const json_t *wanted,
    const uint8_t *found, size_t len)
{
	char text[257];

	if (wanted == NULL)
		fail_msg("%s: the side file has no such member", v->name);
	hex_encode(found, len, text);
	assert_string_equal(text, json_string_value(wanted));
}

#define SAME(v, a, b, c, bytes) \
	same_hex(v, member(v, a, b, c), bytes, sizeof(bytes))

static void compare_report(const struct quote_vector *v, const char *which,
    const struct sgx_report *report)
{
	SAME(v, "quote", which, "cpusvn", report->cpusvn);
	SAME(v, "quote", which, "miscselect", report->misc_select);
	SAME(v, "quote", which, "attributes_raw", report->attributes);
	SAME(v, "quote", which, "mrenclave", report->mrenclave);
	SAME(v, "quote", which, "mrsigner", report->mrsigner);
	SAME(v, "quote", which, "configid", report->config_id);
	SAME(v, "quote", which, "isvextprodid", report->isv_ext_prod_id);
	SAME(v, "quote", which, "isvfamilyid", report->isv_family_id);
	SAME(v, "quote", which, "report_data", report->report_data);
	assert_int_equal(report->isv_prod_id,
	    json_integer_value(member(v, "quote", which, "isvprodid")));
	assert_int_equal(report->isv_svn,
	    json_integer_value(member(v, "quote", which, "isvsvn")));
	assert_int_equal(report->config_svn,
	    json_integer_value(member(v, "quote", which, "configsvn")));
}

static void compare_td(const struct quote_vector *v, const struct sgx_td *td)
{
	SAME(v, "quote", "body", "tee_tcb_svn", td->tee_tcb_svn);
	SAME(v, "quote", "body", "mrseam", td->mrseam);
	SAME(v, "quote", "body", "mrsignerseam", td->mrsignerseam);
	SAME(v, "quote", "body", "seamattributes", td->seam_attributes);
	SAME(v, "quote", "body", "tdattributes", td->td_attributes);
	SAME(v, "quote", "body", "xfam", td->xfam);
	SAME(v, "quote", "body", "mrtd", td->mrtd);
	SAME(v, "quote", "body", "mrconfigid", td->mrconfigid);
	SAME(v, "quote", "body", "mrowner", td->mrowner);
	SAME(v, "quote", "body", "mrownerconfig", td->mrownerconfig);
	SAME(v, "quote", "body", "rtmr0", td->rtmrs[0]);
	SAME(v, "quote", "body", "rtmr1", td->rtmrs[1]);
	SAME(v, "quote", "body", "rtmr2", td->rtmrs[2]);
	SAME(v, "quote", "body", "rtmr3", td->rtmrs[3]);
	SAME(v, "quote", "body", "report_data", td->report_data);
	assert_int_equal(
	    td->is_15, member(v, "quote", "body", "tee_tcb_svn2") != NULL);
	if (!td->is_15)
		return;
	SAME(v, "quote", "body", "tee_tcb_svn2", td->tee_tcb_svn2);
	SAME(v, "quote", "body", "mrservicetd", td->mrservicetd);
}

static void compare_fields(const struct quote_vector *v)
{
	struct sgx_quote q;
	const char *why;

	assert_int_equal(sgx_quote_parse(&q, v->quote, v->len, &why), HM_VALID);
	assert_int_equal(q.version,
	    json_integer_value(member(v, "quote", "header", "version")));
	assert_int_equal(q.is_td, json_integer_value(member(v, "quote",
				      "header", "tee_type")) == 0x81);
	SAME(v, "quote", "header", "user_data", q.user_data);
	same_hex(v, member(v, "quote", "signature", NULL), q.signature.at, 64);
	same_hex(v, member(v, "quote", "attestation_key", NULL),
	    q.attestation_key.at, 64);
	same_hex(v, member(v, "quote", "qe_report_signature", NULL),
	    q.qe_signature.at, 64);
	same_hex(v, member(v, "quote", "qe_auth_data", NULL), q.qe_auth.at,
	    q.qe_auth.len);
	compare_report(v, "qe_report", &q.qe);
	if (q.is_td)
		compare_td(v, &q.td);
	else
		compare_report(v, "body", &q.enclave);
}

static void test_fields(void **state)
{
	(void)state;
	each(compare_fields);
}

/* All that is not for the collateral to say is good with each of them, debug
 * apart; and what the PCK certificate says of the platform. */
static void judge_bare(const struct quote_vector *v)
{
	const struct sgx_policy bare = {
	    .roots = &sgx_intel_root,
	    .root_count = 1,
	    .insecure_without_collateral = true,
	    .allow_debug = true,
	};
	struct sgx_result r;
	const json_t *comp;

	assert_int_equal(
	    sgx_verify(v->quote, v->len, NULL, &bare, v->at_ms, &r, NULL),
	    HM_VALID);
	assert_false(r.complete);
	assert_int_equal(r.status, SGX_UNKNOWN);
	SAME(v, "pck_sgx_extension", "fmspc", NULL, r.platform.fmspc);
	SAME(v, "pck_sgx_extension", "pceid", NULL, r.platform.pceid);
	assert_int_equal(r.platform.pcesvn,
	    json_integer_value(member(v, "pck_sgx_extension", "pcesvn", NULL)));
	comp = member(v, "pck_sgx_extension", "comp", NULL);
	for (size_t i = 0; i < SGX_SVN_COUNT; i++)
		assert_int_equal(r.platform.components[i],
		    json_integer_value(json_array_get(comp, i)));
	assert_int_equal(r.not_before_ms,
	    quote_vectors_time(json_string_value(json_array_get(
		json_object_get(v->side, "chain_valid_window"), 0))));
	assert_int_equal(sgx_verify(v->quote, v->len, NULL, &bare,
			     r.not_before_ms - 1, &r, NULL),
	    HM_CHAIN_NOT_YET_VALID);
	assert_int_equal(sgx_verify(v->quote, v->len, NULL, &bare,
			     r.not_after_ms + 1, &r, NULL),
	    HM_CHAIN_EXPIRED);
}

static void test_bare(void **state)
{
	(void)state;
	each(judge_bare);
}

/* "INTEL-SA-00615 INTEL-SA-00657" */
static void same_advisories(
    const struct quote_vector *v, const char *found, const json_t *list)
{
	char wanted[SGX_TCB_ADVISORIES_MAX] = "";
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		strcat(wanted, i > 0 ? " " : "");
		strcat(wanted, json_string_value(entry));
	}
	if (strcmp(found, wanted) != 0)
		fail_msg("%s: %s, not %s", v->name, found, wanted);
}

static const char *status_wanted(const json_t *text)
{
	const char *name = json_string_value(text);

	return strcmp(name, "NOT_SUPPORTED") == 0 ? "NotSupported" : name;
}

/* With a policy that takes any status: what each is. */
static void judge_levels(const struct quote_vector *v)
{
	const struct sgx_policy any = {
	    .roots = &sgx_intel_root,
	    .root_count = 1,
	    .statuses = ~0u,
	    .insecure_without_collateral = true,
	    .allow_debug = true,
	};
	const json_t *tcb = json_object_get(v->side, "tcb");
	const json_t *module = json_array_get(
	    json_object_get(tcb, "module"), 0);
	int64_t at_ms = v->at_ms;
	const char *date;
	struct sgx_result r;

	if (!json_is_object(tcb))
		return;
	/* Its TCB info was issued after its QE identity had expired. */
	if (quote_vector_says(v, "qe_identity_time", "FAIL"))
		return;
	assert_int_equal(
	    sgx_verify(v->quote, v->len, v->collateral, &any, at_ms, &r, NULL),
	    HM_VALID);
	assert_string_equal(sgx_status_name(r.tcb.status),
	    status_wanted(json_object_get(tcb, "status")));
	same_advisories(
	    v, r.tcb.advisories, json_object_get(tcb, "advisoryIDs"));
	date = json_string_value(json_object_get(tcb, "tcbDate"));
	assert_int_equal(
	    r.tcb.tcb_date_ms, date != NULL ? quote_vectors_time(date) : 0);
	assert_int_equal(module != NULL, r.module_name[0] != '\0');
	if (quote_vector_says(v, "qe_tcb_status", "PASS"))
		assert_int_equal(r.qe.status, SGX_UP_TO_DATE);
	if (module == NULL)
		return;
	assert_string_equal(
	    strrchr(json_string_value(json_array_get(module, 0)), ' ') + 1,
	    r.module_name);
	assert_string_equal(sgx_status_name(r.module.status),
	    json_string_value(json_array_get(module, 1)));
	same_advisories(v, r.module.advisories, json_array_get(module, 2));
}

static void test_levels(void **state)
{
	(void)state;
	each(judge_levels);
}

/* The checks that were reported, in a line each. */
static void note(void *data, const char *check, bool passed, const char *wanted,
    const char *found)
{
	char *out = data;

	(void)wanted;
	(void)found;
	strcat(out, check);
	strcat(out, passed ? " " : "! ");
}

/* The quote that Open Enclave's users know: of a debug enclave, and all else
 * about it is right; its report_data is the hash of all 512 bytes held. */
static void test_published(void **state)
{
	struct sgx_policy policy = strict;
	char checks[1024] = "";
	const struct hm_report report = {note, checks};
	struct sgx_result r;
	struct quote_vector v;

	(void)state;
	if (!quote_vectors_present())
		skip();
	quote_vector_open(&v, "seed_mithril_oe_report");
	assert_int_equal(v.held_len, 512);
	policy.held = v.held;
	policy.held_len = v.held_len;
	assert_int_equal(
	    sgx_verify(v.quote, v.len, NULL, &policy, v.at_ms, &r, &report),
	    HM_DEBUG_ENCLAVE);
	assert_string_equal(checks,
	    "quote certificate_profile root chain chain_time qe_signature "
	    "attestation_key quote_signature held_data debug! ");
	policy.held_len--;
	assert_int_equal(sgx_verify(v.quote, v.len, v.collateral, &policy,
			     v.at_ms, &r, NULL),
	    HM_HELD_DATA_MISMATCH);
	policy.held_len++;
	v.held[0] ^= 1;
	assert_int_equal(sgx_verify(v.quote, v.len, v.collateral, &policy,
			     v.at_ms, &r, NULL),
	    HM_HELD_DATA_MISMATCH);
	quote_vector_close(&v);
}

static void check_held(const struct quote_vector *v)
{
	struct sgx_policy policy = strict;
	struct sgx_result r;

	if (v->held == NULL)
		return;
	policy.held = v->held;
	policy.held_len = v->held_len;
	policy.insecure_without_collateral = true;
	policy.allow_debug = true;
	policy.statuses = ~0u;
	assert_int_equal(sgx_verify(v->quote, v->len, v->collateral, &policy,
			     v->at_ms, &r, NULL),
	    HM_VALID);
}

static void test_held(void **state)
{
	(void)state;
	each(check_held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_bare),
	    cmocka_unit_test(test_verdicts),
	    cmocka_unit_test(test_levels),
	    cmocka_unit_test(test_held),
	    cmocka_unit_test(test_published),
	};

	return cmocka_run_group_tests_name("quote_vectors", tests, NULL, NULL);
}
