/*
 * handover: the configuration, from the parent.
 *
 *   we connect to port 9001
 *   it writes   4 bytes, big-endian: how many follow, 1 to 1 MiB
 *               so many bytes
 *   we close
 *
 * The parent is not trusted: it may hand over anything, and PCR16 will say
 * what it was. All that it can do here is to be slow, to break off or to send
 * another length; then it is asked again, each second, without end (without a
 * configuration there is nothing else to do), and the log says so at the first
 * time, when the reason changes, and once a minute.
 */
#ifndef HALLMARK_ORACLE_INIT_HANDOVER_H
#define HALLMARK_ORACLE_INIT_HANDOVER_H

#include "base/endpoint.h"

#include <stddef.h>
#include <stdint.h>

#define HANDOVER_PORT      9001
#define HANDOVER_BYTES_MAX (1u << 20) /* CONFIG_BYTES_MAX of the oracle */
#define HANDOVER_TRY_MS    30000      /* for one try, all in all */
#define HANDOVER_RETRY_MS  1000
#define HANDOVER_SAY_MS    60000

struct handover_options {
	uv_loop_t *loop;
	struct endpoint from;
	uint64_t try_ms, retry_ms; /* as above; a test has less time */
	int64_t say_ms;
	unsigned tries_max; /* 0: without end */
};

/* 0, and *bytes is the caller's to free; or, after tries_max tries, the last
 * one's error. */
__attribute__((warn_unused_result)) int handover_take(
    const struct handover_options *options, uint8_t **bytes, size_t *len);

#endif
