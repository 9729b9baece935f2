/* archive_bundle_about: the policy that came with a bundle (archive_bundle.h).
 * It proves nothing but that the data agree with it. */
#include "verifier/archive/archive_bundle.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int archive_bundle_hash(
    const json_t *policy, const json_t *roots, uint8_t out[HM_SHA256_LEN])
{
	/* json_deep_copy: "O" would count references in what is const */
	json_t *both = json_pack("{s:o, s:o}", "policy", json_deep_copy(policy),
	    "roots", json_deep_copy(roots));
	char *text = both ? json_dumps(both, JSON_COMPACT | JSON_SORT_KEYS)
			  : NULL;
	int ok = text != NULL && EVP_Digest(text, strlen(text), out, NULL,
				     EVP_sha256(), NULL) == 1;

	free(text);
	json_decref(both);
	return ok ? 0 : -1;
}

/* The PEM of a root file, or NULL: it is not there, or twice. */
static const json_t *find_root(const json_t *roots, const char *file)
{
	const json_t *found = NULL, *entry;
	size_t i;

	json_array_foreach(roots, i, entry)
	{
		const json_t *name = json_object_get(entry, "file");

		if (strcmp(json_string_value(name), file) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = json_object_get(entry, "pem");
	}
	return found;
}

static int add_roots(struct hm_policy *policy, const json_t *roots,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	const char *file;
	size_t count = 0;

	for (; (file = hm_policy_root_file(policy, count)) != NULL; count++) {
		const json_t *pem = find_root(roots, file);

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
	if (add_roots(policy, about->roots, error) != 0)
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
	memset(about, 0, sizeof(*about));
}
