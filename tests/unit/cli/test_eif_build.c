/* eif build: the image that it writes, that it writes the same again, and each
 * mistake in what it is given, after which nothing is written. */
#include "eif_run.h"

#include "verifier/cli/eif_options.h"

#include <signal.h>
#include <sys/resource.h>

/* The file's bytes; the caller frees. */
static uint8_t *bytes_of(const char *name, size_t *len)
{
	uint8_t *bytes;

	assert_int_equal(file_read(name, 1 << 20, &bytes, len), 0);
	return bytes;
}

static void check_same(const char *a, const char *b, bool wanted)
{
	size_t a_len, b_len;
	uint8_t *a_bytes = bytes_of(a, &a_len), *b_bytes = bytes_of(b, &b_len);

	assert_int_equal(
	    a_len == b_len && memcmp(a_bytes, b_bytes, a_len) == 0, wanted);
	free(a_bytes);
	free(b_bytes);
}

static void test_good(void **state)
{
	static const unsigned types[] = {
	    EIF_KERNEL, EIF_CMDLINE, EIF_METADATA, EIF_RAMDISK, EIF_RAMDISK};

	(void)state;
	GOOD(PARTS);
	check_measurements(false);
	/* what other software computed for these parts */
	says("\"PCR0\": \"6f236bedd341cac04895cbda513739f78682c1c33934656704f5"
	     "072de95cc8b33d98d99292b21d8c7551c45a6b54a1f8\"",
	    true);
	says("\"PCR1\": \"478dea37c4cbf7a807c622e20cd75a7fd0d1777b28707720faf3"
	     "a8ab2b12c9d724d304ac3875a53b4e7f463669f7507b\"",
	    true);
	says("\"PCR2\": \"b76036a6963404c7fe1249127a5c2fc684090bd30f0386d9b643"
	     "e2e11e203f2fb62d50ea1af96ad3bc6ba974c3b1c79a\"",
	    true);
	read_image();
	assert_int_equal(image.reader.count, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(image.reader.sections[i].type, types[i]);
	assert_int_equal(image.reader.header.version, 4);
	assert_int_equal(image.reader.header.flags, 0);
	assert_int_equal(image.reader.header.memory, UINT64_C(1) << 30);
	assert_int_equal(image.reader.header.cpus, 2);
}

static void test_header_options(void **state)
{
	(void)state;
	GOOD(PARTS, "--arch", "arm64", "--memory", "256", "--cpus", "1");
	read_image();
	assert_int_equal(image.reader.header.flags, EIF_FLAG_ARM64);
	assert_int_equal(image.reader.header.memory, 256 << 20);
	assert_int_equal(image.reader.header.cpus, 1);
	GOOD(PARTS, "--arch", "aarch64");
	GOOD(PARTS, "--arch", "x86_64");
	BAD(COMMAND_USAGE, "--arch arm", PARTS, "--arch", "arm");
	BAD(COMMAND_USAGE, "--memory 0", PARTS, "--memory", "0");
	BAD(COMMAND_USAGE, "--memory 1G", PARTS, "--memory", "1G");
	BAD(COMMAND_USAGE, "--memory ", PARTS, "--memory", "");
	BAD(COMMAND_USAGE, "--cpus -1", PARTS, "--cpus", "-1");
	BAD(COMMAND_USAGE, "--cpus 1025", PARTS, "--cpus", "1025");
	BAD(COMMAND_USAGE, "--memory 99999999999999999999", PARTS, "--memory",
	    "99999999999999999999");
}

/* ---- the same again ---- */

static void test_reproducible(void **state)
{
	(void)state;
	GOOD(PARTS);
	assert_int_equal(rename("image", "first"), 0);
	/* times and rights of the parts are not in it */
	assert_int_equal(chmod("kernel", 0400), 0);
	GOOD(PARTS);
	check_same("first", "image", true);
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "1793491200", 1), 0);
	GOOD(PARTS);
	check_same("first", "image", false);
	read_image();
	assert_non_null(strstr(
	    (char *)image.reader.metadata.bytes, "2026-11-01T00:00:00.000Z"));
	assert_int_equal(rename("image", "first"), 0);
	GOOD(PARTS);
	check_same("first", "image", true);
}

static void test_epochs(void **state)
{
	static const char *const bad[] = {
	    "", "-1", "1.5", "now", "253402300800", "9999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(setenv("SOURCE_DATE_EPOCH", bad[i], 1), 0);
		BAD(COMMAND_USAGE, "SOURCE_DATE_EPOCH", PARTS);
	}
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "253402300799", 1), 0);
	GOOD(PARTS);
	read_image();
	assert_non_null(
	    strstr((char *)image.reader.metadata.bytes, "9999-12-31T23:59:59"));
}

/* ---- parts ---- */

