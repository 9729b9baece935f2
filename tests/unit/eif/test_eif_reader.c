/* eif_reader: good images and their measurements in pieces of every size, each
 * refusal by an image with one thing wrong, every end and every byte. */
#include "eif_wrong.h"

#include "feeds/hex.h"

static int setup(void **state)
{
	(void)state;
	fixture = fixture_good;
	fixture_render(&image, &fixture);
	return 0;
}

static void check_pcr(const uint8_t pcr[HM_PCR_LEN], const char *wanted)
{
	char hex[2 * HM_PCR_LEN + 1];

	hex_encode(pcr, HM_PCR_LEN, hex);
	assert_string_equal(hex, wanted);
}

/* Computed by other software, and confirmed by QEMU's nitro-enclave machine
 * for images built alike. */
#define PCR0                                                 \
	"6f236bedd341cac04895cbda513739f78682c1c33934656704" \
	"f5072de95cc8b33d98d99292b21d8c7551c45a6b54a1f8"
#define PCR1                                                 \
	"478dea37c4cbf7a807c622e20cd75a7fd0d1777b28707720fa" \
	"f3a8ab2b12c9d724d304ac3875a53b4e7f463669f7507b"
#define PCR2                                                 \
	"b76036a6963404c7fe1249127a5c2fc684090bd30f0386d9b6" \
	"43e2e11e203f2fb62d50ea1af96ad3bc6ba974c3b1c79a"
/* Of every enclave with one ramdisk: the hash of nothing. */
#define PCR2_NONE                                             \
	"21b9efbc184807662e966d34f390821309eeac6802309798826" \
	"296bf3e8bec7c10edb30948c90ba67310f7b964fc500a"

static void test_known_answers(void **state)
{
	struct eif_reader reader;

	(void)state;
	for (size_t piece = 1; piece <= image.len; piece++) {
		assert_int_equal(
		    fixture_read(&reader, image.bytes, image.len, piece),
		    EIF_NONE);
		check_pcr(reader.pcrs[0], PCR0);
		check_pcr(reader.pcrs[1], PCR1);
		check_pcr(reader.pcrs[2], PCR2);
		assert_string_equal(
		    (const char *)reader.cmdline.bytes, "console=ttyS0");
		assert_string_equal((const char *)reader.metadata.bytes, "{}");
		assert_null(reader.signature.bytes);
		assert_int_equal(reader.at, image.len);
		assert_int_equal(reader.count, 5);
		eif_reader_fini(&reader);
	}
}

static void test_one_ramdisk(void **state)
{
	struct eif_reader reader;

	(void)state;
	fixture.count = 4;
	fixture_render(&image, &fixture);
	assert_int_equal(
	    fixture_read(&reader, image.bytes, image.len, 100), EIF_NONE);
	check_pcr(reader.pcrs[0], PCR1);
	check_pcr(reader.pcrs[1], PCR1);
	check_pcr(reader.pcrs[2], PCR2_NONE);
	eif_reader_fini(&reader);
}

/* ---- what else is good ---- */

static void check_good(void)
{
	fixture_render(&image, &fixture);
	assert_int_equal(fixture_fault(&image), EIF_NONE);
	fixture = fixture_good;
}

static void test_good_forms(void **state)
{
	(void)state;
	fixture.flags = EIF_FLAG_ARM64;
	check_good();
	swap(2, 4); /* metadata last; nobody measures it */
	check_good();
	swap(0, 2); /* metadata first */
	swap(1, 2);
	check_good();
	fixture.sections[1].len = 0; /* no command line */
	check_good();
	/* before there was metadata; 2: before there were signatures */
	for (fixture.version = 2; fixture.version < 4; fixture.version++) {
		unsigned version = fixture.version;

		fixture.sections[2] = fixture.sections[4];
		fixture.count = 4;
		check_good();
		fixture.version = version;
	}
	fixture.version = 3;
	fixture.sections[2] = fixture.sections[4];
	fixture.sections[4] = (struct fixture_section)FIXTURE_TEXT(
	    EIF_SIGNATURE, "any");
	check_good();
	while (fixture.count < EIF_SECTIONS_MAX)
		fixture.sections[fixture.count++] = fixture.sections[4];
	check_good();
}

