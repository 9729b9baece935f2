/*
 * gramine_helper: a machine with SGX for the integration tests: makes DIR,
 * which behaves as Gramine's /dev/attestation, and beside it what its makers
 * would publish: DIR.pem, the root of its quotes, and DIR.json, a policy's
 * collateral file. Prints "ready" and serves until it is ended.
 *
 *   gramine_helper DIR MRENCLAVE [STATUS]
 *
 * STATUS: of its TCB, "UpToDate" if it is not said; "debug": a debug enclave's
 * quotes.
 */
#include "base/file.h"
#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "tests/sgx/gramine_directory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void write_beside(
    const char *directory, const char *ext, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s%s", directory, ext);
	if (file_write(path, text, strlen(text), 0644) != 0)
		log_die("gramine_helper", "%s", path);
}

int main(int argc, char **argv)
{
	struct quote_maker_body body = {.kind = QUOTE_MAKER_SGX_3};
	const char *status = argc > 3 ? argv[3] : "UpToDate";
	struct quote_maker *maker;
	char *collateral;

	if (argc < 3 || hex_decode(body.mrenclave, sizeof(body.mrenclave),
			    argv[2], strlen(argv[2])) != 0)
		log_die("gramine_helper", "DIR MRENCLAVE [STATUS]");
	body.debug = strcmp(status, "debug") == 0;
	maker = quote_maker_new(now_unix_ms());
	collateral = quote_maker_collateral(
	    maker, body.debug ? "UpToDate" : status, false);
	write_beside(argv[1], ".pem", quote_maker_root_pem(maker));
	write_beside(argv[1], ".json", collateral);
	free(collateral);
	if (mkdir(argv[1], 0700) != 0 && errno != EEXIST)
		log_die("gramine_helper", "%s", argv[1]);
	gramine_directory_make(argv[1], "dcap\n");
	puts("ready");
	fflush(stdout);
	for (;;)
		gramine_directory_serve(argv[1], maker, &body);
}
