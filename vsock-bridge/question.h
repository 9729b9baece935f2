/*
 * question: one rule that answers one question a connection, as handout hands
 * out and journal listens:
 *
 *   it connects, and where the rule reads questions
 *   it writes   4 bytes, big-endian: how many follow, and so many bytes
 *   we write    4 bytes, big-endian: how many follow, and so many bytes
 *   it closes
 *
 * The owner answers at once or later. An enclave is not trusted here: a
 * question over the ceiling, or one that has not been asked and its answer
 * taken within request_timeout_ms, ends the connection, and of a rule's
 * questions QUESTION_PER_S a second are taken, after a burst.
 */
#ifndef HALLMARK_BRIDGE_QUESTION_H
#define HALLMARK_BRIDGE_QUESTION_H

#include "vsock-bridge/listener.h"
#include "vsock-bridge/pace.h"
#include "vsock-bridge/service.h"

#define QUESTION_PER_S 2
#define QUESTION_BURST 16

struct question;

struct question_rule {
	/* set by the owner before the start */
	const char *module; /* for the log: a literal */
	enum sight_direction direction;
	size_t asked_max; /* bytes of a question; 0: none is read */
	/* Borrowed for the call. Must lead to one question_answer(), unless
	 * `gone` is called first. */
	void (*asked)(struct question_rule *rule, struct question *question,
	    const uint8_t *bytes, size_t len);
	/* It will not be answered any more; NULL where `asked` answers at
	 * once. */
	void (*gone)(struct question_rule *rule, struct question *question);
	void *data;

	/* private from here on */
	struct service *service;
	struct listener listener;
	struct sight_rule *sight;
	struct pace pace;
	struct pace_line said;
};

/* Listens; `service` is borrowed until stopped and without connections.
 * Returns 0, or -1 and why; then nothing is left to stop. */
__attribute__((warn_unused_result)) int question_start(
    struct question_rule *rule, struct service *service,
    const struct endpoint *listen, int inherited,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* Copied. The question is not the caller's any more. */
void question_answer(struct question *question, const void *bytes, size_t len);

/* For a list of those that wait; the owner's, NULL at first. */
struct question **question_next(struct question *question);

/* Accepts no more; `on_stopped` as listener_stop. */
void question_stop(struct question_rule *rule, listener_stopped_cb on_stopped);

#endif
