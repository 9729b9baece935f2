/* client_hello: see client_hello.h. */
#include "vsock-bridge/client_hello.h"

#include <string.h>

#define RECORD_HANDSHAKE      22    /* RFC 8446 5.1: ContentType */
#define RECORD_BYTES_MAX      16384 /* RFC 8446 5.1: 2^14 */
#define MESSAGE_HEAD          4
#define MESSAGE_CLIENT_HELLO  1 /* RFC 8446 4: HandshakeType */
#define EXTENSION_SERVER_NAME 0 /* RFC 6066 1.1 */
#define NAME_TYPE_HOST        0 /* RFC 6066 3 */
#define RANDOM_BYTES          32
#define SESSION_ID_MAX        32

/* What is still to be read. */
struct span {
	const uint8_t *bytes;
	size_t len;
};

/* The message, put together from the records that carry it. */
struct message {
	uint8_t bytes[CLIENT_HELLO_BYTES_MAX];
	size_t len;    /* so far */
	size_t wanted; /* 0: its head is not complete */
};

static void refuse(
    struct client_hello *out, const char *error, const char *reason)
{
	out->error = error;
	out->reason = reason;
}

static void malformed(struct client_hello *out, const char *reason)
{
	refuse(out, CLIENT_HELLO_MALFORMED, reason);
}

/* ---- numbers and vectors (RFC 8446 3.3, 3.4) ---- */

static bool take_bytes(struct span *from, size_t len, struct span *out)
{
	if (len > from->len)
		return false;
	*out = (struct span){from->bytes, len};
	from->bytes += len;
	from->len -= len;
	return true;
}

static bool take_number(struct span *from, size_t width, size_t *out)
{
	struct span digits;

	if (!take_bytes(from, width, &digits))
		return false;
	*out = 0;
	for (size_t i = 0; i < width; i++)
		*out = *out << 8 | digits.bytes[i];
	return true;
}

/* A length of `width` bytes, and as many bytes. */
static bool take_vector(struct span *from, size_t width, struct span *out)
{
	size_t len;

	return take_number(from, width, &len) && take_bytes(from, len, out);
}

/* ---- the message ---- */

/* RFC 6066 3: a list of names, of each type at most one, and host_name is the
 * only type that there is: so it is a list of one. */
static void take_server_name(struct client_hello *out, struct span extension)
{
	struct span names, name;
	const char *why;
	size_t type;

	if (out->host[0] != '\0') {
		malformed(out, "a second server_name extension");
		return;
	}
	if (!take_vector(&extension, 2, &names) || extension.len > 0 ||
	    !take_number(&names, 1, &type) || type != NAME_TYPE_HOST ||
	    !take_vector(&names, 2, &name)) {
		malformed(out, "a malformed server_name extension");
		return;
	}
	if (names.len > 0)
		malformed(out, "more than one server name");
	else if (authority_parse_name(
		     out->host, (const char *)name.bytes, name.len, &why) != 0)
		malformed(out, why);
}

static void take_extensions(struct client_hello *out, struct span extensions)
{
	struct span data;
	size_t type;

	while (extensions.len > 0 && out->reason == NULL) {
		if (!take_number(&extensions, 2, &type) ||
		    !take_vector(&extensions, 2, &data))
			malformed(out, "a malformed extension");
		else if (type == EXTENSION_SERVER_NAME)
			take_server_name(out, data);
	}
}

/* RFC 8446 4.1.2. A hello without extensions, as before TLS 1.2, ends after
 * the compression methods. */
static void take_message(struct client_hello *out, struct span body)
{
	struct span session, suites, compression, extensions = {0}, ignored;
	size_t version;

	if (!take_number(&body, 2, &version) ||
	    !take_bytes(&body, RANDOM_BYTES, &ignored) ||
	    !take_vector(&body, 1, &session) || session.len > SESSION_ID_MAX ||
	    !take_vector(&body, 2, &suites) || suites.len < 2 ||
	    suites.len % 2 != 0 || !take_vector(&body, 1, &compression) ||
	    compression.len < 1) {
		malformed(out, "a malformed ClientHello");
		return;
	}
	if (version >> 8 != 3) {
		malformed(out, "a version that TLS does not have");
		return;
	}
	if (body.len > 0 &&
	    (!take_vector(&body, 2, &extensions) || body.len > 0)) {
		malformed(out, "the ClientHello's extensions do not end it");
		return;
	}
	take_extensions(out, extensions);
	if (out->reason == NULL && out->host[0] == '\0')
		refuse(out, CLIENT_HELLO_NO_NAME,
		    "the ClientHello names no server");
}

