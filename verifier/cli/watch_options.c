/* watch_options: reads the arguments of `hallmark watch`. */
#include "verifier/cli/watch_options.h"

#include "verifier/cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_feed(struct watch_options *o, const char *text, char *error)
{
	if (!oracle_feeds_is_name(text))
		return verify_options_fail(error,
		    "--feed %.120s: wanted a name as in BTC-USD; repeat --feed "
		    "for more than one",
		    text);
	if (oracle_feeds_has(&o->feeds, text))
		return verify_options_fail(
		    error, "--feed %s is given twice", text);
	if (o->feeds.count == SSE_TOPICS_MAX)
		return verify_options_fail(error,
		    "--feed: more than %d; without --feed all are watched",
		    SSE_TOPICS_MAX);
	snprintf(o->feeds.names[o->feeds.count++], ORACLE_FEED_MAX, "%s", text);
	return 0;
}

static int read_until(struct watch_options *o, const char *text, char *error)
{
	if (o->until_text)
		return verify_options_fail(error, "--until is given twice");
	if (condition_parse(&o->until, text))
		return verify_options_fail(error,
		    "--until %.120s: wanted verified, refused, FEED>PRICE or "
		    "FEED<PRICE, as in 'BTC-USD>84000.5' (in quotes, for the "
		    "shell)",
		    text);
	o->until_text = text;
	return 0;
}

static int read_for(struct watch_options *o, const char *text, char *error)
{
	size_t len = strspn(text, "0123456789");
	unsigned long seconds = strtoul(text, NULL, 10);

	if (o->for_s)
		return verify_options_fail(error, "--for is given twice");
	if (len < 1 || len > 8 || text[len] != '\0' || seconds < 1 ||
	    seconds > WATCH_SECONDS_MAX)
		return verify_options_fail(error,
		    "--for %.120s: wanted 1 to %d seconds", text,
		    WATCH_SECONDS_MAX);
	o->for_s = (unsigned)seconds;
	return 0;
}

static int read_option(void *data, int option, const char *text, char *error)
{
	struct watch_options *o = data;

	switch (option) {
	case 'f':
		return read_feed(o, text, error);
	case 'u':
		return read_until(o, text, error);
	case 's':
		return read_for(o, text, error);
	case 'j':
		o->json = true;
		return 0;
	default:
		return verify_options_trust(&o->trust, option, text, error);
	}
}

static int read_url(struct watch_options *o, const char *text, char *error)
{
	if (oracle_address_parse(&o->address, text) == 0)
		return 0;
	return verify_options_fail(error,
	    "%.120s: wanted the address of an oracle or verifier without a "
	    "path, as in http://127.0.0.1:8090, https://oracle.example, "
	    "https+attested://oracle.example:8443 or unix:///run/oracle.sock",
	    text);
}

static int check_whole(const struct watch_options *o, char *error)
{
	if (o->until.feed[0] && o->feeds.count &&
	    !oracle_feeds_has(&o->feeds, o->until.feed))
		return verify_options_fail(error,
		    "--until waits for %s, which no --feed names: it would "
		    "never come",
		    o->until.feed);
	return verify_options_check_trust(&o->trust, error);
}

int watch_options_parse(struct watch_options *out, int argc, char **argv,
    char error[static POLICY_FILE_ERROR_MAX])
{
	static const struct option known[] = {
	    VERIFY_OPTIONS_TRUST,
	    {"feed", required_argument, NULL, 'f'},
	    {"until", required_argument, NULL, 'u'},
	    {"for", required_argument, NULL, 's'},
	    {"json", no_argument, NULL, 'j'},
	    {NULL, 0, NULL, 0},
	};

	memset(out, 0, sizeof(*out));
	if (options_each(argc, argv, known, read_option, out, error,
		POLICY_FILE_ERROR_MAX))
		return -1;
	if (optind == argc)
		return verify_options_fail(
		    error, "which URL? As in http://127.0.0.1:8090");
	if (argc - optind > 1)
		return verify_options_fail(error, "more than one URL");
	if (read_url(out, argv[optind], error))
		return -1;
	return check_whole(out, error);
}
