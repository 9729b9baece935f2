/* channel: see channel.h. */
#include "verifier/daemon/channel.h"

#include "verifier/daemon/channel_request.h"

int channel_attest(struct channel_facts *out, struct oracle_address *address,
    const struct hm_policy *policy, struct hm_cache *cache,
    const uint8_t *nonce, size_t nonce_len, const struct hm_report *report,
    struct channel_failure *why)
{
	struct channel_request request;
	CURLcode result;
	int rc;

	channel_request_init(&request, address, nonce, nonce_len);
	result = curl_easy_perform(request.easy);
	rc = channel_request_judge(
	    &request, result, policy, cache, report, out, why);
	channel_request_fini(&request);
	if (rc == 0 && out->bound)
		oracle_address_pin(address, out->attested.tls_spki_sha256);
	return rc;
}
