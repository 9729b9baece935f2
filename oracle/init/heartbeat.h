/*
 * heartbeat: tells nitro-cli on the parent that the enclave has started: it
 * listens at port 9000, expects a byte 0xB7 and sends it back, and reports an
 * enclave that says nothing as failed. Source: AWS, aws-nitro-enclaves-cli,
 * and the init of aws-nitro-enclaves-sdk-bootstrap.
 */
#ifndef HALLMARK_ORACLE_INIT_HEARTBEAT_H
#define HALLMARK_ORACLE_INIT_HEARTBEAT_H

#include "base/endpoint.h"

#define HEARTBEAT_PORT 9000
#define HEARTBEAT_BYTE 0xB7
#define HEARTBEAT_MS   5000 /* for all of it */

/* 0, UV_EPROTO for another answer, or why there is none. */
__attribute__((warn_unused_result)) int heartbeat_send(
    uv_loop_t *loop, const struct endpoint *to, uint64_t timeout_ms);

#endif
