/*
 * bus_publisher: what the archive has accepted, to a JetStream stream.
 *
 *   SUBJECT.item.FEED        an item in the reference form
 *   SUBJECT.document.SHA256  an attestation document's bytes, before the first
 *                            item that refers to it
 *   SUBJECT.head.BOOT        a signed head of the log, reference form
 *
 * The happy path: woken by a commit, it reads the next items from the outbox,
 * publishes them, waits for the servers' acknowledgements and moves on. When
 * one is missing (no server, no leader, no room) all of the batch is published
 * again until it succeeds; the servers drop what they have by the message's
 * id (Nats-Msg-Id), readers by feed, boot and sequence. The stream is made if
 * it is not there, and never changed if it is. Nobody has to trust us, nor the
 * servers: readers verify what they get.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_BUS_PUBLISHER_H
#define HALLMARK_VERIFIER_DAEMON_BUS_PUBLISHER_H

#include "verifier/daemon/bus_config.h"

#include <uv.h>

#define BUS_PUBLISHER_RETRY_MS 500
/* A document is published again while items refer to it, so that it outlives
 * the stream's max_age and whatever was put over it. */
#define BUS_PUBLISHER_DOCUMENT_MS (600 * 1000)
#define BUS_PUBLISHER_DOCUMENTS   64  /* remembered; the oldest goes */
#define BUS_PUBLISHER_WINDOW_S    120 /* of a new stream: doubles by id */

struct bus_publisher;

/* Both borrowed until stopped. The archive is open elsewhere. */
struct bus_publisher *bus_publisher_start(
    uv_loop_t *loop, const struct bus_config *config, const char *archive);
/* Something was committed. */
void bus_publisher_wake(struct bus_publisher *publisher);
/* Stops within seconds; what was not published yet is, after the next start.
 * Frees; `stopped` comes from the loop. */
void bus_publisher_stop(
    struct bus_publisher *publisher, void (*stopped)(void *data), void *data);

struct bus_publisher_stats {
	bool connected;
	char why[BUS_ERROR_MAX]; /* "" while all is well */
	uint64_t published;      /* messages, since the start */
	int64_t waiting;         /* items in the archive that are to be */
};
void bus_publisher_stats(
    struct bus_publisher *publisher, struct bus_publisher_stats *out);

#endif
