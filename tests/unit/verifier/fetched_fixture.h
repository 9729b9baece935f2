/* fetched_fixture: an answer that an oracle might have fetched. */
#ifndef HALLMARK_TESTS_VERIFIER_FETCHED_FIXTURE_H
#define HALLMARK_TESTS_VERIFIER_FETCHED_FIXTURE_H

#include "verifier/fetched.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FETCHED_MS   1795251602000 /* 2 s after the builder's document */
#define FETCHED_PATH "/api/v3/ticker/price?symbol=BTCUSDT"
#define FETCHED_BODY "{\"symbol\":\"BTCUSDT\",\"price\":\"84036.00\"}"

/* Copies the body; hm_fetched_fini() frees it. */
static inline void fetched_body(
    struct hm_fetched *fetched, const void *bytes, size_t len)
{
	free(fetched->body);
	fetched->body = malloc(len + 1);
	assert(fetched->body != NULL);
	memcpy(fetched->body, bytes, len);
	fetched->body[len] = '\0';
	fetched->body_len = len;
}

static inline void fetched_make(struct hm_fetched *fetched)
{
	memset(fetched, 0, sizeof(*fetched));
	memset(fetched->boot_id, 0xb0, 16);
	memset(fetched->config_sha256, 0xc0, 32);
	memset(fetched->tls_spki_sha256, 0x5e, 32);
	snprintf(
	    fetched->hostname, sizeof(fetched->hostname), "api.binance.com");
	fetched->port = 443;
	snprintf(fetched->path, sizeof(fetched->path), FETCHED_PATH);
	fetched->status = 200;
	fetched->date_ms = FETCHED_MS - 700;
	fetched->fetched_ms = FETCHED_MS;
	fetched_body(fetched, FETCHED_BODY, strlen(FETCHED_BODY));
}

#endif
