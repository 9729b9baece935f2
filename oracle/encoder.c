/* encoder: CBOR into a fixed buffer. See encoder.h. */
#include "oracle/encoder.h"

#include <cbor.h>
#include <string.h>

void encoder_init(struct encoder *e, uint8_t *out, size_t cap)
{
	*e = (struct encoder){.out = out, .cap = cap};
}

size_t encoder_end(const struct encoder *e)
{
	return e->full ? 0 : e->len;
}

static uint8_t *room(const struct encoder *e, size_t *cap)
{
	*cap = e->full ? 0 : e->cap - e->len;
	return e->out + e->len;
}

/* libcbor's encoders answer 0 when the room is too small. */
static void wrote(struct encoder *e, size_t n)
{
	if (n == 0)
		e->full = true;
	else
		e->len += n;
}

static void raw(struct encoder *e, const void *bytes, size_t len)
{
	size_t cap;
	uint8_t *at = room(e, &cap);

	if (len > cap) {
		e->full = true;
		return;
	}
	if (len != 0)
		memcpy(at, bytes, len);
	e->len += len;
}

void encoder_uint(struct encoder *e, uint64_t value)
{
	size_t cap;
	uint8_t *at = room(e, &cap);

	wrote(e, cbor_encode_uint(value, at, cap));
}

void encoder_uint64(struct encoder *e, uint64_t value)
{
	size_t cap;
	uint8_t *at = room(e, &cap);

	wrote(e, cbor_encode_uint64(value, at, cap));
}

void encoder_text(struct encoder *e, const char *text)
{
	size_t cap, len = strlen(text);
	uint8_t *at = room(e, &cap);

	wrote(e, cbor_encode_string_start(len, at, cap));
	raw(e, text, len);
}

void encoder_bytes(struct encoder *e, const uint8_t *bytes, size_t len)
{
	size_t cap;
	uint8_t *at = room(e, &cap);

	wrote(e, cbor_encode_bytestring_start(len, at, cap));
	raw(e, bytes, len);
}

void encoder_bytes_or_null(struct encoder *e, const uint8_t *bytes, size_t len)
{
	size_t cap;
	uint8_t *at = room(e, &cap);

	if (bytes != NULL)
		encoder_bytes(e, bytes, len);
	else
		wrote(e, cbor_encode_null(at, cap));
}

void encoder_bool(struct encoder *e, bool value)
{
	size_t cap;
	uint8_t *at = room(e, &cap);

	wrote(e, cbor_encode_bool(value, at, cap));
}

void encoder_array(struct encoder *e, size_t count)
{
	size_t cap;
	uint8_t *at = room(e, &cap);

	wrote(e, cbor_encode_array_start(count, at, cap));
}

void encoder_map(struct encoder *e, size_t count)
{
	size_t cap;
	uint8_t *at = room(e, &cap);

	wrote(e, cbor_encode_map_start(count, at, cap));
}

void encoder_open_map(struct encoder *e)
{
	size_t cap;
	uint8_t *at = room(e, &cap);

	wrote(e, cbor_encode_indef_map_start(at, cap));
}

void encoder_break(struct encoder *e)
{
	size_t cap;
	uint8_t *at = room(e, &cap);

	wrote(e, cbor_encode_break(at, cap));
}
