/* archive_text: NDJSON and bundles, good ones and others. */
#include "tests/unit/archive/source_fixture.h"

#define LONG (HM_ENVELOPE_MAX + 10)

static struct told told;
static char *document, *item[3], *full[3], *head;

/* An envelope whose content calls itself a head; nobody verifies it here. */
static char *make_head(void)
{
	static char content[] = "{\"format\":\"hallmark-head/1\",\"x\":1}";
	uint8_t signature[256] = {1};
	struct hm_envelope e = {
	    .content = content,
	    .content_len = sizeof(content) - 1,
	    .signature = signature,
	    .signature_len = sizeof(signature),
	    .public_key = mint.pem,
	    .platform = "simulated",
	};

	SHA256(mint.document, mint.document_len, e.attestation_sha256);
	return envelope_format(&e, false);
}

static int set_up(void **state)
{
	make_mint(state);
	document = text_document();
	for (unsigned i = 0; i < 3; i++) {
		item[i] = text_item(i, false);
		full[i] = text_item(i, true);
	}
	head = make_head();
	return 0;
}

static int tear_down(void **state)
{
	free(document);
	free(head);
	for (int i = 0; i < 3; i++) {
		free(item[i]);
		free(full[i]);
	}
	return free_mint(state);
}

static void tell_lines(const char *a, const char *b, const char *c)
{
	char *text;

	assert_true(asprintf(&text, "%s\n%s\n%s", a, b, c) > 0);
	tell_text(&told, text);
	free(text);
}

/* ---- NDJSON ---- */

static void test_nothing(void **state)
{
	(void)state;
	tell_text(&told, "");
	assert_string_equal(told.word, "");
	tell_text(&told, " \n\r\n\n\t\n");
	assert_string_equal(told.word, "");
}

static void test_lines(void **state)
{
	(void)state;
	tell_lines(document, item[0], item[1]);
	assert_string_equal(told.word, "DII");
	tell_lines(document, head, item[1]);
	assert_string_equal(told.word, "DHI");
}

/* The document is parted from the item, and given once. */
static void test_full_form(void **state)
{
	(void)state;
	tell_lines(full[0], full[1], item[2]);
	assert_string_equal(told.word, "DIII");
}

static void test_no_document(void **state)
{
	(void)state;
	tell_lines(item[0], item[1], document);
	assert_string_equal(told.word, "IID");
}

static void test_bad_lines(void **state)
{
	static const char *const lines[] = {"{", "{}", "[]", "null", "\"\"",
	    "{\"content\":\"x\"}", "x",
	    ("{\"attestation_sha256\":\"aa\",\"platform\":\"simulated\","
	     "\"public_key\":\"k\",\"attestation_doc_b64\":\"AA==\"}")};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		tell_lines(full[0], lines[i], item[1]);
		assert_string_equal(told.word, "DIXI");
		assert_non_null(strstr(told.problems, "line 2: neither"));
	}
}

static void test_two_on_a_line(void **state)
{
	char *text;

	(void)state;
	assert_true(asprintf(&text, "%s%s", item[0], item[1]) > 0);
	tell_lines(document, text, item[2]);
	assert_string_equal(told.word, "DXI");
	free(text);
}

static void test_long_line(void **state)
{
	char *line = malloc(3 * LONG + 1);
	size_t lengths[] = {HM_ENVELOPE_MAX + 1, LONG, 3 * LONG};

	(void)state;
	for (int i = 0; i < 3; i++) {
		memset(line, ' ', lengths[i]);
		line[lengths[i]] = '\0';
		tell_lines(document, line, item[2]);
		assert_string_equal(told.word, "DXI");
		assert_non_null(strstr(told.problems, "line 2: longer"));
	}
	free(line);
}

