/* fetch_options: reads the arguments of `hallmark fetch`. */
#include "verifier/cli/fetch.h"

#include "verifier/cli/options.h"
#include "verifier/fetched.h"

#include <stdlib.h>
#include <string.h>

#define SCHEME      "https://"
#define PORT_DIGITS 5 /* 65535 */
#define AGE_DIGITS  5

/* Digits and nothing else, of a number in this range; -1: it is none. */
static int64_t read_number(
    const char *text, size_t len, size_t digits_max, int64_t max)
{
	char copy[8];
	int64_t number;

	if (len < 1 || len > digits_max || strspn(text, "0123456789") < len)
		return -1;
	memcpy(copy, text, len);
	copy[len] = '\0';
	number = strtoll(copy, NULL, 10);
	return number >= 1 && number <= max ? number : -1;
}

static int read_max_age(
    struct fetch_options *out, const char *text, char *error)
{
	if (out->max_age_s >= 0)
		return verify_options_fail(error, "--max-age is given twice");
	out->max_age_s = read_number(
	    text, strlen(text), AGE_DIGITS, FETCH_MAX_AGE_MAX_S);
	if (out->max_age_s < 0)
		return verify_options_fail(error,
		    "--max-age %.120s: wanted 1 to %d seconds", text,
		    FETCH_MAX_AGE_MAX_S);
	return 0;
}

static int read_save(struct fetch_options *out, const char *text, char *error)
{
	if (out->save)
		return verify_options_fail(error, "--save is given twice");
	out->save = text;
	return 0;
}

static int read_option(void *data, int option, const char *text, char *error)
{
	struct fetch_options *o = data;

	switch (option) {
	case 'm':
		return read_max_age(o, text, error);
	case 's':
		return read_save(o, text, error);
	case 'j':
		o->verify.json = true;
		return 0;
	default:
		return verify_options_trust(&o->verify, option, text, error);
	}
}

/* HOST[:PORT]/PATH, as a URL or without the scheme. */
static int read_request(struct fetch_options *out, const char *text)
{
	const char *host = text;
	size_t len, end;
	int64_t port = 443;

	if (strncmp(text, SCHEME, strlen(SCHEME)) == 0)
		host += strlen(SCHEME);
	end = strcspn(host, "/");
	len = strcspn(host, ":/");
	if (len < end)
		port = read_number(
		    host + len + 1, end - len - 1, PORT_DIGITS, 65535);
	if (port < 0 || len >= sizeof(out->hostname))
		return -1;
	memcpy(out->hostname, host, len);
	out->asked = (struct hm_fetch_request){
	    out->hostname, (unsigned)port, host + end};
	return fetched_is_hostname(out->hostname) &&
		       fetched_is_path(out->asked.path)
		   ? 0
		   : -1;
}

static int read_words(struct fetch_options *out, int argc, char **argv,
    char error[static POLICY_FILE_ERROR_MAX])
{
	if (argc - optind != 2)
		return verify_options_fail(error,
		    "wanted the oracle's URL and what to fetch, as in "
		    "http://127.0.0.1:8080 api.kraken.com/0/public/Time");
	if (verify_options_oracle(&out->address, argv[optind], error) != 0)
		return -1;
	if (read_request(out, argv[optind + 1]) != 0)
		return verify_options_fail(error,
		    "%.120s: wanted HOST[:PORT]/PATH[?QUERY], a DNS name in "
		    "lower case, no escape or dot segment in the path",
		    argv[optind + 1]);
	return verify_options_check_trust(&out->verify, error);
}

int fetch_options_parse(struct fetch_options *out, int argc, char **argv,
    char error[static POLICY_FILE_ERROR_MAX])
{
	static const struct option known[] = {
	    VERIFY_OPTIONS_TRUST,
	    {"max-age", required_argument, NULL, 'm'},
	    {"save", required_argument, NULL, 's'},
	    {"json", no_argument, NULL, 'j'},
	    {NULL, 0, NULL, 0},
	};

	memset(out, 0, sizeof(*out));
	out->max_age_s = -1;
	if (options_each(argc, argv, known, read_option, out, error,
		POLICY_FILE_ERROR_MAX))
		return -1;
	return read_words(out, argc, argv, error);
}
