/*
 * dial: a connection to the parent used step by step, while the loop goes on
 * beneath (the log channel lives there). Each call returns when it is done or
 * its time is over; never call one from a callback of the loop.
 */
#ifndef HALLMARK_ORACLE_INIT_DIAL_H
#define HALLMARK_ORACLE_INIT_DIAL_H

#include "base/endpoint.h"

#include <stddef.h>

/* A connected, non-blocking descriptor, or a negative uv error. */
__attribute__((warn_unused_result)) int dial(
    uv_loop_t *loop, const struct endpoint *to, uint64_t timeout_ms);

/* All of it, until now_monotonic_ms() is until_ms. 0, or UV_EOF, UV_ETIMEDOUT
 * or another negative uv error. */
__attribute__((warn_unused_result)) int dial_read(
    uv_loop_t *loop, int fd, void *out, size_t len, int64_t until_ms);
__attribute__((warn_unused_result)) int dial_write(
    uv_loop_t *loop, int fd, const void *bytes, size_t len, int64_t until_ms);

/* Only turns the loop. */
void dial_wait(uv_loop_t *loop, uint64_t ms);

#endif
