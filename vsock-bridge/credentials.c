/*
 * credentials: see credentials.h.
 *
 *   PUT /latest/api/token                                   -> the token
 *   GET /latest/meta-data/iam/security-credentials/         -> the role's name
 *   GET /latest/meta-data/iam/security-credentials/ROLE     -> what is handed
 * on
 *
 * A step that fails ends all, and those who wait are told which it was.
 */
#include "vsock-bridge/credentials.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define ROLES "/latest/meta-data/iam/security-credentials/"

static void answer_all(
    struct credentials *credentials, const char *bytes, size_t len)
{
	explicit_bzero(credentials->token, sizeof(credentials->token));
	while (credentials->first != NULL) {
		struct question *question = credentials->first;

		credentials->first = *question_next(question);
		question_answer(question, bytes, len);
	}
}

static void fail(
    struct credentials *credentials, const char *step, const char *why)
{
	char text[200];
	int n = snprintf(text, sizeof(text),
	    "{\"Code\":\"Unavailable\",\"Message\":\"%s: %s\"}", step, why);

	log_error("credentials", "unavailable", LOG_S("step", step),
	    LOG_S("why", why));
	answer_all(credentials, text, (size_t)n);
}

/* Goes into a request: visible, and no more than fits. */
static bool is_word(const char *text, size_t len, size_t max)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len > 0 && len < max;
}

/* AWS IAM User Guide, "Name requirements": letters, digits and +=,.@-_ */
static bool is_role(const char *text, size_t len)
{
	return is_word(text, len, IMDS_PATH_MAX - sizeof(ROLES)) &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
			    "xyz0123456789+=,.@-_") == len;
}

static void on_credentials(int status, const char *body, size_t len, void *data)
{
	struct credentials *credentials = data;

	credentials->request = NULL;
	if (status == 0)
		answer_all(credentials, body, len);
	else
		fail(credentials, "credentials", uv_strerror(status));
}

static void ask(struct credentials *credentials, const char *path,
    const char *token, imds_cb cb)
{
	credentials->request = imds_start(credentials->questions.service->loop,
	    &credentials->rule->imds, path, token, cb, credentials);
}

static void on_role(int status, const char *body, size_t len, void *data)
{
	struct credentials *credentials = data;
	char path[IMDS_PATH_MAX];

	credentials->request = NULL;
	if (status != 0) {
		fail(credentials, "role", uv_strerror(status));
	} else if (!is_role(body, len)) {
		fail(credentials, "role", "not the name of one role");
	} else {
		snprintf(path, sizeof(path), ROLES "%s", body);
		ask(credentials, path, credentials->token, on_credentials);
	}
}

static void on_token(int status, const char *body, size_t len, void *data)
{
	struct credentials *credentials = data;

	credentials->request = NULL;
	if (status != 0) {
		fail(credentials, "token", uv_strerror(status));
	} else if (!is_word(body, len, sizeof(credentials->token))) {
		fail(credentials, "token", "not a token");
	} else {
		memcpy(credentials->token, body, len + 1);
		ask(credentials, ROLES, credentials->token, on_role);
	}
}

static void on_asked(struct question_rule *rule, struct question *question,
    const uint8_t *bytes, size_t len)
{
	struct credentials *credentials = rule->data;

	(void)bytes;
	(void)len;
	*question_next(question) = credentials->first;
	credentials->first = question;
	if (credentials->request == NULL)
		ask(credentials, "/latest/api/token", NULL, on_token);
}

static void on_gone(struct question_rule *rule, struct question *question)
{
	struct credentials *credentials = rule->data;
	struct question **at = &credentials->first;

	while (*at != question)
		at = question_next(*at);
	*at = *question_next(question);
	/* The last one: nobody waits, and the bridge may be stopping. */
	if (credentials->first == NULL && credentials->request != NULL) {
		imds_cancel(credentials->request);
		credentials->request = NULL;
	}
}

int credentials_start(struct credentials *out, struct service *service,
    const struct bridge_credentials *rule,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	*out = (struct credentials){
	    .rule = rule,
	    .questions = {.module = "credentials",
		.direction = SIGHT_CREDENTIALS,
		.asked = on_asked,
		.gone = on_gone,
		.data = out},
	};
	return question_start(
	    &out->questions, service, &rule->listen, rule->inherited, error);
}
