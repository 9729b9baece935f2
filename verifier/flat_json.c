/*
 * flat_json: see flat_json.h. Two passes over each string: the first finds its
 * end and checks all of it, so that the second, which decodes, cannot fail.
 */
#include "verifier/flat_json.h"

#include "feeds/check.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

struct scanner {
	const char *at, *end;
};

/* ---- characters ---- */

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/* Whether one of eight bytes is a control, a quote, a backslash or no ASCII.
 * (A borrow can only come from a lower byte that is one.) */
static bool has_special(const char *at)
{
	uint64_t x, quote, backslash;

	memcpy(&x, at, sizeof(x));
	quote = x ^ EACH_BYTE('"');
	backslash = x ^ EACH_BYTE('\\');
	return ((x | (x - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) |
		    (backslash - EACH_BYTE(1))) &
		   EACH_BYTE(0x80)) != 0;
}

static bool is_special(char c)
{
	return (unsigned char)c < 0x20 || (unsigned char)c >= 0x80 ||
	       c == '"' || c == '\\';
}

static void skip_plain(struct scanner *s)
{
	while (s->end - s->at >= 8 && !has_special(s->at))
		s->at += 8;
	while (s->at < s->end && !is_special(*s->at))
		s->at++;
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
		return false;
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

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The number after "\u", or -1. */
static int32_t unit_at(const char *at, const char *end)
{
	int32_t value = 0;

	if (REFUSE(escape_unit_cut, end - at < 6) ||
	    REFUSE(escape_unit, at[0] != '\\' || at[1] != 'u'))
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = digit_value(at[i]);

		if (REFUSE(escape_digit, digit < 0))
			return -1;
		value = value * 16 + digit;
	}
	return value;
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

/* What the letter of a short escape stands for, 0 if there is none. */
static char short_escape(char letter)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *found = memchr(letters, letter, sizeof(letters) - 1);

	return found == NULL ? 0 : meant[found - letters];
}

/* Steps over a checked escape. */
static bool take_escape(struct scanner *s)
{
	size_t written = 2;

	if (REFUSE(escape_cut, s->end - s->at < 2))
		return false;
	if (s->at[1] == 'u') {
		if (code_point(s->at, s->end, &written) < 0)
			return false;
	} else if (REFUSE(escape_letter, short_escape(s->at[1]) == 0)) {
		return false;
	}
	s->at += written;
	return true;
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

/* ---- strings ---- */

static bool take_string(struct scanner *s, struct flat_text *out)
{
	if (REFUSE(flat_quote, !take(s, '"')))
		return false;
	*out = (struct flat_text){.at = s->at};
	for (skip_plain(s); s->at < s->end; skip_plain(s)) {
		size_t len;

		if (*s->at == '"') {
			out->len = (size_t)(s->at++ - out->at);
			return true;
		}
		if (*s->at == '\\') {
			out->escaped = true;
			if (!take_escape(s))
				return false;
			continue;
		}
		/* a control character is no first byte either */
		len = utf8_length(s->at, (size_t)(s->end - s->at));
		if (REFUSE(flat_utf8, len == 0))
			return false;
		s->at += len;
	}
	return false;
}

size_t flat_text_decode(const struct flat_text *text, char *out)
{
	const char *at = text->at, *end = text->at + text->len;
	char *start = out;

	if (!text->escaped) {
		memcpy(out, at, text->len);
		return text->len;
	}
	while (at < end) {
		if (*at != '\\') {
			*out++ = *at++;
		} else if (at[1] != 'u') {
			*out++ = short_escape(at[1]);
			at += 2;
		} else {
			size_t written;
			int32_t c = code_point(at, end, &written);

			assert(c > 0);
			out += put_utf8(out, c);
			at += written;
		}
	}
	return (size_t)(out - start);
}

/* ---- the object ---- */

static struct flat_field *find(
    struct flat_field *fields, size_t count, const struct flat_text *key)
{
	char text[6 * FLAT_KEY_MAX];
	size_t len;

	if (REFUSE(flat_key_max, key->len > sizeof(text)))
		return NULL;
	len = flat_text_decode(key, text);
	for (size_t i = 0; i < count; i++)
		if (strlen(fields[i].key) == len &&
		    memcmp(fields[i].key, text, len) == 0)
			return &fields[i];
	return NULL;
}

static bool take_member(
    struct scanner *s, struct flat_field *fields, size_t count)
{
	struct flat_field *field;
	struct flat_text key;

	if (!take_string(s, &key))
		return false;
	field = find(fields, count, &key);
	if (REFUSE(flat_unknown, field == NULL) ||
	    REFUSE(flat_twice, field->value.at != NULL))
		return false;
	skip_blanks(s);
	if (REFUSE(flat_colon, !take(s, ':')))
		return false;
	skip_blanks(s);
	return take_string(s, &field->value);
}

static bool take_object(
    struct scanner *s, struct flat_field *fields, size_t count)
{
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

int flat_json_parse(
    struct flat_field *fields, size_t count, const char *json, size_t len)
{
	struct scanner s = {json, json + len};

	for (size_t i = 0; i < count; i++)
		fields[i].value = (struct flat_text){0};
	if (!take_object(&s, fields, count))
		return -1;
	skip_blanks(&s);
	return REQUIRE(flat_end, s.at == s.end) ? 0 : -1;
}
