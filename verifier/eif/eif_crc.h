/* eif_crc: CRC-32/ISO-HDLC, the one of zlib and Ethernet: reflected polynomial
 * edb88320, begun and ended with all bits inverted. */
#ifndef HALLMARK_VERIFIER_EIF_EIF_CRC_H
#define HALLMARK_VERIFIER_EIF_EIF_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Of these bytes behind those that `crc` is of; 0 for none. */
uint32_t eif_crc_update(uint32_t crc, const uint8_t *bytes, size_t len);

#endif
