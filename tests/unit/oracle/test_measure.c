/* measure: PCR16 becomes the configuration's, once, and nothing else passes. */
#include "oracle/measure.h"

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A module with one PCR. */
static struct module {
	struct attester base; /* first: recovered by a cast */
	uint8_t value[ATTESTER_PCR_LEN];
	int locked;
	bool refuse_describe, refuse_extend, refuse_lock, forget_lock;
	unsigned extended, locks;
} module;

static int answer(bool refuse, char error[ATTESTER_ERROR_MAX])
{
	if (!refuse)
		return 0;
	snprintf(error, ATTESTER_ERROR_MAX, "InvalidOperation");
	return -1;
}

static int extend_pcr(struct attester *a, unsigned index, const uint8_t *data,
    size_t len, char error[ATTESTER_ERROR_MAX])
{
	struct module *m = (struct module *)a;
	uint8_t both[2 * ATTESTER_PCR_LEN];

	assert_int_equal(index, 16);
	assert_int_equal(len, ATTESTER_PCR_LEN);
	assert_int_equal(m->locked, 0);
	m->extended++;
	if (!m->refuse_extend) {
		memcpy(both, m->value, ATTESTER_PCR_LEN);
		memcpy(both + ATTESTER_PCR_LEN, data, len);
		SHA384(both, sizeof(both), m->value);
	}
	return answer(m->refuse_extend, error);
}

static int lock_pcr(
    struct attester *a, unsigned index, char error[ATTESTER_ERROR_MAX])
{
	struct module *m = (struct module *)a;

	assert_int_equal(index, 16);
	m->locks++;
	m->locked = !m->refuse_lock && !m->forget_lock;
	return answer(m->refuse_lock, error);
}

static int describe_pcr(struct attester *a, unsigned index,
    uint8_t out[ATTESTER_PCR_LEN], int *locked, char error[ATTESTER_ERROR_MAX])
{
	struct module *m = (struct module *)a;

	assert_int_equal(index, 16);
	memcpy(out, m->value, ATTESTER_PCR_LEN);
	*locked = m->locked;
	return answer(m->refuse_describe, error);
}

static const struct attester_ops ops = {
    .extend_pcr = extend_pcr,
    .lock_pcr = lock_pcr,
    .describe_pcr = describe_pcr,
};

static uint8_t config[ATTESTER_PCR_LEN], other[ATTESTER_PCR_LEN];
static uint8_t wanted[ATTESTER_PCR_LEN], pcr[ATTESTER_PCR_LEN];
static char error[ATTESTER_ERROR_MAX];

static int setup(void **state)
{
	uint8_t both[2 * ATTESTER_PCR_LEN] = {0};

	(void)state;
	memset(&module, 0, sizeof(module));
	module.base.ops = &ops;
	memset(config, 0xc0, sizeof(config));
	memset(other, 0x07, sizeof(other));
	memcpy(both + ATTESTER_PCR_LEN, config, sizeof(config));
	SHA384(both, sizeof(both), wanted);
	return 0;
}

static int measure(const uint8_t sha384[ATTESTER_PCR_LEN])
{
	error[0] = '\0';
	return measure_config(&module.base, sha384, pcr, error);
}

static void measures_and_locks(void **state)
{
	(void)state;
	assert_int_equal(measure(config), 0);
	assert_memory_equal(module.value, wanted, sizeof(wanted));
	assert_memory_equal(pcr, wanted, sizeof(wanted));
	assert_int_equal(module.locked, 1);
	assert_int_equal(module.extended, 1);
}

/* Init was first, or an oracle before this one. */
static void finds_what_was_measured_before(void **state)
{
	(void)state;
	assert_int_equal(measure(config), 0);
	memset(pcr, 0, sizeof(pcr));
	assert_int_equal(measure(config), 1);
	assert_memory_equal(pcr, wanted, sizeof(wanted));
	assert_int_equal(module.extended, 1);
	assert_int_equal(module.locks, 1);
}

static void another_configuration_is_refused(void **state)
{
	(void)state;
	assert_int_equal(measure(config), 0);
	assert_int_equal(measure(other), -1);
	assert_non_null(strstr(error, "PCR16 does not hold this config"));
	assert_non_null(strstr(error, "locked with another"));
	assert_int_equal(module.extended, 1);
}

/* Locked while it was zero: it can never be right. */
static void an_empty_one_that_is_locked_is_refused(void **state)
{
	(void)state;
	module.locked = 1;
	assert_int_equal(measure(config), -1);
	assert_non_null(strstr(error, "locked with another"));
	assert_int_equal(module.extended, 0);
}

/* What somebody else extended is left as it was, for whoever looks at it. */
static void something_else_is_not_extended(void **state)
{
	uint8_t before[ATTESTER_PCR_LEN];

	(void)state;
	memset(module.value, 1, sizeof(module.value));
	memcpy(before, module.value, sizeof(before));
	assert_int_equal(measure(config), -1);
	assert_non_null(strstr(error, "by something else"));
	assert_memory_equal(module.value, before, sizeof(before));
	assert_int_equal(module.extended + module.locks, 0);
}

static void a_start_cut_short_is_continued(void **state)
{
	(void)state;
	memcpy(module.value, wanted, sizeof(wanted));
	assert_int_equal(measure(config), 0);
	assert_int_equal(module.extended, 0);
	assert_int_equal(module.locked, 1);
}

static void each_refusal_is_told(void **state)
{
	(void)state;
	module.refuse_describe = true;
	assert_int_equal(measure(config), -1);
	assert_string_equal(error, "InvalidOperation");
	module.refuse_describe = false;
	module.refuse_extend = true;
	assert_int_equal(measure(config), -1);
	assert_string_equal(error, "InvalidOperation");
	assert_int_equal(module.locks, 0);
	module.refuse_extend = false;
	module.refuse_lock = true;
	assert_int_equal(measure(config), -1);
	assert_string_equal(error, "InvalidOperation");
}

static void a_lock_that_does_not_hold_is_noticed(void **state)
{
	(void)state;
	module.forget_lock = true;
	assert_int_equal(measure(config), -1);
	assert_non_null(strstr(error, "not locked"));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(measures_and_locks),
	    TEST(finds_what_was_measured_before),
	    TEST(another_configuration_is_refused),
	    TEST(an_empty_one_that_is_locked_is_refused),
	    TEST(something_else_is_not_extended),
	    TEST(a_start_cut_short_is_continued),
	    TEST(each_refusal_is_told),
	    TEST(a_lock_that_does_not_hold_is_noticed),
	};

	return cmocka_run_group_tests_name("measure", tests, NULL, NULL);
}
