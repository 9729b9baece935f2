/* bundle_policy: see bundle_policy.h. */
#include "verifier/cli/bundle_policy.h"

#include "base/file.h"
#include "verifier/base64.h"
#include "verifier/daemon/path_beside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Its base64 is to be one part of the bundle, with its name. */
#define COLLATERAL_MAX (ARCHIVE_BUNDLE_PART_MAX / 4 * 3 - 4096)

static int fail(
    char error[static POLICY_FILE_ERROR_MAX], const char *path, const char *why)
{
	snprintf(error, POLICY_FILE_ERROR_MAX, "%.900s: %.400s", path, why);
	return -1;
}

static int add_root(json_t *roots, const char *policy_path, const char *name,
    char error[static POLICY_FILE_ERROR_MAX])
{
	char path[PATH_BESIDE_MAX];
	uint8_t *pem = NULL;
	size_t len;
	json_t *root;
	int rc;

	if (path_beside(path, policy_path, name))
		return fail(error, name, "path too long");
	rc = file_read(path, POLICY_ROOT_FILE_MAX, &pem, &len);
	if (rc)
		return fail(error, path, strerror(-rc));
	root = json_pack(
	    "{s:s, s:s%}", "file", name, "pem", (const char *)pem, len);
	free(pem);
	if (root == NULL || json_array_append_new(roots, root) != 0)
		return fail(error, path, "is no certificate in PEM");
	return 0;
}

/* Those that it names in root_files; what else is wrong with it is
 * archive_bundle_policy()'s to say. */
static int add_roots(struct archive_bundle_about *about, const char *path,
    char error[static POLICY_FILE_ERROR_MAX])
{
	const json_t *files = json_object_get(about->policy, "root_files");
	const json_t *name;
	size_t i;

	json_array_foreach(files, i, name)
	{
		if (i == POLICY_ROOT_FILES_MAX)
			return fail(error, path, "too many root_files");
		if (json_is_string(name) && add_root(about->roots, path,
						json_string_value(name), error))
			return -1;
	}
	return 0;
}

static int add_collateral_file(struct archive_bundle_about *about,
    const char *policy_path, const char *name,
    char error[static POLICY_FILE_ERROR_MAX])
{
	char path[PATH_BESIDE_MAX], *base64;
	uint8_t *bytes = NULL;
	json_t *file = NULL;
	size_t len;
	int rc;

	if (path_beside(path, policy_path, name))
		return fail(error, name, "path too long");
	rc = file_read(path, COLLATERAL_MAX, &bytes, &len);
	if (rc == -EFBIG)
		return fail(error, path, "is too large for a bundle");
	if (rc)
		return fail(error, path, strerror(-rc));
	base64 = base64_encode(bytes, len);
	free(bytes);
	if (base64)
		file = json_pack("{s:s, s:s}", "file", name, "b64", base64);
	free(base64);
	if (!about->collateral)
		about->collateral = json_array();
	if (file == NULL || json_array_append_new(about->collateral, file) != 0)
		return fail(error, path, "out of memory");
	return 0;
}

static int add_collateral(struct archive_bundle_about *about, const char *path,
    char error[static POLICY_FILE_ERROR_MAX])
{
	const json_t *files = json_object_get(
	    about->policy, "collateral_files");
	const json_t *name;
	size_t i;

	json_array_foreach(files, i, name)
	{
		if (i == ARCHIVE_BUNDLE_FILES_MAX)
			return fail(error, path,
			    "too many collateral_files for a bundle");
		if (json_is_string(name) && add_collateral_file(about, path,
						json_string_value(name), error))
			return -1;
	}
	return 0;
}

int bundle_policy_load(struct archive_bundle_about *out, const char *path,
    char error[static POLICY_FILE_ERROR_MAX])
{
	char why[ARCHIVE_SOURCE_ERROR_MAX] = "out of memory";
	struct hm_policy *policy = NULL;
	uint8_t *text = NULL;
	json_error_t json;
	size_t len;
	int rc = file_read(path, ARCHIVE_BUNDLE_PART_MAX, &text, &len);

	memset(out, 0, sizeof(*out));
	if (rc)
		return fail(error, path, strerror(-rc));
	out->policy = json_loadb(
	    (const char *)text, len, JSON_REJECT_DUPLICATES, &json);
	out->roots = json_array();
	free(text);
	if (out->policy == NULL)
		rc = fail(error, path, json.text);
	else if (add_roots(out, path, error) ||
		 add_collateral(out, path, error))
		rc = -1;
	if (rc == 0 && (archive_bundle_policy(&policy, out, why) != 0 ||
			   archive_bundle_hash(out) != 0))
		rc = fail(error, path, why);
	hm_policy_free(policy);
	if (rc)
		archive_bundle_about_fini(out);
	return rc;
}
