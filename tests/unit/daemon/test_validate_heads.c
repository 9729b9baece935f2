/* validate, heads of the log: good now, good an hour ago, or refused. */
#include "log_fixture.h"
#include "verifier/daemon/validate.h"

static struct record *judged(struct validator *v, struct log_fixture *f,
    int64_t published_ms, int64_t now_ms)
{
	struct hm_head head;
	struct record *r, *made;

	if (!f->teller.tree.size) {
		more(f, &f->teller, 0, 3, false);
		record_free(next_head(f, &f->teller));
	}
	head = f->teller.last;
	head.published_ms = published_ms;
	made = sign_head(f, &head);
	r = record_new("http://oracle", "", "", 0, now_ms);
	r->envelope = made->envelope;
	memset(&made->envelope, 0, sizeof(made->envelope));
	r->parsed = HM_VALID;
	r->document = kept_document_ref(f->document);
	r->is_head = true;
	record_free(made);
	validator_judge(v, r, now_ms);
	return r;
}

static void test_good(void **state)
{
	struct log_fixture *f = *state;
	struct validator *v = validator_new(mint.policy);
	struct record *r = judged(v, f, f->now_ms, f->now_ms);

	assert_int_equal(r->verdict, HM_VALID);
	assert_false(r->refused || r->late);
	assert_non_null(r->head);
	assert_int_equal(r->head->tree_size, 3);
	assert_memory_equal(r->boot_id, mint.boot_id, 16);
	assert_memory_equal(r->content_sha256, r->head->content_sha256, 32);
	assert_int_equal(r->published_ms, f->now_ms);
	assert_int_equal(validator_head_count(v, HM_VALID), 1);
	assert_int_equal(validator_count(v, HM_VALID), 0);
	record_free(r);
	validator_free(v);
}

/* What an oracle's ring kept for us is taken, what is older is not. */
static void test_old(void **state)
{
	struct log_fixture *f = *state;
	struct validator *v = validator_new(mint.policy);
	struct record *r = judged(
	    v, f, f->now_ms, f->now_ms + VALIDATOR_LATE_MS - 1000);

	assert_int_equal(r->verdict, HM_ITEM_TOO_OLD);
	assert_true(r->late && !r->refused);
	assert_non_null(r->head);
	record_free(r);
	r = judged(v, f, f->now_ms, f->now_ms + VALIDATOR_LATE_MS + 1000);
	assert_true(r->refused);
	assert_null(r->head);
	record_free(r);
	validator_free(v);
}

static void test_refused(void **state)
{
	struct log_fixture *f = *state;
	struct validator *v = validator_new(mint.policy);
	struct record *r = judged(v, f, f->now_ms + 3600000, f->now_ms);

	assert_int_equal(r->verdict, HM_ITEM_IN_FUTURE);
	assert_true(r->refused);
	assert_null(r->head);
	record_free(r);
	r = judged(v, f, f->now_ms, f->now_ms);
	free(r->head);
	r->envelope.signature[9] ^= 1;
	validator_judge(v, r, f->now_ms);
	assert_int_equal(r->verdict, HM_ITEM_SIGNATURE);
	assert_true(r->refused);
	record_free(r);
	validator_free(v);
}

/* An item under a head's name, and nothing at all. */
static void test_no_head(void **state)
{
	struct log_fixture *f = *state;
	struct validator *v = validator_new(mint.policy);
	char *json = mint_item(&mint, &(struct mint_wish){.full = true}, NULL);
	struct record *r = record_new(
	    "http://oracle", "", json, strlen(json), f->now_ms);

	r->is_head = true;
	validator_judge(v, r, f->now_ms);
	assert_int_equal(r->verdict, HM_CONTENT_MALFORMED);
	assert_true(r->refused);
	record_free(r);
	free(json);
	r = record_new("http://oracle", "", "{}", 2, f->now_ms);
	r->is_head = true;
	validator_judge(v, r, f->now_ms);
	assert_int_equal(r->verdict, HM_ENVELOPE_MALFORMED);
	assert_null(r->head);
	record_free(r);
	validator_free(v);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, log_setup, log_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_good),
	    TEST(test_old),
	    TEST(test_refused),
	    TEST(test_no_head),
	};

	return cmocka_run_group_tests_name(
	    "validate_heads", tests, make_mint, free_mint);
}
