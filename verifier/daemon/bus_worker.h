/*
 * bus_worker: a thread that talks to NATS, and its ties to the loop. libnats
 * blocks; the loop must not. What the thread has to tell it leaves under the
 * lock and the loop takes it there.
 *
 *   loop:    start ... wake ............ stop -> (thread ends) -> stopped
 *   thread:  run(): tell, wait, ... until stopping
 */
#ifndef HALLMARK_VERIFIER_DAEMON_BUS_WORKER_H
#define HALLMARK_VERIFIER_DAEMON_BUS_WORKER_H

#include "verifier/daemon/bus_link.h"

#include <uv.h>

struct bus_worker { /* in the owner's struct; its fields are private */
	const struct bus_config *config;
	const char *role;                       /* "publish", "subscribe" */
	void (*run)(struct bus_worker *worker); /* in the thread */
	/* On the loop, after tell() or poke(). May be NULL. */
	void (*news)(struct bus_worker *worker);
	void (*stopped)(void *data); /* on the loop: set by stop */
	void *stopped_data;
	uv_thread_t thread;
	uv_async_t async; /* .data points back */
	uv_mutex_t lock;
	uv_cond_t wakes; /* the thread waits for it */
	/* under the lock */
	bool stopping, ended, woken, connected;
	char why[BUS_ERROR_MAX]; /* not connected, or failing: why */
	/* the loop's: what was logged last */
	bool told_connected, told_lost;
};

/* config and role are borrowed until stopped. Dies if there is no thread. */
void bus_worker_start(struct bus_worker *worker, uv_loop_t *loop,
    const struct bus_config *config, const char *role,
    void (*run)(struct bus_worker *worker),
    void (*news)(struct bus_worker *worker));
/* There is something to do. From any thread. */
void bus_worker_wake(struct bus_worker *worker);
/* `stopped` comes from the loop once the thread has ended and nothing is left
 * of it. Once. */
void bus_worker_stop(
    struct bus_worker *worker, void (*stopped)(void *data), void *data);
/* How it is; why is "" while all is well. From the loop. */
bool bus_worker_connected(struct bus_worker *worker, char why[BUS_ERROR_MAX]);

/* ---- for the thread ---- */

bool bus_worker_stopping(struct bus_worker *worker);
/* Until it is woken, or so long. False: it is to end. */
bool bus_worker_wait(struct bus_worker *worker, unsigned ms);
/* What the loop logs once for each change. why: "" or what is wrong. */
void bus_worker_tell(
    struct bus_worker *worker, bool connected, const char *why);
/* Calls news() on the loop. */
void bus_worker_poke(struct bus_worker *worker);

#endif
