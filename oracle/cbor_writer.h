/*
 * cbor_writer: writes CBOR (RFC 8949) items one after another into the caller's
 * buffer, over libcbor's encoders, each head in its shortest form unless the
 * name says otherwise. Running out of room sticks: nothing more is written,
 * and writer_end() says so once, at the end. verifier/cursor.h reads it back.
 *
 * Its symbols start with writer_, because cbor_ is libcbor's.
 */
#ifndef HALLMARK_ORACLE_CBOR_WRITER_H
#define HALLMARK_ORACLE_CBOR_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
	uint8_t *out; /* borrowed */
	size_t len, cap;
	bool full; /* something did not fit */
};

void writer_init(struct writer *w, uint8_t *out, size_t cap);
/* The number of bytes written, 0 if they did not all fit. */
size_t writer_end(const struct writer *w);

void writer_uint(struct writer *w, uint64_t value);
/* With a head of nine bytes, as the NSM writes its timestamps. */
void writer_uint64(struct writer *w, uint64_t value);
void writer_text(struct writer *w, const char *text);
/* bytes may be NULL when len is 0. */
void writer_bytes(struct writer *w, const uint8_t *bytes, size_t len);
/* The same, or null when bytes is NULL. */
void writer_bytes_or_null(struct writer *w, const uint8_t *bytes, size_t len);
void writer_bool(struct writer *w, bool value);
/* count items follow; for a map, count pairs. */
void writer_array(struct writer *w, size_t count);
void writer_map(struct writer *w, size_t count);
/* A map of indefinite length: pairs follow, then writer_break(). */
void writer_open_map(struct writer *w);
void writer_break(struct writer *w);

#endif
