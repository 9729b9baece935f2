/* keeper: the whole program, sandboxed, as an enclave asks it: what is kept
 * comes back, after a restart too; nothing is written twice; what is no
 * question, and what no disk takes. */
#include "tests/unit/vsock-bridge/child.h"

#include "vsock-bridge/keeper.h"

static struct child child;

static void start(const char *settings)
{
	char config[512];

	snprintf(config, sizeof(config),
	    "{\"keeper\": {\"listen\": \"unix://%s\", \"directory\": \".\"}%s}",
	    child.socket_path, settings);
	child_start(&child, config, 1);
}

/* Asks, and wants exactly this answer; len counts what follows the length. */
static void ask(const void *bytes, size_t len, const char *wanted, size_t want)
{
	static char got[KEEPER_BLOB_MAX + 2];
	uint8_t head[4] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len};
	int fd = client_unix(child.socket_path);

	assert_int_equal(send(fd, head, 4, MSG_NOSIGNAL), 4);
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
	assert_int_equal(recv(fd, head, 4, MSG_WAITALL), 4);
	assert_int_equal(head[2] << 8 | head[3], want);
	assert_int_equal(recv(fd, got, want, MSG_WAITALL), want);
	assert_memory_equal(got, wanted, want);
	client_expect_end(fd);
	close(fd);
}

#define ASK(question, wanted) \
	ask(question, sizeof(question) - 1, wanted, sizeof(wanted) - 1)

static bool is_there(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", child.dir, name);
	return access(path, F_OK) == 0;
}

static void restart(void)
{
	kill(child.pid, SIGTERM);
	assert_int_equal(child_wait(&child), 0);
	unlink(child.log_path);
	start("");
}

static void test_keeps(void **state)
{
	(void)state;
	child_init(&child);
	start("");
	ASK("G\5key-1", "N");
	ASK("P\5key-1first", "K");
	ASK("G\5key-1", "Kfirst");
	ASK("P\5key-1second", "K");
	ASK("P\5key-1second", "K"); /* as it is: not another version */
	ASK("P\3keyother", "K");
	restart();
	ASK("G\5key-1", "Ksecond");
	ASK("G\3key", "Kother");
	assert_true(is_there("key-1.1") && is_there("key-1.2"));
	assert_true(is_there("key.1") && !is_there("key-1.3"));
	child_stop(&child);
}

static void test_largest(void **state)
{
	static char put[2 + 1 + KEEPER_BLOB_MAX + 1] = "P\1k";
	(void)state;

	child_init(&child);
	start("");
	memset(put + 3, 'b', KEEPER_BLOB_MAX + 1);
	ask(put, 3 + KEEPER_BLOB_MAX, "K", 1);
	put[2] = 'K'; /* as the answer begins */
	ask("G\1k", 3, put + 2, 1 + KEEPER_BLOB_MAX);
	put[2] = 'k';
	ASK("G\1m", "N");
	/* One more byte: the longest name makes room for it in the frame. */
	ask(put, 4 + KEEPER_BLOB_MAX, "Emalformed: not a question", 26);
	child_stop(&child);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} wrong[] = {{"G", 1}, {"X\1k", 3}, {"G\0", 2}, {"G\2k", 3},
	    {"G\1kmore", 7}, {"P\1k", 3}, {"G\1/", 3}, {"G\1.", 3},
	    {"G\3../", 5}, {"G\2k\0", 4}, {"G\1K", 3}};
	(void)state;

	child_init(&child);
	start("");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ask(wrong[i].bytes, wrong[i].len, "Emalformed: not a question",
		    26);
	child_stop(&child);
}

/* No answer, only an end: a length that is none, half a question, too late. */
static void test_no_question(void **state)
{
	static const char *const heads[] = {"\xff\xff\xff\xff", "\1\0\0\0"};
	int fd;
	(void)state;

	child_init(&child);
	start(", \"request_timeout_ms\": 300");
	for (size_t i = 0; i < 2; i++) {
		fd = client_unix(child.socket_path);
		assert_int_equal(send(fd, heads[i], 4, MSG_NOSIGNAL), 4);
		client_expect_end(fd);
		close(fd);
	}
	fd = client_unix(child.socket_path);
	client_say(fd, "\1\1");
	client_expect_end(fd); /* when its time is over */
	close(fd);
	fd = client_unix(child.socket_path);
	client_say(fd, "\1");
	close(fd);
	ASK("G\1k", "N");
	child_stop(&child);
}

/* An enclave that asks without end gets nothing for a while. */
static void test_pace(void **state)
{
	unsigned answered = 0;
	(void)state;

	child_init(&child);
	start("");
	for (int i = 0; i < 3 * QUESTION_BURST; i++) {
		int fd = client_unix(child.socket_path);
		char answer[8];

		if (send(fd, "\0\0\0\3G\1k", 7, MSG_NOSIGNAL) == 7 &&
		    recv(fd, answer, 5, MSG_WAITALL) == 5)
			answered++;
		close(fd);
	}
	assert_true(answered >= QUESTION_BURST);
	assert_true(answered < 3 * QUESTION_BURST);
	child_stop(&child);
}

/* Files of somebody else's are no versions. */
static void test_other_files(void **state)
{
	(void)state;
	child_init(&child);
	start("");
	child_write_file(&child, "k.0", "zero");
	child_write_file(&child, "k.01", "zeros");
	child_write_file(&child, "k.1x", "a letter");
	child_write_file(&child, "k.12345678", "too high");
	child_write_file(&child, "kk.7", "another name");
	ASK("G\1k", "N");
	child_write_file(&child, "k.7", "seven");
	ASK("G\1k", "Kseven");
	ASK("P\1keight", "K");
	assert_true(is_there("k.8"));
	child_stop(&child);
}

static void test_no_directory(void **state)
{
	char config[256], path[160], program[] = "vsock-bridge",
				     *argv[] = {program, path, 0};
	(void)state;

	child_init(&child);
	snprintf(config, sizeof(config),
	    "{\"keeper\": {\"listen\": \"unix://%s\", \"directory\": "
	    "\"nowhere\"}}",
	    child.socket_path);
	child_write_file(&child, "config.json", config);
	snprintf(path, sizeof(path), "%s/config.json", child.dir);
	child_run(&child, argv, 2);
	assert_int_equal(child_wait(&child), 1);
	assert_int_equal(child_logged(&child, "not a directory"), 1);
	child_fini(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keeps),
	    cmocka_unit_test(test_largest),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_no_question),
	    cmocka_unit_test(test_pace),
	    cmocka_unit_test(test_other_files),
	    cmocka_unit_test(test_no_directory),
	};
	return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
