/* loopback: the interface lo, up, so that 127.0.0.1 is there. */
#ifndef HALLMARK_ORACLE_INIT_LOOPBACK_H
#define HALLMARK_ORACLE_INIT_LOOPBACK_H

/* As ioctl(2). */
typedef int (*loopback_ioctl_cb)(int fd, unsigned long request, void *arg);

/* 0 or -errno. */
__attribute__((warn_unused_result)) int loopback_up(loopback_ioctl_cb ioctl_cb);

#endif