#define WITHOUT_CMDLINE \
	"--kernel", "kernel", "--ramdisk", "boot", "--output", "image"

static void test_cmdline(void **state)
{
	char text[EIF_CMDLINE_MAX + 3];

	(void)state;
	write_text("cmdline", "console=ttyS0\n");
	GOOD(WITHOUT_CMDLINE, "--cmdline-file", "cmdline");
	read_image();
	assert_string_equal(
	    (const char *)image.reader.cmdline.bytes, "console=ttyS0");
	write_text("cmdline", "a\n\n");
	GOOD(WITHOUT_CMDLINE, "--cmdline-file", "cmdline");
	read_image();
	assert_string_equal((const char *)image.reader.cmdline.bytes, "a\n");
	GOOD(WITHOUT_CMDLINE, "--cmdline-file", "empty");
	GOOD(WITHOUT_CMDLINE, "--cmdline", "");
	memset(text, 'x', sizeof(text));
	text[EIF_CMDLINE_MAX] = '\n';
	write_file("cmdline", text, EIF_CMDLINE_MAX + 1);
	GOOD(WITHOUT_CMDLINE, "--cmdline-file", "cmdline");
	text[EIF_CMDLINE_MAX] = 'x';
	write_file("cmdline", text, EIF_CMDLINE_MAX + 1);
	BAD(COMMAND_USAGE, "longer than 2047 bytes", WITHOUT_CMDLINE,
	    "--cmdline-file", "cmdline");
	write_file("cmdline", text, EIF_CMDLINE_MAX + 2);
	BAD(COMMAND_USAGE, "longer than 2047 bytes", WITHOUT_CMDLINE,
	    "--cmdline-file", "cmdline");
	text[EIF_CMDLINE_MAX + 1] = '\0';
	BAD(COMMAND_USAGE, "longer than 2047 bytes", WITHOUT_CMDLINE,
	    "--cmdline", text);
	write_file("cmdline", "a\0b", 3);
	BAD(COMMAND_MALFORMED, "cmdline: a NUL", WITHOUT_CMDLINE,
	    "--cmdline-file", "cmdline");
	BAD(COMMAND_USAGE, "none: No such file", WITHOUT_CMDLINE,
	    "--cmdline-file", "none");
}

static void test_bad_parts(void **state)
{
	(void)state;
	write_text("image", "old");
	BAD(COMMAND_MALFORMED, "empty: a section without data", PARTS,
	    "--ramdisk", "empty");
	BAD(COMMAND_USAGE, "none: No such file", PARTS, "--ramdisk", "none");
	BAD(COMMAND_USAGE, ".: Is a directory", PARTS, "--ramdisk", ".");
	says("Nothing was written to image", true);
	BAD(COMMAND_USAGE, "none/image: No such file", "--kernel", "kernel",
	    "--cmdline", "", "--ramdisk", "boot", "--output", "none/image");
	check_same("image", "image", true);
	assert_int_equal(file_write("other", "old", 3, 0600), 0);
	check_same("image", "other", true);
}

static void test_sections_max(void **state)
{
	const char *args[HEAR_ARGS_MAX * 2 + 8] = {
	    "--kernel", "kernel", "--cmdline", "a", "--output", "image"};
	size_t n = 6;

	(void)state;
	for (int i = 0; i < EIF_RAMDISKS_MAX + 1; i++)
		args[n++] = "--ramdisk=app";
	assert_int_equal(hear(&command_eif_build, stderr, args), COMMAND_USAGE);
	says("--ramdisk: more than 28", true);
	args[n - 1] = NULL;
	assert_int_equal(hear(&command_eif_build, stdout, args), COMMAND_OK);
	read_image();
	assert_int_equal(image.reader.count, 31); /* no signature */
}

/* More than one piece of reading. */
static void test_large_part(void **state)
{
	static uint8_t bytes[200001];
	struct eif_pcrs pcrs;
	uint8_t wanted[3][HM_PCR_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * i >> 3);
	write_file("app", bytes, sizeof(bytes));
	GOOD(PARTS);
	read_image();
	assert_int_equal(eif_pcrs_init(&pcrs), 0);
	eif_pcrs_begin(&pcrs, EIF_RAMDISK);
	eif_pcrs_begin(&pcrs, EIF_RAMDISK);
	eif_pcrs_update(&pcrs, bytes, sizeof(bytes));
	eif_pcrs_final(&pcrs, wanted);
	eif_pcrs_fini(&pcrs);
	assert_memory_equal(image.reader.pcrs[2], wanted[2], HM_PCR_LEN);
}

