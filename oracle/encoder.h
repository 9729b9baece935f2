/*
 * encoder: writes CBOR (RFC 8949) items one after another into the caller's
 * buffer, over libcbor's encoders, each head in its shortest form unless the
 * name says otherwise. Running out of room sticks: nothing more is written,
 * and encoder_end() says so once, at the end.
 */
#ifndef HALLMARK_ORACLE_ENCODER_H
#define HALLMARK_ORACLE_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct encoder {
	uint8_t *out; /* borrowed */
	size_t len, cap;
	bool full; /* something did not fit */
};

void encoder_init(struct encoder *e, uint8_t *out, size_t cap);
/* The number of bytes written, 0 if they did not all fit. */
size_t encoder_end(const struct encoder *e);

void encoder_uint(struct encoder *e, uint64_t value);
/* With a head of nine bytes, as the NSM writes its timestamps. */
void encoder_uint64(struct encoder *e, uint64_t value);
void encoder_text(struct encoder *e, const char *text);
/* bytes may be NULL when len is 0. */
void encoder_bytes(struct encoder *e, const uint8_t *bytes, size_t len);
/* The same, or null when bytes is NULL. */
void encoder_bytes_or_null(struct encoder *e, const uint8_t *bytes, size_t len);
void encoder_bool(struct encoder *e, bool value);
/* count items follow; for a map, count pairs. */
void encoder_array(struct encoder *e, size_t count);
void encoder_map(struct encoder *e, size_t count);
/* A map of indefinite length: pairs follow, then encoder_break(). */
void encoder_open_map(struct encoder *e);
void encoder_break(struct encoder *e);

#endif
