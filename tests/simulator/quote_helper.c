/*
 * quote_helper: quotes of a platform with SGX and TDX that is nobody's, for the
 * integration tests (tests/sgx/quote_maker.h).
 *
 *   quote_helper DIR KIND HELD [debug] [STATUS]
 *
 * KIND is sgx3, sgx4, tdx4 or tdx5. DIR/quote.bin becomes a quote for the bytes
 * of the file HELD; beside it are root.pem, collateral.json and measures.json,
 * what a policy's release says of who is quoted. STATUS is Intel's word for
 * the platform, else "UpToDate".
 */
#include "base/file.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "tests/sgx/quote_maker.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MAX 1048576

static const char *const kinds[] = {"sgx3", "sgx4", "tdx4", "tdx5"};

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "quote_helper: %s\n", what);
	exit(1);
}

static void put(
    const char *directory, const char *name, const void *bytes, size_t len)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	need(file_write(path, bytes, len, 0644) == 0, path);
}

/* As a release of a policy has them. */
static void put_measures(
    const char *directory, const struct quote_maker_body *body)
{
	char mrenclave[65], mrsigner[65], mrtd[97], rtmr[97], text[1024];
	int len;

	hex_encode(body->mrenclave, 32, mrenclave);
	hex_encode(body->mrsigner, 32, mrsigner);
	hex_encode(body->mrtd, 48, mrtd);
	hex_encode(body->rtmrs[1], 48, rtmr);
	len = snprintf(text, sizeof(text),
	    "{\"mrenclave\": \"%s\",\n \"mrsigner\": \"%s\",\n"
	    " \"product_id\": %u, \"svn\": %u,\n"
	    " \"mrtd\": \"%s\",\n \"rtmr1\": \"%s\"}\n",
	    mrenclave, mrsigner, body->product_id, body->svn, mrtd, rtmr);
	put(directory, "measures.json", text, (size_t)len);
}

/* Somebody, whose every number is another. */
static void fill(struct quote_maker_body *body)
{
	memset(body->mrenclave, 0xe1, sizeof(body->mrenclave));
	memset(body->mrsigner, 0x51, sizeof(body->mrsigner));
	memset(body->mrtd, 0xd1, sizeof(body->mrtd));
	for (unsigned i = 0; i < 4; i++)
		memset(body->rtmrs[i], (int)(0xa0 + i), 48);
	body->product_id = 7;
	body->svn = 3;
}

static void put_quote(const struct quote_maker *maker,
    struct quote_maker_body *body, const char *directory, const char *held)
{
	uint8_t quote[QUOTE_MAKER_MAX], *bytes;
	size_t len;

	need(file_read(held, HELD_MAX, &bytes, &len) == 0, held);
	need(EVP_Digest(
		 bytes, len, body->report_data, NULL, EVP_sha256(), NULL) == 1,
	    "SHA-256");
	free(bytes);
	len = quote_maker_quote(maker, body, quote);
	put(directory, "quote.bin", quote, len);
}

static void find_kind(struct quote_maker_body *body, const char *name)
{
	for (unsigned i = 0; i < 4; i++) {
		body->kind = (enum quote_maker_kind)i;
		if (strcmp(kinds[i], name) == 0)
			return;
	}
	need(false, "no such kind");
}

int main(int argc, char **argv)
{
	struct quote_maker_body body = {.kind = QUOTE_MAKER_SGX_3};
	struct quote_maker *maker = quote_maker_new(now_unix_ms());
	const char *status = "UpToDate";
	char *collateral;

	need(argc >= 4, "DIR KIND HELD");
	fill(&body);
	find_kind(&body, argv[2]);
	for (int i = 4; i < argc; i++) {
		if (strcmp(argv[i], "debug") == 0)
			body.debug = true;
		else
			status = argv[i];
	}
	put(argv[1], "root.pem", quote_maker_root_pem(maker),
	    strlen(quote_maker_root_pem(maker)));
	collateral = quote_maker_collateral(
	    maker, status, body.kind >= QUOTE_MAKER_TDX_4);
	put(argv[1], "collateral.json", collateral, strlen(collateral));
	free(collateral);
	put_measures(argv[1], &body);
	put_quote(maker, &body, argv[1], argv[3]);
	quote_maker_free(maker);
	return 0;
}