/* ---- the records ---- */

/* Called when the message may have grown. */
static void look_at_head(struct client_hello *out, struct message *message)
{
	struct span head = {message->bytes, message->len};
	size_t type, len;

	if (!take_number(&head, 1, &type))
		return;
	if (type != MESSAGE_CLIENT_HELLO)
		malformed(out, "the first message is not a ClientHello");
	else if (take_number(&head, 3, &len)) {
		message->wanted = MESSAGE_HEAD + len;
		if (len > CLIENT_HELLO_BYTES_MAX - MESSAGE_HEAD)
			malformed(out, "the ClientHello is longer than 16 KiB");
	}
}

/* What is there of a record's content. RFC 8446 5.1: a ClientHello can precede
 * a change of keys, so it ends where a record ends. */
static void take_fragment(struct client_hello *out, struct message *message,
    struct span there, size_t record_len)
{
	size_t before = message->len, room = sizeof(message->bytes) - before;
	size_t len = there.len < room ? there.len : room;

	memcpy(message->bytes + before, there.bytes, len);
	message->len += len;
	look_at_head(out, message);
	if (out->reason == NULL && message->wanted > 0 &&
	    before + record_len > message->wanted)
		malformed(out, "a record holds more than the ClientHello");
}

/* The next record, or what is there of it. Returns false when that is not all
 * or it was refused. The version is not looked at but for what makes it TLS:
 * RFC 8446 5.1, "MUST be ignored for all purposes". */
static bool take_record(
    struct client_hello *out, struct message *message, struct span *wire)
{
	size_t type, major, minor, len;
	struct span there;

	if (!take_number(wire, 1, &type))
		return false;
	if (type != RECORD_HANDSHAKE && message->len > 0)
		malformed(out, "another record in the middle of a ClientHello");
	else if (type != RECORD_HANDSHAKE)
		refuse(out, CLIENT_HELLO_NOT_TLS,
		    type & 0x80 ? "not TLS, unless it is SSLv2"
				: "not TLS: no handshake record begins so");
	if (out->reason != NULL || !take_number(wire, 1, &major))
		return false;
	if (major != 3)
		refuse(out, CLIENT_HELLO_NOT_TLS,
		    "not TLS: a version that it does not have");
	if (out->reason != NULL || !take_number(wire, 1, &minor) ||
	    !take_number(wire, 2, &len))
		return false;
	if (len == 0 || len > RECORD_BYTES_MAX) {
		malformed(out, "a record of no length that TLS allows");
		return false;
	}
	there = (struct span){wire->bytes, len < wire->len ? len : wire->len};
	take_fragment(out, message, there, len);
	return out->reason == NULL && take_bytes(wire, len, &there);
}

enum client_hello_state client_hello_parse(
    struct client_hello *out, const uint8_t *bytes, size_t len)
{
	struct message message;
	struct span wire = {bytes, len};
	unsigned records = 0;

	message.len = message.wanted = 0;
	memset(out, 0, sizeof(*out));
	while (take_record(out, &message, &wire)) {
		if (message.wanted > 0 && message.len == message.wanted) {
			take_message(
			    out, (struct span){message.bytes + MESSAGE_HEAD,
				     message.wanted - MESSAGE_HEAD});
			out->wire_len = len - wire.len;
			break;
		}
		if (++records == CLIENT_HELLO_RECORDS_MAX) {
			malformed(out, "a ClientHello in too many records");
			break;
		}
	}
	if (out->reason != NULL) {
		out->wire_len = 0;
		out->host[0] = '\0';
		return CLIENT_HELLO_REFUSED;
	}
	return out->wire_len > 0 ? CLIENT_HELLO_READY : CLIENT_HELLO_MORE;
}
