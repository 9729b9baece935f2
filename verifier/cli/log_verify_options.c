/* log_verify_options: reads the arguments of `hallmark log verify`. */
#include "verifier/cli/log_verify_options.h"

#include "verifier/cli/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static int fail(
    char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, POLICY_FILE_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

static int once(
    const char **out, const char *name, const char *text, char *error)
{
	if (*out)
		return fail(error, "%s is given twice", name);
	*out = text;
	return 0;
}

static int read_url(struct log_verify_options *o, const char *text, char *error)
{
	if (o->has_url)
		return fail(error, "--url is given twice");
	o->has_url = true;
	if (oracle_address_parse(&o->url, text) == 0)
		return 0;
	return fail(error,
	    "--url %.120s: wanted the address of a verifier without a path, "
	    "as in http://127.0.0.1:8090",
	    text);
}

static int read_option(
    struct log_verify_options *o, int option, const char *text, char *error)
{
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
		return fail(error, "either a FILE or --url");
	if (!o->file && !o->has_url)
		return fail(error, "which FILE? Or --url, to ask a verifier");
	if (o->misbehaviour && (o->item || o->head))
		return fail(error, "--misbehaviour FILE stands alone");
	return verify_options_check_trust(&o->trust, error);
}

int log_verify_options_parse(struct log_verify_options *out, int argc,
    char **argv, char error[static POLICY_FILE_ERROR_MAX])
{
	static const struct option known[] = {
	    {"policy", required_argument, NULL, 'p'},
	    {"root", required_argument, NULL, 'r'},
	    {"pcr", required_argument, NULL, 'n'},
	    {"url", required_argument, NULL, 'u'},
	    {"item", required_argument, NULL, 'i'},
	    {"head", required_argument, NULL, 'h'},
	    {"misbehaviour", required_argument, NULL, 'm'},
	    {"json", no_argument, NULL, 'j'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	memset(out, 0, sizeof(*out));
	options_begin();
	while ((option = options_next(
		    argc, argv, known, error, POLICY_FILE_ERROR_MAX)) >= 0)
		if (read_option(out, option, optarg, error))
			return -1;
	if (option == OPTIONS_BAD)
		return -1;
	if (argc - optind > 1 || (optind < argc && out->file))
		return fail(error, "more than one FILE");
	if (optind < argc)
		out->file = argv[optind];
	return check_whole(out, error);
}
