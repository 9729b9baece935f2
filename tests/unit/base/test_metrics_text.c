/* metrics_text: the format, to the byte. */
#include "base/metrics_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct metrics_text metrics;

static void is(const char *wanted)
{
	size_t len;
	char *text = metrics_text_finish(&metrics, &len);

	assert_string_equal(text, wanted);
	assert_int_equal(len, strlen(wanted));
	free(text);
}

static void families_have_help_and_type(void **state)
{
	const struct metrics_label labels[] = {
	    {"exchange", "kraken"}, {"symbol", "XBTUSD"}, {NULL, NULL}};
	const struct metrics_label none[] = {{NULL, NULL}};

	(void)state;
	metrics_text_init(&metrics);
	metrics_text_family(&metrics, "a_total", "counter", "How many a.");
	metrics_text_sample(&metrics, labels, 3);
	metrics_text_family(&metrics, "b", "gauge", "Any b.");
	metrics_text_sample(&metrics, NULL, INT64_MIN);
	metrics_text_sample(&metrics, none, INT64_MAX);
	is("# HELP a_total How many a.\n"
	   "# TYPE a_total counter\n"
	   "a_total{exchange=\"kraken\",symbol=\"XBTUSD\"} 3\n"
	   "# HELP b Any b.\n"
	   "# TYPE b gauge\n"
	   "b -9223372036854775808\n"
	   "b 9223372036854775807\n");
}

static void milliseconds_become_seconds(void **state)
{
	(void)state;
	metrics_text_init(&metrics);
	metrics_text_family(&metrics, "t", "gauge", "A time.");
	metrics_text_sample_ms(&metrics, NULL, 1234);
	metrics_text_sample_ms(&metrics, NULL, 5);
	metrics_text_sample_ms(&metrics, NULL, 0);
	metrics_text_sample_ms(&metrics, NULL, -5);
	metrics_text_sample_ms(&metrics, NULL, -61002);
	metrics_text_sample_ms(&metrics, NULL, INT64_MIN);
	is("# HELP t A time.\n# TYPE t gauge\n"
	   "t 1.234\nt 0.005\nt 0.000\nt -0.005\nt -61.002\n"
	   "t -9223372036854775.808\n");
}

static void a_number_may_come_as_text(void **state)
{
	const struct metrics_label labels[] = {{"f", "g"}, {NULL, NULL}};

	(void)state;
	metrics_text_init(&metrics);
	metrics_text_family(&metrics, "p", "gauge", "A price.");
	metrics_text_sample_text(&metrics, labels, "84036.00000001");
	is("# HELP p A price.\n# TYPE p gauge\np{f=\"g\"} 84036.00000001\n");
}

static void values_of_labels_are_escaped(void **state)
{
	const struct metrics_label labels[] = {
	    {"v", "a\\b\"c\nd\xc3\xa9}"}, {"empty", ""}, {NULL, NULL}};

	(void)state;
	metrics_text_init(&metrics);
	metrics_text_family(&metrics, "x", "gauge", "Any x.");
	metrics_text_sample(&metrics, labels, 0);
	is("# HELP x Any x.\n# TYPE x gauge\n"
	   "x{v=\"a\\\\b\\\"c\\nd\xc3\xa9}\",empty=\"\"} 0\n");
}

static void nothing_is_an_empty_text(void **state)
{
	(void)state;
	metrics_text_init(&metrics);
	is("");
}

static void histograms_are_cumulative(void **state)
{
	const struct metrics_label labels[] = {{"rule", "a"}, {NULL, NULL}};
	struct metrics_histogram histogram = {0};

	(void)state;
	metrics_histogram_add(&histogram, 0);
	metrics_histogram_add(&histogram, 1); /* a bound belongs to its slot */
	metrics_histogram_add(&histogram, 3);
	metrics_histogram_add(&histogram, 10000);
	metrics_histogram_add(&histogram, 10001);
	metrics_text_init(&metrics);
	metrics_text_family(&metrics, "t", "histogram", "Times.");
	metrics_text_histogram(&metrics, labels, &histogram);
	metrics_text_family(&metrics, "u", "gauge", "Not t.");
	metrics_text_sample(&metrics, NULL, 1);
	is("# HELP t Times.\n# TYPE t histogram\n"
	   "t_bucket{rule=\"a\",le=\"0.001\"} 2\n"
	   "t_bucket{rule=\"a\",le=\"0.002\"} 2\n"
	   "t_bucket{rule=\"a\",le=\"0.005\"} 3\n"
	   "t_bucket{rule=\"a\",le=\"0.010\"} 3\n"
	   "t_bucket{rule=\"a\",le=\"0.020\"} 3\n"
	   "t_bucket{rule=\"a\",le=\"0.050\"} 3\n"
	   "t_bucket{rule=\"a\",le=\"0.100\"} 3\n"
	   "t_bucket{rule=\"a\",le=\"0.200\"} 3\n"
	   "t_bucket{rule=\"a\",le=\"0.500\"} 3\n"
	   "t_bucket{rule=\"a\",le=\"1.000\"} 3\n"
	   "t_bucket{rule=\"a\",le=\"2.000\"} 3\n"
	   "t_bucket{rule=\"a\",le=\"5.000\"} 3\n"
	   "t_bucket{rule=\"a\",le=\"10.000\"} 4\n"
	   "t_bucket{rule=\"a\",le=\"+Inf\"} 5\n"
	   "t_sum{rule=\"a\"} 20.005\nt_count{rule=\"a\"} 5\n"
	   "# HELP u Not t.\n# TYPE u gauge\nu 1\n");
}

static void a_histogram_may_have_no_labels(void **state)
{
	struct metrics_histogram histogram = {0};
	size_t len;
	char *text;

	(void)state;
	metrics_text_init(&metrics);
	metrics_text_family(&metrics, "t", "histogram", "Times.");
	metrics_text_histogram(&metrics, NULL, &histogram);
	text = metrics_text_finish(&metrics, &len);
	assert_non_null(strstr(text, "t_bucket{le=\"+Inf\"} 0\n"
				     "t_sum 0.000\nt_count 0\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(families_have_help_and_type),
	    cmocka_unit_test(milliseconds_become_seconds),
	    cmocka_unit_test(a_number_may_come_as_text),
	    cmocka_unit_test(values_of_labels_are_escaped),
	    cmocka_unit_test(nothing_is_an_empty_text),
	    cmocka_unit_test(histograms_are_cumulative),
	    cmocka_unit_test(a_histogram_may_have_no_labels),
	};

	return cmocka_run_group_tests_name("metrics_text", tests, NULL, NULL);
}
