/* sgx_json: see sgx_json.h. */
#include "verifier/sgx/sgx_json.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/moment.h"

#include <string.h>

int sgx_json_hex(
    const json_t *object, const char *key, uint8_t *out, size_t len)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	/* The length of what is no string is 0. */
	if (REFUSE(intel_hex,
		hex_decode(out, len, text, json_string_length(value)) != 0))
		return -1;
	return 0;
}

int sgx_json_number(
    const json_t *object, const char *key, int64_t max, int64_t *out)
{
	const json_t *value = json_object_get(object, key);

	*out = json_integer_value(value);
	if (REFUSE(intel_integer, !json_is_integer(value)) ||
	    REFUSE(intel_negative, *out < 0) || REFUSE(intel_max, *out > max))
		return -1;
	return 0;
}

int sgx_json_time(const json_t *object, const char *key, int64_t *ms)
{
	const json_t *value = json_object_get(object, key);

	if (REFUSE(intel_time_string, !json_is_string(value)))
		return -1;
	return moment_parse_rfc3339(ms, json_string_value(value));
}

static bool is_space(uint8_t c)
{
	/* unnamed: a fact */
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_spaces(struct slice *in)
{
	while (in->len > 0 && is_space(in->at[0])) {
		in->at++;
		in->len--;
	}
}

/* Steps over a string, whose first quotation mark comes next. */
static void skip_string(struct slice *in)
{
	bool escaped = false;

	for (size_t i = 1; i < in->len; i++) {
		if (!escaped && in->at[i] == '"') {
			in->at += i + 1;
			in->len -= i + 1;
			return;
		}
		escaped = !escaped && in->at[i] == '\\';
	}
	in->len = 0;
}

/* Steps over a value: up to the comma or bracket that is behind it. */
static void skip_value(struct slice *in)
{
	size_t depth = 0;

	while (in->len > 0) {
		uint8_t c = in->at[0];

		if (depth == 0 && (c == ',' || c == '}' || c == ']'))
			return;
		if (c == '"') {
			skip_string(in);
			continue;
		}
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		in->at++;
		in->len--;
	}
}

/* What was stepped over since `start`, without the spaces at its end. */
static struct slice between(struct slice start, struct slice now)
{
	struct slice out = {start.at, start.len - now.len};

	while (out.len > 0 && is_space(out.at[out.len - 1]))
		out.len--;
	return out;
}

/* The bracket, comma or colon that is due. */
static void skip_sign(struct slice *in)
{
	skip_spaces(in);
	if (in->len > 0) {
		in->at++;
		in->len--;
	}
	skip_spaces(in);
}

int sgx_json_text(
    struct slice *out, const char *json, size_t len, const char *key)
{
	struct slice in = {(const uint8_t *)json, len};
	size_t key_len = strlen(key);

	skip_sign(&in);
	while (in.len > 0 && in.at[0] == '"') {
		struct slice name = in, start;

		skip_string(&in);
		name = between(name, in);
		skip_sign(&in);
		start = in;
		skip_value(&in);
		*out = between(start, in);
		if (name.len == key_len + 2 &&
		    memcmp(name.at + 1, key, key_len) == 0)
			return 0;
		skip_sign(&in);
	}
	*out = (struct slice){NULL, 0};
	return -1; /* unnamed: the caller's to judge */
}
