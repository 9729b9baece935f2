/* watch: `hallmark watch`, an oracle's or verifier's stream in a terminal, each
 * item verified. */
#include "verifier/cli/watch.h"

#include "base/log.h"
#include "verifier/cli/command.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROWS_UNKNOWN 24

static const char help[] =
    "usage: hallmark watch URL (--policy POLICY | --root ROOT --pcr N:HEX ...)\n"
    "           [--feed FEED ...] [--until CONDITION] [--for SECONDS] "
    "[--json]\n"
    "\n"
    "Follows the prices of an oracle or a verifier (hallmark-verifierd) as\n"
    "they come, and verifies each of them here: what is shown as valid has\n"
    "passed every check of hallmark verify, and is the next one of its feed.\n"
    "A connection that was lost is made again and resumes where it was; what\n"
    "is missing all the same is counted by the sequence numbers.\n"
    "\n"
    "URL is http://HOST:PORT, https://HOST, unix:///PATH of a socket, or\n"
    "https+attested://HOST:PORT of an oracle whose TLS ends in its enclave: "
    "its\nkey is attested first, and nobody else is spoken to (hallmark "
    "attest).\n"
    "\n"
    "  --policy POLICY  what you accept, as JSON (hallmark policy check)\n"
    "  --root, --pcr    instead of it, see hallmark verify --help\n"
    "  --feed FEED      only this one, as BTC-USD; may be repeated\n"
    "  --until verified     ends with the first item that may be used now\n"
    "  --until refused      ends with the first that may not\n"
    "  --until 'FEED>PRICE' ends with a verified price above PRICE, compared\n"
    "  --until 'FEED<PRICE' exactly, or below it; quotes for the shell's sake\n"
    "  --for SECONDS    ends then, whatever has come\n"
    "  --json           a JSON object a line: what was judged, and the item\n"
    "\n"
    "On a terminal there is a row a feed, drawn anew; into a pipe or file, a\n"
    "line an item. What else there is to say goes to standard error.\n"
    "\n"
    "A line: when it was published, feed, price +- confidence, exchanges used\n"
    "of all, age, and the verdict. \"late\": it came after its time (an outage),\n"
    "was right then, and is not for use now. Of a refused item nothing that it\n"
    "says is shown, only why.\n"
    "\n"
    "Exit: 0 the condition was met (without one: ended by Ctrl-C or --for, and\n"
    "all was valid); else, as of hallmark verify, the class of the first\n"
    "refusal: 2 malformed, 3 signature, 4 chain, 5 policy, 6 time, 7 debug\n"
    "enclave, 8 sequence (a replay; or items are missing); 9 ended before the\n"
    "condition was met, or, without one, before anything was verified; 1 "
    "usage.\n"
    "\n"
    "Examples:\n"
    "  hallmark watch http://127.0.0.1:8090 --policy policy.json\n"
    "  hallmark watch http://127.0.0.1:8090 --policy policy.json \\\n"
    "      --until 'BTC-USD>100000' --for 3600 && echo now\n"
    "  hallmark watch http://127.0.0.1:8080 --policy policy.json --json |\n"
    "      jq -r 'select(.verdict==\"valid\").item|[.feed,.price]|@tsv'\n";

static enum watch_form form_of(const struct watch_options *options)
{
	if (options->json)
		return WATCH_JSON;
	return isatty(STDOUT_FILENO) ? WATCH_TABLE : WATCH_LINES;
}

static unsigned terminal_rows(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_row == 0)
		return ROWS_UNKNOWN;
	return size.ws_row;
}

static int follow(struct watch_options *options, const struct hm_policy *policy)
{
	struct watch_view *view = watch_view_new(
	    form_of(options), stdout, stderr, terminal_rows());
	uv_loop_t loop;
	int code, left_open;

	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of writing */
	log_set_level(LOG_ERROR); /* the view says it in its own words */
	if (uv_loop_init(&loop))
		log_die("watch", "cannot make a loop");
	code = watch_run(&loop, options, policy, view);
	left_open = uv_loop_close(&loop);
	assert(left_open == 0);
	watch_view_free(view);
	return code;
}

static int run(int argc, char **argv)
{
	static struct watch_options options; /* large */
	char error[POLICY_FILE_ERROR_MAX];
	struct hm_policy *policy = NULL;
	int code;

	if (watch_options_parse(&options, argc, argv, error) ||
	    verify_options_policy(&policy, &options.trust, error))
		return command_usage_error(&command_watch, "%s", error);
	code = follow(&options, policy);
	hm_policy_free(policy);
	return code;
}

const struct command command_watch = {
    .name = "watch",
    .summary = "follow a stream of prices, each verified here",
    .help = help,
    .run = run,
};
