/* policy: building one, and asking it; its roots are in policy_roots.c. No
 * check here is skipped because something was left out: what is absent does not
 * match. */
#include "verifier/policy.h"

#include "feeds/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_AGE_MS    300000
#define DEFAULT_MAX_FUTURE_MS 5000
#define MEASURED_PCRS         0x7u /* PCR0, PCR1, PCR2: what the code is */

struct hm_policy *hm_policy_new(void)
{
	struct hm_policy *policy = calloc(1, sizeof(*policy));

	if (policy == NULL)
		return NULL;
	policy->max_age_ms = DEFAULT_MAX_AGE_MS;
	policy->max_future_ms = DEFAULT_MAX_FUTURE_MS;
	policy->max_enclave_age_ms = -1;
	policy->booted_after_ms = INT64_MIN;
	return policy;
}

void hm_policy_free(struct hm_policy *policy)
{
	if (policy == NULL)
		return;
	for (size_t i = 0; i < policy->root_count; i++)
		cert_fini(&policy->roots[i].cert);
	for (size_t i = 0; i < policy->root_file_count; i++)
		free(policy->root_files[i]);
	for (size_t i = 0; i < policy->release_count; i++) {
		free(policy->releases[i].pins);
		policy_measures_fini(&policy->releases[i].measures);
	}
	policy_quotes_fini(&policy->quotes);
	free(policy->releases);
	free(policy->revoked);
	free(policy);
}

int hm_policy_set_quorum(struct hm_policy *policy, int64_t enclaves)
{
	if (REFUSE(quorum_negative, enclaves < 0) ||
	    REFUSE(quorum_max, enclaves > HM_COSIGNATURES_MAX))
		return -1;
	policy->quorum = (unsigned)enclaves;
	return 0;
}

int hm_policy_set_min_key_epoch(struct hm_policy *policy, int64_t epoch)
{
	if (REFUSE(key_epoch_negative, epoch < 0) ||
	    REFUSE(key_epoch_max, epoch > POLICY_KEY_EPOCH_MAX))
		return -1;
	policy->min_key_epoch = (uint64_t)epoch;
	return 0;
}

/* ---- releases ---- */

static bool name_ok(const struct hm_policy *policy, const char *name)
{
	size_t len = strlen(name);

	if (REFUSE(release_unnamed, len == 0) ||
	    REFUSE(release_name_max, len >= HM_TEXT_MAX))
		return false;
	for (size_t i = 0; i < len; i++)
		if (REFUSE(release_name_chars,
			(unsigned char)name[i] < 0x20 || name[i] == 0x7f))
			return false;
	for (size_t i = 0; i < policy->release_count; i++)
		if (REFUSE(release_twice,
			strcmp(policy->releases[i].name, name) == 0))
			return false;
	return true;
}

int hm_policy_add_release(struct hm_policy *policy, const char *name,
    int64_t not_before_ms, int64_t not_after_ms)
{
	struct policy_release *more, *release;

	if (REFUSE(
		releases_max, policy->release_count == POLICY_RELEASES_MAX) ||
	    !name_ok(policy, name) ||
	    REFUSE(release_window, not_before_ms > not_after_ms))
		return -1;
	more = realloc(policy->releases,
	    (policy->release_count + 1) * sizeof(*policy->releases));
	if (more == NULL)
		return -1;
	policy->releases = more;
	release = &more[policy->release_count];
	memset(release, 0, sizeof(*release));
	snprintf(release->name, sizeof(release->name), "%s", name);
	release->not_before_ms = not_before_ms;
	release->not_after_ms = not_after_ms;
	return (int)policy->release_count++;
}

