/*
 * sse_parser: WHATWG HTML 9.2.6, "Interpreting an event stream".
 *
 * Bytes are collected into a line; a line is a field, a comment, or empty,
 * and an empty one dispatches the event. A line ends with CR, LF or CRLF;
 * since the LF of a CRLF may come in the next piece, a CR ends the line at
 * once and an LF right after it is skipped.
 *
 * Two differences, both on the safe side: bytes that are not UTF-8 are handed
 * on as they are (whoever reads the data as JSON refuses them), and a NUL in
 * an event's name becomes '?', so that a C string cannot be shorter than the
 * name was.
 */
#include "base/sse.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES                                        \
	(SSE_PARSER_DATA_MAX + 64) /* data and its field name \
				    */
#define RETRY_DIGITS 9             /* more is no sane time */

struct bytes {
	char *data;
	size_t len, cap;
};

struct sse_parser {
	sse_event_cb cb;
	void *cb_data;
	struct bytes line, data;
	bool after_cr;   /* the last byte was a CR */
	bool first_line; /* it may begin with a BOM */
	bool failed;
	unsigned retry_ms;
	char name[SSE_PARSER_NAME_MAX];
	char id[SSE_ID_MAX];
};

/* ---- bytes, always NUL-terminated once something was added ---- */

static int bytes_add(
    struct bytes *bytes, const char *more, size_t len, size_t max)
{
	if (len > max - bytes->len)
		return UV_EMSGSIZE;
	if (bytes->len + len + 1 > bytes->cap) {
		size_t cap = bytes->cap ? bytes->cap : 256;

		while (cap < bytes->len + len + 1)
			cap *= 2;
		bytes->data = realloc(bytes->data, cap);
		if (!bytes->data)
			log_die("sse", "out of memory");
		bytes->cap = cap;
	}
	if (len > 0)
		memcpy(bytes->data + bytes->len, more, len);
	bytes->len += len;
	bytes->data[bytes->len] = '\0';
	return 0;
}

/* ---- fields ---- */

static int take_name(struct sse_parser *parser, const char *value, size_t len)
{
	if (len >= sizeof(parser->name))
		return UV_EMSGSIZE;
	for (size_t i = 0; i < len; i++)
		parser->name[i] = value[i] ? value[i] : '?';
	parser->name[len] = '\0';
	return 0;
}

static int take_id(struct sse_parser *parser, const char *value, size_t len)
{
	if (memchr(value, '\0', len))
		return 0;
	if (len >= sizeof(parser->id))
		return UV_EMSGSIZE;
	memcpy(parser->id, value, len);
	parser->id[len] = '\0';
	return 0;
}

static int take_retry(struct sse_parser *parser, const char *value, size_t len)
{
	unsigned ms = 0;

	if (len == 0 || len > RETRY_DIGITS)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return 0;
		ms = ms * 10 + (unsigned)(value[i] - '0');
	}
	parser->retry_ms = ms;
	return 0;
}

/* Each line of data keeps its LF until the event is dispatched. */
static int take_data(struct sse_parser *parser, const char *value, size_t len)
{
	int ret = bytes_add(&parser->data, value, len, SSE_PARSER_DATA_MAX + 1);

	if (ret == 0)
		ret = bytes_add(
		    &parser->data, "\n", 1, SSE_PARSER_DATA_MAX + 1);
	return ret;
}

static int take_field(struct sse_parser *parser, const char *field,
    size_t field_len, const char *value, size_t len)
{
	static const struct {
		const char *name;
		int (*take)(struct sse_parser *, const char *, size_t);
	} fields[] = {
	    {"data", take_data},
	    {"event", take_name},
	    {"id", take_id},
	    {"retry", take_retry},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strlen(fields[i].name) == field_len &&
		    memcmp(fields[i].name, field, field_len) == 0)
			return fields[i].take(parser, value, len);
	return 0; /* "Otherwise: the field is ignored." */
}

static void dispatch(struct sse_parser *parser)
{
	struct bytes *data = &parser->data;
	struct sse_event event;

	if (data->len > 0) {
		data->data[--data->len] = '\0';
		event = (struct sse_event){
		    .name = parser->name[0] ? parser->name : "message",
		    .id = parser->id,
		    .data = data->data,
		    .len = data->len,
		};
		parser->cb(&event, parser->cb_data);
	}
	data->len = 0;
	parser->name[0] = '\0';
}

/* ---- lines ---- */

static int take_line(struct sse_parser *parser)
{
	const char *line = parser->line.data ? parser->line.data : "";
	size_t len = parser->line.len, value_at;
	const char *colon;

	parser->line.len = 0;
	/* "one leading U+FEFF BYTE ORDER MARK character if any" */
	if (parser->first_line && len >= 3 &&
	    memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		len -= 3;
	}
	parser->first_line = false;
	if (len == 0) {
		dispatch(parser);
		return 0;
	}
	colon = memchr(line, ':', len);
	if (colon == line)
		return 0;
	if (!colon)
		return take_field(parser, line, len, "", 0);
	value_at = (size_t)(colon - line) + 1;
	if (value_at < len && line[value_at] == ' ')
		value_at++;
	return take_field(parser, line, (size_t)(colon - line), line + value_at,
	    len - value_at);
}

/* Bytes before the first CR or LF. Not two memchr(): a stream of one sort
 * only would be searched to its end for the other sort at each line. */
static size_t line_length(const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && bytes[n] != '\r' && bytes[n] != '\n')
		n++;
	return n;
}

static int feed(struct sse_parser *parser, const char *bytes, size_t len)
{
	int ret = 0;

	while (ret == 0 && len > 0) {
		size_t n;

		if (parser->after_cr && *bytes == '\n') {
			parser->after_cr = false;
			bytes++;
			len--;
			continue;
		}
		parser->after_cr = false;
		n = line_length(bytes, len);
		ret = bytes_add(&parser->line, bytes, n, LINE_MAX_BYTES);
		if (ret < 0 || n == len)
			return ret;
		parser->after_cr = bytes[n] == '\r';
		bytes += n + 1;
		len -= n + 1;
		ret = take_line(parser);
	}
	return ret;
}

/* ---- public ---- */

struct sse_parser *sse_parser_new(sse_event_cb cb, void *data)
{
	struct sse_parser *parser = calloc(1, sizeof(*parser));

	if (!parser)
		log_die("sse", "out of memory");
	parser->cb = cb;
	parser->cb_data = data;
	parser->first_line = true;
	return parser;
}

int sse_parser_feed(struct sse_parser *parser, const char *bytes, size_t len)
{
	int ret = parser->failed ? UV_EMSGSIZE : feed(parser, bytes, len);

	parser->failed = ret < 0;
	return ret;
}

unsigned sse_parser_retry_ms(const struct sse_parser *parser)
{
	return parser->retry_ms;
}

void sse_parser_free(struct sse_parser *parser)
{
	if (!parser)
		return;
	free(parser->line.data);
	free(parser->data.data);
	free(parser);
}
