/*
 * eif_wrong: the good image, and for each thing that can be wrong with one the
 * change that makes it so: of the sections before they are rendered, or of the
 * bytes after (the CRC is made right again).
 */
#ifndef HALLMARK_TESTS_EIF_EIF_WRONG_H
#define HALLMARK_TESTS_EIF_EIF_WRONG_H

#include "eif_fixture.h"

static struct image image;
static struct fixture fixture;

static void swap(unsigned a, unsigned b)
{
	struct fixture_section kept = fixture.sections[a];

	fixture.sections[a] = fixture.sections[b];
	fixture.sections[b] = kept;
}

static void add_kernel(void)
{
	fixture.sections[fixture.count++] = fixture.sections[0];
}
static void add_cmdline(void)
{
	fixture.sections[fixture.count++] = fixture.sections[1];
}
static void add_metadata(void)
{
	fixture.sections[fixture.count++] = fixture.sections[2];
}
static void add_signatures(void)
{
	static const struct fixture_section any = FIXTURE_TEXT(
	    EIF_SIGNATURE, "any");

	fixture.sections[fixture.count++] = any;
	fixture.sections[fixture.count++] = any;
}
static void cmdline_first(void)
{
	swap(0, 1);
}
static void ramdisk_before_cmdline(void)
{
	swap(1, 3);
}
static void ramdisk_first(void)
{
	swap(0, 3);
}
static void remove_section(unsigned i)
{
	for (fixture.count--; i < fixture.count; i++)
		fixture.sections[i] = fixture.sections[i + 1];
}
static void no_metadata(void)
{
	remove_section(2);
}
static void no_ramdisk(void)
{
	fixture.count = 3;
}
static void only_metadata(void)
{
	swap(0, 2);
	fixture.count = 1;
}
static void no_cmdline(void)
{
	remove_section(1);
	fixture.count = 2; /* no ramdisk behind, which would be an order */
}
static void empty_kernel(void)
{
	fixture.sections[0].len = 0;
}
static void empty_ramdisk(void)
{
	fixture.sections[4].len = 0;
}
static void empty_metadata(void)
{
	fixture.sections[2].len = 0;
}
static void long_cmdline(void)
{
	static char text[EIF_CMDLINE_MAX + 1];

	memset(text, 'x', sizeof(text));
	fixture.sections[1].bytes = text;
	fixture.sections[1].len = sizeof(text);
}
static void long_signature(void)
{
	static char text[EIF_SIGNATURE_MAX + 1];

	fixture.sections[fixture.count++] = (struct fixture_section){
	    EIF_SIGNATURE, 0, text, sizeof(text)};
}
static void nul_in_cmdline(void)
{
	fixture.sections[1].bytes = "console=\0ttyS";
}
static void nul_ends_cmdline(void)
{
	fixture.sections[1].bytes = "console=ttyS";
}
static void type_0(void)
{
	fixture.sections[4].type = 0;
}
static void type_6(void)
{
	fixture.sections[4].type = 6;
}
static void type_256(void)
{
	fixture.sections[4].type = 256 + EIF_RAMDISK;
}
static void metadata_in_version_3(void)
{
	fixture.version = 3;
}
static void signature_in_version_2(void)
{
	fixture.version = 2;
	fixture.sections[2] = fixture.sections[4];
	fixture.sections[4].type = EIF_SIGNATURE;
}
static void section_flags(void)
{
	fixture.sections[3].flags = 1;
}
static void version_1(void)
{
	fixture.version = 1;
}
static void version_5(void)
{
	fixture.version = 5;
}
static void flags_2(void)
{
	fixture.flags = 2;
}
static void flags_high(void)
{
	fixture.flags = 0x8001;
}
static void reserved(void)
{
	fixture.reserved = 1;
}
static void unused(void)
{
	fixture.unused = 1;
}
static void no_sections(void)
{
	fixture.count = 0;
}
static void sections_33(void)
{
	while (fixture.count < 33)
		fixture.sections[fixture.count++] = fixture.sections[4];
}

