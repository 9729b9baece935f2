/* oracle_get: one whole answer under its ceiling, or an error, once. */
#include "subscriber_fixture.h"

struct answer {
	struct oracle_get get;
	int calls;
	size_t len;
	char error[128];
};

static void on_answer(
    struct oracle_get *get, const char *error, const uint8_t *body, size_t len)
{
	struct answer *a = get->data;

	a->calls++;
	a->len = len;
	assert_true((error == NULL) == (body != NULL));
	snprintf(a->error, sizeof(a->error), "%s", error ? error : "");
}

static void ask(struct fixture *f, struct answer *a, const char *path,
    const char *type, size_t max)
{
	memset(a, 0, sizeof(*a));
	a->get.data = a;
	oracle_get_start(
	    &a->get, f->curl, &f->address, path, type, max, on_answer);
	assert_int_equal(a->calls, 0);
}

static void test_get(void **state)
{
	struct fixture *f = *state;
	struct answer a;

	ask(f, &a, "/file", "application/cbor", 8);
	TURN_UNTIL(&f->loop, a.calls == 1);
	assert_int_equal(a.len, 8);
	assert_string_equal(a.error, "");
	ask(f, &a, "/file", "application/cbor", 7);
	TURN_UNTIL(&f->loop, a.calls == 1);
	assert_string_equal(a.error, "the answer is too long");
	ask(f, &a, "/file", "application/json", 8);
	TURN_UNTIL(&f->loop, a.calls == 1);
	assert_true(a.error[0] != '\0');
	ask(f, &a, "/absent", "application/cbor", 8);
	TURN_UNTIL(&f->loop, a.calls == 1);
	assert_non_null(strstr(a.error, "404"));
	f->mode = SILENT;
	ask(f, &a, "/stream", "application/cbor", 8);
	TURN_UNTIL(&f->loop, f->kept != NULL);
	oracle_get_cancel(&a.get);
	oracle_get_cancel(&a.get); /* once is enough, twice does no harm */
	TURN_FOR(&f->loop, 50);
	assert_int_equal(a.calls, 0);
	stop_server(f);
	ask(f, &a, "/file", "application/cbor", 8);
	TURN_UNTIL(&f->loop, a.calls == 1);
	assert_true(a.error[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_get, setup, teardown),
	};

	return cmocka_run_group_tests_name("oracle_get", tests, NULL, NULL);
}
