/* log_verify_options: reads the arguments of `hallmark log verify`. */
#include "verifier/cli/log_verify_options.h"

#include "verifier/cli/options.h"

#include <stdio.h>
#include <string.h>

static int once(
    const char **out, const char *name, const char *text, char *error)
{
	if (*out)
		return verify_options_fail(error, "%s is given twice", name);
	*out = text;
	return 0;
}

static int read_url(struct log_verify_options *o, const char *text, char *error)
{
	if (o->has_url)
		return verify_options_fail(error, "--url is given twice");
	o->has_url = true;
	if (oracle_address_parse(&o->url, text) == 0 && !o->url.attested)
		return 0;
	return verify_options_fail(error,
	    "--url %.120s: wanted the address of a verifier without a path, "
	    "as in http://127.0.0.1:8090",
	    text);
}

static int read_option(void *data, int option, const char *text, char *error)
{
	struct log_verify_options *o = data;

	switch (option) {
	case 'u':
		return read_url(o, text, error);
	case 'i':
		return once(&o->item, "--item", text, error);
	case 'h':
		return once(&o->head, "--head", text, error);
	case 'm':
		o->misbehaviour = true;
		return once(&o->file, "--misbehaviour", text, error);
	case 'j':
		o->json = true;
		return 0;
	default:
		return verify_options_trust(&o->trust, option, text, error);
	}
}

static int check_whole(const struct log_verify_options *o, char *error)
{
	if (o->file && o->has_url)
		return verify_options_fail(error, "either a FILE or --url");
	if (!o->file && !o->has_url)
		return verify_options_fail(
		    error, "which FILE? Or --url, to ask a verifier");
	if (o->misbehaviour && (o->item || o->head))
		return verify_options_fail(
		    error, "--misbehaviour FILE stands alone");
	return verify_options_check_trust(&o->trust, error);
}

int log_verify_options_parse(struct log_verify_options *out, int argc,
    char **argv, char error[static POLICY_FILE_ERROR_MAX])
{
	static const struct option known[] = {
	    VERIFY_OPTIONS_TRUST,
	    {"url", required_argument, NULL, 'u'},
	    {"item", required_argument, NULL, 'i'},
	    {"head", required_argument, NULL, 'h'},
	    {"misbehaviour", required_argument, NULL, 'm'},
	    {"json", no_argument, NULL, 'j'},
	    {NULL, 0, NULL, 0},
	};

	memset(out, 0, sizeof(*out));
	if (options_each(argc, argv, known, read_option, out, error,
		POLICY_FILE_ERROR_MAX))
		return -1;
	if (argc - optind > 1 || (optind < argc && out->file))
		return verify_options_fail(error, "more than one FILE");
	if (optind < argc)
		out->file = argv[optind];
	return check_whole(out, error);
}
