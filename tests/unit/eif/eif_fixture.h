/*
 * eif_fixture: small images in memory, and one thing wrong with them. Written
 * byte by byte from the specification, with nothing of verifier/eif but its
 * constants: what it shares with the reader it could not find wrong there.
 */
#ifndef HALLMARK_TESTS_EIF_EIF_FIXTURE_H
#define HALLMARK_TESTS_EIF_EIF_FIXTURE_H

#include "verifier/eif/eif_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIXTURE_MAX 65536

struct fixture_section {
	unsigned type, flags;
	const void *bytes;
	size_t len;
};

/* What is rendered; change it before, or the bytes after. */
struct fixture {
	unsigned version, flags, reserved, unused;
	struct fixture_section sections[EIF_SECTIONS_MAX + 1];
	unsigned count;
};

#define FIXTURE_TEXT(type, text)                \
	{                                       \
		type, 0, text, sizeof(text) - 1 \
	}

static const struct fixture fixture_good = {
    .version = 4,
    .sections =
	{
	    FIXTURE_TEXT(EIF_KERNEL, "kernel"),
	    FIXTURE_TEXT(EIF_CMDLINE, "console=ttyS0"),
	    FIXTURE_TEXT(EIF_METADATA, "{}"),
	    FIXTURE_TEXT(EIF_RAMDISK, "boot"),
	    FIXTURE_TEXT(EIF_RAMDISK, "app"),
	},
    .count = 5,
};

struct image {
	uint8_t bytes[FIXTURE_MAX];
	size_t len;
};

static inline void fixture_put(uint8_t *at, uint64_t value, int len)
{
	while (len-- > 0) {
		at[len] = (uint8_t)value;
		value >>= 8;
	}
}

static inline uint64_t fixture_take(const uint8_t *at, int len)
{
	uint64_t value = 0;

	while (len-- > 0)
		value = value << 8 | *at++;
	return value;
}

/* One bit at a time. */
static inline uint32_t fixture_crc(const struct image *image)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < image->len; i++) {
		if (i >= 544 && i < 548)
			continue;
		crc ^= image->bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

/* After the bytes were changed, so that the CRC is not what is wrong. */
static inline void fixture_seal(struct image *image)
{
	fixture_put(image->bytes + 544, fixture_crc(image), 4);
}

static inline void fixture_render(
    struct image *image, const struct fixture *fixture)
{
	uint8_t *head = image->bytes;

	memset(image, 0, sizeof(*image));
	memcpy(head, ".eif", 4);
	fixture_put(head + 4, fixture->version, 2);
	fixture_put(head + 6, fixture->flags, 2);
	fixture_put(head + 8, UINT64_C(1) << 30, 8);
	fixture_put(head + 16, 2, 8);
	fixture_put(head + 24, fixture->reserved, 2);
	fixture_put(head + 26, fixture->count, 2);
	fixture_put(head + 540, fixture->unused, 4);
	image->len = 548;
	for (unsigned i = 0; i < fixture->count; i++) {
		const struct fixture_section *s = &fixture->sections[i];
		uint8_t *at = image->bytes + image->len;

		if (i < 32) {
			fixture_put(head + 28 + 8 * i, image->len, 8);
			fixture_put(head + 284 + 8 * i, s->len, 8);
		}
		assert_true(image->len + 12 + s->len < FIXTURE_MAX);
		fixture_put(at, s->type, 2);
		fixture_put(at + 2, s->flags, 2);
		fixture_put(at + 4, s->len, 8);
		memcpy(at + 12, s->bytes, s->len);
		image->len += 12 + s->len;
	}
	fixture_seal(image);
}

/* Where the section's header begins. */
static inline size_t fixture_offset(const struct image *image, unsigned i)
{
	return (size_t)fixture_take(image->bytes + 28 + 8 * i, 8);
}

/* Read in pieces of that size; the caller calls eif_reader_fini(). */
static inline enum eif_fault fixture_read(
    struct eif_reader *reader, const uint8_t *bytes, size_t len, size_t piece)
{
	eif_reader_init(reader);
	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		uint8_t *copy = malloc(n); /* so that ASan sees its end */

		memcpy(copy, bytes + at, n);
		(void)eif_reader_feed(reader, copy, n);
		free(copy);
	}
	return eif_reader_finish(reader);
}

static inline enum eif_fault fixture_fault(const struct image *image)
{
	struct eif_reader reader;
	enum eif_fault fault = fixture_read(
	    &reader, image->bytes, image->len, image->len);

	eif_reader_fini(&reader);
	return fault;
}

#endif
