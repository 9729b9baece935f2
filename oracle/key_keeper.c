/* key_keeper: see key_keeper.h. */
#include "oracle/key_keeper.h"

#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_LEN 6 /* length, letter, the name's length */

uint8_t *key_keeper_question(
    const char *name, const void *blob, size_t blob_len, size_t *len)
{
	size_t name_len = strlen(name), follow = 2 + name_len + blob_len;
	uint8_t *out = malloc(HEAD_LEN + name_len + blob_len);

	assert(name_len > 0 && name_len <= KEY_KEEPER_NAME_MAX);
	assert(blob_len <= KEY_KEEPER_BLOB_MAX);
	if (out == NULL)
		log_die("key_keeper", "out of memory");
	for (size_t i = 0; i < 4; i++)
		out[i] = (uint8_t)(follow >> 8 * (3 - i));
	out[4] = blob != NULL ? 'P' : 'G';
	out[5] = (uint8_t)name_len;
	memcpy(out + HEAD_LEN, name, name_len);
	if (blob_len > 0)
		memcpy(out + HEAD_LEN + name_len, blob, blob_len);
	*len = HEAD_LEN + name_len + blob_len;
	return out;
}

enum key_keeper_answer key_keeper_read(const uint8_t *bytes, size_t len,
    const uint8_t **blob, size_t *blob_len,
    char error[static KEY_KEEPER_ERROR_MAX])
{
	assert(len > 0); /* parent_call gives no empty one */
	*blob = bytes + 1;
	*blob_len = len - 1;
	error[0] = '\0';
	if (bytes[0] == 'K')
		return KEY_KEEPER_KEPT;
	if (bytes[0] == 'N' && len == 1)
		return KEY_KEEPER_NONE;
	if (bytes[0] == 'E')
		snprintf(error, KEY_KEEPER_ERROR_MAX, "the keeper says: %.*s",
		    (int)(*blob_len < 150 ? *blob_len : 150),
		    (const char *)*blob);
	else
		snprintf(error, KEY_KEEPER_ERROR_MAX,
		    "what answers is not a keeper");
	return KEY_KEEPER_FAILED;
}
