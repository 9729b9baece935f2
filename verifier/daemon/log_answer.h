/*
 * log_answer: what is asked about the log, answered from the archive. Blocks:
 * log_reader calls it on the thread pool. Every proof is verified before it is
 * given: what stands in the file is not believed.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_LOG_ANSWER_H
#define HALLMARK_VERIFIER_DAEMON_LOG_ANSWER_H

#include "verifier/daemon/log_heads.h"

#define LOG_HEADS_MAX   1000       /* of one answer */
#define LOG_HEADS_BYTES (4u << 20) /* of their contents; then one more */
#define LOG_FEED_MAX    32         /* bytes of a feed's name and a NUL */
#define LOG_DETAIL_MAX  160

enum log_asked {
	LOG_ASKED_HEAD,       /* boot_id ("": the newest boot) */
	LOG_ASKED_HEADS,      /* boot_id (the same), after, limit */
	LOG_ASKED_INCLUSION,  /* boot_id, feed, sequence, size (0: newest) */
	LOG_ASKED_CONSISTENCY /* boot_id, from, size */
};

struct log_question {
	enum log_asked asked;
	char boot_id[LOG_BOOT_HEX];
	char feed[LOG_FEED_MAX];
	uint64_t sequence, from, size, after;
	unsigned limit;
};

struct log_answer {
	char *json;       /* owned; NULL: a problem */
	unsigned status;  /* of the problem */
	const char *code; /* a literal */
	char detail[LOG_DETAIL_MAX];
};

/* Always fills *out; the caller frees json. */
void log_answer(
    struct log_answer *out, sqlite3 *db, const struct log_question *question);

#endif
