/* sandbox: see sandbox.h. Here privileges, and the order of things. */
#include "vsock-bridge/sandbox.h"

#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(char error[static BRIDGE_CONFIG_ERROR_MAX], const char *what)
{
	snprintf(
	    error, BRIDGE_CONFIG_ERROR_MAX, "%s: %s", what, strerror(errno));
	return -1;
}

/* A thread that was there before would keep what this one gives up. Without
 * /proc nobody can say. */
static bool is_alone(void)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;
	unsigned count = 0;

	if (tasks == NULL)
		return true;
	while ((task = readdir(tasks)) != NULL)
		count += task->d_name[0] != '.';
	closedir(tasks);
	return count <= 1;
}

/* So it is where the service manager has taken them all; it may have taken
 * capset(2), too. */
static bool has_none(void)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capget, &header, has) != 0)
		return false;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if (has[i].effective || has[i].permitted || has[i].inheritable)
			return false;
	return true;
}

/* The bounding set needs CAP_SETPCAP: who has it not has little to bound, and
 * no_new_privs keeps it so. */
static int drop_capabilities(char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0;
	     cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	/* EINVAL: a kernel before 4.3, which has none */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 &&
	    errno != EINVAL)
		return fail(error, "ambient capabilities");
	if (!has_none() && syscall(SYS_capset, &header, none) != 0)
		return fail(error, "capabilities");
	return 0;
}

int sandbox_enter(const struct bridge_config *config,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	int abi;

	if (!is_alone()) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX,
		    "a thread runs already that would not be bound");
		return -1;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(error, "no_new_privs");
	if (drop_capabilities(error) != 0)
		return -1;
	abi = sandbox_files(config, error);
	if (abi < 0 || sandbox_calls(config->keeper_count > 0, error) != 0)
		return -1;
	if (abi == 0)
		log_warn("sandbox", "no_landlock",
		    LOG_S("detail", "the kernel has none: files are guarded by "
				    "their permissions alone"));
	log_info("sandbox", "on", LOG_D("landlock_abi", abi),
	    LOG_D("uid", geteuid()));
	return 0;
}
