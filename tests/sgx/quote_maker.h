/*
 * quote_maker: a platform with SGX and TDX that is nobody's: a root of its own
 * in Intel's place, a PCK chain under it, a quoting enclave, and the collateral
 * that Intel's service would give, in the form of a collateral file. Quotes
 * are, byte for byte, as Intel's are; only the root vouches for nothing. For
 * tests: what goes wrong here aborts.
 */
#ifndef HALLMARK_TESTS_SGX_QUOTE_MAKER_H
#define HALLMARK_TESTS_SGX_QUOTE_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUOTE_MAKER_MAX 8192 /* of a quote; Gramine gives no more */

struct quote_maker;

/* Everything is valid for a month around now_ms and is as a healthy machine
 * has it. */
struct quote_maker *quote_maker_new(int64_t now_ms);
void quote_maker_free(struct quote_maker *maker);

/* Borrowed. */
const char *quote_maker_root_pem(const struct quote_maker *maker);
struct quote_builder; /* quote_builder.h */
const struct quote_builder *quote_maker_parts(const struct quote_maker *maker);

/* What it says of this platform's TCB ("UpToDate", "OutOfDate" ...). tdx: for
 * TDs. The JSON of a collateral file; free() it. */
char *quote_maker_collateral(
    const struct quote_maker *maker, const char *tcb_status, bool tdx);

enum quote_maker_kind {
	QUOTE_MAKER_SGX_3,
	QUOTE_MAKER_SGX_4,
	QUOTE_MAKER_TDX_4,
	QUOTE_MAKER_TDX_5,
};

/* Who is quoted; zeros are fine everywhere. */
struct quote_maker_body {
	enum quote_maker_kind kind;
	bool debug;
	uint8_t mrenclave[32], mrsigner[32]; /* SGX */
	uint16_t product_id, svn;            /* SGX */
	uint8_t mrtd[48], rtmrs[4][48];      /* TDX */
	uint8_t report_data[64];
};

/* Its length. */
size_t quote_maker_quote(const struct quote_maker *maker,
    const struct quote_maker_body *body, uint8_t out[static QUOTE_MAKER_MAX]);

#endif
