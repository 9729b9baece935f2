/*
 * intake: what comes from one oracle, in order, up to the archive.
 *
 *   stream -> waiting (until its document is here) -> validate -> writer
 *
 * An item whose document is not known waits while it is fetched from the same
 * oracle by its hash; those behind it wait too, so that order is kept. One
 * answer, good or bad, is for all that wait for that document then. When too
 * many wait, or the archive is behind, the stream is paused.
 *
 * Of an https+attested:// oracle nothing is asked before its channel is
 * attested; after a restart it is attested anew (channel_keeper.h).
 */
#ifndef HALLMARK_VERIFIER_DAEMON_INTAKE_H
#define HALLMARK_VERIFIER_DAEMON_INTAKE_H

#include "verifier/daemon/announce.h"
#include "verifier/daemon/archive_writer.h"
#include "verifier/daemon/curl_loop.h"
#include "verifier/daemon/oracle_address.h"
#include "verifier/daemon/validate.h"

#define INTAKE_WAITING_MAX   1024 /* items waiting for a document */
#define INTAKE_WAITING_BYTES (16u << 20)
#define INTAKE_REFUSED_PER_S 20         /* kept and logged; the rest counted */
#define INTAKE_FEEDS_BYTES   (2u << 20) /* of its GET /feeds; 1.2 MB */

struct intake;

struct intake_options { /* all borrowed until freed */
	uv_loop_t *loop;
	struct curl_loop *curl;
	struct oracle_address *address; /* gets the pin, if it is attested */
	const struct hm_policy *policy; /* for an attested address */
	struct validator *validator;
	struct archive_writer *writer;
	struct announcer *announcer; /* gets the names of feeds */
	bool limited;                /* no other names than it has */
	const char *last_event_id;   /* for the call; from the archive */
};

struct intake *intake_start(const struct intake_options *options);
bool intake_connected(const struct intake *intake);
/* Why its channel is not attested; NULL: it is, or it is none. Borrowed until
 * the loop turns. */
const char *intake_unattested(const struct intake *intake);
/* How many items wait for a document. */
size_t intake_waiting(const struct intake *intake);
/* The archive has room again. */
void intake_resume(struct intake *intake);
/* Nothing goes to the writer after this; frees when its handles closed. */
void intake_stop(struct intake *intake);

#endif
