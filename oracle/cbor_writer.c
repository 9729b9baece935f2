/* cbor_writer: CBOR into a fixed buffer. See cbor_writer.h. */
#include "oracle/cbor_writer.h"

#include <cbor.h>
#include <string.h>

void writer_init(struct writer *w, uint8_t *out, size_t cap)
{
	*w = (struct writer){.out = out, .cap = cap};
}

size_t writer_end(const struct writer *w)
{
	return w->full ? 0 : w->len;
}

static uint8_t *room(const struct writer *w, size_t *cap)
{
	*cap = w->full ? 0 : w->cap - w->len;
	return w->out + w->len;
}

/* libcbor's encoders answer 0 when the room is too small. */
static void wrote(struct writer *w, size_t n)
{
	if (n == 0)
		w->full = true;
	else
		w->len += n;
}

static void raw(struct writer *w, const void *bytes, size_t len)
{
	size_t cap;
	uint8_t *at = room(w, &cap);

	if (len > cap) {
		w->full = true;
		return;
	}
	if (len != 0)
		memcpy(at, bytes, len);
	w->len += len;
}

void writer_uint(struct writer *w, uint64_t value)
{
	size_t cap;
	uint8_t *at = room(w, &cap);

	wrote(w, cbor_encode_uint(value, at, cap));
}

void writer_uint64(struct writer *w, uint64_t value)
{
	size_t cap;
	uint8_t *at = room(w, &cap);

	wrote(w, cbor_encode_uint64(value, at, cap));
}

void writer_text(struct writer *w, const char *text)
{
	size_t cap, len = strlen(text);
	uint8_t *at = room(w, &cap);

	wrote(w, cbor_encode_string_start(len, at, cap));
	raw(w, text, len);
}

void writer_bytes(struct writer *w, const uint8_t *bytes, size_t len)
{
	size_t cap;
	uint8_t *at = room(w, &cap);

	wrote(w, cbor_encode_bytestring_start(len, at, cap));
	raw(w, bytes, len);
}

void writer_bytes_or_null(struct writer *w, const uint8_t *bytes, size_t len)
{
	size_t cap;
	uint8_t *at = room(w, &cap);

	if (bytes != NULL)
		writer_bytes(w, bytes, len);
	else
		wrote(w, cbor_encode_null(at, cap));
}

void writer_bool(struct writer *w, bool value)
{
	size_t cap;
	uint8_t *at = room(w, &cap);

	wrote(w, cbor_encode_bool(value, at, cap));
}

void writer_array(struct writer *w, size_t count)
{
	size_t cap;
	uint8_t *at = room(w, &cap);

	wrote(w, cbor_encode_array_start(count, at, cap));
}

void writer_map(struct writer *w, size_t count)
{
	size_t cap;
	uint8_t *at = room(w, &cap);

	wrote(w, cbor_encode_map_start(count, at, cap));
}

void writer_open_map(struct writer *w)
{
	size_t cap;
	uint8_t *at = room(w, &cap);

	wrote(w, cbor_encode_indef_map_start(at, cap));
}

void writer_break(struct writer *w)
{
	size_t cap;
	uint8_t *at = room(w, &cap);

	wrote(w, cbor_encode_break(at, cap));
}
