/* metrics_peers: one that is ourselves is no peer that is missing; what is said
 * of each feed, and nothing where nobody is a peer. */
#include "oracle/metrics_peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct peer_opinion opinions[3][2] = {{{.known = true}},
    {{.disagrees = true}, {.disagrees = true}}, {{.known = true}}};
static const struct peer_view views[] = {
    {.endpoint = "tcp://a:9000", .state = PEER_SELF, .opinions = opinions[0]},
    {.endpoint = "tcp://b:9000",
	.state = PEER_OPEN,
	.cosigned = 5,
	.disagreed = 4,
	.late = 3,
	.refused = 2,
	.opinions = opinions[1]},
    {.endpoint = "tcp://c:9000", .state = PEER_DOWN, .opinions = opinions[2]},
};
static const struct peers_quorum quorums[] = {{7, 1}, {0, 9}};
static struct config config = {.quorum = 2,
    .feeds = {.feeds = {{.feed = "BTC-USD"}, {.feed = "ETH-USD"}}, .count = 2}};

size_t peers_count(const struct peers *peers)
{
	(void)peers;
	return sizeof(views) / sizeof(views[0]);
}

void peers_look(const struct peers *peers, size_t peer, struct peer_view *out)
{
	(void)peers;
	*out = views[peer];
}

void peers_quorum(
    const struct peers *peers, size_t feed, struct peers_quorum *out)
{
	(void)peers;
	*out = quorums[feed];
}

/* ---- */

/* To be freed. */
static char *scrape(bool has_peers)
{
	static int there;
	struct api api = {.config = &config,
	    .peers = has_peers ? (const struct peers *)&there : NULL};
	struct metrics_text text;
	size_t len;

	metrics_text_init(&text);
	metrics_peers(&api, &text);
	return metrics_text_finish(&text, &len);
}

static void shows(const char *text, const char *sample)
{
	char line[160];

	snprintf(line, sizeof(line), "\nhallmark_oracle_%s\n", sample);
	if (!strstr(text, line))
		fail_msg("no %s in\n%s", sample, text);
}

static void test_peers(void **state)
{
	char *text = scrape(true);

	(void)state;
	assert_null(strstr(text, "peer_open{peer=\"tcp://a:9000\"}"));
	shows(text, "peer_open{peer=\"tcp://b:9000\"} 1");
	shows(text, "peer_open{peer=\"tcp://c:9000\"} 0");
#define ANSWERS(answer, count)                                          \
	shows(text,                                                     \
	    "peer_answers_total{peer=\"tcp://b:9000\",answer=\"" answer \
	    "\"} " count)
	ANSWERS("cosigned", "5");
	ANSWERS("disagreed", "4");
	ANSWERS("late", "3");
	ANSWERS("refused", "2");
	shows(text, "peer_feeds_in_disagreement{peer=\"tcp://b:9000\"} 2");
	shows(text, "peer_feeds_in_disagreement{peer=\"tcp://c:9000\"} 0");
	free(text);
}

static void test_quorum(void **state)
{
	char *text = scrape(true);

	(void)state;
#define QUORUM(feed, result, count)                                         \
	shows(text, "quorum_items_total{feed=\"" feed "\",result=\"" result \
		    "\"} " count)
	QUORUM("BTC-USD", "reached", "7");
	QUORUM("BTC-USD", "missed", "1");
	QUORUM("ETH-USD", "reached", "0");
	QUORUM("ETH-USD", "missed", "9");
	free(text);
	config.quorum = 0;
	text = scrape(true);
	config.quorum = 2;
	assert_null(strstr(text, "quorum"));
	free(text);
}

static void test_alone(void **state)
{
	char *text = scrape(false);

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_peers),
	    cmocka_unit_test(test_quorum),
	    cmocka_unit_test(test_alone),
	};

	return cmocka_run_group_tests_name("metrics_peers", tests, NULL, NULL);
}
