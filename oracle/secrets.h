/*
 * secrets: keys of paid APIs, which an operator seals to this enclave after it
 * has started (`hallmark seal`). They stand in OpenSSL's secure heap, are
 * never logged, never answered to anybody, and gone with the process.
 *
 * Taken is a message for this boot and this name, from somebody who knows the
 * token whose SHA-256 is in the measured configuration, newer than the last one
 * of its name, and of these minutes. Guesses are not counted: who has the
 * configuration can try tokens against that hash without asking us, so a token
 * has to be long, and a count would only keep the one out who knows it. What a
 * flood may cost is secrets_api's to bound.
 */
#ifndef HALLMARK_ORACLE_SECRETS_H
#define HALLMARK_ORACLE_SECRETS_H

#include "oracle/config_secrets.h"
#include "verifier/secret_message.h"

#define SECRETS_CLOCK_MS 300000 /* a sender's clock may be off by so much */

struct secrets;

/* name, what the answer says, what the sender may know */
#define SECRETS_OUTCOMES(X)                                                    \
	X(STORED, "stored", "")                                                \
	X(REFUSED, "refused",                                                  \
	    "not for this enclave, changed on its way, or the token is wrong") \
	X(MISPLACED, "misplaced",                                              \
	    "for another name or another start of the oracle")                 \
	X(STALE, "stale",                                                      \
	    "not newer than the last one, or the clock of its sender is off")

enum secrets_outcome {
#define SECRETS_ENUM(c, name, text) SECRETS_##c,
	SECRETS_OUTCOMES(SECRETS_ENUM)
#undef SECRETS_ENUM
	SECRETS_OUTCOME_COUNT
};

const char *secrets_outcome_name(enum secrets_outcome outcome);
const char *secrets_outcome_text(enum secrets_outcome outcome);

/* config and boot_id are borrowed. The process has a secure heap; dies without
 * room in it. */
struct secrets *secrets_new(
    const struct config_secrets *config, const uint8_t boot_id[16]);
void secrets_free(struct secrets *secrets); /* wipes; NULL is fine */

/* `changed` is called when one is stored that was not so before. */
void secrets_watch(struct secrets *secrets,
    void (*changed)(const char *name, void *data), void *data);

/* The secret of this name, until it is replaced; NULL: not there, or NULL for
 * secrets. Whoever copies it wipes the copy. */
const char *secrets_find(const struct secrets *secrets, const char *name);

/* What becomes of a message that came for this name, which is a configured
 * one; NULL: it could not be opened. */
enum secrets_outcome secrets_take(struct secrets *secrets, const char *name,
    const struct secret_message *message, int64_t now_unix_ms);

struct secrets_stats {
	uint64_t outcomes[SECRETS_OUTCOME_COUNT]; /* since the start */
	size_t held, configured; /* names that have one, and all names */
};
void secrets_stats(const struct secrets *secrets, struct secrets_stats *out);

#endif
