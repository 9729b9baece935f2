/*
 * log_reader: questions about the log, answered off the loop: one at a time on
 * the thread pool, with a connection of its own that only reads, so that
 * neither prices nor the archive's writer wait for them; the others wait in a
 * line, and who comes when it is full is told so.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_LOG_READER_H
#define HALLMARK_VERIFIER_DAEMON_LOG_READER_H

#include "base/http_server.h"
#include "verifier/daemon/log_answer.h"

#define LOG_READER_WAITING_MAX 64 /* one more gets 503 LOG_BUSY */

struct log_reader;

/* path is copied. */
struct log_reader *log_reader_new(uv_loop_t *loop, const char *path);
/* Answers req, now or later; the question is copied. */
void log_reader_ask(struct log_reader *reader, struct http_request *req,
    const struct log_question *question);
/* After http_server_stop() is done: nobody waits any more. What is under way
 * ends by itself. NULL is fine. */
void log_reader_free(struct log_reader *reader);

struct log_reader_stats {
	size_t waiting;
	uint64_t answered, problems, busy;
};
void log_reader_stats(
    const struct log_reader *reader, struct log_reader_stats *out);

#endif
