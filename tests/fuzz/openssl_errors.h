/*
 * openssl_errors: OpenSSL's queue of errors, kept out of libFuzzer's sight.
 *
 * A thread's last 16 errors keep their strings until later ones take their
 * place. The library's public functions leave the queue as it was; what is
 * below them does not, so each of the first 16 errors of a run looked as if
 * the input had leaked: libFuzzer counts calls of malloc() and free(), and
 * asks LeakSanitizer when there were more of the former. No other input of
 * fuzz_cose ever made it ask. With the queue empty before and after each
 * input it asks only when one of ours has kept something.
 */
#ifndef HALLMARK_TESTS_FUZZ_OPENSSL_ERRORS_H
#define HALLMARK_TESTS_FUZZ_OPENSSL_ERRORS_H

#include <openssl/err.h>

/* Before the first input: the buffers for the texts of all 16, which
 * ERR_clear_error() empties and keeps. */
static inline void openssl_errors_init(void)
{
	for (int i = 0; i < ERR_NUM_ERRORS; i++)
		ERR_raise_data(ERR_LIB_USER, 1, "%s", "settled");
	ERR_clear_error();
}

#endif
