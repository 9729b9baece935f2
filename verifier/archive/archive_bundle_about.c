/* archive_bundle_about: the policy that came with a bundle (archive_bundle.h).
 * It proves nothing but that the data agree with it. */
#include "verifier/archive/archive_bundle.h"

#include "verifier/base64.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int archive_bundle_hash(struct archive_bundle_about *about)
{
	/* "O*": left out if it is NULL */
	json_t *all = json_pack("{s:O, s:O, s:O*}", "policy", about->policy,
	    "roots", about->roots, "collateral", about->collateral);
	char *text = all ? json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS)
			 : NULL;
	int ok = text != NULL && EVP_Digest(text, strlen(text), about->sha256,
				     NULL, EVP_sha256(), NULL) == 1;

	free(text);
	json_decref(all);
	return ok ? 0 : -1;
}

/* What stands under `key` beside this file's name, or NULL: it is not there, or
 * twice. */
static const json_t *find_file(
    const json_t *files, const char *file, const char *key)
{
	const json_t *found = NULL, *entry;
	size_t i;

	json_array_foreach(files, i, entry)
	{
		const json_t *name = json_object_get(entry, "file");

		if (strcmp(json_string_value(name), file) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = json_object_get(entry, key);
	}
	return found;
}

static int add_roots(struct hm_policy *policy, const json_t *roots,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	const char *file;
	size_t count = 0;

	for (; (file = hm_policy_root_file(policy, count)) != NULL; count++) {
		const json_t *pem = find_file(roots, file, "pem");

		if (pem == NULL ||
		    hm_policy_add_root_pem(policy, json_string_value(pem),
			json_string_length(pem)) != 0) {
			snprintf(error, ARCHIVE_SOURCE_ERROR_MAX,
			    "its policy names the root %.100s, and there is "
			    "no such certificate in it",
			    file);
			return -1;
		}
	}
	if (count == json_array_size(roots))
		return 0;
	snprintf(error, ARCHIVE_SOURCE_ERROR_MAX,
	    "it has other roots than its policy names");
	return -1;
}

static int add_collateral_file(
    struct hm_policy *policy, const json_t *b64, char why[HM_TEXT_MAX])
{
	uint8_t *bytes = NULL;
	size_t len;
	int rc;

	if (base64_decode(&bytes, &len, json_string_value(b64),
		json_string_length(b64)) != 0) {
		snprintf(why, HM_TEXT_MAX, "is no base64");
		return -1;
	}
	rc = hm_policy_add_collateral(policy, bytes, len, why);
	free(bytes);
	return rc;
}

static int add_collateral(struct hm_policy *policy, const json_t *collateral,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	char why[HM_TEXT_MAX] = "is not in it";
	const char *file;
	size_t count = 0;

	for (; (file = hm_policy_collateral_file(policy, count)); count++) {
		const json_t *b64 = find_file(collateral, file, "b64");

		if (b64 && add_collateral_file(policy, b64, why) == 0)
			continue;
		snprintf(error, ARCHIVE_SOURCE_ERROR_MAX,
		    "its policy names the collateral %.60s, which %.120s", file,
		    why);
		return -1;
	}
	if (count == json_array_size(collateral))
		return 0;
	snprintf(error, ARCHIVE_SOURCE_ERROR_MAX,
	    "it has other collateral than its policy names");
	return -1;
}

int archive_bundle_policy(struct hm_policy **out,
    const struct archive_bundle_about *about,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	char *text = json_dumps(about->policy, JSON_COMPACT);
	struct hm_policy *policy = NULL;
	char why[HM_TEXT_MAX] = "out of memory";
	int rc = -1;

	*out = NULL;
	if (text == NULL ||
	    hm_policy_parse(&policy, text, strlen(text), why) != 0) {
		snprintf(
		    error, ARCHIVE_SOURCE_ERROR_MAX, "its policy: %s", why);
		goto out;
	}
	if (add_roots(policy, about->roots, error) != 0 ||
	    add_collateral(policy, about->collateral, error) != 0)
		goto out;
	if (hm_policy_check(policy, why) != 0) {
		snprintf(
		    error, ARCHIVE_SOURCE_ERROR_MAX, "its policy: %s", why);
		goto out;
	}
	*out = policy;
	policy = NULL;
	rc = 0;
out:
	hm_policy_free(policy);
	free(text);
	return rc;
}

void archive_bundle_about_fini(struct archive_bundle_about *about)
{
	json_decref(about->policy);
	json_decref(about->roots);
	json_decref(about->collateral);
	memset(about, 0, sizeof(*about));
}