/* A document under a hash that is not its own is not given. */
static void test_other_document(void **state)
{
	char *other = strdup(document);
	char *at = strstr(other, "attestation_sha256\":\"") + 21;

	(void)state;
	at[5] = at[5] == 'a' ? 'b' : 'a';
	tell_lines(other, item[0], item[1]);
	assert_string_equal(told.word, "XII");
	free(other);
	other = strdup(full[0]);
	at = strstr(other, "attestation_sha256\":\"") + 21;
	at[5] = at[5] == 'a' ? 'b' : 'a';
	tell_lines(other, document, item[1]);
	assert_string_equal(told.word, "XIDI");
	free(other);
}

static void test_other_key(void **state)
{
	char *other = strdup(document);

	(void)state;
	strstr(other, "simulated")[0] = 'x';
	tell_lines(other, item[0], item[1]);
	assert_string_equal(told.word, "DXII");
	assert_non_null(strstr(told.problems, "line 2: its attestation"));
	free(other);
}

/* 70 documents in turn: each is read again when it was forgotten. */
static void test_many_documents(void **state)
{
	struct hm_envelope e = {.content = (char[]){"x"},
	    .content_len = 1,
	    .signature = (uint8_t[]){1},
	    .signature_len = 1,
	    .public_key = (char[]){"key"},
	    .platform = "simulated",
	    .document_len = 1};
	char *text = calloc(140, 512);
	uint8_t byte;

	(void)state;
	for (int i = 0; i < 140; i++) {
		char *line;

		byte = (uint8_t)(i % 70);
		e.document = &byte;
		SHA256(&byte, 1, e.attestation_sha256);
		line = envelope_format(&e, i < 70);
		snprintf(text + strlen(text), 512, "%s\n", line);
		free(line);
	}
	tell_text(&told, text);
	assert_int_equal(told.items, 140);
	assert_int_equal(told.len, 280);
	assert_string_equal(told.problems, "");
	free(text);
}

/* ---- bundle ---- */

#define HEAD                                                      \
	"{\"format\":\"hallmark-bundle/1\",\n\"created_ms\":5,\n" \
	"\"policy\":{\"a\":[1]},\n\"roots\":[],\n"

/* The caller frees it. */
static char *bundle(const char *documents, const char *items, const char *heads)
{
	char *text;

	assert_true(asprintf(&text,
			HEAD "\"attestations\":[\n%s\n],\n\"items\":[\n%s\n],\n"
			     "\"tree_heads\":[\n%s\n]}\n",
			documents, items, heads) > 0);
	return text;
}

static char *two(const char *between)
{
	char *items, *text;

	assert_true(asprintf(&items, "%s%s%s", item[0], between, item[1]) > 0);
	text = bundle(document, items, head);
	free(items);
	return text;
}

static void test_bundle(void **state)
{
	char *text = two(",\n");

	(void)state;
	tell_text(&told, text);
	assert_string_equal(told.word, "DIIH");
	free(text);
	text = bundle("", "", "");
	tell_text(&told, text);
	assert_string_equal(told.word, "");
	free(text);
}

/* As jq writes it. */
static void test_pretty(void **state)
{
	char *text = two(",\n"), *pretty;
	json_t *root = json_loads(text, 0, NULL);

	(void)state;
	pretty = json_dumps(root, JSON_INDENT(2));
	tell_text(&told, pretty);
	assert_string_equal(told.word, "DIIH");
	json_decref(root);
	free(pretty);
	free(text);
}

static void expect_bundle(char *text, const char *word, const char *problem)
{
	tell_text(&told, text);
	if (strcmp(told.word, word) != 0 || !strstr(told.problems, problem))
		fail_msg("%s\n%s", told.word, told.problems);
	free(text);
}

