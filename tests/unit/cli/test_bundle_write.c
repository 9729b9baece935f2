/* bundle_write: what it writes is read; what fails leaves the old one. */
#include "verifier/cli/bundle_write.h"

#include "tests/unit/archive/source_fixture.h"

#include "verifier/cli/bundle_policy.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

static struct folder folder;
static struct archive_bundle_about about;
static struct told told;
static char *document, *item;

static int setup(void **state)
{
	make_mint(state);
	folder_make(&folder);
	about.created_ms = 5;
	about.policy = json_pack("{s:i}", "b", 1);
	about.roots = json_array();
	document = text_document();
	item = text_item(0, false);
	return 0;
}

static int teardown(void **state)
{
	archive_bundle_about_fini(&about);
	free(document);
	free(item);
	folder_drop(&folder);
	return free_mint(state);
}

static int files_in_folder(void)
{
	DIR *dir = opendir(folder.path);
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

static void add_items(struct bundle_write *w, int count)
{
	assert_int_equal(bundle_write_add(w, BUNDLE_ATTESTATIONS, document), 0);
	for (int i = 0; i < count; i++)
		assert_int_equal(bundle_write_add(w, BUNDLE_ITEMS, item), 0);
}

static void test_read_back(void **state)
{
	struct bundle_write w;
	json_error_t error;
	json_t *root;

	(void)state;
	for (int count = 0; count < 3; count++) {
		assert_int_equal(
		    bundle_write_begin(&w, folder.file, &about), 0);
		add_items(&w, count);
		assert_int_equal(w.counts[BUNDLE_ITEMS], count);
		assert_int_equal(bundle_write_end(&w), 0);
		assert_int_equal(files_in_folder(), 1);
		tell_path(&told, folder.file);
		assert_string_equal(told.word, count == 0   ? "D"
					       : count == 1 ? "DI"
							    : "DII");
		root = json_load_file(
		    folder.file, JSON_REJECT_DUPLICATES, &error);
		assert_non_null(root);
		assert_int_equal(json_object_size(root), 7);
		json_decref(root);
	}
}

static void test_dropped(void **state)
{
	struct bundle_write w;

	(void)state;
	write_file(folder.file, "old", 3);
	assert_int_equal(bundle_write_begin(&w, folder.file, &about), 0);
	add_items(&w, 1);
	bundle_write_drop(&w);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(bundle_write_begin(&w, "/nowhere/x", &about), -2);
}

/* As on a full disk. */
static void test_no_room(void **state)
{
	struct rlimit before, small = {4096, RLIM_INFINITY};
	struct bundle_write w;
	int rc = 0;

	(void)state;
	write_file(folder.file, "old", 3);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small.rlim_max = before.rlim_max;
	assert_int_equal(bundle_write_begin(&w, folder.file, &about), 0);
	setrlimit(RLIMIT_FSIZE, &small);
	for (int i = 0; i < 20 && rc == 0; i++)
		rc = bundle_write_add(&w, BUNDLE_ITEMS, item);
	if (rc)
		bundle_write_drop(&w);
	else
		rc = bundle_write_end(&w);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_true(rc < 0);
	assert_int_equal(files_in_folder(), 1);
}

/* ---- the policy that goes in ---- */

static void write_policy(const char *policy, bool with_root)
{
	char path[160];
	const char *pem = mint.attester->ops->root_pem(mint.attester);

	write_file(folder.file, policy, strlen(policy));
	snprintf(path, sizeof(path), "%s/root.pem", folder.path);
	if (with_root)
		write_file(path, pem, strlen(pem));
	else
		unlink(path);
}

#define RELEASE                                                          \
	"\"releases\":[{\"name\":\"1\",\"pcrs\":{\"0\":\"00000000000000" \
	"00000000000000000000000000000000000000000000000000000000000000" \
	"00000000000000000001\"}}]}"
#define POLICY "{\"root_files\":[\"root.pem\"]," RELEASE

static void test_policy(void **state)
{
	char error[POLICY_FILE_ERROR_MAX];
	struct archive_bundle_about loaded;
	uint8_t first[HM_SHA256_LEN];

	(void)state;
	write_policy(POLICY, true);
	assert_int_equal(bundle_policy_load(&loaded, folder.file, error), 0);
	assert_int_equal(json_array_size(loaded.roots), 1);
	memcpy(first, loaded.sha256, HM_SHA256_LEN);
	archive_bundle_about_fini(&loaded);
	write_policy("\n" POLICY "\n", true);
	assert_int_equal(bundle_policy_load(&loaded, folder.file, error), 0);
	assert_memory_equal(first, loaded.sha256, HM_SHA256_LEN);
	archive_bundle_about_fini(&loaded);
	write_policy(POLICY, false);
	assert_int_equal(bundle_policy_load(&loaded, folder.file, error), -1);
	assert_non_null(strstr(error, "root.pem"));
	write_policy("{\"x\":1}", false);
	assert_int_equal(bundle_policy_load(&loaded, folder.file, error), -1);
	write_policy("{", false);
	assert_int_equal(bundle_policy_load(&loaded, folder.file, error), -1);
	write_policy("{\"root_files\":[1]," RELEASE, false);
	assert_int_equal(bundle_policy_load(&loaded, folder.file, error), -1);
	assert_int_equal(bundle_policy_load(&loaded, folder.path, error), -1);
	assert_null(loaded.policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read_back),
	    cmocka_unit_test(test_dropped),
	    cmocka_unit_test(test_no_room),
	    cmocka_unit_test(test_policy),
	};

	return cmocka_run_group_tests_name(
	    "bundle_write", tests, setup, teardown);
}
