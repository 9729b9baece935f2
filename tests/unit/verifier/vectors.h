/* vectors: reads recorded documents, which are not part of the project:
 * $HALLMARK_VECTORS, or ../shared/vectors beside the repository. Where there
 * are none, tests are skipped, except in CI, where that is a failure. */
#ifndef HALLMARK_TESTS_VERIFIER_VECTORS_H
#define HALLMARK_TESTS_VERIFIER_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VECTORS_FILE_MAX (1u << 20)

static inline FILE *vectors_open(const char *name)
{
	const char *root = getenv("HALLMARK_VECTORS");
	char path[1024];

	snprintf(path, sizeof(path), "%s/nitro/%s",
	    root != NULL ? root : "../shared/vectors", name);
	return fopen(path, "rb");
}

/* Skips the test, or fails it in CI, if the file cannot be opened. */
static inline FILE *vectors_need(const char *name)
{
	FILE *file = vectors_open(name);
	const char *ci = getenv("CI");

	if (file == NULL && ci != NULL && strcmp(ci, "true") == 0)
		fail_msg("no vectors: %s", name);
	if (file == NULL)
		skip();
	return file;
}

/* The whole file; the caller frees it. */
static inline uint8_t *vectors_read(const char *name, size_t *len)
{
	FILE *file = vectors_need(name); /* first: it may not return */
	uint8_t *bytes = malloc(VECTORS_FILE_MAX);

	assert_non_null(bytes);
	*len = fread(bytes, 1, VECTORS_FILE_MAX, file);
	fclose(file);
	return bytes;
}

#endif
