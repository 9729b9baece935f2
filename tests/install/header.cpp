// hallmark.h from C++: compiled with its warnings as errors, linked, run.
#include <hallmark.h>

#include <cstdio>
#include <cstring>

int main()
{
	char error[HM_TEXT_MAX];
	hm_policy *policy = hm_policy_new();
	struct hm_cache_stats stats = {};
	hm_cache *cache = hm_cache_new(1);
	hm_document document = {};
	const hm_report report = {
	    [](void *, const char *check, bool passed, const char *,
		const char *) { std::printf("%s %d\n", check, passed); },
	    nullptr};

	hm_cache_stats(cache, &stats);
	const hm_verdict verdict = hm_document_verify_live(policy, cache,
	    nullptr, 0, INT64_C(1795251600000), nullptr, 0, &document, &report);
	const bool right = hm_policy_check(policy, error) == -1 &&
			   verdict == HM_POLICY_EMPTY && stats.documents == 0 &&
			   std::strcmp(hm_verdict_name(verdict),
			       "policy_empty") == 0;
	hm_cache_free(cache);
	hm_policy_free(policy);
	return right ? 0 : 1;
}
