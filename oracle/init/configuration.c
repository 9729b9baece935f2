/* configuration: see configuration.h. */
#include "oracle/init/configuration.h"

#include "base/file.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static int say(char error[static CONFIGURATION_ERROR_MAX], const char *what,
    const char *why)
{
	snprintf(error, CONFIGURATION_ERROR_MAX, "%s: %s", what, why);
	return -1;
}

/* The oracle would refuse what is no object as well; but then PCR16 would be
 * locked already. */
static int read_key(struct configuration *out, const uint8_t *bytes, size_t len,
    char error[static CONFIGURATION_ERROR_MAX])
{
	json_error_t why;
	json_t *root = json_loadb(
	    (const char *)bytes, len, JSON_REJECT_DUPLICATES, &why);
	int ret = 0;

	if (root == NULL || !json_is_object(root))
		ret = say(error, "configuration",
		    root == NULL ? why.text : "not an object");
	else
		out->insecure_emulator = json_is_true(
		    json_object_get(root, "insecure_emulator"));
	json_decref(root);
	return ret;
}

static int take_from_parent(const char *path,
    const struct handover_options *parent, uint8_t **bytes, size_t *len,
    char error[static CONFIGURATION_ERROR_MAX])
{
	int err = handover_take(parent, bytes, len);

	if (err != 0)
		return say(error, "configuration", uv_strerror(err));
	err = file_write(path, *bytes, *len, 0444);
	if (err != 0)
		return say(error, path, strerror(-err));
	return 0;
}

int configuration_load(struct configuration *out, const char *path,
    const struct handover_options *parent,
    char error[static CONFIGURATION_ERROR_MAX])
{
	uint8_t *bytes = NULL;
	int err, ret = -1;

	memset(out, 0, sizeof(*out));
	err = file_read(path, HANDOVER_BYTES_MAX, &bytes, &out->len);
	out->from_image = err == 0;
	if (err != 0 && err != -ENOENT) {
		say(error, path, strerror(-err));
		goto out;
	}
	if (err != 0 &&
	    take_from_parent(path, parent, &bytes, &out->len, error) != 0)
		goto out;
	if (read_key(out, bytes, out->len, error) != 0)
		goto out;
	if (EVP_Digest(
		bytes, out->len, out->sha384, NULL, EVP_sha384(), NULL) != 1) {
		say(error, "configuration", "SHA-384 failed");
		goto out;
	}
	ret = 0;
out:
	free(bytes);
	if (ret != 0)
		memset(out, 0, sizeof(*out));
	return ret;
}
