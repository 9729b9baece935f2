/* user_data: the attested map. See user_data.h. */
#include "oracle/user_data.h"

#include "oracle/cbor_writer.h"

#include <assert.h>

static void write_hash(struct writer *w, const char *key, const uint8_t *hash)
{
	if (hash == NULL)
		return;
	writer_text(w, key);
	writer_bytes(w, hash, 32);
}

static size_t count_pairs(const struct user_data *data)
{
	return (size_t)2 + (data->key_epoch != 0) +
	       (data->content_sha256 != NULL) +
	       (data->tls_spki_sha256 != NULL) +
	       (data->seal_spki_sha256 != NULL);
}

size_t user_data_encode(
    const struct user_data *data, uint8_t out[static USER_DATA_MAX])
{
	struct writer w;
	size_t len;

	writer_init(&w, out, USER_DATA_MAX);
	writer_map(&w, count_pairs(data));
	/* RFC 8949, 4.2.1: keys in the bytewise order of their encodings,
	 * so the shorter text is first. */
	writer_text(&w, "boot_id");
	writer_bytes(&w, data->boot_id, 16);
	if (data->key_epoch != 0) {
		writer_text(&w, "key_epoch");
		writer_uint(&w, data->key_epoch);
	}
	write_hash(&w, "config_sha256", data->config_sha256);
	write_hash(&w, "content_sha256", data->content_sha256);
	write_hash(&w, "tls_spki_sha256", data->tls_spki_sha256);
	write_hash(&w, "seal_spki_sha256", data->seal_spki_sha256);
	len = writer_end(&w);
	assert(len != 0);
	return len;
}
