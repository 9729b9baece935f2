/*
 * sandbox_files: Landlock (landlock(7)). What may still be read, beneath:
 *
 *   /etc               resolv.conf, hosts, nsswitch.conf, gai.conf, ld.so.cache
 *   where resolv.conf leads to  (it is often a link into /run)
 *   the libraries      name service modules are loaded when first asked
 *   the folders of the allow-lists and configurations, and where these lead to
 *   the keeper's directory, where files are also made, renamed and removed
 *
 * Folders and not files: a rule holds for the file that was there, and both
 * resolv.conf and ours are replaced by renaming another over them.
 * Connecting to a Unix socket is not restricted by it; sending a signal or
 * connecting to an abstract one is, from ABI 6 on.
 *
 * The system calls are made by hand: the C library has no functions for them,
 * and the kernel's header may be older than the kernel.
 */
#include "vsock-bridge/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct landlock_ruleset_attr as of ABI 6 */
struct ruleset {
	uint64_t access_fs, access_net, scoped;
};

#define ABI_NET   4
#define ABI_SCOPE 6
#define BIND_TCP  1 /* LANDLOCK_ACCESS_NET_BIND_TCP */
#define ABSTRACT  1 /* LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET */
#define SIGNAL    2 /* LANDLOCK_SCOPE_SIGNAL */

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static const char *const folders[] = {
    "/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib",
#if SANDBOX_SANITIZED
    "/proc", /* the sanitizers look at their own memory and threads */
#endif
};

/* All rights on files that this ABI knows. */
static uint64_t all_access(int abi)
{
	static const unsigned rights[] = {0, 13, 14, 15, 15, 16};
	size_t last = sizeof(rights) / sizeof(rights[0]) - 1;

	return (UINT64_C(1)
		   << rights[(size_t)abi < last ? (size_t)abi : last]) -
	       1;
}

static int create(int abi)
{
	const char *notify = getenv("NOTIFY_SOCKET");
	struct ruleset ruleset = {.access_fs = all_access(abi),
	    .access_net = BIND_TCP,
	    .scoped = SIGNAL};
	size_t size = sizeof(ruleset);

	/* The service manager's socket may be an abstract one. */
	if (notify == NULL || notify[0] != '@')
		ruleset.scoped |= ABSTRACT;
	if (abi < ABI_SCOPE)
		size = offsetof(struct ruleset, scoped);
	if (abi < ABI_NET)
		size = offsetof(struct ruleset, access_net);
	return (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
}

#define KEEP                                                                  \
	(READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* One that does not exist is not needed. */
static void allow(int ruleset, const char *folder, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = {.allowed_access = access};

	beneath.parent_fd = open(folder, O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (beneath.parent_fd < 0)
		return;
	(void)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	close(beneath.parent_fd);
}

static void allow_read(int ruleset, const char *folder)
{
	allow(ruleset, folder, READ);
}

static void allow_folder_of(int ruleset, const char *file)
{
	char *named = strdup(file), *real = realpath(file, NULL);

	if (named != NULL)
		allow_read(ruleset, dirname(named));
	if (real != NULL)
		allow_read(ruleset, dirname(real));
	free(named);
	free(real);
}

static void allow_all(int ruleset, const struct bridge_config *config)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		allow_read(ruleset, folders[i]);
	allow_folder_of(ruleset, "/etc/resolv.conf");
	for (size_t i = 0; i < config->outbound_count; i++)
		allow_folder_of(ruleset, config->outbound[i].allowlist);
	for (size_t i = 0; i < config->configuration_count; i++)
		allow_folder_of(ruleset, config->configuration[i].file);
	if (config->keeper_count > 0)
		allow(ruleset, config->keeper.directory, KEEP);
}

int sandbox_files(const struct bridge_config *config,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	int ruleset, ret;

	/* ENOSYS: not built in; EOPNOTSUPP: switched off at boot */
	if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0;
	ruleset = abi > 0 ? create(abi) : -1;
	if (ruleset < 0)
		goto failed;
	allow_all(ruleset, config);
	ret = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	close(ruleset);
	if (ret == 0)
		return abi;
failed:
	snprintf(
	    error, BRIDGE_CONFIG_ERROR_MAX, "Landlock: %s", strerror(errno));
	return -1;
}
