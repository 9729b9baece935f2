/* heartbeat: see heartbeat.h. */
#include "oracle/init/heartbeat.h"

#include "base/now.h"
#include "oracle/init/dial.h"

#include <unistd.h>

int heartbeat_send(
    uv_loop_t *loop, const struct endpoint *to, uint64_t timeout_ms)
{
	int64_t until_ms = now_monotonic_ms() + (int64_t)timeout_ms;
	uint8_t byte = HEARTBEAT_BYTE;
	int fd = dial(loop, to, timeout_ms), err;

	if (fd < 0)
		return fd;
	err = dial_write(loop, fd, &byte, 1, until_ms);
	byte = 0;
	if (err == 0)
		err = dial_read(loop, fd, &byte, 1, until_ms);
	if (err == 0 && byte != HEARTBEAT_BYTE)
		err = UV_EPROTO;
	close(fd);
	return err;
}
