/* shared_builder: the one builder of a test program (its keys take a while to
 * make), for cmocka's group setup and teardown. */
#ifndef HALLMARK_TESTS_VERIFIER_SHARED_BUILDER_H
#define HALLMARK_TESTS_VERIFIER_SHARED_BUILDER_H

#include "tests/unit/verifier/document_builder.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct builder *b;

static inline int setup(void **state)
{
	(void)state;
	b = builder_new();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	builder_free(b);
	return 0;
}

#endif
