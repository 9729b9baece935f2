/* connect_request: see connect_request.h. */
#include "vsock-bridge/connect_request.h"

#include <string.h>
#include <strings.h>

/* A line without its CRLF, or a part of one. */
struct span {
	const char *text;
	size_t len;
};

/* What was seen of the fields that may come once only. */
struct fields {
	unsigned count;
	bool host, length;
};

static bool span_is(struct span span, const char *text)
{
	return span.len == strlen(text) &&
	       memcmp(span.text, text, span.len) == 0;
}

static bool span_is_nocase(struct span span, const char *text)
{
	return span.len == strlen(text) &&
	       strncasecmp(span.text, text, span.len) == 0;
}

/* RFC 9110 5.6.2: token. */
static bool is_token(struct span span)
{
	for (size_t i = 0; i < span.len; i++) {
		char c = span.text[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z');

		if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return span.len > 0;
}

/* Takes what stands before `separator` off the front of *rest. */
static bool cut(struct span *rest, char separator, struct span *before)
{
	const char *at = memchr(rest->text, separator, rest->len);

	if (at == NULL)
		return false;
	*before = (struct span){rest->text, (size_t)(at - rest->text)};
	*rest = (struct span){at + 1, rest->len - before->len - 1};
	return true;
}

/* RFC 9112 3: method SP request-target SP HTTP-version, one space each. */
static const char *take_request_line(
    struct connect_request *out, struct span line)
{
	struct span method, target;
	const char *why = NULL;

	if (!cut(&line, ' ', &method) || !is_token(method) ||
	    !cut(&line, ' ', &target))
		return "not an HTTP request line";
	if (line.len < 5 || memcmp(line.text, "HTTP/", 5) != 0)
		return "not an HTTP request line";
	if (!span_is(method, "CONNECT")) {
		out->bad_method = true;
		return "the only method here is CONNECT";
	}
	/* Python's http.client and openssl s_client say 1.0. The tunnel is the
	 * same, RFC 9110 9.3.6 knows no difference. */
	if (!span_is(line, "HTTP/1.1") && !span_is(line, "HTTP/1.0"))
		return "the only versions here are HTTP/1.1 and 1.0";
	if (authority_parse(&out->target, target.text, target.len, &why) != 0)
		return why;
	return NULL;
}

static struct span trim(struct span value)
{
	while (value.len > 0 && strchr(" \t", value.text[0])) {
		value.text++;
		value.len--;
	}
	while (value.len > 0 && strchr(" \t", value.text[value.len - 1]))
		value.len--;
	return value;
}

/*
 * RFC 9112 5: field-name ":" OWS value; a fold begins with a blank and is not
 * a token. RFC 9110 9.3.6: a CONNECT request has no content, and a length of
 * one would leave open where the stream begins.
 */
static const char *take_field(struct fields *seen, struct span line)
{
	struct span name;

	if (seen->count++ == CONNECT_REQUEST_FIELDS_MAX)
		return "too many header fields";
	if (!cut(&line, ':', &name) || !is_token(name))
		return "a malformed header field";
	if (span_is_nocase(name, "transfer-encoding"))
		return "a CONNECT request has no content";
	if (span_is_nocase(name, "content-length")) {
		if (seen->length || !span_is(trim(line), "0"))
			return "a CONNECT request has no content";
		seen->length = true;
	}
	if (span_is_nocase(name, "host")) {
		/* RFC 9112 3.2: more than one Host is a 400. None at all is
		 * accepted: older stock clients send none with CONNECT. */
		if (seen->host)
			return "a second Host field";
		seen->host = true;
	}
	return NULL;
}

/* What no head holds at this place, however it goes on. */
static const char *check_byte(const uint8_t *bytes, size_t at, bool first_line)
{
	uint8_t c = bytes[at];

	if (c == '\n')
		return at > 0 && bytes[at - 1] == '\r' ? NULL : "a bare LF";
	if (at > 0 && bytes[at - 1] == '\r')
		return "a bare CR";
	if (c == '\r' || (c == '\t' && !first_line))
		return NULL;
	if (c < 0x20 || c == 0x7f || (c > 0x7f && first_line))
		return "not HTTP: a byte that no request has";
	return NULL;
}

/* A line ends at `at`. Sets *done when it was the empty one. */
static const char *take_line(struct connect_request *out, struct fields *seen,
    struct span line, bool first_line, bool *done)
{
	if (first_line)
		return take_request_line(out, line);
	if (line.len > 0)
		return take_field(seen, line);
	*done = true;
	return NULL;
}

static const char *walk(
    struct connect_request *out, const uint8_t *bytes, size_t len, bool *done)
{
	const char *text = (const char *)bytes, *why = NULL;
	struct fields seen = {0};
	size_t start = 0;

	for (size_t at = 0; at < len && !*done; at++) {
		if (at == CONNECT_REQUEST_BYTES_MAX)
			break;
		why = check_byte(bytes, at, start == 0);
		if (why == NULL && bytes[at] == '\n') {
			struct span line = {text + start, at - 1 - start};

			why = take_line(out, &seen, line, start == 0, done);
			start = at + 1;
		}
		if (why != NULL)
			return why;
	}
	out->head_len = start;
	if (!*done && len >= CONNECT_REQUEST_BYTES_MAX)
		return "the head is longer than 4096 bytes";
	return NULL;
}

enum connect_request_state connect_request_parse(
    struct connect_request *out, const uint8_t *bytes, size_t len)
{
	bool done = false;

	memset(out, 0, sizeof(*out));
	out->reason = walk(out, bytes, len, &done);
	if (out->reason != NULL) {
		out->head_len = 0;
		return CONNECT_REQUEST_REFUSED;
	}
	return done ? CONNECT_REQUEST_READY : CONNECT_REQUEST_MORE;
}
