/*
 * kept_answers: whole answers, ready to be sent again to whoever asks in the
 * very same words. Pure: no I/O; the time comes in as an argument.
 *
 * The words are the bytes of a request's head, all of them: two requests that
 * differ in one header have an answer each, so that no rule of HTTP (Accept,
 * If-None-Match, ...) has to be known here. What differs from answer to answer
 * in spite of equal words, its date and its id, is written in each time.
 *
 * An answer is good until a moment, and while a number that its maker counts
 * up has not moved. The table is of a fixed size and each request has one
 * place in it: who asks in ten thousand ways costs others their answers, which
 * are then made anew, and no memory.
 */
#ifndef HALLMARK_BASE_KEPT_ANSWERS_H
#define HALLMARK_BASE_KEPT_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEPT_ANSWERS_MAX 256   /* of one server */
#define KEPT_ASKED_MAX   1024  /* bytes of a request's head */
#define KEPT_ANSWER_MAX  65536 /* bytes of an answer, head and body */
#define KEPT_DATE_LEN    29    /* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define KEPT_ID_LEN      33    /* see kept_answers_bytes() */
#define KEPT_DATE_BLANK  "?????????????????????????????"
#define KEPT_ID_BLANK    "#################################"

struct kept_answer {
	char *asked; /* the head of the request; NULL: nothing is kept here */
	size_t asked_len;
	char *bytes; /* of the answer, head and body */
	size_t len;
	size_t date_at, id_at; /* where in them */
	int64_t date_s;        /* Unix time of the date that is in them */
	int64_t until_ms;      /* Unix ms */
	const uint64_t *version;
	uint64_t seen; /* of *version */
};

struct kept_answers {
	uint64_t seed, word, number; /* of places; of ids */
	struct kept_answer places[KEPT_ANSWERS_MAX];
};

/* Random numbers for places and ids; nothing else to release than fini. */
void kept_answers_init(struct kept_answers *kept);
void kept_answers_fini(struct kept_answers *kept);

struct kept_reply {       /* borrowed; copied */
	const char *head; /* up to the empty line and with it; has one */
	size_t head_len;  /* KEPT_DATE_BLANK and one KEPT_ID_BLANK */
	const void *body;
	size_t body_len;
	int64_t until_ms;        /* good while now_ms <= this; Unix ms */
	const uint64_t *version; /* and this has not moved; outlives us */
};

/* Returns what is kept now for these words; NULL: one of the two is too long.
 */
struct kept_answer *kept_answers_put(struct kept_answers *kept,
    const char *asked, size_t asked_len, const struct kept_reply *reply);

/* The place of these words, whatever is in it. */
struct kept_answer *kept_answers_place(
    struct kept_answers *kept, const char *asked, size_t asked_len);

/* Does `bytes` begin with the words that this answers, and is it good? */
bool kept_answer_serves(const struct kept_answer *answer, const char *bytes,
    size_t len, int64_t now_ms);

/* Writes the date and a new id ("<16 hex>-<16 hex>": a random word of this
 * table and a number) into the answer, which is then to be sent at once. */
void kept_answer_stamp(
    struct kept_answers *kept, struct kept_answer *answer, int64_t now_ms);

/* RFC 9110 5.6.7, of `unix_s`. The programs have the C locale. */
void kept_answers_date(char out[KEPT_DATE_LEN + 1], int64_t unix_s);

#endif
