/* attest_options: reads the arguments of `hallmark attest`. */
#include "verifier/cli/attest.h"
#include "verifier/cli/options.h"
#include "verifier/daemon/channel_answer.h"

#include <string.h>

static int read_option(void *data, int option, const char *text, char *error)
{
	struct verify_options *o = data;

	switch (option) {
	case 'c':
		return verify_options_nonce(o, text, error);
	case 'j':
		o->json = true;
		return 0;
	case 'e':
		o->explain = true;
		return 0;
	default:
		return verify_options_trust(o, option, text, error);
	}
}

int attest_options_parse(struct attest_options *out, int argc, char **argv,
    char error[static POLICY_FILE_ERROR_MAX])
{
	static const struct option known[] = {
	    VERIFY_OPTIONS_TRUST,
	    {"nonce", required_argument, NULL, 'c'},
	    {"json", no_argument, NULL, 'j'},
	    {"explain", no_argument, NULL, 'e'},
	    {NULL, 0, NULL, 0},
	};

	memset(out, 0, sizeof(*out));
	if (options_each(argc, argv, known, read_option, &out->verify, error,
		POLICY_FILE_ERROR_MAX))
		return -1;
	if (argc - optind != 1)
		return verify_options_fail(error,
		    "exactly one URL is needed, as "
		    "https+attested://oracle.example:8443");
	if (verify_options_oracle(&out->address, argv[optind], error) != 0)
		return -1;
	if (out->verify.nonce_len > CHANNEL_NONCE_MAX)
		return verify_options_fail(error,
		    "--nonce: at most %d bytes have room in a document",
		    CHANNEL_NONCE_MAX);
	return verify_options_check_trust(&out->verify, error);
}