int hm_policy_add_pcr(struct hm_policy *policy, int release_number,
    unsigned index, const uint8_t value[HM_PCR_LEN])
{
	struct policy_release *release;
	struct policy_pin *more;

	if (REFUSE(pin_release,
		release_number < 0 ||
		    (size_t)release_number >= policy->release_count) ||
	    REFUSE(pin_index, index >= HM_PCR_COUNT))
		return -1;
	release = &policy->releases[release_number];
	if (REFUSE(pins_max, release->pin_count == POLICY_PINS_MAX))
		return -1;
	more = realloc(release->pins, (release->pin_count + 1) * sizeof(*more));
	if (more == NULL)
		return -1;
	release->pins = more;
	more[release->pin_count].index = index;
	memcpy(more[release->pin_count].value, value, HM_PCR_LEN);
	release->pin_count++;
	release->pin_mask |= 1u << index;
	return 0;
}

bool policy_pcr_ok(const struct policy_release *release,
    const struct hm_document *document, unsigned index)
{
	uint32_t bit = 1u << index;

	if ((release->pin_mask & bit) == 0)
		return true;
	/* An absent PCR never matches (CVE-2025-64186). */
	if (REFUSE(pcr_absent, (document->pcr_mask & bit) == 0))
		return false;
	for (size_t i = 0; i < release->pin_count; i++)
		if (release->pins[i].index == index &&
		    memcmp(release->pins[i].value, document->pcrs[index],
			HM_PCR_LEN) == 0)
			return true;
	return false; /* unnamed: judge_pcr's */
}

/* How many PCRs match; all of them: HM_PCR_COUNT. */
static unsigned matching_pcrs(
    const struct policy_release *release, const struct hm_document *document)
{
	unsigned count = 0;

	for (unsigned i = 0; i < HM_PCR_COUNT; i++)
		count += policy_pcr_ok(release, document, i);
	return count;
}

bool policy_window_holds(const struct policy_release *release, int64_t at_ms)
{
	return REQUIRE(window_from, at_ms >= release->not_before_ms) &&
	       REQUIRE(window_until, at_ms <= release->not_after_ms);
}

const struct policy_release *policy_choose_release(
    const struct hm_policy *policy, const struct hm_document *document,
    int64_t at_ms)
{
	const struct policy_release *best = NULL;
	unsigned best_count = 0;

	for (size_t i = 0; i < policy->release_count; i++) {
		const struct policy_release *release = &policy->releases[i];
		unsigned count = matching_pcrs(release, document);

		/* It pins no PCR, and must not match for that. */
		if (REFUSE(release_of_quotes, release->measures.kinds != 0))
			continue;
		if (count == HM_PCR_COUNT &&
		    policy_window_holds(release, at_ms))
			return release;
		if (best == NULL || count > best_count) {
			best = release;
			best_count = count;
		}
	}
	return best;
}

/* As above, but which of them matches best nobody asks: the report tells of
 * one, and there are few. */
const struct policy_release *policy_choose_quote_release(
    const struct hm_policy *policy, const struct hm_quote *quote, int64_t at_ms)
{
	const struct policy_release *best = NULL, *right = NULL;
	unsigned td = ~(1u << POLICY_MRENCLAVE | 1u << POLICY_MRSIGNER);

	for (size_t i = 0; i < policy->release_count; i++) {
		const struct policy_release *release = &policy->releases[i];
		unsigned kinds = release->measures.kinds;

		if (kinds == 0 || ((kinds & td) != 0) != quote->is_td)
			continue;
		if (best == NULL)
			best = release;
		if (!policy_measures_ok(&release->measures, quote))
			continue;
		if (policy_window_holds(release, at_ms))
			return release;
		if (right == NULL)
			right = release;
	}
	return right != NULL ? right : best;
}

/* ---- the rest ---- */

void hm_policy_set_ages(
    struct hm_policy *policy, int64_t max_age_s, int64_t max_future_s)
{
	if (max_age_s >= 0 && max_age_s <= POLICY_AGE_MAX_S)
		policy->max_age_ms = max_age_s * 1000;
	if (max_future_s >= 0 && max_future_s <= POLICY_AGE_MAX_S)
		policy->max_future_ms = max_future_s * 1000;
}

void hm_policy_insecure_allow_debug(struct hm_policy *policy)
{
	policy->allow_debug = true;
}

