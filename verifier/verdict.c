/* verdict: the names and classes of every answer, from the one list in
 * hallmark.h. */
#include "verifier/hallmark.h"

static const struct {
	const char *name;
	int exit_class;
} verdicts[HM_VERDICT_COUNT] = {
#define VERDICT_ROW(c, text, number) [HM_##c] = {text, number},
    HM_VERDICTS(VERDICT_ROW)
#undef VERDICT_ROW
};

const char *hm_verdict_name(enum hm_verdict verdict)
{
	if ((unsigned)verdict >= HM_VERDICT_COUNT)
		return "unknown";
	return verdicts[verdict].name;
}

int hm_verdict_class(enum hm_verdict verdict)
{
	if ((unsigned)verdict >= HM_VERDICT_COUNT)
		return 2;
	return verdicts[verdict].exit_class;
}