static void test_damaged_members(void **state)
{
	(void)state;
	expect_bundle(two("\n"), "DIXIH", "item 2: comes without a comma");
	expect_bundle(two(",,\n"), "DIXIH", "item 2: is no JSON object");
	expect_bundle(two(",\n7,\n"), "DIXIH", "item 2: is no JSON object");
	expect_bundle(two(",\n{},\n"), "DIXIH", "item 2: neither");
	expect_bundle(two(",\n{\"a,\n"), "DIXIH", "item 2: is no JSON object");
	expect_bundle(
	    bundle("", "{}", "{},"), "XXX", "tree head 2: is missing");
	expect_bundle(bundle("", document, item[0]), "XX",
	    "item 1: does not belong into this list");
	expect_bundle(bundle(item[0], "", ""), "X", "attestation 1: does not");
	expect_bundle(bundle("", "", "[{}]"), "X", "is no JSON object");
}

static void test_ends(void **state)
{
	char *text = two(",\n"), *more;
	size_t len = strlen(text);

	(void)state;
	assert_true(asprintf(&more, "%s {}", text) > 0);
	expect_bundle(more, "DIIHX", "behind the bundle's end");
	text[len - 2] = '\0';
	tell_text(&told, text);
	assert_string_equal(told.word, "DIIHX");
	text[len - 3] = '\0';
	tell_text(&told, text);
	assert_string_equal(told.word, "DIIHX");
	*(strstr(text, "\"tree_heads\"") + 3) = 'x';
	tell_text(&told, text);
	assert_non_null(strstr(told.problems, "is no list of the bundle"));
	free(text);
}

/* Wherever it is cut, it is no bundle, or it is told. */
static void test_truncated(void **state)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX];
	char *text = two(",\n");
	struct archive_source *source;

	(void)state;
	for (size_t len = 30; len + 1 < strlen(text); len += 7) {
		if (archive_text_open_memory(&source, text, len, error))
			continue;
		tell_source(&told, source);
		assert_non_null(strchr(told.word, 'X'));
	}
	free(text);
}

#define BARE                                                                \
	"{\"format\":\"hallmark-bundle/1\",\"created_ms\":5,\"policy\":{}," \
	"\"roots\":[],"
#define FILE_C "{\"file\":\"c\",\"b64\":\"AA==\"}"

static void test_with_collateral(void **state)
{
	static const char text[] = BARE
	    "\"collateral\":[" FILE_C " , " FILE_C "],"
	    "\"attestations\":[],\"items\":[],\"tree_heads\":[]}";
	char error[ARCHIVE_SOURCE_ERROR_MAX];
	struct archive_source *source;

	(void)state;
	assert_int_equal(
	    archive_text_open_memory(&source, text, strlen(text), error), 0);
	assert_int_equal(
	    json_array_size(archive_source_bundle(source)->collateral), 2);
	tell_source(&told, source);
	assert_string_equal(told.word, "");
}

/* More files than there may be. */
static void test_much_collateral(void **state)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX], *text = NULL;
	struct archive_source *source;

	(void)state;
	for (int more = 0; more < 2; more++) {
		size_t len;
		FILE *out = open_memstream(&text, &len);

		fprintf(out, BARE "\"collateral\":[" FILE_C);
		for (int i = 1; i < ARCHIVE_BUNDLE_FILES_MAX + more; i++)
			fprintf(out, "," FILE_C);
		fprintf(out, "],\"attestations\":[],\"items\":[],"
			     "\"tree_heads\":[]}");
		fclose(out);
		assert_int_equal(
		    archive_text_open_memory(&source, text, len, error),
		    more ? -1 : 0);
		archive_source_close(source);
		free(text);
	}
}

