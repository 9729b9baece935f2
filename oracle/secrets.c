/* secrets: see secrets.h. */
#include "oracle/secrets.h"

#include "base/log.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	int64_t sealed_ms; /* of what it holds; 0: nothing */
	char text[SECRET_MAX + 1];
};

struct secrets {
	const struct config_secrets *config;
	const uint8_t *boot_id;
	struct slot *slots; /* one for each name; in the secure heap */
	struct secrets_stats stats;
	void (*changed)(const char *name, void *data);
	void *data;
};

static const struct {
	const char *name, *text;
} outcomes[SECRETS_OUTCOME_COUNT] = {
#define SECRETS_WORDS(c, name, text) [SECRETS_##c] = {name, text},
    SECRETS_OUTCOMES(SECRETS_WORDS)
#undef SECRETS_WORDS
};

const char *secrets_outcome_name(enum secrets_outcome outcome)
{
	return outcomes[outcome].name;
}

const char *secrets_outcome_text(enum secrets_outcome outcome)
{
	return outcomes[outcome].text;
}

static struct slot *slot_of(const struct secrets *secrets, const char *name)
{
	for (size_t i = 0; i < secrets->config->count; i++) {
		if (strcmp(secrets->config->names[i], name) == 0)
			return &secrets->slots[i];
	}
	return NULL;
}

/* ---- who may ---- */

/* By hashes of one length, in constant time: how far a wrong token is right
 * does not show. */
static bool is_token(const struct config_secrets *config, const char *token)
{
	uint8_t sha256[32];
	bool same;

	if (EVP_Digest(
		token, strlen(token), sha256, NULL, EVP_sha256(), NULL) != 1)
		log_die("secrets", "out of memory");
	same = CRYPTO_memcmp(sha256, config->token_sha256, sizeof(sha256)) == 0;
	OPENSSL_cleanse(sha256, sizeof(sha256));
	return same;
}

/* The token first: who does not know it is told nothing else. */
static enum secrets_outcome judge(const struct secrets *secrets,
    const char *name, const struct slot *slot,
    const struct secret_message *message, int64_t now_unix_ms)
{
	if (message == NULL || !is_token(secrets->config, message->token))
		return SECRETS_REFUSED;
	if (strcmp(message->name, name) != 0 ||
	    memcmp(message->boot_id, secrets->boot_id,
		sizeof(message->boot_id)) != 0)
		return SECRETS_MISPLACED;
	if (message->sealed_ms <= slot->sealed_ms ||
	    message->sealed_ms < now_unix_ms - SECRETS_CLOCK_MS ||
	    message->sealed_ms > now_unix_ms + SECRETS_CLOCK_MS)
		return SECRETS_STALE;
	return SECRETS_STORED;
}

enum secrets_outcome secrets_take(struct secrets *secrets, const char *name,
    const struct secret_message *message, int64_t now_unix_ms)
{
	struct slot *slot = slot_of(secrets, name);
	enum secrets_outcome outcome;
	bool is_new;

	assert(slot != NULL);
	outcome = judge(secrets, name, slot, message, now_unix_ms);
	secrets->stats.outcomes[outcome]++;
	if (outcome != SECRETS_STORED)
		return outcome;
	secrets->stats.held += slot->sealed_ms == 0;
	is_new = strcmp(slot->text, message->secret) != 0;
	OPENSSL_cleanse(slot->text, sizeof(slot->text));
	memcpy(slot->text, message->secret, strlen(message->secret) + 1);
	slot->sealed_ms = message->sealed_ms;
	if (is_new && secrets->changed != NULL)
		secrets->changed(name, secrets->data);
	return outcome;
}

/* ---- the store ---- */

const char *secrets_find(const struct secrets *secrets, const char *name)
{
	const struct slot *slot = secrets != NULL ? slot_of(secrets, name)
						  : NULL;

	return slot != NULL && slot->sealed_ms != 0 ? slot->text : NULL;
}

void secrets_watch(struct secrets *secrets,
    void (*changed)(const char *name, void *data), void *data)
{
	secrets->changed = changed;
	secrets->data = data;
}

void secrets_stats(const struct secrets *secrets, struct secrets_stats *out)
{
	*out = secrets->stats;
	out->configured = secrets->config->count;
}

struct secrets *secrets_new(
    const struct config_secrets *config, const uint8_t boot_id[16])
{
	struct secrets *secrets = calloc(1, sizeof(*secrets));

	assert(config->count > 0 && CRYPTO_secure_malloc_initialized());
	if (secrets == NULL)
		log_die("secrets", "out of memory");
	secrets->config = config;
	secrets->boot_id = boot_id;
	secrets->slots = OPENSSL_secure_zalloc(
	    config->count * sizeof(*secrets->slots));
	if (secrets->slots == NULL)
		log_die("secrets", "no room in the secure heap");
	return secrets;
}

void secrets_free(struct secrets *secrets)
{
	if (secrets == NULL)
		return;
	OPENSSL_secure_clear_free(
	    secrets->slots, secrets->config->count * sizeof(*secrets->slots));
	free(secrets);
}
