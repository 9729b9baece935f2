/* config_secrets: "secrets" of the configuration: which secrets may be sealed
 * to this enclave, and who may (secrets.h). */
#ifndef HALLMARK_ORACLE_CONFIG_SECRETS_H
#define HALLMARK_ORACLE_CONFIG_SECRETS_H

#include "feeds/exchanges/exchange.h"

#include <stdbool.h>

#define CONFIG_SECRETS_MAX 16

struct config_secrets {
	uint8_t token_sha256[32]; /* of the token that a sender must know */
	char names[CONFIG_SECRETS_MAX][EXCHANGE_KEY_NAME_MAX];
	size_t count; /* 0: none are taken */
};

#endif