static void test_largest_texts(void **state)
{
	static char text[EIF_SIGNATURE_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	fixture.sections[1].bytes = text;
	fixture.sections[1].len = EIF_CMDLINE_MAX;
	check_good();
	fixture.sections[fixture.count++] = (struct fixture_section){
	    EIF_SIGNATURE, 0, text, EIF_SIGNATURE_MAX};
	check_good();
}

/* ---- one thing wrong ---- */

static void test_one_thing_wrong(void **state)
{
	bool met[EIF_FAULT_COUNT] = {false};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		enum eif_fault fault;

		make_wrong(i);
		fault = fixture_fault(&image);
		if (fault != wrong[i].wanted)
			fail_msg(
			    "%s: %s", wrong[i].name, eif_fault_name(fault));
		met[fault] = true;
	}
	for (int f = EIF_MAGIC; f < EIF_CRC; f++)
		if (!met[f])
			fail_msg("nothing here is refused for %s",
			    eif_fault_name((enum eif_fault)f));
}

/* What is wrong is wrong however the bytes arrive, and stays. */
static void test_wrong_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		make_wrong(i);
		for (size_t piece = 1; piece < 30; piece++) {
			struct eif_reader reader;

			assert_int_equal(fixture_read(&reader, image.bytes,
					     image.len, piece),
			    wrong[i].wanted);
			eif_reader_fini(&reader);
		}
	}
}

static void test_crc(void **state)
{
	(void)state;
	for (int bit = 0; bit < 32; bit++) {
		image.bytes[544 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(fixture_fault(&image), EIF_CRC);
		image.bytes[544 + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(fixture_fault(&image), EIF_NONE);
}

/* With EIF_CRC all else was judged and measured: eif_write relies on it. */
static void test_crc_is_judged_last(void **state)
{
	struct eif_reader reader;

	(void)state;
	memset(image.bytes + 544, 0, 4);
	assert_int_equal(
	    fixture_read(&reader, image.bytes, image.len, 7), EIF_CRC);
	check_pcr(reader.pcrs[0], PCR0);
	fixture_put(image.bytes + 544, reader.crc, 4);
	eif_reader_fini(&reader);
	assert_int_equal(fixture_fault(&image), EIF_NONE);
}

static void test_every_end(void **state)
{
	size_t whole = image.len;

	(void)state;
	for (image.len = 0; image.len < whole; image.len++)
		assert_int_equal(fixture_fault(&image), EIF_SHORT);
}

/* Memory, CPUs and the CRC aside, the CRC made right again: refused, or
 * another measurement, or other metadata. */
static void test_every_bit(void **state)
{
	(void)state;
	for (size_t i = 0; i < image.len * 8; i++) {
		image.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(fixture_fault(&image), EIF_NONE);
		image.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 548 * 8; i < image.len * 8; i++) {
		struct eif_reader reader;
		bool same;

		image.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
		fixture_seal(&image);
		same = fixture_read(&reader, image.bytes, image.len, 999) ==
			   EIF_NONE &&
		       memcmp(reader.metadata.bytes, "{}", 2) == 0;
		if (same) {
			char hex[2 * HM_PCR_LEN + 1];

			hex_encode(reader.pcrs[0], HM_PCR_LEN, hex);
			assert_string_not_equal(hex, PCR0);
		}
		eif_reader_fini(&reader);
		image.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

/* A size that is said and not sent costs nothing. */
static void test_nothing_is_kept_for_what_is_said(void **state)
{
	struct eif_reader reader;

	(void)state;
	both_sizes(0, EIF_SECTION_MAX);
	image.len = 600;
	assert_int_equal(
	    fixture_read(&reader, image.bytes, image.len, 600), EIF_SHORT);
	assert_null(reader.cmdline.bytes);
	eif_reader_fini(&reader);
	eif_reader_fini(&reader); /* twice is once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_known_answers, setup),
	    cmocka_unit_test_setup(test_one_ramdisk, setup),
	    cmocka_unit_test_setup(test_good_forms, setup),
	    cmocka_unit_test_setup(test_largest_texts, setup),
	    cmocka_unit_test_setup(test_one_thing_wrong, setup),
	    cmocka_unit_test_setup(test_wrong_in_pieces, setup),
	    cmocka_unit_test_setup(test_crc, setup),
	    cmocka_unit_test_setup(test_crc_is_judged_last, setup),
	    cmocka_unit_test_setup(test_every_end, setup),
	    cmocka_unit_test_setup(test_every_bit, setup),
	    cmocka_unit_test_setup(
		test_nothing_is_kept_for_what_is_said, setup),
	};

	return cmocka_run_group_tests_name("eif_reader", tests, NULL, NULL);
}
