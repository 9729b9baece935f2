/* kept_answers: see kept_answers.h. */
#include "base/kept_answers.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static uint64_t random_word(void)
{
	uint64_t word;

	if (getrandom(&word, sizeof(word), 0) != sizeof(word))
		log_die("http", "no random bytes");
	return word;
}

void kept_answers_init(struct kept_answers *kept)
{
	memset(kept, 0, sizeof(*kept));
	kept->seed = random_word();
	kept->word = random_word();
}

static void forget(struct kept_answer *answer)
{
	free(answer->asked);
	free(answer->bytes);
	memset(answer, 0, sizeof(*answer));
}

void kept_answers_fini(struct kept_answers *kept)
{
	for (size_t i = 0; i < KEPT_ANSWERS_MAX; i++)
		forget(&kept->places[i]);
}

/* ---- finding ---- */

/* Multiply and fold, eight bytes at a time, with a secret: nobody can choose
 * requests that take one another's place. */
static uint64_t mix(uint64_t state, uint64_t word)
{
	state = (state ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return state ^ state >> 32;
}

struct kept_answer *kept_answers_place(
    struct kept_answers *kept, const char *asked, size_t asked_len)
{
	uint64_t state = mix(kept->seed, asked_len), word = 0;
	size_t at = 0;

	for (; asked_len - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, asked + at, sizeof(word));
		state = mix(state, word);
	}
	word = 0;
	memcpy(&word, asked + at, asked_len - at);
	state = mix(mix(state, word), kept->seed);
	return &kept->places[state % KEPT_ANSWERS_MAX];
}

bool kept_answer_serves(const struct kept_answer *answer, const char *bytes,
    size_t len, int64_t now_ms)
{
	return answer->asked && len >= answer->asked_len &&
	       memcmp(bytes, answer->asked, answer->asked_len) == 0 &&
	       *answer->version == answer->seen && now_ms <= answer->until_ms;
}

/* ---- keeping ---- */

static char *join(
    const void *front, size_t front_len, const void *back, size_t back_len)
{
	char *out = malloc(front_len + back_len + 1);

	if (!out)
		log_die("http", "out of memory");
	memcpy(out, front, front_len);
	if (back_len)
		memcpy(out + front_len, back, back_len);
	out[front_len + back_len] = '\0';
	return out;
}

static size_t place_of(const struct kept_reply *reply, const char *blank)
{
	const char *at = memmem(
	    reply->head, reply->head_len, blank, strlen(blank));

	assert(at);
	return (size_t)(at - reply->head);
}

struct kept_answer *kept_answers_put(struct kept_answers *kept,
    const char *asked, size_t asked_len, const struct kept_reply *reply)
{
	struct kept_answer *answer;

	if (asked_len > KEPT_ASKED_MAX ||
	    reply->body_len > KEPT_ANSWER_MAX - reply->head_len)
		return NULL;
	answer = kept_answers_place(kept, asked, asked_len);
	forget(answer);
	answer->asked = join(asked, asked_len, NULL, 0);
	answer->asked_len = asked_len;
	answer->bytes = join(
	    reply->head, reply->head_len, reply->body, reply->body_len);
	answer->len = reply->head_len + reply->body_len;
	answer->date_at = place_of(reply, KEPT_DATE_BLANK);
	answer->id_at = place_of(reply, KEPT_ID_BLANK);
	answer->bytes[answer->id_at + 16] = '-';
	answer->date_s = -1;
	answer->until_ms = reply->until_ms;
	answer->version = reply->version;
	answer->seen = *reply->version;
	return answer;
}

/* ---- what differs each time ---- */

static void put_hex(char out[static 16], uint64_t number)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 15; i >= 0; i--, number >>= 4)
		out[i] = digits[number & 15];
}

void kept_answers_date(char out[KEPT_DATE_LEN + 1], int64_t unix_s)
{
	time_t when = (time_t)unix_s;
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(out, KEPT_DATE_LEN + 1, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

void kept_answer_stamp(
    struct kept_answers *kept, struct kept_answer *answer, int64_t now_ms)
{
	char date[KEPT_DATE_LEN + 1];
	char *id = answer->bytes + answer->id_at;

	put_hex(id, kept->word);
	put_hex(id + 17, kept->number++);
	if (now_ms / 1000 == answer->date_s)
		return;
	answer->date_s = now_ms / 1000;
	kept_answers_date(date, answer->date_s);
	memcpy(answer->bytes + answer->date_at, date, KEPT_DATE_LEN);
}
