/*
 * key_rotation: the next key is announced, waits beside the last one and takes
 * its place; what fails on the way is tried again while the last one signs on;
 * stopped in each state that waits.
 */
#include "tests/unit/oracle/rotation_fixture.h"

static bool is_announced(void)
{
	return seen.announced == 1;
}

static bool is_announced_again(void)
{
	return seen.announced == 2;
}

static bool has_switched(void)
{
	return seen.switched == 1;
}

static bool has_switched_twice(void)
{
	return seen.switched == 2;
}

/* As if nothing had been tried. */
static void the_first_signs(void)
{
	assert_int_equal(seen.switched, 0);
	assert_int_equal(identity.kept.epoch, 1);
	assert_int_equal(identity.bound.key_epoch, 1);
	assert_string_equal(signer_public_pem(identity.signer), seen.first_pem);
}

static void does_not_retire(void **state)
{
	(void)state;
	rotate_in(NEVER);
	assert_null(rotation);
	key_rotation_stop(rotation); /* as for every oracle */
}

/* The next key is there before it signs, and what the keeper has is this key:
 * a restart goes on with it. */
static void announced_and_switched(void **state)
{
	const struct attestation_document *first = attestation_current(
	    identity.attestation, now_unix_ms());

	(void)state;
	config.key.overlap_s = 3600;
	seen.then_ms = 400;
	rotate_in(HOUR_MS); /* so the overlap begins */
	turn_until(is_announced);
	the_first_signs();
	assert_ptr_equal(
	    attestation_current(identity.attestation, now_unix_ms()), first);
	turn_until(has_switched);
	assert_int_equal(identity.kept.epoch, 2);
	assert_int_equal(identity.kept.retire_ms,
	    identity.kept.made_ms + config.key.rotate_s * 1000);
	assert_int_equal(kms.asked, 1);
	assert_int_equal(kms.puts, 1);
	key_rotation_stop(rotation);
	rotation = NULL;
	kms.recipient_len = 0;
	kms.now_ms = identity.kept.made_ms;
	finish(0, 0);
	assert_non_null(kms.made.signer);
	assert_int_equal(kms.made.epoch, 2);
	assert_string_equal(signer_public_pem(kms.made.signer), seen.pem);
}

/* Each key retires in its turn, and the next one's number is one more. */
static void goes_on(void **state)
{
	(void)state;
	config.key.rotate_s = 1;
	rotate_in(0);
	turn_until(has_switched);
	assert_int_equal(identity.kept.epoch, 2);
	turn_until(has_switched_twice);
	assert_int_equal(identity.kept.epoch, 3);
	assert_true(seen.announced >= 2);
	assert_string_not_equal(seen.pem, seen.first_pem);
}

/* Not before its time, however near. */
static void waits_for_its_time(void **state)
{
	(void)state;
	rotate_in(HOUR_MS);
	for (int i = 0; i < 20; i++) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	assert_int_equal(kms.puts, 0);
	the_first_signs();
}

/* ---- what fails ---- */

static bool has_no_errors_left(void)
{
	return kms.errors == 0;
}

static void kms_refuses(void **state)
{
	(void)state;
	kms.error = "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}";
	kms.errors = 2;
	rotate_in(-1000); /* its time is over */
	turn_until(has_no_errors_left);
	the_first_signs();
	assert_int_equal(seen.announced, 0);
	turn_until(has_switched);
	assert_int_equal(kms.asked, 3);
	assert_int_equal(kms.puts, 1);
	assert_int_equal(identity.kept.epoch, 2);
}

static void no_document_for_kms(void **state)
{
	(void)state;
	platform.fails[RECIPIENT] = 1;
	rotate_in(0);
	turn_until(has_switched);
	assert_int_equal(platform.fails[RECIPIENT], 0);
	assert_int_equal(kms.asked, 1);
	assert_int_equal(seen.announced, 1);
}

/* A key that no document vouches for does not sign: another one is made. */
static void no_document_for_the_next_key(void **state)
{
	(void)state;
	platform.fails[NEXT] = 1;
	rotate_in(0);
	turn_until(has_switched);
	assert_int_equal(platform.fails[NEXT], 0);
	assert_int_equal(kms.asked, 2);
	assert_int_equal(kms.puts, 2);
	assert_int_equal(seen.announced, 1);
	assert_int_equal(identity.kept.epoch, 2);
}

static bool asking;

static void on_other_document(const struct attestation_document *document,
    const struct nonce_path *path, const char *error, void *data)
{
	(void)path;
	(void)data;
	assert_non_null(document);
	assert_null(error);
	asking = false;
}

/* So many others are kept that the next key's document is not. */
static void push_out(void)
{
	const struct attestation_subject other = {
	    .public_key = platform.own,
	    .public_key_len = platform.own_len,
	    .user_data = &identity.bound,
	    .keep = true,
	};

	for (int i = 0; i < ATTESTATION_KEPT; i++) {
		asking = true;
		attestation_request_subject(
		    identity.attestation, &other, on_other_document, NULL);
		while (asking) { /* the switch has to wait for this */
			identity.kept.retire_ms = now_unix_ms() + seen.then_ms;
			uv_run(&fixture_loop, UV_RUN_ONCE);
		}
	}
	assert_null(attestation_find(identity.attestation, seen.sha256));
	seen.retire_ms = identity.kept.retire_ms;
}

