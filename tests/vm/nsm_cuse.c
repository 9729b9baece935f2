/*
 * nsm_cuse: /dev/nsm for a test guest. A character device in user space
 * (CUSE: Linux's Documentation/filesystems/fuse.rst, include/uapi/linux/fuse.h;
 * libfuse's cuse_lowlevel is the same on top) that answers NSM_IOCTL_RAW as the
 * kernel's own driver does (drivers/misc/nsm.c), with nsm_core behind it. The
 * program that opens it takes the very path that it takes in an enclave.
 *
 *   nsm_cuse DIRECTORY [NAME]   DIRECTORY holds simulated-root.pem and
 *                               simulated-root-key.pem; NAME is nsm
 *
 * An ioctl takes three turns, because the kernel does not know what our
 * argument points to: we ask for the struct (RETRY), then for the request that
 * it points to and for room where it wants the answer (RETRY), then answer.
 *
 * Ends when the device is gone or at SIGTERM. Any error is fatal: it is a test.
 */
#include "tests/vm/nsm_core.h"

#include "base/log.h"
#include "oracle/attester_nsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define IOCTL_RAW  _IOWR(0x0A, 0x0, struct attester_nsm_raw)
#define INFO_MAX   64        /* "DEVNAME=..." and its NUL */
#define BUFFER_MAX (1 << 17) /* one message of the kernel; at most 64 KiB + */

struct device {
	int fd;
	const char *name;
	struct nsm_core core;
	uint64_t unique; /* of the message that is being answered */
};

/* ---- answering the kernel ---- */

static void reply(
    const struct device *d, int error, const struct iovec *parts, int count)
{
	struct fuse_out_header head = {.error = error, .unique = d->unique};
	struct iovec all[4] = {{&head, sizeof(head)}};
	size_t len = sizeof(head);

	for (int i = 0; i < count; i++) {
		all[1 + i] = parts[i];
		len += parts[i].iov_len;
	}
	head.len = (uint32_t)len;
	if (writev(d->fd, all, 1 + count) < 0)
		log_die("nsm_cuse", "write: %s", strerror(errno));
}

static void reply_error(const struct device *d, int error)
{
	reply(d, -error, NULL, 0);
}

static void reply_init(const struct device *d)
{
	struct cuse_init_out out = {
	    .major = FUSE_KERNEL_VERSION,
	    .minor = FUSE_KERNEL_MINOR_VERSION,
	    .flags = CUSE_UNRESTRICTED_IOCTL, /* or RETRY is refused */
	    .max_read = 65536,
	    .max_write = 65536,
	};
	char info[INFO_MAX];
	struct iovec parts[] = {{&out, sizeof(out)}, {info, 0}};

	snprintf(info, sizeof(info), "DEVNAME=%s", d->name);
	parts[1].iov_len = strlen(info) + 1;
	reply(d, 0, parts, 2);
}

static void reply_open(const struct device *d)
{
	struct fuse_open_out out = {.fh = 1};
	struct iovec part = {&out, sizeof(out)};

	reply(d, 0, &part, 1);
}

/* ---- the ioctl ---- */

/* "Call again with what these hold, and with room for those." */
static void ask_again(const struct device *d, struct fuse_ioctl_iovec *vectors,
    uint32_t in, uint32_t out)
{
	struct fuse_ioctl_out head = {
	    .flags = FUSE_IOCTL_RETRY, .in_iovs = in, .out_iovs = out};
	struct iovec parts[] = {
	    {&head, sizeof(head)}, {vectors, (in + out) * sizeof(*vectors)}};

	reply(d, 0, parts, 2);
}

/* drivers/misc/nsm.c cuts an answer that is longer than the caller's buffer,
 * and tells the length of what it wrote. */
