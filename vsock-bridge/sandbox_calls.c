/*
 * sandbox_calls: the system calls that the bridge makes once it runs, for
 * seccomp(2).
 *
 * Any other gets ENOSYS, and the program goes on: a newer C library tries a
 * newer call and falls back to the one that it knows from older kernels, which
 * killing or EPERM would not let it do. A call that no library makes by
 * accident, and that only somebody who has taken the process over has a use
 * for, ends it; the kernel writes that to its log.
 *
 * No file is opened for writing (but by a keeper, where Landlock lets it), no
 * socket is made to listen, no process is started, no memory is both written
 * and run.
 */
#include "vsock-bridge/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define CALL(name) SCMP_SYS(name)

static const int allowed[] = {
    /* the sockets, and what is moved between them */
    CALL(accept4),
    CALL(connect),
    CALL(shutdown),
    CALL(getsockname),
    CALL(getpeername),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(sendto),
    CALL(sendmsg),
    CALL(sendmmsg),
    CALL(read),
    CALL(readv),
    CALL(write),
    CALL(writev),
    CALL(splice),
    CALL(pipe2),
    CALL(close),
    CALL(fcntl),
    CALL(bind), /* the resolver's netlink socket; Landlock forbids TCP */
    /* the loop */
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(eventfd2),
    CALL(poll),
    CALL(ppoll),
    CALL(clock_gettime),
    CALL(gettimeofday),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(restart_syscall),
    CALL(rt_sigreturn),
    CALL(rt_sigprocmask),
    CALL(rt_sigaction),
    /* memory, and threads for lookups; clone, mmap and mprotect below */
    CALL(brk),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    CALL(futex),
    CALL(set_robust_list),
    CALL(rseq),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(getrandom),
    CALL(exit),
    CALL(exit_group),
    CALL(tgkill), /* abort(3) */
    CALL(gettid),
    CALL(getpid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    /* reading files: the allow-lists and what the resolver wants; open and
     * openat below */
    CALL(fstat),
    CALL(newfstatat),
    CALL(stat),
    CALL(lstat),
    CALL(statx),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(lseek),
    CALL(pread64),
    CALL(getdents64),
    CALL(uname),
    CALL(sysinfo),
#if SANDBOX_SANITIZED
    /* the search for leaks stops the other threads as a debugger would */
    CALL(clone),
    CALL(ptrace),
    CALL(wait4),
    CALL(prctl),
    CALL(sigaltstack),
    CALL(process_vm_readv),
    CALL(getdents),
    CALL(getppid),
    CALL(arch_prctl),
    CALL(fork),
    CALL(set_tid_address),
    CALL(sched_setaffinity),
    CALL(dup2),
#endif
};

/* What a keeper does besides: a blob beside its place, synced, renamed. */
static const int keeping[] = {
    CALL(open),
    CALL(openat),
    CALL(fsync),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(unlink),
    CALL(unlinkat),
};

static const int deadly[] = {
    CALL(execve),
    CALL(execveat),
    CALL(process_vm_writev),
    CALL(bpf),
    CALL(perf_event_open),
    CALL(userfaultfd),
    CALL(init_module),
    CALL(finit_module),
    CALL(delete_module),
    CALL(kexec_load),
    CALL(kexec_file_load),
    CALL(mount),
    CALL(umount2),
    CALL(pivot_root),
    CALL(chroot),
    CALL(setns),
    CALL(unshare),
    CALL(keyctl),
    CALL(add_key),
    CALL(request_key),
    CALL(reboot),
    CALL(swapon),
    CALL(ptrace),
    CALL(iopl),
    CALL(ioperm),
    CALL(acct),
    CALL(quotactl),
    CALL(open_by_handle_at),
    CALL(setuid),
    CALL(setgid),
    CALL(setresuid),
    CALL(setresgid),
};

static const int families[] = {
    AF_INET, AF_INET6, AF_UNIX, AF_VSOCK, AF_NETLINK};
/* libuv and libmicrohttpd; SIOCOUTQ by relays */
static const unsigned requests[] = {FIONBIO, FIONREAD, FIOCLEX, SIOCOUTQ};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_allowed(int call)
{
	for (size_t i = 0; i < COUNT(allowed); i++)
		if (allowed[i] == call)
			return true;
	return false;
}

static int add_lists(scmp_filter_ctx filter)
{
	int err = 0;

	for (size_t i = 0; i < COUNT(allowed) && err == 0; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < COUNT(deadly) && err == 0; i++)
		if (!is_allowed(deadly[i]))
			err = seccomp_rule_add(
			    filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	return err;
}

/* Allows it where these bits of that argument are as they should be. */
static int allow_masked(scmp_filter_ctx filter, int call, unsigned argument,
    scmp_datum_t mask, scmp_datum_t bits)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
	    SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, mask, bits));
}

static int add_arguments(scmp_filter_ctx filter)
{
	const scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
	int err = 0;

	for (size_t i = 0; i < COUNT(families) && err == 0; i++)
		err = allow_masked(filter, CALL(socket), 0, UINT32_MAX,
		    (scmp_datum_t)families[i]);
	for (size_t i = 0; i < COUNT(requests) && err == 0; i++)
		err = allow_masked(
		    filter, CALL(ioctl), 1, UINT32_MAX, requests[i]);
	if (err == 0)
		err = allow_masked(filter, CALL(open), 1, writing, O_RDONLY);
	if (err == 0)
		err = allow_masked(filter, CALL(openat), 2, writing, O_RDONLY);
	/* Code comes from files and is never written. */
	if (err == 0)
		err = allow_masked(filter, CALL(mmap), 2, PROT_EXEC, 0);
	if (err == 0)
		err = allow_masked(
		    filter, CALL(mmap), 2, PROT_EXEC | PROT_WRITE, PROT_EXEC);
	if (err == 0)
		err = allow_masked(filter, CALL(mprotect), 2, PROT_EXEC, 0);
	/* Asking, not setting. */
	if (err == 0)
		err = allow_masked(filter, CALL(prlimit64), 2, UINT64_MAX, 0);
	/* Threads; clone3 cannot be looked into and gets ENOSYS. */
	if (err == 0 && !SANDBOX_SANITIZED)
		err = allow_masked(
		    filter, CALL(clone), 0, CLONE_THREAD, CLONE_THREAD);
	return err;
}

static int add_keeping(scmp_filter_ctx filter)
{
	int err = 0;

	for (size_t i = 0; i < COUNT(keeping) && err == 0; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, keeping[i], 0);
	return err;
}

void sandbox_prepare(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	/* Where this fails, sandbox_calls() will and says why. */
	if (filter != NULL && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
				  SCMP_SYS(io_uring_setup), 0) == 0)
		(void)seccomp_load(filter);
	seccomp_release(filter);
}

int sandbox_calls(bool keeps, char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int err = filter == NULL ? -ENOMEM : 0;

	/* Calls of other architectures (i386, x32) have other numbers. */
	if (err == 0)
		err = seccomp_attr_set(
		    filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (err == 0)
		err = add_lists(filter);
	if (err == 0)
		err = add_arguments(filter);
	if (err == 0 && keeps)
		err = add_keeping(filter);
	if (err == 0)
		err = seccomp_load(filter);
	seccomp_release(filter);
	if (err == 0)
		return 0;
	snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "seccomp: %s", strerror(-err));
	return -1;
}
