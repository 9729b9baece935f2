/*
 * attested_price_api: GET /price/{feed}?nonce=HEX&attested=true, a price that
 * an attestation document itself holds. The document is made for it: its user
 * data have the SHA-256 of the content, its nonce answers the asker's; so the
 * hardware vouches for these bytes, and the oracle's RSA key is not needed.
 * A document costs a call of the attester: there are ten a second for all, and
 * those who ask for the same item at once share one (attestation.h).
 */
#ifndef HALLMARK_ORACLE_ATTESTED_PRICE_API_H
#define HALLMARK_ORACLE_ATTESTED_PRICE_API_H

#include "oracle/api.h"

/* One of api_tables, before board_routes, whose route it extends; the data is
 * the struct api. */
extern const struct service_route attested_price_api_routes[];

#endif
