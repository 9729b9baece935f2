/* archive: what was announced is there after kill -9 at any moment. */
#include "archive_fixture.h"

/* Commits batches and announces each number only then, until it is killed. */
static void announce_for_ever(struct fixture *f, int out)
{
	uint64_t sequence = 0;
	char content[64];

	for (;;) {
		struct record *list = NULL, *r;
		uint64_t first = sequence;

		for (int i = 0; i < 3; i++) {
			snprintf(content, sizeof(content), "item %llu",
			    (unsigned long long)sequence);
			r = made_record(
			    f->document, "BTC-USD", 1, sequence++, content);
			r->next = list;
			list = r;
		}
		if (archive_commit(f->archive, list, f->error))
			_exit(1);
		for (uint64_t i = first; i < sequence; i++)
			if (write(out, &i, sizeof(i)) != sizeof(i))
				_exit(1);
		while ((r = list)) {
			list = r->next;
			record_free(r);
		}
	}
}

static void kill_after(struct fixture *f, useconds_t us, uint64_t *announced)
{
	uint64_t number;
	int pipes[2], status;
	pid_t pid;

	archive_close(f->archive);
	f->archive = NULL;
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pipes[0]);
		if (archive_open(&f->archive, f->path, f->error))
			_exit(1);
		announce_for_ever(f, pipes[1]);
	}
	close(pipes[1]);
	usleep(us);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	*announced = 0;
	while (read(pipes[0], &number, sizeof(number)) == sizeof(number))
		*announced = number + 1;
	close(pipes[0]);
}

static void test_kill_9(void **state)
{
	struct fixture *f = *state;
	uint64_t total = 0;

	for (int round = 0; round < 12; round++) {
		uint64_t announced;

		kill_after(f, (useconds_t)(3000 + 7000 * round), &announced);
		assert_int_equal(
		    archive_open(&f->archive, f->path, f->error), 0);
		total += announced;
		/* All that was announced, and the chain has no holes. */
		assert_true(
		    ask(f, "SELECT count(*) FROM items") >= (int64_t)announced);
		assert_int_equal(ask(f, "SELECT count(*) = max(sequence) + 1"
					" OR count(*) = 0 FROM items"),
		    1);
		assert_int_equal(ask(f, "SELECT count(*) FROM items WHERE"
					" content != 'item ' || sequence"),
		    0);
		assert_int_equal(ask(f, "SELECT count(*) FROM"
					" pragma_integrity_check WHERE"
					" integrity_check != 'ok'"),
		    0);
		(void)ask(f, "DELETE FROM items");
		(void)ask(f, "DELETE FROM heads");
	}
	assert_true(total > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_kill_9, setup, teardown),
	};

	return cmocka_run_group_tests_name("archive_kill", tests, NULL, NULL);
}
