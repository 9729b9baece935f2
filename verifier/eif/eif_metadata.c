/* eif_metadata: see eif_metadata.h. The keys are those of the specification's
 * "EifSectionMetadata", and CustomMetadata, which nitro-cli requires too. */
#include "verifier/eif/eif_metadata.h"

#include "feeds/check.h"

#include <string.h>

static const struct key {
	const char *name, *inner;
	json_type type; /* JSON_NULL: any */
} keys[] = {
    {"ImageName", NULL, JSON_STRING},
    {"ImageVersion", NULL, JSON_STRING},
    {"BuildMetadata", "BuildTime", JSON_STRING},
    {"BuildMetadata", "BuildTool", JSON_STRING},
    {"BuildMetadata", "BuildToolVersion", JSON_STRING},
    {"BuildMetadata", "OperatingSystem", JSON_STRING},
    {"BuildMetadata", "KernelVersion", JSON_STRING},
    {"DockerInfo", NULL, JSON_NULL},
    {"CustomMetadata", NULL, JSON_NULL},
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))
#define REQUIRED  (KEY_COUNT - 1) /* by the specification: not the last */

json_t *eif_metadata_parse(const char *text, size_t len)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	if (REFUSE(
		eif_metadata_object, root != NULL && !json_is_object(root))) {
		json_decref(root);
		return NULL;
	}
	return root;
}

int eif_metadata_is_whole(const json_t *object)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (json_object_get(object, keys[i].name) != NULL)
			return 1;
	return 0;
}

const char *eif_metadata_lacks(const json_t *object)
{
	for (size_t i = 0; i < REQUIRED; i++) {
		const json_t *value = json_object_get(object, keys[i].name);

		if (keys[i].inner != NULL)
			value = json_object_get(value, keys[i].inner);
		if (value == NULL || (keys[i].type != JSON_NULL &&
					 json_typeof(value) != keys[i].type))
			return keys[i].inner ? keys[i].inner : keys[i].name;
	}
	return NULL;
}

char *eif_metadata_make(const struct eif_metadata *m)
{
	json_t *custom = m->custom ? json_deep_copy(m->custom) : json_object();
	json_t *root = json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}, "
				 "s:{}, s:o}",
	    "ImageName", m->name, "ImageVersion", m->version, "BuildMetadata",
	    "BuildTime", m->time, "BuildTool", "hallmark eif build",
	    "BuildToolVersion", m->tool_version, "OperatingSystem", "Linux",
	    "KernelVersion", "unknown", "DockerInfo", "CustomMetadata", custom);
	char *text = json_dumps(root, JSON_COMPACT);

	json_decref(root);
	return text;
}
