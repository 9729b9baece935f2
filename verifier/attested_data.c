/* attested_data: see attested_data.h. */
#include "verifier/attested_data.h"

#include "feeds/check.h"

#include <string.h>

/* 4.2.1: keys "sorted in the bytewise lexicographic order of their
 * deterministic encodings": the length stands first, so shorter ones do. */
static bool comes_after(struct slice key, struct slice before)
{
	if (key.len != before.len)
		return key.len > before.len;
	return memcmp(key.at, before.at, key.len) > 0;
}

static int read_fixed(struct cursor *cursor, uint8_t *out, size_t len)
{
	struct slice value;

	if (REFUSE(data_len, cursor_bytes(cursor, &value, len, len) != 0))
		return -1;
	memcpy(out, value.at, len);
	return 0;
}

static int read_epoch(struct cursor *cursor, struct attested_data *out)
{
	return REQUIRE(data_epoch, cursor_uint(cursor, &out->key_epoch) == 0 &&
				       out->key_epoch != 0)
		   ? 0
		   : -1;
}

struct seen {
	bool boot_id, config_sha256;
};

static int read_value(struct cursor *cursor, struct slice key,
    struct attested_data *out, struct seen *seen)
{
	const struct {
		const char *key;
		bool *seen;
		uint8_t *out;
		size_t len;
	} fields[] = {
	    {"boot_id", &seen->boot_id, out->boot_id, 16},
	    {"config_sha256", &seen->config_sha256, out->config_sha256, 32},
	    {"content_sha256", &out->has_content, out->content_sha256, 32},
	    {"tls_spki_sha256", &out->has_tls, out->tls_spki_sha256, 32},
	    {"seal_spki_sha256", &out->has_seal, out->seal_spki_sha256, 32},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!slice_is(key, fields[i].key))
			continue;
		*fields[i].seen = true;
		return read_fixed(cursor, fields[i].out, fields[i].len);
	}
	if (slice_is(key, "key_epoch"))
		return read_epoch(cursor, out);
	return REQUIRE(data_scalar, cursor_skip_scalar(cursor) == 0) ? 0 : -1;
}

/* The order also makes each key come once. */
static int read_map(
    struct cursor *cursor, struct attested_data *out, struct seen *seen)
{
	struct slice key, before = {NULL, 0};
	struct cursor_map map;
	int more;

	if (cursor_map(cursor, &map, false) != 0 ||
	    REFUSE(data_keys_max, map.left > ATTESTED_DATA_KEYS))
		return -1;
	while ((more = cursor_map_next(cursor, &map)) == 1) {
		if (REFUSE(data_key, cursor_text(cursor, &key, 1,
					 ATTESTED_DATA_KEY_MAX) != 0) ||
		    REFUSE(data_order, !comes_after(key, before)) ||
		    read_value(cursor, key, out, seen) != 0)
			return -1;
		before = key;
	}
	return REQUIRE(data_end, cursor_end(cursor) == 0) ? more : -1;
}

int attested_data_parse(struct attested_data *out, struct slice bytes)
{
	struct seen seen = {false, false};
	struct cursor cursor;

	memset(out, 0, sizeof(*out));
	if (REFUSE(data_max, bytes.len > ATTESTED_DATA_MAX))
		return -1;
	cursor_init(&cursor, bytes);
	if (read_map(&cursor, out, &seen) != 0 ||
	    REFUSE(data_boot_id, !seen.boot_id) ||
	    REFUSE(data_config, !seen.config_sha256)) {
		memset(out, 0, sizeof(*out));
		return -1;
	}
	return 0;
}