int policy_add_revoked(
    struct hm_policy *policy, const struct policy_revoked *revoked)
{
	struct policy_revoked *more;

	if (REFUSE(revoked_max, policy->revoked_count == POLICY_REVOKED_MAX))
		return -1;
	more = realloc(policy->revoked,
	    (policy->revoked_count + 1) * sizeof(*policy->revoked));
	if (more == NULL)
		return -1;
	policy->revoked = more;
	more[policy->revoked_count++] = *revoked;
	return 0;
}

static bool is_revoked(
    const struct hm_policy *policy, const struct chain_link *link)
{
	for (size_t i = 0; i < policy->revoked_count; i++) {
		const struct policy_revoked *r = &policy->revoked[i];

		if (r->serial_len == link->serial_len &&
		    memcmp(r->serial, link->serial, r->serial_len) == 0 &&
		    memcmp(r->issuer_spki_sha256, link->issuer_spki_sha256,
			HM_SHA256_LEN) == 0)
			return true;
	}
	return false;
}

bool policy_revokes(const struct hm_policy *policy,
    const struct chain_facts *facts, size_t *which)
{
	for (size_t i = 0; i < facts->link_count; i++) {
		if (is_revoked(policy, &facts->links[i])) {
			*which = i;
			return true;
		}
	}
	return false;
}

/* A root is its own issuer. It is not among the links that are asked about:
 * who revokes it must not name it. */
static bool root_is_revoked(
    const struct hm_policy *policy, const struct policy_root *root)
{
	struct chain_link self = {.serial_len = root->cert.serial_len};

	memcpy(self.issuer_spki_sha256, root->cert.spki_sha256, HM_SHA256_LEN);
	memcpy(self.serial, root->cert.serial, self.serial_len);
	return is_revoked(policy, &self);
}

static int check_roots(const struct hm_policy *policy, char error[HM_TEXT_MAX])
{
	for (size_t i = 0; i < policy->root_count; i++)
		if (REFUSE(policy_root_revoked,
			root_is_revoked(policy, &policy->roots[i]))) {
			snprintf(error, HM_TEXT_MAX,
			    "root %zu is named and revoked at once", i);
			return -1;
		}
	return 0;
}

static int check_pins(const struct hm_policy *policy, char error[HM_TEXT_MAX])
{
	for (size_t i = 0; i < policy->release_count; i++) {
		const struct policy_release *release = &policy->releases[i];
		unsigned kinds = release->measures.kinds;
		bool pcrs = (release->pin_mask & MEASURED_PCRS) != 0;
		const char *why = NULL;

		if (REFUSE(policy_two_platforms,
			kinds != 0 && release->pin_mask != 0))
			why = "is of two platforms";
		else if (REFUSE(policy_no_mrtd,
			     kinds >> POLICY_RTMR0 != 0 &&
				 (kinds & 1u << POLICY_MRTD) == 0))
			why = "pins RTMRs without MRTD";
		else if (REFUSE(policy_no_pin, kinds == 0 && !pcrs))
			why = "pins none of PCR0, PCR1, PCR2";
		if (why != NULL) {
			snprintf(
			    error, HM_TEXT_MAX, "releases[%zu] %s", i, why);
			return -1; /* unnamed: by the three above */
		}
	}
	return 0;
}

int hm_policy_check(const struct hm_policy *policy, char error[HM_TEXT_MAX])
{
	error[0] = '\0';
	if (REFUSE(policy_none, policy == NULL) ||
	    REFUSE(policy_no_root,
		policy->root_count == 0 && policy->quotes.root_count == 0)) {
		snprintf(error, HM_TEXT_MAX, "no root is trusted");
		return -1;
	}
	if (check_roots(policy, error) != 0)
		return -1;
	if (REFUSE(policy_no_release, policy->release_count == 0)) {
		snprintf(error, HM_TEXT_MAX, "no release is accepted");
		return -1;
	}
	return check_pins(policy, error);
}