/* These change the file's bytes. */
static void set(size_t at, uint64_t value, int len)
{
	fixture_put(image.bytes + at, value, len);
}
static void magic(void)
{
	image.bytes[3] ^= 1;
}
static void other_file(void)
{
	memcpy(image.bytes, "#!/bin/sh", 9);
	image.len = 9;
}
static void other_byte(void)
{
	image.bytes[0] = 'x';
	image.len = 1;
}
static void rest_offset(void)
{
	set(28 + 8 * 5, 548, 8);
}
static void rest_size(void)
{
	set(284 + 8 * 31, 1, 8);
}
static void offset_of_data(void)
{
	set(28 + 8 * 3, fixture_offset(&image, 3) + 12, 8);
}
static void offsets_swapped(void)
{
	size_t a = fixture_offset(&image, 3), b = fixture_offset(&image, 4);

	set(28 + 8 * 3, b, 8);
	set(28 + 8 * 4, a, 8);
}
static void offset_huge(void)
{
	set(28 + 8 * 4, UINT64_MAX - 5, 8);
}
static void insert(size_t at, size_t len)
{
	memmove(image.bytes + at + len, image.bytes + at, image.len - at);
	memset(image.bytes + at, 0, len);
	image.len += len;
}
/* Someone who goes by the table does not see it. */
static void gap(void)
{
	insert(fixture_offset(&image, 4), 16);
	set(28 + 8 * 4, fixture_offset(&image, 4) + 16, 8);
}
/* The last section's header inside of the one before, whose data it is too. */
static void overlap(void)
{
	size_t at = fixture_offset(&image, 3);

	insert(at + 12, 15);
	memcpy(image.bytes + at + 12, image.bytes + at + 12 + 15 + 4, 15);
	set(at + 4, 4 + 15, 8);
	set(284 + 8 * 3, 4 + 15, 8);
	set(28 + 8 * 4, at + 12, 8);
}
static void table_size(void)
{
	set(284 + 8 * 3, 5, 8);
}
static void section_size(void)
{
	set(fixture_offset(&image, 3) + 4, 5, 8);
}
static void both_sizes(unsigned i, uint64_t size)
{
	set(284 + 8 * i, size, 8);
	set(fixture_offset(&image, i) + 4, size, 8);
}
static void size_beyond_file(void)
{
	both_sizes(4, 4);
}
static void size_largest(void)
{
	both_sizes(4, EIF_SECTION_MAX);
}
static void size_too_large(void)
{
	both_sizes(4, EIF_SECTION_MAX + 1);
}
static void size_overflows(void)
{
	both_sizes(0, UINT64_MAX);
}
static void metadata_too_large(void)
{
	both_sizes(2, EIF_METADATA_MAX + 1);
}
static void count_too_large(void)
{
	set(26, 6, 2);
	set(28 + 8 * 5, image.len, 8);
	set(284 + 8 * 5, 3, 8);
}
/* A loader that walks takes the last section, one that counts does not. */
static void count_too_small(void)
{
	set(26, 4, 2);
	set(28 + 8 * 4, 0, 8);
	set(284 + 8 * 4, 0, 8);
}
static void trailing(void)
{
	image.len++;
}
static void last_byte_gone(void)
{
	image.len--;
}
static void half_a_section_header(void)
{
	image.len = fixture_offset(&image, 4) + 6;
}
static void header_only(void)
{
	image.len = 548;
}
static void half_a_header(void)
{
	image.len = 300;
}
static void empty_file(void)
{
	image.len = 0;
}

static const struct {
	const char *name;
	enum eif_fault wanted;
	void (*before)(void); /* rendering */
	void (*after)(void);
} wrong[] = {
#define BEFORE(fault, name)                    \
	{                                      \
#name, EIF_##fault, name, NULL \
	}
#define AFTER(fault, name)                     \
	{                                      \
#name, EIF_##fault, NULL, name \
	}
    AFTER(MAGIC, magic),
    AFTER(MAGIC, other_file),
    AFTER(MAGIC, other_byte),
    BEFORE(BAD_VERSION, version_1),
    BEFORE(BAD_VERSION, version_5),
    BEFORE(FLAGS, flags_2),
    BEFORE(FLAGS, flags_high),
    BEFORE(RESERVED, reserved),
    BEFORE(RESERVED, unused),
    BEFORE(COUNT, no_sections),
    BEFORE(COUNT, sections_33),
    AFTER(TABLE_REST, rest_offset),
    AFTER(TABLE_REST, rest_size),
    AFTER(OFFSET, offset_of_data),
    AFTER(OFFSET, offsets_swapped),
    AFTER(OFFSET, offset_huge),
    AFTER(OFFSET, gap),
    AFTER(OFFSET, overlap),
    AFTER(SIZE, table_size),
    AFTER(SIZE, section_size),
    BEFORE(SECTION_TYPE, type_0),
    BEFORE(SECTION_TYPE, type_6),
    BEFORE(SECTION_TYPE, type_256),
    BEFORE(SECTION_TYPE, metadata_in_version_3),
    BEFORE(SECTION_TYPE, signature_in_version_2),
    BEFORE(SECTION_FLAGS, section_flags),
    BEFORE(EMPTY, empty_kernel),
    BEFORE(EMPTY, empty_ramdisk),
    BEFORE(EMPTY, empty_metadata),
    BEFORE(TOO_LARGE, long_cmdline),
    BEFORE(TOO_LARGE, long_signature),
    AFTER(TOO_LARGE, metadata_too_large),
    AFTER(TOO_LARGE, size_too_large),
    AFTER(TOO_LARGE, size_overflows),
    BEFORE(TWICE, add_kernel),
    BEFORE(TWICE, add_cmdline),
    BEFORE(TWICE, add_metadata),
    BEFORE(TWICE, add_signatures),
    BEFORE(ORDER, cmdline_first),
    BEFORE(ORDER, ramdisk_before_cmdline),
    BEFORE(ORDER, ramdisk_first),
    BEFORE(MISSING, no_metadata),
    BEFORE(MISSING, no_ramdisk),
    BEFORE(MISSING, no_cmdline),
    BEFORE(MISSING, only_metadata),
    BEFORE(CMDLINE_NUL, nul_in_cmdline),
    BEFORE(CMDLINE_NUL, nul_ends_cmdline),
    AFTER(SHORT, size_beyond_file),
    AFTER(SHORT, size_largest),
    AFTER(SHORT, count_too_large),
    AFTER(SHORT, last_byte_gone),
    AFTER(SHORT, half_a_section_header),
    AFTER(SHORT, header_only),
    AFTER(SHORT, half_a_header),
    AFTER(SHORT, empty_file),
    AFTER(TRAILING, count_too_small),
    AFTER(TRAILING, trailing),
};

static void make_wrong(size_t i)
{
	fixture = fixture_good;
	if (wrong[i].before)
		wrong[i].before();
	fixture_render(&image, &fixture);
	if (wrong[i].after) {
		wrong[i].after();
		fixture_seal(&image);
	}
}

#endif
