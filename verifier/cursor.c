/* cursor: libcbor's stateless decoder takes one head at a time; the callbacks
 * note what it was, and the length of the head is held against the shortest
 * one for its value. What has no callback of ours stays OTHER: nobody asks for
 * that.
 */
#include "verifier/cursor.h"

#include "feeds/check.h"

#include <assert.h>
#include <cbor.h>
#include <string.h>

enum head_kind {
	OTHER,
	UINT,
	BYTES,
	TEXT,
	ARRAY,
	MAP,
	MAP_INDEFINITE,
	BOOL,
	NULL_VALUE,
	BREAK,
};

struct head {
	enum head_kind kind;
	uint64_t value; /* number, bool, count, or length of a string */
	const uint8_t *string;
};

static void set(void *context, enum head_kind kind, uint64_t value)
{
	struct head *head = context;

	head->kind = kind;
	head->value = value;
}

static void on_uint8(void *context, uint8_t value)
{
	set(context, UINT, value);
}

static void on_uint16(void *context, uint16_t value)
{
	set(context, UINT, value);
}

static void on_uint32(void *context, uint32_t value)
{
	set(context, UINT, value);
}

static void on_uint64(void *context, uint64_t value)
{
	set(context, UINT, value);
}

static void on_bytes(void *context, cbor_data data, size_t len)
{
	set(context, BYTES, len);
	((struct head *)context)->string = data;
}

static void on_text(void *context, cbor_data data, size_t len)
{
	set(context, TEXT, len);
	((struct head *)context)->string = data;
}

static void on_array(void *context, size_t count)
{
	set(context, ARRAY, count);
}

static void on_map(void *context, size_t count)
{
	set(context, MAP, count);
}

static void on_map_indefinite(void *context)
{
	set(context, MAP_INDEFINITE, 0);
}

static void on_bool(void *context, bool value)
{
	set(context, BOOL, value);
}

static void on_null(void *context)
{
	set(context, NULL_VALUE, 0);
}

static void on_break(void *context)
{
	set(context, BREAK, 0);
}

/* RFC 8949, 4.2.1: "must be encoded in the shortest form" */
static size_t shortest_head(const struct head *head)
{
	uint64_t value = head->value;

	if (value < 24)
		return 1;
	if (value <= UINT8_MAX)
		return 2;
	if (value <= UINT16_MAX)
		return 3;
	return value <= UINT32_MAX ? 5 : 9;
}

static struct cbor_callbacks callbacks(void)
{
	/* libcbor's own callbacks ignore what they are given: OTHER. */
	struct cbor_callbacks table = cbor_empty_callbacks;

	table.uint8 = on_uint8;
	table.uint16 = on_uint16;
	table.uint32 = on_uint32;
	table.uint64 = on_uint64;
	table.byte_string = on_bytes;
	table.string = on_text;
	table.array_start = on_array;
	table.map_start = on_map;
	table.indef_map_start = on_map_indefinite;
	table.boolean = on_bool;
	table.null = on_null;
	table.indef_break = on_break;
	return table;
}

/* Reads the next head, and with it the bytes of a string. */
static int take(struct cursor *cursor, struct head *head)
{
	const struct cbor_callbacks table = callbacks();
	size_t left = (size_t)(cursor->end - cursor->at), string_len = 0;
	struct cbor_decoder_result result;

	memset(head, 0, sizeof(*head));
	/* Of what is cut, or not CBOR, nothing is read: 0 bytes. */
	result = cbor_stream_decode(cursor->at, left, &table, head);
	if (head->string != NULL)
		string_len = (size_t)head->value;
	if (REFUSE(
		cbor_shortest, result.read != shortest_head(head) + string_len))
		return -1;
	cursor->at += result.read;
	return 0;
}

static int take_kind(
    struct cursor *cursor, enum head_kind kind, struct head *head)
{
	if (take(cursor, head) != 0)
		return -1;
	return REQUIRE(cbor_type, head->kind == kind) ? 0 : -1;
}

