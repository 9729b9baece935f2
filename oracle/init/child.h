/*
 * child: the one program that init starts, without privileges, and all that
 * dies in the enclave.
 */
#ifndef HALLMARK_ORACLE_INIT_CHILD_H
#define HALLMARK_ORACLE_INIT_CHILD_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <uv.h>

#define CHILD_TEXT_MAX 64

struct child_options {
	uv_loop_t *loop;
	const char *path;
	char *const *argv;      /* its environment is empty */
	int out;                /* its standard output and error; borrowed */
	uid_t user;             /* and group; (uid_t)-1: as we are */
	rlim_t descriptors_max; /* 0: as many as we */
};

struct child {
	/* private */
	uv_signal_t signal;
	pid_t pid;
	int status; /* as waitpid(2) has it, once `ended` */
	bool ended, closed;
};

/* 0, or -errno. */
__attribute__((warn_unused_result)) int child_start(
    struct child *child, const struct child_options *options);

/* Turns the loop until it has ended, and reaps all others meanwhile. Returns
 * its exit status, 128 and the signal's number if one killed it, and says it
 * in words: "exit status 1", "signal 6 (Aborted)". */
int child_wait(struct child *child, char text[static CHILD_TEXT_MAX]);

#endif
