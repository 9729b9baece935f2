/* pcrs: what it says of good images, the policy that it writes, and that of
 * others it says why, with the right exit code, and nothing else. */
#include "eif_folder.h"

#include "tests/unit/eif/eif_fixture.h"
#include "tests/unit/eif/eif_signer.h"
#include "verifier/eif/eif_signature.h"
#include "verifier/hallmark.h"

#include <fcntl.h>
#include <jansson.h>

#define PCRS(...) RUN(command_pcrs, stdout, __VA_ARGS__)
#define BAD(code, why, ...)                                        \
	do {                                                       \
		assert_int_equal(                                  \
		    RUN(command_pcrs, stderr, __VA_ARGS__), code); \
		says(why, true);                                   \
		assert_int_equal(PCRS(__VA_ARGS__), code);         \
		assert_string_equal(said, "");                     \
	} while (0)

static struct image image;
static struct fixture fixture;

static void write_image(void)
{
	fixture_render(&image, &fixture);
	write_file("image", image.bytes, image.len);
}

static int setup(void **state)
{
	fixture = fixture_good;
	if (make_folder(state))
		return -1;
	write_image();
	return 0;
}

#define PCR0_TEXT                                            \
	"6f236bedd341cac04895cbda513739f78682c1c33934656704" \
	"f5072de95cc8b33d98d99292b21d8c7551c45a6b54a1f8"

static void test_text(void **state)
{
	(void)state;
	assert_int_equal(PCRS("image"), COMMAND_OK);
	says("PCR0       " PCR0_TEXT "\n", true);
	says("PCR1       478dea37c4", true);
	says("PCR2       b76036a696", true);
	says("PCR8", false);
	says("EIF version 4 for x86_64", true);
	says("cmdline    console=ttyS0\n", true);
	says("signature  none\n", true);
	says("one ramdisk", false);
	fixture.count = 4;
	fixture.flags = EIF_FLAG_ARM64;
	write_image();
	assert_int_equal(PCRS("image"), COMMAND_OK);
	says("for arm64", true);
	says("one ramdisk: PCR2 is that of no data", true);
}

