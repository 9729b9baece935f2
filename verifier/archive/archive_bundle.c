/*
 * archive_bundle: a bundle's members, one after the other (archive_piece.h),
 * and what stands before them.
 *
 *   head:  {"format":F,"created_ms":N,"policy":{},"roots":[],
 *           and perhaps "collateral":[],
 *   lists: "attestations":[ M , M ],"items":[ M , M ],"tree_heads":[ M , M ]}
 *
 * A head that is wrong is no bundle. In the lists, what is wrong is told and
 * skipped to the end of its line.
 */
#include "verifier/archive/archive_bundle_read.h"
#include "verifier/archive/archive_line.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {"attestations", "items", "tree_heads"};
static const char *const units[] = {"attestation", "item", "tree head"};
static const enum archive_entry_kind kinds[] = {
    ARCHIVE_ENTRY_DOCUMENT, ARCHIVE_ENTRY_ITEM, ARCHIVE_ENTRY_HEAD};

/* ---- tokens ---- */

/* The next character that is none between tokens, or -1 at the end. */
static int peek(struct archive_input *in)
{
	while (archive_input_need(in, 1) > 0) {
		char c = in->at[0];

		if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
			return (unsigned char)c;
		archive_input_skip(in, 1);
	}
	return -1;
}

static bool take(struct archive_input *in, char wanted)
{
	if (peek(in) != wanted)
		return false;
	archive_input_skip(in, 1);
	return true;
}

/* "name": */
static bool take_key(struct archive_input *in, const char *name)
{
	size_t len = strlen(name);

	if (peek(in) != '"' || archive_input_need(in, len + 2) < len + 2 ||
	    memcmp(in->at + 1, name, len) != 0 || in->at[len + 1] != '"')
		return false;
	archive_input_skip(in, len + 2);
	return take(in, ':');
}

/* The length of the string that begins here with its quotes, or 0. */
static size_t string_len(const char *text, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (text[i] == '"')
			return i + 1;
		if ((unsigned char)text[i] < 0x20)
			return 0;
		if (text[i] == '\\')
			i++;
	}
	return 0;
}

/* The length of the object or list that begins here, or 0: it has no end, or
 * none within len. Only the brackets are looked at. */
static size_t value_len(const char *text, size_t len)
{
	size_t depth = 0, i = 0;

	while (i < len) {
		size_t more = 1;

		if (text[i] == '"')
			more = string_len(text + i, len - i);
		else if (text[i] == '{' || text[i] == '[')
			depth++;
		else if (text[i] == '}' || text[i] == ']')
			depth--;
		if (more == 0)
			return 0;
		i += more;
		if (depth == 0)
			return i;
	}
	return 0;
}

/* ---- the head ---- */

static json_t *take_part(struct archive_input *in, char begins)
{
	size_t have, len;
	json_t *value;

	if (peek(in) != begins)
		return NULL;
	have = archive_input_need(in, ARCHIVE_BUNDLE_PART_MAX);
	len = value_len(in->at, have);
	value = json_loadb(in->at, len, JSON_REJECT_DUPLICATES, NULL);
	if (value != NULL)
		archive_input_skip(in, len);
	return value;
}

static bool take_number(struct archive_input *in, int64_t *out)
{
	int64_t number = 0;
	int digits = 0, c = peek(in);
	bool zero = c == '0';

	for (; c >= '0' && c <= '9' && digits < 16; digits++) {
		number = 10 * number + (c - '0');
		archive_input_skip(in, 1);
		c = archive_input_need(in, 1) ? in->at[0] : -1;
	}
	*out = number;
	return digits > 0 && digits < 16 && !(zero && digits > 1);
}

/* {"file":text, `key`:text} */
static bool is_file(const json_t *entry, const char *key)
{
	return json_object_size(entry) == 2 &&
	       json_is_string(json_object_get(entry, "file")) &&
	       json_is_string(json_object_get(entry, key));
}

static bool is_roots(const json_t *roots)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(roots, i, entry)
	{
		if (!is_file(entry, "pem"))
			return false;
	}
	return true;
}

/* A file is a part: all of them together may be too large for one. */
static bool take_collateral(
    struct archive_bundle_about *out, struct archive_input *in)
{
	out->collateral = json_array();
	do {
		json_t *file = take_part(in, '{');

		if (!is_file(file, "b64")) {
			json_decref(file);
			return false;
		}
		if (json_array_append_new(out->collateral, file) != 0)
			return false;
	} while (take(in, ',') &&
		 json_array_size(out->collateral) < ARCHIVE_BUNDLE_FILES_MAX);
	return take(in, ']') && take(in, ',');
}

bool archive_bundle_begins(struct archive_input *in)
{
	static const char format[] = "\"" ARCHIVE_BUNDLE_FORMAT "\"";
	const size_t len = sizeof(format) - 1;

	if (!take(in, '{') || !take_key(in, "format") || peek(in) != '"' ||
	    archive_input_need(in, len) < len ||
	    memcmp(in->at, format, len) != 0)
		return false;
	archive_input_skip(in, len);
	return true;
}