static void answer(struct device *d, const struct attester_nsm_raw *asked,
    const uint8_t *request)
{
	static uint8_t bytes[NSM_MESSAGE_ANSWER_MAX];
	struct attester_nsm_raw raw = *asked;
	struct fuse_ioctl_out head = {.result = 0};
	struct iovec parts[] = {
	    {&head, sizeof(head)}, {&raw, sizeof(raw)}, {bytes, 0}};
	size_t len = nsm_core_answer(
	    &d->core, request, (size_t)raw.request.len, bytes);

	if (len < raw.response.len)
		raw.response.len = len;
	parts[2].iov_len = (size_t)raw.response.len;
	reply(d, 0, parts, 3);
}

static void on_ioctl(struct device *d, const uint8_t *message, size_t len)
{
	struct attester_nsm_raw raw;
	struct fuse_ioctl_in in;
	struct fuse_ioctl_iovec vectors[4];

	if (len < sizeof(in))
		log_die("nsm_cuse", "short message");
	memcpy(&in, message, sizeof(in));
	message += sizeof(in);
	vectors[0] = vectors[2] = (struct fuse_ioctl_iovec){
	    in.arg, sizeof(raw)};
	if (in.cmd != IOCTL_RAW) {
		reply_error(d, EINVAL);
		return;
	}
	if (in.in_size < sizeof(raw) || len - sizeof(in) < sizeof(raw)) {
		ask_again(d, vectors, 1, 0);
		return;
	}
	memcpy(&raw, message, sizeof(raw));
	if (raw.request.len > NSM_MESSAGE_REQUEST_MAX) {
		reply_error(d, EMSGSIZE);
		return;
	}
	if (raw.response.len > NSM_MESSAGE_ANSWER_MAX)
		raw.response.len = NSM_MESSAGE_ANSWER_MAX;
	vectors[1] = (struct fuse_ioctl_iovec){
	    raw.request.addr, raw.request.len};
	vectors[3] = (struct fuse_ioctl_iovec){
	    raw.response.addr, raw.response.len};
	if (in.in_size < sizeof(raw) + raw.request.len)
		ask_again(d, vectors, 2, 2);
	else
		answer(d, &raw, message + sizeof(raw));
}

/* ---- messages of the kernel ---- */

static void on_message(struct device *d, const uint8_t *bytes, size_t len)
{
	struct fuse_in_header head;

	if (len < sizeof(head))
		log_die("nsm_cuse", "short message");
	memcpy(&head, bytes, sizeof(head));
	d->unique = head.unique;
	switch (head.opcode) {
	case CUSE_INIT:
		reply_init(d);
		break;
	case FUSE_OPEN:
		reply_open(d);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(d, 0, NULL, 0);
		break;
	case FUSE_IOCTL:
		on_ioctl(d, bytes + sizeof(head), len - sizeof(head));
		break;
	case FUSE_INTERRUPT: /* of what we have answered by now */
		break;
	default:
		reply_error(d, ENOSYS);
		break;
	}
}

static void serve(struct device *d)
{
	static uint8_t bytes[BUFFER_MAX];

	for (;;) {
		ssize_t len = read(d->fd, bytes, sizeof(bytes));

		if (len >= 0)
			on_message(d, bytes, (size_t)len);
		else if (errno == ENODEV)
			return;
		else if (errno != EINTR && errno != ENOENT)
			log_die("nsm_cuse", "read: %s", strerror(errno));
	}
}

int main(int argc, char **argv)
{
	char error[ATTESTER_ERROR_MAX];
	struct attester *attester;
	struct device d;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: nsm_cuse DIRECTORY [NAME]\n");
		return 1;
	}
	d.name = argc == 3 ? argv[2] : "nsm";
	attester = attester_simulated_open(argv[1], error);
	if (attester == NULL || nsm_core_init(&d.core, attester, error) != 0)
		log_die("nsm_cuse", "%s", error);
	d.fd = open("/dev/cuse", O_RDWR | O_CLOEXEC);
	if (d.fd < 0)
		log_die("nsm_cuse", "/dev/cuse: %s", strerror(errno));
	serve(&d);
	attester->ops->close(attester);
	return 0;
}
