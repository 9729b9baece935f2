/*
 * secrets_api: POST /secrets/{name}, the only way in for a secret; there is no
 * way out. See secrets.h for who may, and secret_message.h for what comes and
 * what is signed when it was taken.
 */
#ifndef HALLMARK_ORACLE_SECRETS_API_H
#define HALLMARK_ORACLE_SECRETS_API_H

#include "oracle/api.h"
#include "oracle/seal_key.h"
#include "oracle/secrets.h"
#include "oracle/signer.h"

/* Messages that wait for their turn, of up to CMS_BYTES_MAX: as many as there
 * are connections through a bridge. */
#define SECRETS_API_WAITING_MAX 1024
#define SECRETS_API_PAUSE       4 /* so many times what a wrong one took */

struct secrets_api;

/* Makes the key and the store; all borrowed. Dies without room in the secure
 * heap. */
struct secrets_api *secrets_api_new(const struct config_secrets *config,
    const uint8_t boot_id[16], struct signer *signer);
/* After the loop has ended; NULL is fine. */
void secrets_api_free(struct secrets_api *api);

struct secrets *secrets_api_store(const struct secrets_api *api);
const struct seal_key *secrets_api_key(const struct secrets_api *api);

/* One of api_tables; the data is the struct api. Where its `secrets` is NULL,
 * none are taken. */
extern const struct service_route secrets_api_routes[];

#endif