static void test_kernel_of_another_kind(void **state)
{
	char bytes[0x206] = {0};

	(void)state;
	assert_int_equal(RUN(command_eif_build, stderr, PARTS), COMMAND_OK);
	says("note: kernel is no bzImage: an enclave on x86_64", true);
	memcpy(bytes + 0x202, "HdrS", 4);
	write_file("kernel", bytes, sizeof(bytes));
	assert_int_equal(RUN(command_eif_build, stderr, PARTS), COMMAND_OK);
	says("note", false);
	assert_int_equal(
	    RUN(command_eif_build, stderr, PARTS, "--arch", "arm64"),
	    COMMAND_OK);
	says("note: kernel is no Image: an enclave on arm64", true);
	memcpy(bytes + 56, "ARM\x64", 4);
	write_file("kernel", bytes, 60);
	assert_int_equal(
	    RUN(command_eif_build, stderr, PARTS, "--arch", "arm64"),
	    COMMAND_OK);
	says("note", false);
	unlink("kernel");
	BAD(COMMAND_USAGE, "kernel: No such file", PARTS);
	says("note", false);
}

/* A full disk, as far as a test can have one. */
static void test_no_room(void **state)
{
	const struct rlimit little = {100000, RLIM_INFINITY};
	const struct rlimit any = {RLIM_INFINITY, RLIM_INFINITY};
	static uint8_t bytes[200000];

	(void)state;
	GOOD(PARTS);
	write_file("app", bytes, sizeof(bytes));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	BAD(COMMAND_USAGE, "tmp: File too large. Nothing was written", PARTS);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &any), 0);
	read_image(); /* the old one */
}

/* ---- metadata ---- */

static const char *metadata_of(const char *key)
{
	read_image();
	return json_string_value(json_object_get(image.metadata, key));
}

static void test_metadata(void **state)
{
	(void)state;
	GOOD(PARTS, "--name", "oracle", "--image-version", "1.4.0");
	assert_string_equal(metadata_of("ImageName"), "oracle");
	assert_string_equal(metadata_of("ImageVersion"), "1.4.0");
	write_text("meta", "{\"commit\": \"ab\"}");
	GOOD(PARTS, "--metadata", "meta");
	assert_string_equal(metadata_of("ImageName"), "hallmark");
	assert_non_null(strstr((char *)image.reader.metadata.bytes,
	    "\"CustomMetadata\":{\"commit\":\"ab\"}"));
	/* all of it, to the byte, though nitro-cli would miss something */
	write_text("meta", "{ \"ImageName\": \"mine\" }\n");
	assert_int_equal(
	    RUN(command_eif_build, stderr, PARTS, "--metadata", "meta"),
	    COMMAND_OK);
	says("note: the metadata has no ImageVersion", true);
	read_image();
	assert_string_equal((const char *)image.reader.metadata.bytes,
	    "{ \"ImageName\": \"mine\" }\n");
	write_text("meta", "[]");
	BAD(COMMAND_USAGE, "meta: not one JSON object", PARTS, "--metadata",
	    "meta");
	BAD(COMMAND_USAGE, "none: No such file", PARTS, "--metadata", "none");
	BAD(COMMAND_USAGE, "not UTF-8", PARTS, "--name", "\xff");
}

/* ---- the command line ---- */

static void test_usage(void **state)
{
	(void)state;
	BAD(COMMAND_USAGE, "which --kernel", "--output", "image");
	BAD(COMMAND_USAGE, "--cmdline TEXT or", WITHOUT_CMDLINE);
	BAD(COMMAND_USAGE, "either --cmdline or", PARTS, "--cmdline-file",
	    "empty");
	BAD(COMMAND_USAGE, "at least one --ramdisk", "--kernel", "kernel",
	    "--cmdline", "");
	BAD(COMMAND_USAGE, "which --output", "--kernel", "kernel", "--cmdline",
	    "", "--ramdisk", "boot");
	BAD(COMMAND_USAGE, "--kernel is given twice", PARTS, "--kernel", "app");
	BAD(COMMAND_USAGE, "go together", PARTS, "--private-key", "key");
	BAD(COMMAND_USAGE, "go together", PARTS, "--signing-certificate", "c");
	BAD(COMMAND_USAGE, "--surprise: no such option", PARTS, "--surprise");
	BAD(COMMAND_USAGE, "--name needs a value", PARTS, "--name");
	BAD(COMMAND_USAGE, "app: every file has an option", PARTS, "app");
	says("Try: hallmark eif build --help", true);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_good),
	    TEST(test_header_options),
	    TEST(test_reproducible),
	    TEST(test_epochs),
	    TEST(test_cmdline),
	    TEST(test_bad_parts),
	    TEST(test_sections_max),
	    TEST(test_large_part),
	    TEST(test_no_room),
	    TEST(test_kernel_of_another_kind),
	    TEST(test_metadata),
	    TEST(test_usage),
	};

	return cmocka_run_group_tests_name("eif build", tests, NULL, NULL);
}