static void test_standard_input(void **state)
{
	int kept = dup(STDIN_FILENO), fd = open("image", O_RDONLY);

	(void)state;
	assert_true(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	assert_int_equal(PCRS("-"), COMMAND_OK);
	dup2(kept, STDIN_FILENO);
	close(kept);
	close(fd);
	says("PCR0       " PCR0_TEXT "\n", true);
}

static json_t *run_json(void)
{
	json_t *root;

	assert_int_equal(PCRS("image", "--json"), COMMAND_OK);
	root = json_loads(said, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	return root;
}

static void test_json(void **state)
{
	json_t *root = run_json();

	(void)state;
	says("\"PCR0\": \"" PCR0_TEXT "\"", true);
	assert_true(json_is_true(json_object_get(root, "CheckCRC")));
	assert_true(json_is_false(json_object_get(root, "IsSigned")));
	assert_true(json_is_null(json_object_get(root, "SignatureCheck")));
	assert_true(json_is_object(json_object_get(root, "Metadata")));
	assert_int_equal(json_array_size(json_object_get(root, "Sections")), 5);
	json_decref(root);
	/* before there was metadata */
	fixture.version = 2;
	fixture.sections[2] = fixture.sections[4];
	fixture.count = 4;
	write_image();
	root = run_json();
	assert_int_equal(
	    json_integer_value(json_object_get(root, "EifVersion")), 2);
	json_decref(root);
	/* numbers that nobody uses, and JSON has not */
	memset(image.bytes + 8, 0xff, 16);
	fixture_seal(&image);
	write_file("image", image.bytes, image.len);
	root = run_json();
	assert_true(json_is_null(json_object_get(root, "DefaultMemory")));
	json_decref(root);
}

/* ---- signed ---- */

static struct signer signer;
static uint8_t *section;

static void sign(EVP_PKEY *key)
{
	struct eif_reader reader;
	size_t len;

	free(section);
	fixture = fixture_good;
	fixture_render(&image, &fixture);
	assert_int_equal(
	    fixture_read(&reader, image.bytes, image.len, 99), EIF_NONE);
	assert_int_equal(
	    eif_signature_make(&section, &len,
		(struct slice){(uint8_t *)signer.pem, strlen(signer.pem)}, key,
		reader.pcrs[0]),
	    0);
	eif_reader_fini(&reader);
	fixture.sections[fixture.count++] = (struct fixture_section){
	    EIF_SIGNATURE, 0, section, len};
	write_image();
}

static void test_signed(void **state)
{
	EVP_PKEY *other = EVP_EC_gen("P-384");
	json_t *root;

	(void)state;
	signer_init(&signer, "P-384");
	sign(signer.key);
	assert_int_equal(PCRS("image"), COMMAND_OK);
	says("PCR8       ", true);
	says("signature  right, by CN=test signer, until 20", true);
	root = run_json();
	assert_true(json_is_true(json_object_get(root, "SignatureCheck")));
	says("\"Subject\": \"CN=test signer\"", true);
	json_decref(root);
	/* the signature of another image */
	fixture.sections[4].bytes = "App";
	write_image();
	BAD(3, "REFUSED section 5 (signature): the signature", "image");
	sign(other);
	BAD(3, "(signature_wrong)", "image");
	section[0] = 0x82;
	write_image();
	BAD(2, "(signature_form)", "image");
	free(section);
	section = NULL;
	signer_fini(&signer);
	EVP_PKEY_free(other);
}

/* ---- the policy ---- */

/* What was said is a policy that can be used. */
static void check_policy(void)
{
	write_text("policy", said);
	assert_int_equal(RUN(command_policy_check, stdout, "policy"), 0);
}

static void test_policy(void **state)
{
	(void)state;
	assert_int_equal(PCRS("image", "--policy", "1.4.0"), COMMAND_OK);
	says("\"0\": \"" PCR0_TEXT "\"", true);
	says("\"16\"", false);
	check_policy();
	says("root     aws-nitro-g1, for platform aws-nitro\n", true);
	says("release  1.4.0: PCR 0 1 2\n", true);
	says("PCR16 is not pinned", true);
}

static void test_policy_with_configuration(void **state)
{
	char wanted[120];

	(void)state;
	write_text("config", "{}");
	assert_int_equal(RUN(command_config_pcr, stdout, "config"), 0);
	snprintf(wanted, sizeof(wanted), "\"16\": \"%.96s\"", said);
	assert_int_equal(
	    PCRS("image", "--policy", "a", "--config", "config"), COMMAND_OK);
	says(wanted, true);
	check_policy();
	says("release  a: PCR 0 1 2 16\n", true);
	BAD(COMMAND_USAGE, "none: No such file", "image", "--policy", "a",
	    "--config", "none");
}

/* SHA384(48 zero bytes || SHA384("{}")), by other software. */
#define CONFIG_PCR_KNOWN                                     \
	"5f39faa6110e0462f66fba1b16366971d894162ff3e4b6ac44" \
	"7fe32ba772fc740f5761c509cedd184340db8e84f54630"

static void test_config_pcr(void **state)
{
	(void)state;
	write_text("config", "{}");
	assert_int_equal(RUN(command_config_pcr, stdout, "config"), 0);
	assert_int_equal(strlen(said), 2 * HM_PCR_LEN + 1);
	assert_memory_equal(said, CONFIG_PCR_KNOWN, 2 * HM_PCR_LEN);
	assert_int_equal(
	    RUN(command_config_pcr, stderr, "none"), COMMAND_USAGE);
	says("hallmark config-pcr: none: No such file", true);
	assert_int_equal(
	    RUN(command_config_pcr, stderr, "/dev/zero"), COMMAND_USAGE);
	says("too large", true);
}

static void test_policy_root(void **state)
{
	char long_name[200];

	(void)state;
	assert_int_equal(
	    PCRS("image", "--policy", "a", "--root", "own.pem"), COMMAND_OK);
	says("\"root_files\"", true);
	says("\"own.pem\"", true);
	says("\"roots\"", false);
	memset(long_name, 'x', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	BAD(COMMAND_USAGE, "--policy, --root", "image", "--policy", long_name);
	BAD(COMMAND_USAGE, "--policy, --root", "image", "--policy", "\xff");
	BAD(COMMAND_USAGE, "--policy, --root", "image", "--policy", "a",
	    "--root", "");
}

/* ---- refused ---- */

static void test_refused(void **state)
{
	(void)state;
	image.len--;
	write_file("image", image.bytes, image.len);
	BAD(2, "image: REFUSED section 4 (ramdisk) at byte 635", "image");
	BAD(2, "(short)", "image", "--json");
	BAD(2, "(short)", "image", "--policy", "a");
	BAD(2, "empty: REFUSED at byte 0: the file ends", "empty");
	BAD(2, "(magic)", "kernel");
	image.len++;
	image.bytes[image.len - 1] ^= 1;
	write_file("image", image.bytes, image.len);
	BAD(2, "(crc)", "image");
	BAD(COMMAND_USAGE, "none: No such file", "none");
	BAD(COMMAND_USAGE, ".: Is a directory", ".");
	/* endless, and no image */
	BAD(2, "(magic)", "/dev/zero");
}

static void test_hostile_metadata(void **state)
{
	static const char *const bad[] = {
	    "[]", "{", "{\"a\":1,\"a\":1}", "{\"a\":\"\xff\"}", "{}}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fixture.sections[2].bytes = bad[i];
		fixture.sections[2].len = strlen(bad[i]);
		write_image();
		BAD(2, "section 2 (metadata)", "image");
	}
	fixture.sections[2].len = 30000;
	fixture.sections[2].bytes = memset(calloc(1, 30000), '[', 30000);
	write_image();
	free((void *)(uintptr_t)fixture.sections[2].bytes);
	BAD(2, "(metadata_form)", "image");
}

/* Nothing in an image moves our terminal's cursor. */
static void test_hostile_texts(void **state)
{
	static const char metadata[] =
	    "{\"ImageName\":\"\\u001b[2J\",\"ImageVersion\":[1],"
	    "\"BuildMetadata\":7}";

	(void)state;
	fixture.sections[1].bytes = "\x1b[2J\x9b\nPCR0   ";
	fixture.sections[2].bytes = metadata;
	fixture.sections[2].len = sizeof(metadata) - 1;
	write_image();
	assert_int_equal(PCRS("image"), COMMAND_OK);
	says("cmdline    ?[2J??PCR0", true);
	says("metadata   ?[2J (not", true);
	for (const char *c = said; *c; c++)
		assert_true(*c == '\n' || (*c >= 0x20 && *c < 0x7f));
	json_decref(run_json());
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(
	    hear(&command_pcrs, stderr, (const char *const[]){NULL}),
	    COMMAND_USAGE);
	says("which IMAGE?", true);
	BAD(COMMAND_USAGE, "more than one", "image", "image");
	BAD(COMMAND_USAGE, "go with --policy", "image", "--config", "a");
	BAD(COMMAND_USAGE, "go with --policy", "image", "--root", "a");
	BAD(COMMAND_USAGE, "either --json", "image", "--json", "--policy", "a");
	BAD(COMMAND_USAGE, "--policy is given twice", "image", "--policy", "a",
	    "--policy", "b");
	BAD(COMMAND_USAGE, "--surprise: no such option", "image", "--surprise");
	BAD(COMMAND_USAGE, "--policy needs a value", "image", "--policy");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, remove_folder)
	const struct CMUnitTest tests[] = {
	    TEST(test_text),
	    TEST(test_standard_input),
	    TEST(test_json),
	    TEST(test_signed),
	    TEST(test_policy),
	    TEST(test_policy_with_configuration),
	    TEST(test_config_pcr),
	    TEST(test_policy_root),
	    TEST(test_refused),
	    TEST(test_hostile_metadata),
	    TEST(test_hostile_texts),
	    TEST(test_usage),
	};

	return cmocka_run_group_tests_name("pcrs", tests, NULL, NULL);
}
