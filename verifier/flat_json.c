/*
 * flat_json: see flat_json.h. One pass: what stands between the quotes is
 * checked and copied to the room for texts eight bytes at a time, and no string
 * says more bytes than it is written with.
 */
#include "verifier/flat_json.h"

#include "feeds/check.h"
#include "feeds/hex.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

struct scanner {
	const char *at, *end;
	char *out; /* the rest of the room: more than the rest of the JSON */
};

/* ---- characters ---- */

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/*
 * Of eight bytes in the order of a little-endian number: the high bit of the
 * first one that is a control, a quote, a backslash or no ASCII. Bits above it
 * may be wrong, by a borrow; 0 is always right.
 */
static uint64_t special_bits(uint64_t x)
{
	uint64_t quote = x ^ EACH_BYTE('"');
	uint64_t backslash = x ^ EACH_BYTE('\\');

	return (x | (x - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) |
		   (backslash - EACH_BYTE(1))) &
	       EACH_BYTE(0x80);
}

static bool is_special(char c)
{
	/* unnamed: a fact */
	return (unsigned char)c < 0x20 || (unsigned char)c >= 0x80 ||
	       c == '"' || c == '\\';
}

/* Copies what says itself. (The eight bytes written may be more than are
 * taken: that is what the slack is for.) */
static inline void copy_plain(struct scanner *s)
{
	while (s->end - s->at >= 8) {
		uint64_t x, special;
		int count = 8;

		memcpy(&x, s->at, sizeof(x));
		memcpy(s->out, &x, sizeof(x));
		special = special_bits(le64toh(x));
		if (special != 0)
			count = __builtin_ctzll(special) / 8;
		s->at += count;
		s->out += count;
		if (special != 0)
			return;
	}
	while (s->at < s->end && !is_special(*s->at))
		*s->out++ = *s->at++;
}

