/* nonce_path: see nonce_path.h. Nothing in it needs an escape. */
#include "verifier/nonce_path.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/merkle.h"

#include <inttypes.h>
#include <string.h>

void nonce_path_put(FILE *out, const struct nonce_path *path)
{
	char hex[2 * HM_SHA256_LEN + 1];

	if (path == NULL)
		return;
	fprintf(out,
	    ",\"nonce_path\":{\"index\":%" PRIu64 ",\"size\":%" PRIu64
	    ",\"path\":[",
	    path->index, path->size);
	for (size_t i = 0; i < path->proof.count; i++) {
		hex_encode(path->proof.hashes[i], HM_SHA256_LEN, hex);
		fprintf(out, "%s\"%s\"", i > 0 ? "," : "", hex);
	}
	fputs("]}", out);
}

/* ---- the other way ---- */

static int read_hashes(struct hm_log_proof *out, json_t *list)
{
	json_t *hash;
	size_t i;

	if (REFUSE(path_list, !json_is_array(list)) ||
	    REFUSE(path_max, json_array_size(list) > HM_LOG_HASHES_MAX))
		return -1;
	json_array_foreach(list, i, hash)
	{
		const char *text = json_string_value(hash);
		size_t len = json_string_length(hash);

		if (REFUSE(path_hash,
			text == NULL || hex_decode(out->hashes[i],
					    HM_SHA256_LEN, text, len) != 0) ||
		    REFUSE(path_capital, hex_has_capital(text, len)))
			return -1;
		out->count++;
	}
	return 0;
}

static int read_place(struct nonce_path *out, json_t *value)
{
	json_int_t index, size;
	json_t *list;

	if (REFUSE(path_form, json_unpack(value, "{s:I, s:I, s:o !}", "index",
				  &index, "size", &size, "path", &list) != 0) ||
	    REFUSE(path_index, index < 0) || REFUSE(path_size, size <= index) ||
	    REFUSE(path_size_max, (uint64_t)size > MERKLE_SIZE_MAX))
		return -1;
	out->index = (uint64_t)index;
	out->size = (uint64_t)size;
	return read_hashes(&out->proof, list);
}

int nonce_path_read(struct nonce_path *out, json_t *value)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = read_place(out, value);
	if (rc != 0)
		memset(out, 0, sizeof(*out));
	return rc;
}

bool nonce_path_holds(const struct nonce_path *path,
    const struct hm_bytes *root, const uint8_t *nonce, size_t nonce_len)
{
	return REQUIRE(
	    path_nonce, hm_nonce_verify(root->bytes, root->len, nonce,
			    nonce_len, path->index, path->size,
			    path->proof.hashes, path->proof.count) == HM_VALID);
}
