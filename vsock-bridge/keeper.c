/* keeper: see keeper.h. It writes while the loop waits: a blob is small, and
 * there is one at an enclave's start. */
#include "vsock-bridge/keeper.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct asked {
	bool puts;
	char name[KEEPER_NAME_MAX + 1];
	const uint8_t *blob; /* borrowed */
	size_t len;
};

static int parse(struct asked *out, const uint8_t *bytes, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t name_len;

	if (len < 2 || (bytes[0] != 'G' && bytes[0] != 'P'))
		return -1;
	name_len = bytes[1];
	if (name_len == 0 || name_len > KEEPER_NAME_MAX || name_len > len - 2)
		return -1;
	*out = (struct asked){.puts = bytes[0] == 'P',
	    .blob = bytes + 2 + name_len,
	    .len = len - 2 - name_len};
	memcpy(out->name, bytes + 2, name_len);
	if (strspn(out->name, letters) != name_len)
		return -1;
	if (!out->puts)
		return out->len == 0 ? 0 : -1;
	return out->len > 0 && out->len <= KEEPER_BLOB_MAX ? 0 : -1;
}

static void answer_error(
    struct question *question, const char *what, const char *why)
{
	char text[200];
	int n = snprintf(text, sizeof(text), "E%s: %s", what, why);

	log_error("keeper", what, LOG_S("why", why));
	question_answer(question, text, (size_t)n);
}

static void put(const struct keeper *keeper, struct question *question,
    const struct asked *asked)
{
	int err = keeper_store_put(
	    keeper->rule->directory, asked->name, asked->blob, asked->len);

	if (err != 0) {
		answer_error(question, "not_kept", strerror(-err));
		return;
	}
	log_info("keeper", "kept", LOG_S("name", asked->name),
	    LOG_D("bytes", asked->len));
	question_answer(question, "K", 1);
}

static void get(const struct keeper *keeper, struct question *question,
    const struct asked *asked)
{
	uint8_t *blob = NULL, answer[1 + KEEPER_BLOB_MAX] = {'K'};
	size_t len;
	int err = keeper_store_get(
	    keeper->rule->directory, asked->name, &blob, &len);

	if (err == -ENOENT) {
		question_answer(question, "N", 1);
	} else if (err != 0) {
		answer_error(question, "not_read", strerror(-err));
	} else {
		memcpy(answer + 1, blob, len);
		question_answer(question, answer, 1 + len);
	}
	free(blob);
}

static void on_asked(struct question_rule *rule, struct question *question,
    const uint8_t *bytes, size_t len)
{
	struct asked asked;

	if (parse(&asked, bytes, len) != 0)
		answer_error(question, "malformed", "not a question");
	else if (asked.puts)
		put(rule->data, question, &asked);
	else
		get(rule->data, question, &asked);
}

int keeper_start(struct keeper *out, struct service *service,
    const struct bridge_keeper *rule,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	struct stat stat_of;

	*out = (struct keeper){
	    .rule = rule,
	    .questions = {.module = "keeper",
		.direction = SIGHT_KEEPER,
		.asked_max = KEEPER_ASKED_MAX,
		.asked = on_asked,
		.data = out},
	};
	if (stat(rule->directory, &stat_of) != 0 || !S_ISDIR(stat_of.st_mode)) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX,
		    "keeper.directory %.300s: not a directory that is there",
		    rule->directory);
		return -1;
	}
	return question_start(
	    &out->questions, service, &rule->listen, rule->inherited, error);
}
