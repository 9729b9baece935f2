/*
 * log: lines are put together in one buffer on the stack and leave in one
 * write(2), so that lines of two processes with the same standard error do
 * not mix. All that leaves is printable ASCII: a value from outside can move
 * no cursor and start no line.
 */
#include "base/log.h"

#include "base/now.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Room that is kept for the mark of dropped fields and the line's end. */
#define LOG_TAIL     " ...\n"
#define LOG_TAIL_LEN (sizeof(LOG_TAIL) - 1)
/* Quotes, dots and four bytes for each one of the value. */
#define LOG_VALUE_TEXT_MAX (4 * LOG_VALUE_MAX + 8)

struct line {
	char text[LOG_LINE_MAX];
	size_t len;
};

static enum log_level least_level = LOG_INFO;

/* Appends all of `text` or nothing. */
static bool line_add(struct line *line, const char *text, size_t len)
{
	if (len > sizeof(line->text) - LOG_TAIL_LEN - line->len)
		return false;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	return true;
}

static bool needs_quotes(const char *str, size_t len)
{
	if (len == 0 || len > LOG_VALUE_MAX)
		return true;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)str[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\')
			return true;
	}
	return false;
}

/* Writes one byte of a quoted value, returns the bytes it took (1 to 4). */
static size_t escape(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t') {
		out[0] = '\\';
		out[1] = c == '\n'   ? 'n'
			 : c == '\r' ? 'r'
			 : c == '\t' ? 't'
				     : (char)c;
		return 2;
	}
	if (c < ' ' || c >= 0x7f) {
		out[0] = '\\';
		out[1] = 'x';
		out[2] = hex[c >> 4];
		out[3] = hex[c & 15];
		return 4;
	}
	out[0] = (char)c;
	return 1;
}

static size_t format_str(char out[static LOG_VALUE_TEXT_MAX], const char *str)
{
	size_t len = strnlen(str, LOG_VALUE_MAX + 1);
	size_t n = 0;

	if (!needs_quotes(str, len)) {
		memcpy(out, str, len);
		return len;
	}
	out[n++] = '"';
	for (size_t i = 0; i < len && i < LOG_VALUE_MAX; i++)
		n += escape(out + n, (unsigned char)str[i]);
	if (len > LOG_VALUE_MAX) {
		memcpy(out + n, "...", 3);
		n += 3;
	}
	out[n++] = '"';
	return n;
}

/* " key=value", or nothing at all when the line is full. */
static bool line_add_field(struct line *line, const struct log_field *field)
{
	char value[LOG_VALUE_TEXT_MAX];
	size_t before = line->len, len = 1;

	if (field->is_number)
		len = (size_t)snprintf(
		    value, sizeof(value), "%" PRId64, field->num);
	else if (field->str)
		len = format_str(value, field->str);
	else
		value[0] = '-';

	if (line_add(line, " ", 1) &&
	    line_add(line, field->key, strlen(field->key)) &&
	    line_add(line, "=", 1) && line_add(line, value, len))
		return true;
	line->len = before;
	return false;
}

static void line_begin(struct line *line, enum log_level level,
    const char *module, const char *event)
{
	static const char *const names[] = {"debug", "info ", "warn ", "error"};
	int64_t ms = now_unix_ms();
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char head[256], when[32];
	int len;

	gmtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	len = snprintf(head, sizeof(head), "%s.%03dZ %s %s %s", when,
	    (int)(ms % 1000), names[level], module, event);
	if (len >= (int)sizeof(head))
		len = sizeof(head) - 1;
	line->len = 0;
	line_add(line, head, (size_t)len);
}

/* A reader that does not read must not stop the program: what does not fit
 * into its pipe is dropped. */
static void write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

void log_write(enum log_level level, const char *module, const char *event,
    const struct log_field *fields)
{
	struct line line;
	int saved_errno = errno;

	if (level < least_level)
		return;
	line_begin(&line, level, module, event);
	while (fields->key && line_add_field(&line, fields))
		fields++;
	if (fields->key) {
		memcpy(line.text + line.len, LOG_TAIL, LOG_TAIL_LEN);
		line.len += LOG_TAIL_LEN;
	} else {
		line.text[line.len++] = '\n';
	}
	write_all(line.text, line.len);
	errno = saved_errno;
}

static bool line_add_passed_on(struct line *line, const char *text, size_t len)
{
	char escaped[4];

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		size_t n = 1;

		escaped[0] = (char)c;
		if (c < ' ' || c >= 0x7f)
			n = escape(escaped, c);
		if (!line_add(line, escaped, n))
			return false;
	}
	return true;
}

size_t log_passed_on(const char *module, const char *from, const char *text,
    size_t len, bool cut)
{
	struct line line;

	if (LOG_INFO < least_level)
		return 0;
	line_begin(&line, LOG_INFO, module, from);
	line_add(&line, " | ", 3);
	if (!line_add_passed_on(&line, text, len) || cut) {
		memcpy(line.text + line.len, LOG_TAIL, LOG_TAIL_LEN);
		line.len += LOG_TAIL_LEN;
	} else {
		line.text[line.len++] = '\n';
	}
	write_all(line.text, line.len);
	return line.len;
}

void log_set_level(enum log_level level)
{
	least_level = level;
}

void log_die(const char *module, const char *why_format, ...)
{
	char why[LOG_VALUE_MAX + 1];
	va_list args;

	va_start(args, why_format);
	vsnprintf(why, sizeof(why), why_format, args);
	va_end(args);
	log_error(module, "die", LOG_S("why", why));
	exit(1);
}