static void the_document_is_gone(void **state)
{
	char pushed[TEXT_SIZE];

	(void)state;
	config.key.overlap_s = 1;
	seen.then_ms = 1000;
	rotate_in(0);
	turn_until(is_announced);
	push_out();
	memcpy(pushed, seen.pem, sizeof(pushed));
	turn_until(is_announced_again);
	the_first_signs();
	turn_until(has_switched);
	assert_string_not_equal(seen.pem, pushed);
	assert_int_equal(kms.puts, 2);
}

/* ---- stopped ---- */

static bool its_time_is_over(void)
{
	return now_unix_ms() > identity.kept.retire_ms + 300;
}

/* rotation_down() sees to it that nothing is told or left any more. */
static void stop_when(bool (*ready)(void))
{
	turn_until(ready);
	key_rotation_stop(rotation);
	key_rotation_stop(rotation); /* nothing more */
	rotation = NULL;
	uv_run(&fixture_loop, UV_RUN_NOWAIT); /* all that does not wait ends */
	uv_run(&fixture_loop, UV_RUN_NOWAIT);
}

static bool at_once(void)
{
	return true;
}

static bool kms_was_asked(void)
{
	return kms.asked > 0;
}

static bool platform_stalls(void)
{
	return platform.stalled;
}

static void stopped_waiting(void **state)
{
	(void)state;
	rotate_in(HOUR_MS);
	stop_when(at_once);
}

static void stopped_making(void **state)
{
	(void)state;
	rotate_in(0);
	uv_run(&fixture_loop, UV_RUN_NOWAIT); /* the pool makes a key */
	stop_when(at_once);
	assert_int_equal(kms.asked, 0);
}

static void stopped_asking_kms(void **state)
{
	(void)state;
	kms.kms_silent = true;
	rotate_in(0);
	stop_when(kms_was_asked);
}

static void stopped_with_the_recipient(void **state)
{
	(void)state;
	platform.stall = RECIPIENT;
	rotate_in(0);
	stop_when(platform_stalls);
}

static void stopped_attesting(void **state)
{
	(void)state;
	platform.stall = NEXT;
	rotate_in(0);
	stop_when(platform_stalls);
	assert_int_equal(seen.announced, 0);
}

static void stopped_in_the_overlap(void **state)
{
	(void)state;
	seen.then_ms = HOUR_MS;
	rotate_in(0);
	stop_when(is_announced);
	the_first_signs();
}

#define POOL 4 /* libuv's threads */

static uv_work_t held[POOL];
static uv_sem_t let_go;

static void hold_work(uv_work_t *work)
{
	(void)work;
	uv_sem_wait(&let_go);
}

static void on_held(uv_work_t *work, int status)
{
	(void)work;
	assert_int_equal(status, 0);
}

static void on_signed(struct signer_op *op, int status)
{
	assert_int_equal(status, 0);
	op->data = NULL;
}

/* A signature is under way, so the switch waits; it takes place, but nobody is
 * told any more. */
static void stopped_switching(void **state)
{
	static struct signer_op op;
	(void)state;

	uv_sem_init(&let_go, 0);
	seen.then_ms = 200;
	rotate_in(0);
	turn_until(is_announced);
	for (int i = 0; i < POOL; i++)
		uv_queue_work(&fixture_loop, &held[i], hold_work, on_held);
	op.data = &op;
	signer_sign(identity.signer, &fixture_loop, &op, "x", 1, on_signed);
	turn_until(its_time_is_over);
	the_first_signs();
	stop_when(at_once);
	for (int i = 0; i < POOL; i++)
		uv_sem_post(&let_go);
	while (op.data != NULL)
		uv_run(&fixture_loop, UV_RUN_ONCE);
	assert_string_equal(signer_public_pem(identity.signer), seen.pem);
	assert_int_equal(seen.switched, 0);
	uv_sem_destroy(&let_go);
}

#define ROTATION_TEST(name) \
	cmocka_unit_test_setup_teardown(name, rotation_up, rotation_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ROTATION_TEST(does_not_retire),
	    ROTATION_TEST(waits_for_its_time),
	    ROTATION_TEST(announced_and_switched),
	    ROTATION_TEST(goes_on),
	    ROTATION_TEST(kms_refuses),
	    ROTATION_TEST(no_document_for_kms),
	    ROTATION_TEST(no_document_for_the_next_key),
	    ROTATION_TEST(the_document_is_gone),
	    ROTATION_TEST(stopped_waiting),
	    ROTATION_TEST(stopped_making),
	    ROTATION_TEST(stopped_asking_kms),
	    ROTATION_TEST(stopped_with_the_recipient),
	    ROTATION_TEST(stopped_attesting),
	    ROTATION_TEST(stopped_in_the_overlap),
	    ROTATION_TEST(stopped_switching),
	};
	int failed = cmocka_run_group_tests_name(
	    "key_rotation", tests, fixture_group_begin, fixture_group_end);

	uv_library_shutdown();
	return failed;
}
