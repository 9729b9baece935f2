/* relayer SERVER FEED POLICY: each new price, verified before it is used. */
#include <curl/curl.h>
#include <err.h>
#include <hallmark.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char text[HM_ENVELOPE_MAX];

static size_t read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t len = file ? fread(text, 1, sizeof(text), file) : 0;

	if (file)
		fclose(file);
	return len;
}

static struct hm_policy *read_policy(const char *path)
{
	struct hm_policy *policy;
	char why[HM_TEXT_MAX];
	const char *root;

	if (hm_policy_parse(&policy, text, read_file(path), why))
		errx(1, "usage: SERVER FEED POLICY (%s: %s)", path, why);
	for (size_t i = 0; (root = hm_policy_root_file(policy, i)); i++)
		if (hm_policy_add_root_pem(policy, text, read_file(root)))
			errx(1, "%s: not a root", root);
	return policy;
}

/* 0 if there is no newer price. A text that is too large does not parse. */
static size_t fetch(CURL *http, const char *url)
{
	FILE *out = fmemopen(text, sizeof(text), "w+");
	size_t len;

	curl_easy_setopt(http, CURLOPT_URL, url);
	curl_easy_setopt(http, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(http, CURLOPT_FAILONERROR, 1L);
	len = curl_easy_perform(http) == CURLE_OK ? (size_t)ftell(out) : 0;
	fclose(out);
	return len;
}

int main(int argc, char **argv)
{
	struct hm_policy *policy = read_policy(argc == 4 ? argv[3] : "");
	struct hm_cache *cache = hm_cache_new(8);
	struct hm_sequence last = {.started = false};
	CURL *http = curl_easy_init();
	struct hm_envelope envelope;
	enum hm_verdict verdict;
	struct hm_item item;
	char url[512];

	for (;; sleep(verdict == HM_VALID ? 0 : 1)) {
		snprintf(url, sizeof(url), "%s/price/%s?after_sequence=%llu",
		    argv[1], argv[2], (unsigned long long)last.sequence);
		verdict = hm_envelope_parse(&envelope, text, fetch(http, url));
		if (verdict == HM_VALID)
			verdict = hm_item_verify_live(policy, cache, &envelope,
			    NULL, 0, time(NULL) * INT64_C(1000), &item, NULL);
		hm_envelope_fini(&envelope);
		if (verdict == HM_VALID && strcmp(item.feed, argv[2]) != 0)
			verdict = HM_CONTENT_MALFORMED; /* another's price */
		if (verdict == HM_VALID)
			verdict = hm_sequence_next(&last, &item);
		if (verdict != HM_VALID && verdict != HM_SEQUENCE_GAP)
			warnx("%s", *text ? hm_verdict_name(verdict) : "none");
		else
			dprintf(1, "%s %s\n", item.feed,
			    item.ok ? item.price : item.reason);
	}
}
