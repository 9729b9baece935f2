/* policy_file: reads a policy, its root certificates and its collateral from
 * the disk. */
#include "verifier/daemon/policy_file.h"

#include "base/file.h"
#include "base/log.h"
#include "verifier/daemon/path_beside.h"
#include "verifier/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(
    char error[static POLICY_FILE_ERROR_MAX], const char *path, const char *why)
{
	snprintf(error, POLICY_FILE_ERROR_MAX, "%s: %s", path, why);
	return -1;
}

static int add_root_file(struct hm_policy *policy, const char *path,
    char error[static POLICY_FILE_ERROR_MAX])
{
	uint8_t *pem = NULL;
	size_t len;
	int rc = file_read(path, POLICY_ROOT_FILE_MAX, &pem, &len);

	if (rc)
		return fail(error, path, strerror(-rc));
	rc = hm_policy_add_root_pem(policy, (const char *)pem, len);
	free(pem);
	if (rc)
		return fail(error, path,
		    "is not one self-signed P-384 (Intel's: P-256) "
		    "certificate in PEM");
	return 0;
}

static int add_root_files(struct hm_policy *policy, const char *policy_path,
    char error[static POLICY_FILE_ERROR_MAX])
{
	char path[PATH_BESIDE_MAX];
	const char *name;

	for (size_t i = 0; (name = hm_policy_root_file(policy, i)); i++) {
		if (i == POLICY_ROOT_FILES_MAX)
			return fail(error, policy_path, "too many root_files");
		if (path_beside(path, policy_path, name))
			return fail(error, name, "path too long");
		if (add_root_file(policy, path, error))
			return -1;
	}
	return 0;
}

int policy_file_add_collateral(struct hm_policy *policy, const char *path,
    char error[static POLICY_FILE_ERROR_MAX])
{
	char why[HM_TEXT_MAX];
	uint8_t *bytes = NULL;
	size_t len;
	int rc = file_read(path, HM_COLLATERAL_MAX, &bytes, &len);

	if (rc)
		return fail(error, path, strerror(-rc));
	rc = hm_policy_add_collateral(policy, bytes, len, why);
	free(bytes);
	return rc ? fail(error, path, why) : 0;
}

static int add_collateral_files(struct hm_policy *policy,
    const char *policy_path, char error[static POLICY_FILE_ERROR_MAX])
{
	char path[PATH_BESIDE_MAX];
	const char *name;

	for (size_t i = 0; (name = hm_policy_collateral_file(policy, i)); i++) {
		if (path_beside(path, policy_path, name))
			return fail(error, name, "path too long");
		if (policy_file_add_collateral(policy, path, error))
			return -1;
	}
	return 0;
}

int policy_file_load(struct hm_policy **out, const char *path,
    char error[static POLICY_FILE_ERROR_MAX])
{
	char why[HM_TEXT_MAX] = "";
	struct hm_policy *policy = NULL;
	uint8_t *json = NULL;
	size_t len;
	int rc = file_read(path, POLICY_FILE_MAX, &json, &len);

	*out = NULL;
	if (rc)
		return fail(error, path, strerror(-rc));
	rc = hm_policy_parse(&policy, (const char *)json, len, why);
	free(json);
	if (rc)
		return fail(error, path, why);
	rc = add_root_files(policy, path, error);
	if (!rc)
		rc = add_collateral_files(policy, path, error);
	if (!rc && hm_policy_check(policy, why))
		rc = fail(error, path, why);
	if (!rc) {
		*out = policy;
		policy = NULL;
	}
	hm_policy_free(policy);
	return rc;
}

int policy_file_add_root(struct hm_policy *policy, const char *name_or_path,
    char error[static POLICY_FILE_ERROR_MAX])
{
	if (hm_policy_add_root_name(policy, name_or_path) == 0)
		return 0;
	return add_root_file(policy, name_or_path, error);
}

void policy_file_warn(const struct hm_policy *policy, const char *path)
{
	for (size_t i = 0; i < policy->root_count; i++)
		if (strcmp(policy->roots[i].platform, "simulated") == 0)
			log_warn("policy", "SIMULATED_ROOT_ACCEPTED",
			    LOG_S("policy", path),
			    LOG_S("root", policy->roots[i].name));
	if (policy->quotes.insecure_without_collateral)
		log_warn(
		    "policy", "COLLATERAL_NOT_DEMANDED", LOG_S("policy", path));
	if (policy->allow_debug)
		log_warn(
		    "policy", "DEBUG_ENCLAVES_ACCEPTED", LOG_S("policy", path));
}
