/* eif_format, eif_crc: both headers there and back, at the places that the
 * specification gives; the CRC's check value; a text for each fault. */
#include "eif_fixture.h"

#include "verifier/eif/eif_crc.h"

static void test_header(void **state)
{
	struct eif_header header = {.version = 4,
			      .flags = 1,
			      .reserved = 0x0203,
			      .count = 5,
			      .memory = UINT64_C(0x0102030405060708),
			      .cpus = 9,
			      .unused = 0x0a0b0c0d,
			      .crc = 0xdeadbeef},
			  back;
	uint8_t bytes[EIF_HEADER_LEN];

	(void)state;
	header.offsets[31] = 31;
	header.sizes[0] = UINT64_MAX;
	header.sizes[31] = 7;
	eif_format_header(&header, bytes);
	assert_memory_equal(bytes, ".eif\0\4\0\1\1\2\3\4\5\6\7\10", 16);
	assert_int_equal(bytes[0x17], 9);
	assert_memory_equal(bytes + 0x18, "\2\3\0\5", 4);
	assert_int_equal(bytes[0x1c + 8 * 31 + 7], 31);
	assert_int_equal(bytes[0x11c], 0xff);
	assert_int_equal(bytes[0x21b], 7);
	assert_memory_equal(bytes + 0x21c, "\x0a\x0b\x0c\x0d", 4);
	assert_memory_equal(bytes + 0x220, "\xde\xad\xbe\xef", 4);
	eif_parse_header(&back, bytes);
	assert_memory_equal(&back, &header, sizeof(header));
}

static void test_section(void **state)
{
	struct eif_section section = {0x0102, 0x0304, 0x1122334455667788}, back;
	uint8_t bytes[EIF_SECTION_HEADER_LEN];

	(void)state;
	eif_format_section(&section, bytes);
	assert_memory_equal(
	    bytes, "\1\2\3\4\x11\x22\x33\x44\x55\x66\x77\x88", 12);
	eif_parse_section(&back, bytes);
	assert_int_equal(back.type, section.type);
	assert_int_equal(back.flags, section.flags);
	assert_int_equal(back.size, section.size);
}

static void test_crc(void **state)
{
	const uint8_t *text = (const uint8_t *)"123456789";

	(void)state;
	assert_int_equal(eif_crc_update(0, text, 9), 0xcbf43926);
	for (size_t i = 0; i <= 9; i++)
		assert_int_equal(
		    eif_crc_update(eif_crc_update(0, text, i), text + i, 9 - i),
		    0xcbf43926);
	assert_int_equal(eif_crc_update(0, text, 0), 0);
}

static void test_texts(void **state)
{
	(void)state;
	for (int f = 0; f < EIF_FAULT_COUNT; f++) {
		enum eif_fault fault = (enum eif_fault)f;

		assert_true(strlen(eif_fault_name(fault)) > 2);
		assert_true(strlen(eif_fault_text(fault)) > 10);
		assert_in_range(eif_fault_class(fault), f ? 2 : 0, f ? 3 : 0);
		for (int g = 0; g < f; g++)
			assert_string_not_equal(eif_fault_name(fault),
			    eif_fault_name((enum eif_fault)g));
	}
	assert_string_equal(eif_type_name(EIF_KERNEL), "kernel");
	assert_string_equal(eif_type_name(EIF_METADATA), "metadata");
	assert_string_equal(eif_type_name(0), "unknown");
	assert_string_equal(eif_type_name(6), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_section),
	    cmocka_unit_test(test_crc),
	    cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("eif_format", tests, NULL, NULL);
}
