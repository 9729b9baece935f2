/* sgx_level: see sgx_level.h. */
#include "verifier/sgx/sgx_level.h"

#include "feeds/check.h"
#include "verifier/sgx/sgx_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_components_v2(uint8_t *out, const json_t *tcb)
{
	char key[] = "sgxtcbcomp00svn";
	int64_t svn;

	for (unsigned i = 0; i < SGX_SVN_COUNT; i++) {
		key[10] = (char)('0' + (i + 1) / 10);
		key[11] = (char)('0' + (i + 1) % 10);
		if (sgx_json_number(tcb, key, 255, &svn) != 0)
			return -1;
		out[i] = (uint8_t)svn;
	}
	return 0;
}

static int read_components(uint8_t *out, const json_t *tcb, const char *key)
{
	const json_t *list = json_object_get(tcb, key);
	int64_t svn;

	/* The size of what is no array is 0. */
	if (REFUSE(level_components, json_array_size(list) != SGX_SVN_COUNT))
		return -1;
	for (size_t i = 0; i < SGX_SVN_COUNT; i++) {
		if (sgx_json_number(
			json_array_get(list, i), "svn", 255, &svn) != 0)
			return -1;
		out[i] = (uint8_t)svn;
	}
	return 0;
}

static int read_needs(
    struct sgx_level_row *row, const json_t *tcb, enum sgx_need need)
{
	int64_t svn;

	if (need == SGX_NEED_ISVSVN) {
		if (sgx_json_number(tcb, "isvsvn", 65535, &svn) != 0)
			return -1;
		row->isvsvn = (uint16_t)svn;
		return 0;
	}
	if (sgx_json_number(tcb, "pcesvn", 65535, &svn) != 0)
		return -1;
	row->pcesvn = (uint16_t)svn;
	if (need == SGX_NEED_COMPONENTS_V2)
		return read_components_v2(row->components, tcb);
	if (read_components(row->components, tcb, "sgxtcbcomponents") != 0)
		return -1;
	if (need != SGX_NEED_TDX)
		return 0;
	return read_components(row->td_components, tcb, "tdxtcbcomponents");
}

/* An array of strings, or absent. */
static bool advisories_ok(const json_t *list)
{
	if (REFUSE(level_advisories, list != NULL && !json_is_array(list)))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (REFUSE(level_advisory,
			!json_is_string(json_array_get(list, i))))
			return false;
	return true;
}

static int read_row(
    struct sgx_level_row *row, const json_t *level, enum sgx_need need)
{
	const json_t *date = json_object_get(level, "tcbDate");
	const char *status = json_string_value(
	    json_object_get(level, "tcbStatus"));

	if (read_needs(row, json_object_get(level, "tcb"), need) != 0)
		return -1;
	if (REFUSE(level_status_string, status == NULL) ||
	    REFUSE(level_status, sgx_status_parse(&row->status, status) != 0))
		return -1;
	if (date != NULL)
		if (sgx_json_time(level, "tcbDate", &row->tcb_date_ms) != 0)
			return -1;
	row->advisories = json_object_get(level, "advisoryIDs");
	return advisories_ok(row->advisories) ? 0 : -1;
}

int sgx_levels_read(
    struct sgx_levels *out, const json_t *object, enum sgx_need need)
{
	const json_t *list = json_object_get(object, "tcbLevels");
	size_t count = json_array_size(list);

	memset(out, 0, sizeof(*out));
	if (REFUSE(levels_none, count == 0) ||
	    REFUSE(levels_max, count > SGX_TCB_LEVELS_MAX))
		return -1;
	out->rows = calloc(count, sizeof(*out->rows));
	if (out->rows == NULL)
		return -1;
	for (out->count = 0; out->count < count; out->count++)
		if (read_row(&out->rows[out->count],
			json_array_get(list, out->count), need) != 0) {
			sgx_levels_fini(out);
			return -1;
		}
	return 0;
}

void sgx_levels_fini(struct sgx_levels *levels)
{
	free(levels->rows);
	memset(levels, 0, sizeof(*levels));
}

/* Names are Intel's, under its signature; they are told to people. */
static void join_advisories(char *out, const json_t *list)
{
	static const char more[] = " ...";
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		size_t needed = strlen(name) + (len > 0);

		if (len + needed + sizeof(more) > SGX_TCB_ADVISORIES_MAX) {
			memcpy(out + len, more, sizeof(more));
			return;
		}
		len += (size_t)snprintf(
		    out + len, needed + 1, "%s%s", len > 0 ? " " : "", name);
	}
}

void sgx_level_of(const struct sgx_level_row *row, struct sgx_level *out)
{
	memset(out, 0, sizeof(*out));
	out->status = SGX_NOT_SUPPORTED;
	if (row == NULL)
		return;
	out->status = row->status;
	out->tcb_date_ms = row->tcb_date_ms;
	join_advisories(out->advisories, row->advisories);
}

void sgx_levels_isvsvn(
    const struct sgx_levels *levels, unsigned isvsvn, struct sgx_level *out)
{
	const struct sgx_level_row *row = NULL;

	for (size_t i = 0; i < levels->count && row == NULL; i++)
		if (REQUIRE(level_isvsvn, isvsvn >= levels->rows[i].isvsvn))
			row = &levels->rows[i];
	sgx_level_of(row, out);
}