static void skip_blanks(struct scanner *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' ||
				     *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool take(struct scanner *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false; /* unnamed: the caller's to judge */
	s->at++;
	return true;
}

/* RFC 3629, 4: no overlong forms, no surrogates, nothing above U+10FFFF. The
 * length of the character, or 0. */
static size_t utf8_length(const char *text, size_t left)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t len = c[0] < 0xc2   ? 0
		     : c[0] < 0xe0 ? 2
		     : c[0] < 0xf0 ? 3
		     : c[0] < 0xf5 ? 4
				   : 0;

	if (len == 0 || REFUSE(utf8_cut, len > left))
		return 0;
	for (size_t i = 1; i < len; i++)
		if (REFUSE(utf8_next, (c[i] & 0xc0) != 0x80))
			return 0;
	if (REFUSE(utf8_overlong_3, c[0] == 0xe0 && c[1] < 0xa0) ||
	    REFUSE(utf8_surrogate, c[0] == 0xed && c[1] > 0x9f) ||
	    REFUSE(utf8_overlong_4, c[0] == 0xf0 && c[1] < 0x90) ||
	    REFUSE(utf8_above, c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return len;
}

/* ---- escapes ---- */

/* The number after "\u", or -1. It begins as one that no later check refuses:
 * behind NUL a test would not see that the digits' check is gone. */
static int32_t unit_at(const char *at, const char *end)
{
	uint8_t value[2] = {0, '?'};

	if (REFUSE(escape_unit_cut, end - at < 6) ||
	    REFUSE(escape_unit, at[0] != '\\' || at[1] != 'u'))
		return -1;
	if (REFUSE(escape_digit, hex_decode(value, 2, at + 2, 4) != 0))
		return -1;
	return value[0] << 8 | value[1];
}

/* RFC 8259, 7: what "\uXXXX" or a pair of them stands for, and how long it is
 * written; -1 for half a pair and for NUL. */
static int32_t code_point(const char *at, const char *end, size_t *written)
{
	int32_t high = unit_at(at, end), low;

	*written = 6;
	if (high < 0 || REFUSE(escape_nul, high == 0) ||
	    REFUSE(escape_low_first, high >= 0xdc00 && high <= 0xdfff))
		return -1;
	if (high < 0xd800 || high > 0xdbff)
		return high;
	low = unit_at(at + 6, end);
	*written = 12;
	if (REFUSE(escape_half, low < 0xdc00 || low > 0xdfff))
		return -1;
	return 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
}

static size_t put_utf8(char *out, int32_t c)
{
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = len; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(first[len] | c);
	return len;
}

static bool take_long_escape(struct scanner *s)
{
	size_t written;
	int32_t c = code_point(s->at, s->end, &written);

	if (c < 0)
		return false;
	s->at += written;
	s->out += put_utf8(s->out, c);
	return true;
}

static bool take_escape(struct scanner *s)
{
	static const char meant[256] = {['"'] = '"',
	    ['\\'] = '\\',
	    ['/'] = '/',
	    ['b'] = '\b',
	    ['f'] = '\f',
	    ['n'] = '\n',
	    ['r'] = '\r',
	    ['t'] = '\t'};
	char c;

	if (REFUSE(escape_cut, s->end - s->at < 2))
		return false;
	if (s->at[1] == 'u')
		return take_long_escape(s);
	c = meant[(unsigned char)s->at[1]];
	if (REFUSE(escape_letter, c == 0))
		return false;
	s->at += 2;
	*s->out++ = c;
	return true;
}

/* ---- strings ---- */

/* A character that is not ASCII; a control is no first byte of one either. */
static bool take_utf8(struct scanner *s)
{
	size_t len = utf8_length(s->at, (size_t)(s->end - s->at));

	memcpy(s->out, s->at, len);
	s->at += len;
	s->out += len;
	return REQUIRE(flat_utf8, len > 0);
}

/* What copy_plain() stopped at. */
static bool take_special(struct scanner *s)
{
	return *s->at == '\\' ? take_escape(s) : take_utf8(s);
}

/* Gives what it says, behind what was said before. Works on a copy of the
 * scanner that no write to the room can alter, for all the compiler knows. */
static bool take_string(struct scanner *scanner, const char **text, size_t *len)
{
	struct scanner s = *scanner;

	*text = s.out;
	if (REFUSE(flat_quote, !take(&s, '"')))
		return false;
	for (copy_plain(&s); s.at < s.end; copy_plain(&s)) {
		struct scanner here = s;

		if (*s.at == '"') {
			s.at++;
			*len = (size_t)(s.out - *text);
			*scanner = s;
			return true;
		}
		if (!take_special(&here))
			return false;
		s = here;
	}
	return false; /* unnamed: what has to follow is cut off as well */
}

/* ---- the object ---- */

static struct flat_field *find(
    struct flat_field *fields, size_t count, const char *key, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(fields[i].key) == len &&
		    memcmp(fields[i].key, key, len) == 0)
			return &fields[i];
	return NULL;
}

static bool take_object(
    struct scanner *s, struct flat_field *fields, size_t count);

/* "[{...},{...}]", at most `max`, and none is none. */
static bool take_list(struct scanner *s, struct flat_list *list)
{
	list->count = 0;
	if (REFUSE(flat_list_open, !take(s, '[')))
		return false;
	skip_blanks(s);
	if (take(s, ']'))
		return true;
	do {
		if (REFUSE(flat_list_max, list->count == list->max) ||
		    !take_object(
			s, list->fields + list->count * list->each, list->each))
			return false;
		list->count++;
		skip_blanks(s);
	} while (take(s, ','));
	return REQUIRE(flat_list_close, take(s, ']'));
}

static bool take_value(struct scanner *s, struct flat_field *field)
{
	if (field->list == NULL)
		return take_string(s, &field->text, &field->len);
	field->text = "";
	field->len = 0;
	return take_list(s, field->list);
}

static bool take_member(
    struct scanner *s, struct flat_field *fields, size_t count)
{
	struct flat_field *field;
	const char *key;
	size_t len;

	if (!take_string(s, &key, &len))
		return false;
	field = find(fields, count, key, len);
	if (REFUSE(flat_unknown, field == NULL) ||
	    REFUSE(flat_twice, field->text != NULL))
		return false;
	skip_blanks(s);
	if (REFUSE(flat_colon, !take(s, ':')))
		return false;
	skip_blanks(s);
	return take_value(s, field);
}

static bool take_object(
    struct scanner *s, struct flat_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fields[i].text = NULL;
	skip_blanks(s);
	if (REFUSE(flat_open, !take(s, '{')))
		return false;
	skip_blanks(s);
	if (take(s, '}'))
		return true;
	do {
		skip_blanks(s);
		if (!take_member(s, fields, count))
			return false;
		skip_blanks(s);
	} while (take(s, ','));
	return REQUIRE(flat_close, take(s, '}'));
}

int flat_json_parse(struct flat_field *fields, size_t count, const char *json,
    size_t len, char *room)
{
	struct scanner s = {json, json + len, room};

	if (!take_object(&s, fields, count))
		return -1;
	skip_blanks(&s);
	return REQUIRE(flat_end, s.at == s.end) ? 0 : -1;
}
