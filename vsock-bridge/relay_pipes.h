/*
 * relay_pipes: the pipes that splice(2) moves bytes through, lent to whoever
 * has bytes in flight.
 *
 * A pipe of RELAY_PIPE_BYTES costs the kernel that much memory only while it
 * is full, but the kernel counts it whole against the user's allowance
 * (fs.pipe-user-pages-soft, 64 MiB by default; above it, pipes of two pages).
 * So there are at most RELAY_PIPES_MAX, and a pipe that cannot be had is no
 * error: the borrower copies instead.
 */
#ifndef HALLMARK_BRIDGE_RELAY_PIPES_H
#define HALLMARK_BRIDGE_RELAY_PIPES_H

#include <stdbool.h>

#define RELAY_PIPE_BYTES     524288 /* wanted of each */
#define RELAY_PIPE_BYTES_MIN 65536  /* less is not worth a system call */
#define RELAY_PIPES_MAX      64     /* half of the kernel's allowance */
#define RELAY_PIPES_KEPT_MAX 16     /* open while nobody needs them */
#define RELAY_PIPES_RETRY    1024   /* borrowers until the next attempt */

struct relay_pipe {
	int read_fd, write_fd;
	struct relay_pipe *next; /* while nobody has it */
};

/* All zero at the start. */
struct relay_pipes {
	struct relay_pipe *kept;
	unsigned kept_count;
	unsigned lent;
	unsigned refused; /* borrowers to turn away after a failure */
};

/* An empty pipe, non-blocking and close-on-exec; NULL: none is to be had. */
struct relay_pipe *relay_pipes_take(struct relay_pipes *pipes);

/* Gives it back. `empty`: whether nothing is left in it. NULL is accepted. */
void relay_pipes_give(
    struct relay_pipes *pipes, struct relay_pipe *pipe, bool empty);

/* Closes what is kept; none is lent. It may be used again. */
void relay_pipes_fini(struct relay_pipes *pipes);

#endif