static void test_not_a_bundle(void **state)
{
	static const char *const heads[] = {
	    "{\"format\":\"hallmark-bundle/1\"}",
	    "{\"format\":\"hallmark-bundle/1\",\"created_ms\":05,"
	    "\"policy\":{},\"roots\":[],",
	    "{\"format\":\"hallmark-bundle/1\",\"created_ms\":"
	    "9999999999999999,\"policy\":{},\"roots\":[],",
	    "{\"format\":\"hallmark-bundle/1\",\"created_ms\":5,"
	    "\"policy\":[],\"roots\":[],",
	    "{\"format\":\"hallmark-bundle/1\",\"created_ms\":5,"
	    "\"policy\":{\"a\":1,\"a\":2},\"roots\":[],",
	    "{\"format\":\"hallmark-bundle/1\",\"created_ms\":5,"
	    "\"policy\":{},\"roots\":[{\"file\":\"x\"}],",
	    "{\"format\":\"hallmark-bundle/1\",\"created_ms\":5,"
	    "\"policy\":{},\"roots\":[{\"file\":1,\"pem\":\"\"}],",
	    "{\"format\":\"hallmark-bundle/1\",\"roots\":[],",
	    BARE "\"collateral\":[],",
	    BARE "\"collateral\":{},",
	    BARE "\"collateral\":[" FILE_C "]",
	    BARE "\"collateral\":[" FILE_C ",],",
	    BARE "\"collateral\":[" FILE_C FILE_C "],",
	    BARE "\"collateral\":[{\"file\":\"c\",\"pem\":\"\"}],",
	    BARE "\"collateral\":[{\"file\":\"c\"}],",
	};
	char error[ARCHIVE_SOURCE_ERROR_MAX];
	struct archive_source *source;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		assert_int_equal(archive_text_open_memory(&source, heads[i],
				     strlen(heads[i]), error),
		    -1);
		assert_non_null(strstr(error, "is no bundle"));
	}
}

/* ---- its policy ---- */

static struct hm_policy *policy_of(const char *policy, const char *roots,
    char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	struct archive_bundle_about about = {
	    .policy = json_loads(policy, 0, NULL),
	    .roots = json_loads(roots, 0, NULL),
	};
	struct hm_policy *made = NULL;
	int rc = archive_bundle_policy(&made, &about, error);

	assert_int_equal(rc, made ? 0 : -1);
	archive_bundle_about_fini(&about);
	return made;
}

#define RELEASE                                                          \
	"\"releases\":[{\"name\":\"1\",\"pcrs\":{\"0\":\"00000000000000" \
	"00000000000000000000000000000000000000000000000000000000000000" \
	"00000000000000000001\"}}]}"

static void test_policy(void **state)
{
	static const char pinned[] = "{\"roots\":[\"aws-nitro-g1\"]," RELEASE;
	static const char named[] = "{\"root_files\":[\"a.pem\"]," RELEASE;
	static const char twice[] =
	    "{\"root_files\":[\"a.pem\",\"a.pem\"]," RELEASE;
	char error[ARCHIVE_SOURCE_ERROR_MAX];
	char *pem = NULL, *roots;
	struct hm_policy *policy;
	json_t *text;

	(void)state;
	policy = policy_of(pinned, "[]", error);
	assert_non_null(policy);
	hm_policy_free(policy);
	assert_null(policy_of("{}", "[]", error));
	assert_null(policy_of("{\"x\":1}", "[]", error));
	assert_null(policy_of(named, "[]", error));
	assert_non_null(strstr(error, "a.pem"));
	text = json_pack("[{s:s, s:s}]", "file", "a.pem", "pem",
	    mint.attester->ops->root_pem(mint.attester));
	roots = json_dumps(text, 0);
	policy = policy_of(named, roots, error);
	assert_non_null(policy);
	hm_policy_free(policy);
	/* one that nobody asked for; one twice; one that is none */
	assert_null(policy_of(pinned, roots, error));
	json_array_append(text, json_array_get(text, 0));
	pem = json_dumps(text, 0);
	assert_null(policy_of(named, pem, error));
	assert_null(policy_of(twice, pem, error));
	assert_non_null(strstr(error, "a.pem"));
	assert_null(
	    policy_of(named, "[{\"file\":\"a.pem\",\"pem\":\"x\"}]", error));
	json_decref(text);
	free(roots);
	free(pem);
}