int archive_bundle_read_about(struct archive_bundle_about *out,
    struct archive_input *in, char error[static ARCHIVE_SOURCE_ERROR_MAX])
{
	const char *place = "created_ms";

	memset(out, 0, sizeof(*out));
	if (!take(in, ',') || !take_key(in, "created_ms") ||
	    !take_number(in, &out->created_ms) || !take(in, ','))
		goto bad;
	place = "policy";
	if (!take_key(in, place))
		goto bad;
	out->policy = take_part(in, '{');
	if (out->policy == NULL || !take(in, ','))
		goto bad;
	place = "roots";
	if (!take_key(in, place))
		goto bad;
	out->roots = take_part(in, '[');
	if (out->roots == NULL || !is_roots(out->roots) || !take(in, ','))
		goto bad;
	place = "collateral";
	if (take_key(in, place) &&
	    (!take(in, '[') || !take_collateral(out, in)))
		goto bad;
	if (archive_bundle_hash(out) == 0)
		return 0;
	place = "memory";
bad:
	snprintf(error, ARCHIVE_SOURCE_ERROR_MAX,
	    "is no bundle: %s is missing, out of its place or malformed",
	    place);
	archive_bundle_about_fini(out);
	return -1;
}

/* ---- the lists ---- */

/* Behind the end of this line: what is damaged ends there. */
static int damaged(
    struct archive_input *in, struct archive_piece *out, const char *problem)
{
	size_t len;

	out->problem = problem;
	while ((len = archive_input_need(in, ARCHIVE_INPUT_PIECE)) > 0) {
		const char *end = memchr(in->at, '\n', len);

		archive_input_skip(in, end ? (size_t)(end - in->at) + 1 : len);
		if (end)
			break;
	}
	return 1;
}

/* One member, or what is there instead. */
static int take_member(struct archive_bundle *state, struct archive_input *in,
    struct archive_piece *out)
{
	size_t have, len;

	if (in->at[0] == ']') {
		state->comma = false;
		out->problem = "is missing behind a comma";
		return 1;
	}
	have = archive_input_need(in, ARCHIVE_LINE_MAX);
	len = in->at[0] == '{' ? value_len(in->at, have) : 0;
	state->number++;
	state->comma = false;
	if (len == 0)
		return damaged(in, out,
		    "is no JSON object that an archive "
		    "can hold");
	out->text = in->at;
	out->len = len;
	archive_input_skip(in, len);
	state->wants_comma = true;
	return 1;
}

/* 1: a problem was told; 0: the list has begun. */
static int begin_list(struct archive_bundle *state, struct archive_input *in,
    struct archive_piece *out)
{
	bool good = take_key(in, names[state->list]) && take(in, '[');

	state->begun = true;
	state->comma = state->wants_comma = false;
	state->number = 0;
	return good ? 0 : damaged(in, out, "is no list of the bundle");
}

/* Behind ']': the ',' before the next list, or the '}' behind the last. */
static int end_list(struct archive_bundle *state, struct archive_input *in,
    struct archive_piece *out)
{
	bool last = ++state->list == ARCHIVE_BUNDLE_LISTS;

	archive_input_skip(in, 1);
	state->begun = false;
	if (take(in, last ? '}' : ','))
		return 0;
	return damaged(in, out, "is followed by something else");
}

static int after_lists(struct archive_bundle *state, struct archive_input *in,
    struct archive_piece *out)
{
	if (state->over || peek(in) < 0)
		return 0;
	state->over = true;
	out->unit = "end";
	out->problem = "there is something behind the bundle's end";
	return 1;
}

static int truncated(struct archive_bundle *state, struct archive_input *in,
    struct archive_piece *out)
{
	state->list = ARCHIVE_BUNDLE_LISTS;
	state->over = true;
	out->problem = in->failed ? "the file cannot be read from here on"
				  : "the bundle ends in the middle";
	return 1;
}

/* What is there instead is read, if it can be. */
static int no_comma(
    struct archive_input *in, struct archive_piece *out, int instead)
{
	static const char problem[] = "comes without a comma";

	if (instead != '{')
		return damaged(in, out, problem);
	out->problem = problem;
	return 1;
}

int archive_bundle_next(struct archive_bundle *state, struct archive_input *in,
    struct archive_piece *out)
{
	int c;

	for (;;) {
		*out = (struct archive_piece){.number = state->number + 1};
		c = peek(in);
		out->offset = in->offset;
		if (state->list == ARCHIVE_BUNDLE_LISTS)
			return after_lists(state, in, out);
		out->unit = units[state->list];
		out->only = kinds[state->list];
		if (c < 0)
			return truncated(state, in, out);
		if (!state->begun) {
			if (begin_list(state, in, out))
				return 1;
		} else if (c == ']' && !state->comma) {
			if (end_list(state, in, out))
				return 1;
		} else if (state->wants_comma) {
			state->wants_comma = false;
			if (!take(in, ','))
				return no_comma(in, out, c);
			state->comma = true;
		} else {
			return take_member(state, in, out);
		}
	}
}
