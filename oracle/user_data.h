/* user_data: what the oracle puts into an attestation document beside its
 * key: which start of it (boot_id) and which configuration, as a
 * deterministic CBOR map (RFC 8949, 4.2.1):
 * {"boot_id": bytes, "config_sha256": bytes}. */
#ifndef HALLMARK_ORACLE_USER_DATA_H
#define HALLMARK_ORACLE_USER_DATA_H

#include <stddef.h>
#include <stdint.h>

#define USER_DATA_MAX 512 /* what the attestation process guarantees */

/* The number of bytes written to out. */
size_t user_data_encode(const uint8_t boot_id[16],
    const uint8_t config_sha256[32], uint8_t out[static USER_DATA_MAX]);

#endif
