/* gate: see gate.h. */
#include "vsock-bridge/gate.h"

#include <stdio.h>
#include <string.h>

/* RFC 8446 6 */
#define RECORD_ALERT            21
#define ALERT_FATAL             2
#define ALERT_DECODE_ERROR      50
#define ALERT_MISSING_EXTENSION 109
#define ALERT_UNRECOGNIZED_NAME 112

static void set_alert(struct gate_verdict *out, uint8_t description)
{
	const uint8_t alert[GATE_ALERT_BYTES] = {
	    RECORD_ALERT, 3, 3, 0, 2, ALERT_FATAL, description};

	memcpy(out->alert, alert, sizeof(alert));
	out->alert_len = sizeof(alert);
}

static void shut(struct gate_verdict *out, const struct client_hello *hello)
{
	out->error = hello->error;
	snprintf(out->detail, sizeof(out->detail), "%s", hello->reason);
	if (strcmp(hello->error, CLIENT_HELLO_NO_NAME) == 0)
		set_alert(out, ALERT_MISSING_EXTENSION);
	else if (strcmp(hello->error, CLIENT_HELLO_MALFORMED) == 0)
		set_alert(out, ALERT_DECODE_ERROR);
}

enum gate_state gate_judge(struct gate_verdict *out, const char *host,
    const uint8_t *bytes, size_t len)
{
	struct client_hello hello;

	memset(out, 0, sizeof(*out));
	switch (client_hello_parse(&hello, bytes, len)) {
	case CLIENT_HELLO_MORE:
		return GATE_MORE;
	case CLIENT_HELLO_REFUSED:
		shut(out, &hello);
		return GATE_SHUT;
	case CLIENT_HELLO_READY:
		break;
	}
	if (strcmp(hello.host, host) == 0)
		return GATE_OPEN;
	out->error = GATE_WRONG_NAME;
	snprintf(out->detail, sizeof(out->detail),
	    "the ClientHello names another server: %s", hello.host);
	set_alert(out, ALERT_UNRECOGNIZED_NAME);
	return GATE_SHUT;
}
