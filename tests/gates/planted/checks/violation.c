/* Planted: refusals without a name, for tests/gates/checks.py to find. Each
 * line that it must find says FIND; it must find no other. */
#include "verifier/hallmark.h"

#include "feeds/check.h"

static bool is_digit(char c)
{
	if (c < '0')
		return false;
	return c <= '9';
}

static int own(int x)
{
	return REQUIRE(own_positive, x > 0) ? 0 : -1;
}

int violation_if(int x, const char *text)
{
	if (x > 3)
		return -1; /* FIND: no name */
	if (REFUSE(four, x == 4) || own(x) != 0)
		return -1;
	if (REFUSE(five, x == 5) || x == 6)
		return -1; /* FIND: no name for the second part */
	if (REFUSE(digit, !is_digit(text[0]))) {
		text++;
		return -1;
	}
	/* unnamed: with a reason */
	if (x == 7)
		return -1;
	return x == 8 ? 0 : -1; /* FIND: in a ?: */
}

enum hm_verdict violation_verdict(int x)
{
	enum hm_verdict verdict = HM_VALID;
	int status = own(x);

	if (status != 0)
		return HM_CHAIN_BROKEN;
	if (x == 9)
		verdict = HM_DEBUG_ENCLAVE; /* FIND: set, not returned */
	for (int i = 0; i < x; i++)
		if (i == 10)
			return HM_NOT_AN_ENCLAVE; /* FIND: in a loop */
	switch (x) {
	case 11:
		return HM_ROOT_UNTRUSTED; /* FIND: in a switch */
	default:
		return verdict;
	}
}

bool violation_name(int x)
{
	if (x > 0) {
		x++;
	} else if (REFUSE(four, x == 12)) /* FIND: four is taken */
		return false;
	else
		return false; /* FIND: else is an if as well */
	return REQUIRE(six, x != 6) && x != 13; /* FIND: the second part */
}
