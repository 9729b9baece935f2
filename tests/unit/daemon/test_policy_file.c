/* policy_file: what can be used and what cannot, and that the error names the
 * file at fault. */
#include "mint.h"
#include "verifier/daemon/path_beside.h"
#include "verifier/daemon/policy_file.h"

static char error[POLICY_FILE_ERROR_MAX];

#define PCR0                                                               \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" \
	"00112233445566778899aabbccddeeff"
#define RELEASE "\"releases\":[{\"name\":\"1\",\"pcrs\":{\"0\":\"" PCR0 "\"}}]"

/* Writes a policy beside the simulated root and loads it. */
static int load(const char *json, struct hm_policy **out)
{
	char path[128];
	FILE *file;
	int rc;

	snprintf(path, sizeof(path), "%s/policy.json", mint.folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(json, file);
	fclose(file);
	error[0] = '\0';
	rc = policy_file_load(out, path, error);
	unlink(path);
	return rc;
}

static void refuse(const char *json, const char *why)
{
	struct hm_policy *policy = (struct hm_policy *)1;

	assert_int_equal(load(json, &policy), -1);
	assert_null(policy);
	if (!strstr(error, why))
		fail_msg("wanted \"%s\" in \"%s\"", why, error);
}

static void test_good(void **state)
{
	struct hm_policy *policy;

	(void)state;
	assert_int_equal(
	    load("{\"roots\":[\"aws-nitro-g1\"]," RELEASE "}", &policy), 0);
	hm_policy_free(policy);
	/* Relative to the policy, not to where we stand. */
	assert_int_equal(
	    load("{\"root_files\":[\"simulated-root.pem\"]," RELEASE "}",
		&policy),
	    0);
	hm_policy_free(policy);
}

static void test_refused(void **state)
{
	(void)state;
	refuse("{}", "policy.json");
	refuse("", "policy.json");
	refuse("not json", "policy.json");
	refuse("{\"roots\":[\"aws-nitro-g1\"]}", "policy.json");
	refuse("{\"roots\":[\"nobody\"]," RELEASE "}", "policy.json");
	refuse("{\"roots\":[\"aws-nitro-g1\"],\"rotos\":[]," RELEASE "}",
	    "policy.json");
	refuse("{" RELEASE "}", "policy.json");
	refuse("{\"roots\":[\"aws-nitro-g1\"]," RELEASE "} x", "policy.json");
}

static void test_bad_root_files(void **state)
{
	char json[512];

	(void)state;
	refuse("{\"root_files\":[\"absent.pem\"]," RELEASE "}", "absent.pem");
	refuse("{\"root_files\":[\"policy.json\"]," RELEASE "}",
	    "not one self-signed");
	refuse("{\"root_files\":[\"/dev/zero\"]," RELEASE "}", "/dev/zero");
	refuse("{\"root_files\":[\".\"]," RELEASE "}", "/.");
	snprintf(json, sizeof(json),
	    "{\"root_files\":[\"simulated-root.pem\",\"absent.pem\"],%s}",
	    RELEASE);
	refuse(json, "absent.pem");
}

static void test_no_file(void **state)
{
	struct hm_policy *policy;

	(void)state;
	assert_int_equal(
	    policy_file_load(&policy, "/nonexistent/policy.json", error), -1);
	assert_non_null(strstr(error, "/nonexistent/policy.json"));
	assert_non_null(strstr(error, "No such file"));
}

static void test_add_root(void **state)
{
	struct hm_policy *policy = hm_policy_new();
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/simulated-root.pem", mint.folder);
	assert_int_equal(policy_file_add_root(policy, path, error), 0);
	assert_int_equal(
	    policy_file_add_root(policy, "aws-nitro-g1", error), 0);
	assert_int_equal(
	    policy_file_add_root(policy, "aws-nitro-g2", error), -1);
	assert_non_null(strstr(error, "aws-nitro-g2"));
	hm_policy_free(policy);
}

/* What is logged while it warns. */
static void hear_warnings(const char *json, char *out, size_t cap)
{
	struct hm_policy *policy;
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	size_t len;

	assert_int_equal(load(json, &policy), 0);
	log_set_level(LOG_WARN);
	dup2(fileno(file), STDERR_FILENO);
	policy_file_warn(policy, "p.json");
	dup2(kept, STDERR_FILENO);
	log_set_level(LOG_ERROR);
	close(kept);
	rewind(file);
	len = fread(out, 1, cap - 1, file);
	out[len] = '\0';
	fclose(file);
	hm_policy_free(policy);
}

static void test_warnings(void **state)
{
	char text[1024];

	(void)state;
	hear_warnings(
	    "{\"roots\":[\"aws-nitro-g1\"]," RELEASE "}", text, sizeof(text));
	assert_string_equal(text, "");
	hear_warnings("{\"root_files\":[\"simulated-root.pem\"],"
		      "\"insecure_allow_debug\":true," RELEASE "}",
	    text, sizeof(text));
	assert_non_null(strstr(text, "warn  policy SIMULATED_ROOT_ACCEPTED "
				     "policy=p.json root=simulated."));
	assert_non_null(strstr(text, "warn  policy DEBUG_ENCLAVES_ACCEPTED"));
}

static void test_path_beside(void **state)
{
	char out[PATH_BESIDE_MAX], longest[PATH_BESIDE_MAX + 10];

	(void)state;
	assert_int_equal(path_beside(out, "/etc/h/c.json", "p.json"), 0);
	assert_string_equal(out, "/etc/h/p.json");
	assert_int_equal(path_beside(out, "c.json", "p.json"), 0);
	assert_string_equal(out, "p.json");
	assert_int_equal(path_beside(out, "/etc/c.json", "/p.json"), 0);
	assert_string_equal(out, "/p.json");
	assert_int_equal(path_beside(out, "a/c.json", "../p.json"), 0);
	assert_string_equal(out, "a/../p.json");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(path_beside(out, "a/c.json", longest), -1);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_bad_root_files),
	    cmocka_unit_test(test_no_file),
	    cmocka_unit_test(test_add_root),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_path_beside),
	};

	return cmocka_run_group_tests_name(
	    "policy_file", tests, make_mint, free_mint);
}
