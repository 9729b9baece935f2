/*
 * bus: NATS beside the oracles: what the daemon accepts goes out (publish),
 * what the stream holds comes in (subscribe) and is judged like an oracle's.
 *
 *   subscriber -> validator -> archive_writer -> committed: acknowledged
 *   archive -> publisher, woken by each commit
 */
#ifndef HALLMARK_VERIFIER_DAEMON_BUS_H
#define HALLMARK_VERIFIER_DAEMON_BUS_H

#include "base/metrics_text.h"
#include "verifier/daemon/announce.h"
#include "verifier/daemon/archive_writer.h"
#include "verifier/daemon/bus_config.h"
#include "verifier/daemon/validate.h"

#define BUS_REFUSED_PER_S 20 /* kept and logged; the rest is counted only */

struct bus;

struct bus_options { /* all borrowed until stopped */
	uv_loop_t *loop;
	const struct bus_config *config;
	const char *archive; /* its path; open elsewhere */
	struct validator *validator;
	struct archive_writer *writer;
	struct announcer *announcer; /* gets the names of feeds */
	bool limited;                /* no other names than it has */
};

/* Returns NULL if the configuration has no NATS; all below takes that. */
struct bus *bus_start(const struct bus_options *options);
/* A record whose batch is durable, of whatever origin. Borrowed. */
void bus_committed(struct bus *bus, const struct record *record);
/* The archive has room again. */
void bus_resume(struct bus *bus);
/* Is the subscription's way open? */
bool bus_connected(struct bus *bus);
/* "ok", or what fails, for /readyz; a warning only. */
void bus_check(struct bus *bus, char *out, size_t cap);
void bus_metrics(struct bus *bus, struct metrics_text *text);

/* Nothing goes to the writer after this; committed() still may come. */
void bus_quiet(struct bus *bus);
/* Ends within seconds, frees, and calls `stopped` from the loop, or at once if
 * bus is NULL. */
void bus_stop(struct bus *bus, void (*stopped)(void *data), void *data);

#endif