static int take_string(struct cursor *cursor, enum head_kind kind,
    struct slice *out, size_t min, size_t max)
{
	struct head head;

	memset(out, 0, sizeof(*out));
	if (take_kind(cursor, kind, &head) != 0 ||
	    REFUSE(cbor_string_min, head.value < min) ||
	    REFUSE(cbor_string_max, head.value > max))
		return -1;
	*out = (struct slice){head.string, (size_t)head.value};
	return 0;
}

/* ---- what others call ---- */

void cursor_init(struct cursor *cursor, struct slice bytes)
{
	cursor->at = bytes.at;
	cursor->end = bytes.at == NULL ? NULL : bytes.at + bytes.len;
}

int cursor_array(struct cursor *cursor, uint64_t *count)
{
	struct head head;

	if (take_kind(cursor, ARRAY, &head) != 0)
		return -1;
	*count = head.value;
	return 0;
}

int cursor_map(
    struct cursor *cursor, struct cursor_map *map, bool may_be_indefinite)
{
	struct head head;

	if (take(cursor, &head) != 0)
		return -1;
	if (REFUSE(cbor_map, head.kind != MAP && head.kind != MAP_INDEFINITE) ||
	    REFUSE(cbor_map_indefinite,
		head.kind == MAP_INDEFINITE && !may_be_indefinite))
		return -1;
	map->indefinite = head.kind == MAP_INDEFINITE;
	map->left = head.value;
	return 0;
}

int cursor_map_next(struct cursor *cursor, struct cursor_map *map)
{
	struct cursor ahead = *cursor;
	struct head head;

	if (!map->indefinite)
		return map->left == 0 ? 0 : (map->left--, 1);
	if (take(&ahead, &head) != 0)
		return -1;
	if (head.kind != BREAK)
		return 1;
	*cursor = ahead;
	return 0;
}

int cursor_uint(struct cursor *cursor, uint64_t *value)
{
	struct head head;

	if (take_kind(cursor, UINT, &head) != 0)
		return -1;
	*value = head.value;
	return 0;
}

int cursor_bool(struct cursor *cursor, bool *value)
{
	struct head head;

	if (take_kind(cursor, BOOL, &head) != 0)
		return -1;
	*value = head.value != 0;
	return 0;
}

int cursor_bytes(
    struct cursor *cursor, struct slice *out, size_t min, size_t max)
{
	return take_string(cursor, BYTES, out, min, max);
}

int cursor_text(
    struct cursor *cursor, struct slice *out, size_t min, size_t max)
{
	return take_string(cursor, TEXT, out, min, max);
}

bool cursor_take_null(struct cursor *cursor)
{
	struct cursor ahead = *cursor;
	struct head head;

	if (take_kind(&ahead, NULL_VALUE, &head) != 0)
		return false;
	*cursor = ahead;
	return true;
}

/* By hand: libcbor 0.8 refuses tags 6 to 20 as unassigned. */
bool cursor_take_tag(struct cursor *cursor, unsigned tag)
{
	assert(tag < 24);
	if (cursor->at == cursor->end || *cursor->at != (0xc0 | tag))
		return false; /* unnamed: it need not be there */
	cursor->at++;
	return true;
}

int cursor_skip_scalar(struct cursor *cursor)
{
	struct head head;

	if (take(cursor, &head) != 0)
		return -1;
	switch (head.kind) {
	case UINT:
	case BYTES:
	case TEXT:
	case NULL_VALUE:
		return 0;
	default:
		return REQUIRE(cbor_scalar, false) ? 0 : -1;
	}
}

int cursor_end(const struct cursor *cursor)
{
	return REQUIRE(cbor_end, cursor->at == cursor->end) ? 0 : -1;
}

bool slice_is(struct slice slice, const char *text)
{
	/* unnamed: a fact */
	return slice.len == strlen(text) &&
	       memcmp(slice.at, text, slice.len) == 0;
}

bool slice_equal(struct slice a, struct slice b)
{
	/* unnamed: a fact */
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}
