/* decoder: one CBOR head at a time. See decoder.h. */
#include "oracle/decoder.h"

#include <cbor.h>

static void set(void *item, enum decoder_kind kind, uint64_t value)
{
	*(struct decoder_item *)item = (struct decoder_item){
	    .kind = kind, .value = value};
}

static void set_string(
    void *item, enum decoder_kind kind, cbor_data bytes, size_t len)
{
	*(struct decoder_item *)item = (struct decoder_item){
	    .kind = kind, .bytes = bytes, .len = len};
}

static void on_uint8(void *item, uint8_t value)
{
	set(item, DECODER_UINT, value);
}

static void on_uint16(void *item, uint16_t value)
{
	set(item, DECODER_UINT, value);
}

static void on_uint32(void *item, uint32_t value)
{
	set(item, DECODER_UINT, value);
}

static void on_uint64(void *item, uint64_t value)
{
	set(item, DECODER_UINT, value);
}

static void on_bytes(void *item, cbor_data bytes, size_t len)
{
	set_string(item, DECODER_BYTES, bytes, len);
}

static void on_text(void *item, cbor_data bytes, size_t len)
{
	set_string(item, DECODER_TEXT, bytes, len);
}

static void on_array(void *item, size_t count)
{
	set(item, DECODER_ARRAY, count);
}

static void on_open_array(void *item)
{
	set(item, DECODER_ARRAY, DECODER_INDEFINITE);
}

static void on_map(void *item, size_t count)
{
	set(item, DECODER_MAP, count);
}

static void on_open_map(void *item)
{
	set(item, DECODER_MAP, DECODER_INDEFINITE);
}

static void on_bool(void *item, bool value)
{
	set(item, DECODER_BOOL, value);
}

static void on_null(void *item)
{
	set(item, DECODER_NULL, 0);
}

static void on_break(void *item)
{
	set(item, DECODER_BREAK, 0);
}

enum decoder_status decoder_next(struct decoder *d, struct decoder_item *out)
{
	/* What is not named here leaves DECODER_OTHER. */
	struct cbor_callbacks callbacks = cbor_empty_callbacks;
	struct cbor_decoder_result result;

	callbacks.uint8 = on_uint8;
	callbacks.uint16 = on_uint16;
	callbacks.uint32 = on_uint32;
	callbacks.uint64 = on_uint64;
	callbacks.byte_string = on_bytes;
	callbacks.string = on_text;
	callbacks.array_start = on_array;
	callbacks.indef_array_start = on_open_array;
	callbacks.map_start = on_map;
	callbacks.indef_map_start = on_open_map;
	callbacks.boolean = on_bool;
	callbacks.null = on_null;
	callbacks.indef_break = on_break;

	*out = (struct decoder_item){0};
	if (d->left == 0)
		return DECODER_TRUNCATED;
	result = cbor_stream_decode(d->at, d->left, &callbacks, out);
	if (result.status != CBOR_DECODER_FINISHED) {
		*out = (struct decoder_item){0};
		return result.status == CBOR_DECODER_NEDATA ? DECODER_TRUNCATED
							    : DECODER_MALFORMED;
	}
	d->at += result.read;
	d->left -= result.read;
	return DECODER_OK;
}
