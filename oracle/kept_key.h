/*
 * kept_key: the key that survives restarts (kms_key.h), as identity wants it at
 * the start: with a loop of its own, blocking, before anything is served.
 */
#ifndef HALLMARK_ORACLE_KEPT_KEY_H
#define HALLMARK_ORACLE_KEPT_KEY_H

#include "oracle/attester.h"
#include "oracle/config.h"
#include "oracle/signer.h"

#include <stdio.h>

struct kept_key {
	struct signer *signer; /* the caller's */
	uint64_t epoch;
	int64_t made_ms, retire_ms; /* retire_ms 0: never */
};

/* For a configuration with key.kms. Waits for what is away as long as
 * key.wait_s; dies with what is wrong and what to do about it. */
void kept_key_load(struct kept_key *out, const struct config *config,
    struct attester *attester);

/* For --check: where the key comes from. */
void kept_key_print(const struct config *config, FILE *out);

#endif
