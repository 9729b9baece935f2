/*
 * sigv4: AWS's published examples, to the letter: the request for ListUsers of
 * "Signature Version 4 signing process" in the AWS General Reference, and
 * requests of the aws-sig-v4-test-suite.
 */
#include "oracle/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ID     "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define DATE   "20150830T123600Z"
#define HOST                                    \
	{                                       \
		"host", "example.amazonaws.com" \
	}
#define TOKEN                                                               \
	"AQoDYXdzEPT//////////"                                             \
	"wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRX" \
	"mxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBm" \
	"Upp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE" \
	"8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDr" \
	"ypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

static void expect(const struct sigv4_request *request, const char *service,
    const char *signed_headers, const char *signature)
{
	const struct sigv4_scope scope = {DATE, "us-east-1", service};
	char out[SIGV4_AUTHORIZATION_MAX], wanted[SIGV4_AUTHORIZATION_MAX];

	assert_int_equal(
	    sigv4_authorization(request, &scope, ID, SECRET, out), 0);
	snprintf(wanted, sizeof(wanted),
	    "AWS4-HMAC-SHA256 Credential=" ID
	    "/20150830/us-east-1/%s/aws4_request, SignedHeaders=%s, "
	    "Signature=%s",
	    service, signed_headers, signature);
	assert_string_equal(out, wanted);
}

static void test_general_reference(void **state)
{
	static const struct sigv4_header headers[] = {
	    {"content-type", "application/x-www-form-urlencoded; "
			     "charset=utf-8"},
	    {"host", "iam.amazonaws.com"},
	    {"x-amz-date", DATE},
	};
	(void)state;
	expect(&(struct sigv4_request){"GET", "/",
		   "Action=ListUsers&Version=2010-05-08", headers, 3, "", 0},
	    "iam", "content-type;host;x-amz-date",
	    "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

static void test_suite_get_and_post(void **state)
{
	static const struct sigv4_header headers[] = {
	    HOST, {"x-amz-date", DATE}};
	(void)state;
	expect(&(struct sigv4_request){"GET", "/", "", headers, 2, "", 0},
	    "service", "host;x-amz-date",
	    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
	expect(&(struct sigv4_request){"POST", "/", "", headers, 2, "", 0},
	    "service", "host;x-amz-date",
	    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
	expect(&(struct sigv4_request){"GET", "/",
		   "Param1=value1&Param2=value2", headers, 2, "", 0},
	    "service", "host;x-amz-date",
	    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

static void test_suite_body(void **state)
{
	static const struct sigv4_header headers[] = {
	    {"content-type", "application/x-www-form-urlencoded"}, HOST,
	    {"x-amz-date", DATE}};
	(void)state;
	expect(&(struct sigv4_request){"POST", "/", "", headers, 3,
		   "Param1=value1", 13},
	    "service", "content-type;host;x-amz-date",
	    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

static void test_suite_token(void **state)
{
	static const struct sigv4_header headers[] = {
	    HOST, {"x-amz-date", DATE}, {"x-amz-security-token", TOKEN}};
	(void)state;
	expect(&(struct sigv4_request){"POST", "/", "", headers, 3, "", 0},
	    "service", "host;x-amz-date;x-amz-security-token",
	    "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
}

static void test_too_long(void **state)
{
	static char value[SIGV4_CANONICAL_MAX + 1], id[SIGV4_AUTHORIZATION_MAX];
	const struct sigv4_header headers[] = {{"host", value}};
	const struct sigv4_request request = {
	    "GET", "/", "", headers, 1, "", 0};
	const struct sigv4_scope scope = {DATE, "us-east-1", "kms"};
	char out[SIGV4_AUTHORIZATION_MAX];
	(void)state;

	memset(value, 'a', sizeof(value) - 1);
	memset(id, 'A', sizeof(id) - 1);
	assert_int_equal(
	    sigv4_authorization(&request, &scope, ID, SECRET, out), -1);
	assert_string_equal(out, "");
	value[3] = '\0';
	assert_int_equal(
	    sigv4_authorization(&request, &scope, ID, SECRET, out), 0);
	assert_int_equal(
	    sigv4_authorization(&request, &scope, id, SECRET, out), -1);
	assert_string_equal(out, "");
	assert_int_equal(/* a secret is 40 letters, not 1023 */
	    sigv4_authorization(&request, &scope, ID, id, out), -1);
	assert_string_equal(out, "");
}

static void test_date(void **state)
{
	char out[SIGV4_DATE_LEN + 1];
	(void)state;

	sigv4_date(INT64_C(1440938160999), out);
	assert_string_equal(out, DATE);
	sigv4_date(0, out);
	assert_string_equal(out, "19700101T000000Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_general_reference),
	    cmocka_unit_test(test_suite_get_and_post),
	    cmocka_unit_test(test_suite_body),
	    cmocka_unit_test(test_suite_token),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_date),
	};
	return cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);
}
