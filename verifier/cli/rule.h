/* rule: for each check that the library reports, what it wants, in general. The
 * library tells the particulars where there are some. */
#ifndef HALLMARK_VERIFIER_CLI_RULE_H
#define HALLMARK_VERIFIER_CLI_RULE_H

struct rule {
	const char *check; /* its name in struct hm_report; "pcrN" for all */
	const char *wants; /* "a COSE_Sign1 ...": what was found is that */
};

extern const struct rule rules[]; /* ended by a NULL check */

/* What this check wants, or NULL for one that is not known. */
const char *rule_of(const char *check);

#endif
