/*
 * verify_item: may this price be used now? Prints it, or why not.
 *
 *   cc verify_item.c -o verify_item $(pkg-config --cflags --libs hallmark)
 *   curl -s http://127.0.0.1:8090/price/BTC-USD > item.json
 *   ./verify_item policy.json item.json
 */
#include <hallmark.h>
#include <stdio.h>
#include <time.h>

static char text[HM_ENVELOPE_MAX];

/* Into text; what is absent or too long does not parse. */
static size_t read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t len = file ? fread(text, 1, sizeof(text), file) : 0;

	if (file)
		fclose(file);
	return len;
}

/* There is no policy that accepts by default: you say whom you trust. */
static struct hm_policy *read_policy(const char *path)
{
	char error[HM_TEXT_MAX];
	struct hm_policy *policy;
	const char *root;

	if (hm_policy_parse(&policy, text, read_file(path), error) == 0)
		for (size_t i = 0; (root = hm_policy_root_file(policy, i)); i++)
			if (hm_policy_add_root_pem(
				policy, text, read_file(root)))
				fprintf(stderr, "%s: not a root\n", root);
	if (policy && hm_policy_check(policy, error) == 0)
		return policy;
	fprintf(stderr, "%s: %s\n", path, error);
	hm_policy_free(policy);
	return NULL;
}

int main(int argc, char **argv)
{
	struct hm_policy *policy = argc == 3 ? read_policy(argv[1]) : NULL;
	struct hm_envelope envelope;
	enum hm_verdict verdict;
	struct hm_item item;

	if (!policy)
		return 1;
	verdict = hm_envelope_parse(&envelope, text, read_file(argv[2]));
	if (verdict == HM_VALID)
		verdict = hm_item_verify_live(policy, NULL, &envelope, NULL, 0,
		    time(NULL) * INT64_C(1000), &item, NULL);
	if (verdict == HM_VALID)
		printf(
		    "%s %s\n", item.feed, item.ok ? item.price : item.reason);
	else
		printf("REFUSED %s\n", hm_verdict_name(verdict));
	hm_envelope_fini(&envelope);
	hm_policy_free(policy);
	return hm_verdict_class(verdict);
}
