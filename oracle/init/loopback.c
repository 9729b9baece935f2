/* loopback: see loopback.h. */
#include "oracle/init/loopback.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int loopback_up(loopback_ioctl_cb ioctl_cb)
{
	struct ifreq lo = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = 0;

	if (fd < 0)
		return -errno;
	if (ioctl_cb(fd, SIOCGIFFLAGS, &lo) != 0)
		ret = -errno;
	lo.ifr_flags |= IFF_UP;
	if (ret == 0 && ioctl_cb(fd, SIOCSIFFLAGS, &lo) != 0)
		ret = -errno;
	close(fd);
	return ret;
}