/* The hash is of what it says, not of how; and of the roots and collateral. */
static void assert_hash(const char *policy, const char *roots,
    const char *collateral, const char *text)
{
	struct archive_bundle_about about = {
	    .policy = json_loads(policy, 0, NULL),
	    .roots = json_loads(roots, 0, NULL),
	    .collateral = collateral ? json_loads(collateral, 0, NULL) : NULL,
	};
	uint8_t wanted[32];

	assert_int_equal(archive_bundle_hash(&about), 0);
	SHA256((const uint8_t *)text, strlen(text), wanted);
	assert_memory_equal(about.sha256, wanted, 32);
	archive_bundle_about_fini(&about);
}

static void test_hash(void **state)
{
	static const char plain[] =
	    "{\"policy\":{\"a\":1,\"b\":[]},\"roots\":[]}";

	(void)state;
	assert_hash("{ \"a\": 1, \"b\": [] }", "[]", NULL, plain);
	assert_hash("{\"b\":[],\"a\":1}", "[ ]", NULL, plain);
	assert_hash("{}", "[1]", NULL, "{\"policy\":{},\"roots\":[1]}");
	assert_hash("{}", "[]", "[ 2]",
	    "{\"collateral\":[2],\"policy\":{},\"roots\":[]}");
}

/* ---- files ---- */

static void test_file_and_pipe(void **state)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX], *text;
	struct archive_source *source;
	struct folder f;
	int ends[2];

	(void)state;
	folder_make(&f);
	assert_true(asprintf(&text, "%s\n%s\n", full[0], item[1]) > 0);
	write_file(f.file, text, strlen(text));
	tell_path(&told, f.file);
	assert_string_equal(told.word, "DII");
	assert_int_equal(pipe(ends), 0);
	assert_true(write(ends[1], text, strlen(text)) > 0);
	close(ends[1]);
	assert_int_equal(
	    archive_source_open_fd(&source, ends[0], "pipe", error), 0);
	tell_source(&told, source);
	assert_string_equal(told.word, "DII");
	assert_int_equal(archive_source_open(&source, f.path, error), -1);
	assert_string_equal(error, "is a directory");
	free(text);
	folder_drop(&f);
	assert_int_equal(archive_source_open(&source, f.file, error), -1);
	assert_null(source);
}

/* More than the window holds, and lines of all lengths over its edges. */
static void test_large_file(void **state)
{
	struct folder f;
	FILE *file;

	(void)state;
	folder_make(&f);
	file = fopen(f.file, "w");
	fprintf(file, "%s\n", document);
	for (int i = 0; i < 900; i++)
		fprintf(file, "%*s%s\n", i, "", item[i % 3]);
	fclose(file);
	{
		char error[ARCHIVE_SOURCE_ERROR_MAX];
		struct archive_source *source;
		struct archive_entry e;
		int count = 0;

		assert_int_equal(
		    archive_source_open(&source, f.file, error), 0);
		while (archive_source_next(source, &e)) {
			assert_int_not_equal(e.kind, ARCHIVE_ENTRY_DAMAGED);
			count++;
		}
		archive_source_close(source);
		assert_int_equal(count, 901);
	}
	folder_drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_full_form),
	    cmocka_unit_test(test_no_document),
	    cmocka_unit_test(test_bad_lines),
	    cmocka_unit_test(test_two_on_a_line),
	    cmocka_unit_test(test_long_line),
	    cmocka_unit_test(test_other_document),
	    cmocka_unit_test(test_other_key),
	    cmocka_unit_test(test_many_documents),
	    cmocka_unit_test(test_bundle),
	    cmocka_unit_test(test_pretty),
	    cmocka_unit_test(test_damaged_members),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_with_collateral),
	    cmocka_unit_test(test_much_collateral),
	    cmocka_unit_test(test_not_a_bundle),
	    cmocka_unit_test(test_policy),
	    cmocka_unit_test(test_hash),
	    cmocka_unit_test(test_file_and_pipe),
	    cmocka_unit_test(test_large_file),
	};

	return cmocka_run_group_tests_name(
	    "archive_text", tests, set_up, tear_down);
}
