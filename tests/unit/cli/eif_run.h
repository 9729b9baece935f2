/* eif_run: runs `hallmark eif build` in a folder of its own, and reads back
 * what it has written. */
#ifndef HALLMARK_TESTS_CLI_EIF_RUN_H
#define HALLMARK_TESTS_CLI_EIF_RUN_H

#include "eif_folder.h"

#include "verifier/cli/eif_image.h"

#include <jansson.h>

#define PARTS                                                            \
	"--kernel", "kernel", "--cmdline", "console=ttyS0", "--ramdisk", \
	    "boot", "--ramdisk", "app", "--output", "image"
#define BUILD(...) RUN(command_eif_build, stdout, __VA_ARGS__)
#define GOOD(...)  assert_int_equal(BUILD(__VA_ARGS__), COMMAND_OK)
/* Refused with that code, in these words, and no file more than before. */
#define BAD(code, why, ...)                                             \
	do {                                                            \
		int before = count_files(false);                        \
		assert_int_equal(                                       \
		    RUN(command_eif_build, stderr, __VA_ARGS__), code); \
		says(why, true);                                        \
		assert_int_equal(count_files(false), before);           \
	} while (0)

static struct eif_image image;

static inline void read_image(void)
{
	eif_image_fini(&image);
	assert_int_equal(eif_image_open(&image, "image"), 0);
	assert_int_equal(image.fault, EIF_NONE);
}

static inline int teardown(void **state)
{
	eif_image_fini(&image);
	unsetenv("SOURCE_DATE_EPOCH");
	return remove_folder(state);
}

/* nitro-cli's JSON, of which scripts read the PCRs. */
static inline void check_measurements(bool is_signed)
{
	json_t *root = json_loads(said, 0, NULL), *m;
	const char *algorithm;

	m = json_object_get(root, "Measurements");
	algorithm = json_string_value(json_object_get(m, "HashAlgorithm"));
	assert_string_equal(algorithm, "Sha384 { ... }");
	assert_int_equal(json_object_size(root), 1);
	assert_int_equal(json_object_size(m), is_signed ? 5 : 4);
	assert_int_equal(
	    json_string_length(json_object_get(m, "PCR2")), 2 * HM_PCR_LEN);
	assert_int_equal(json_string_length(json_object_get(m, "PCR8")),
	    is_signed ? 2 * HM_PCR_LEN : 0);
	json_decref(root);
}

#endif
