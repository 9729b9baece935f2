/* vhost_message: see vhost_message.h. */
#include "tests/vm/vhost_message.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define FLAGS_REPLY (1u | 1u << 2) /* version 1; this is an answer */

int vhost_message_refuse(const struct vhost_message *m, const char *why)
{
	log_error("vhost_user", "refused", LOG_D("request", m->head.request),
	    LOG_D("size", m->head.size), LOG_S("why", why));
	return -1;
}

static void take_descriptors(struct vhost_message *m, struct msghdr *from)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(from);

	m->fd_count = 0;
	if (control == NULL || control->cmsg_level != SOL_SOCKET ||
	    control->cmsg_type != SCM_RIGHTS)
		return;
	m->fd_count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(m->fds, CMSG_DATA(control), m->fd_count * sizeof(int));
}

int vhost_message_read(struct vhost_message *m, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(m->fds))];
	struct iovec part = {&m->head, sizeof(m->head)};
	struct msghdr in = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(fd, &in, MSG_CMSG_CLOEXEC | MSG_WAITALL);

	memset(&m->body, 0, sizeof(m->body));
	if (len == 0 || (len < 0 && errno == ECONNRESET))
		return 0;
	if (len < 0)
		m->head = (struct vhost_message_head){0};
	else
		take_descriptors(m, &in);
	if (len != (ssize_t)sizeof(m->head) || m->head.size > sizeof(m->body) ||
	    (in.msg_flags & MSG_CTRUNC) != 0)
		return vhost_message_refuse(m, "no message");
	if (m->head.size > 0 && recv(fd, &m->body, m->head.size, MSG_WAITALL) !=
				    (ssize_t)m->head.size)
		return vhost_message_refuse(m, "cut");
	return 1;
}

int vhost_message_reply(struct vhost_message *m, int fd)
{
	struct iovec parts[] = {
	    {&m->head, sizeof(m->head)}, {&m->body, m->head.size}};
	struct msghdr out = {.msg_iov = parts, .msg_iovlen = 2};

	m->head.flags = FLAGS_REPLY;
	if (sendmsg(fd, &out, MSG_NOSIGNAL) < 0)
		return vhost_message_refuse(m, strerror(errno));
	return 0;
}
