/* quote_vectors: recorded quotes and what is known about them, which are not
 * part of the project: $HALLMARK_VECTORS/sgx, or ../shared/vectors/sgx. Where
 * there are none, tests are skipped, except in CI, where that is a failure. */
#ifndef HALLMARK_TESTS_SGX_QUOTE_VECTORS_H
#define HALLMARK_TESTS_SGX_QUOTE_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "verifier/moment.h"
#include "verifier/sgx/sgx_verify.h"

#define QUOTE_VECTOR_MAX (1u << 20)

/* One recorded quote. */
struct quote_vector {
	char name[64];
	uint8_t *bytes, *quote; /* the file, and the quote in it */
	size_t len;             /* of the quote */
	uint8_t *held;          /* NULL: not known */
	size_t held_len;
	struct sgx_collateral *collateral; /* NULL: none */
	json_t *side;
	int64_t at_ms;
};

/* The whole file and a NUL, or NULL; the caller frees it. */
static inline uint8_t *quote_vectors_read(
    const char *name, const char *ext, size_t *len)
{
	const char *root = getenv("HALLMARK_VECTORS");
	uint8_t *bytes = malloc(QUOTE_VECTOR_MAX + 1);
	char path[1024];
	FILE *file;

	assert_non_null(bytes);
	snprintf(path, sizeof(path), "%s/sgx/%s%s",
	    root != NULL ? root : "../shared/vectors", name, ext);
	file = fopen(path, "rb");
	if (file == NULL) {
		free(bytes);
		return NULL;
	}
	*len = fread(bytes, 1, QUOTE_VECTOR_MAX, file);
	bytes[*len] = '\0';
	fclose(file);
	return bytes;
}

static inline bool quote_vectors_present(void)
{
	const char *ci = getenv("CI");
	size_t len;
	uint8_t *bytes = quote_vectors_read(
	    "seed_mithril_oe_report", ".bin", &len);

	free(bytes);
	if (bytes == NULL && ci != NULL && strcmp(ci, "true") == 0)
		fail_msg("no recorded quotes");
	return bytes != NULL;
}

/* "2025-08-20T00:00:00+00:00" */
static inline int64_t quote_vectors_time(const char *text)
{
	char utc[32];
	int64_t ms;

	snprintf(utc, sizeof(utc), "%.19sZ", text);
	assert_int_equal(moment_parse_rfc3339(&ms, utc), 0);
	return ms;
}

/* Behind the header of an Open Enclave report, or comments. */
static inline size_t quote_vectors_begin(const uint8_t *bytes, size_t len)
{
	static const uint8_t oe_report[8] = {1, 0, 0, 0, 2, 0, 0, 0};
	size_t at = 0;

	assert_true(len > 100);
	if (memcmp(bytes, oe_report, sizeof(oe_report)) == 0)
		return 16;
	while (bytes[at] == '#')
		at += (size_t)((const uint8_t *)memchr(
				   bytes + at, '\n', len - at) -
			       (bytes + at)) +
		      1;
	return at;
}

static inline void quote_vector_open(struct quote_vector *v, const char *name)
{
	char error[HM_TEXT_MAX];
	size_t len, begin;
	uint8_t *text;

	memset(v, 0, sizeof(*v));
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->bytes = quote_vectors_read(name, ".bin", &len);
	assert_non_null(v->bytes);
	begin = quote_vectors_begin(v->bytes, len);
	v->quote = v->bytes + begin;
	v->len = len - begin;
	text = quote_vectors_read(name, ".json", &len);
	assert_non_null(text);
	v->side = json_loadb((char *)text, len, 0, NULL);
	free(text);
	assert_non_null(v->side);
	v->at_ms = quote_vectors_time(
	    json_string_value(json_object_get(v->side, "evaluated_at")));
	v->held = quote_vectors_read(name, ".held", &v->held_len);
	text = quote_vectors_read(name, ".collateral.json", &len);
	if (text == NULL)
		return;
	v->collateral = sgx_collateral_new();
	if (sgx_collateral_add(v->collateral, text, len, error) != 0)
		fail_msg("%s: %s", name, error);
	free(text);
}

static inline void quote_vector_close(struct quote_vector *v)
{
	free(v->bytes);
	free(v->held);
	sgx_collateral_free(v->collateral);
	json_decref(v->side);
	memset(v, 0, sizeof(*v));
}

/* Whether the side file's check of this name has this status. */
static inline bool quote_vector_says(
    const struct quote_vector *v, const char *check, const char *status)
{
	const json_t *list = json_object_get(v->side, "checks"), *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const json_t *name = json_object_get(entry, "check");
		const json_t *found = json_object_get(entry, "status");

		if (strcmp(json_string_value(name), check) == 0)
			return strcmp(json_string_value(found), status) == 0;
	}
	return false;
}

#endif
