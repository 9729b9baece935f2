/* Bundles: any bytes behind the format are safe; a head that is read makes a
 * policy or says why not. */
#include "archive_entries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char begin[] = "{\"format\":\"" ARCHIVE_BUNDLE_FORMAT "\"";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX] = "";
	struct archive_source *source;
	struct hm_policy *policy;
	size_t len = sizeof(begin) - 1 + size;
	char *text = malloc(len + 1);

	must(text != NULL);
	memcpy(text, begin, sizeof(begin) - 1);
	if (size > 0)
		memcpy(text + sizeof(begin) - 1, data, size);
	if (archive_text_open_memory(&source, text, len, error) != 0) {
		must(error[0] != '\0');
		free(text);
		return 0;
	}
	must(archive_source_bundle(source) != NULL);
	if (archive_bundle_policy(
		&policy, archive_source_bundle(source), error) == 0)
		hm_policy_free(policy);
	else
		must(policy == NULL && error[0] != '\0');
	read_entries(source, 3 * len + 3);
	free(text);
	return 0;
}
