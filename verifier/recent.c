/* recent: see recent.h. */
#include "verifier/recent.h"

#include <stdlib.h>
#include <string.h>

int recent_init(struct recent *recent, size_t max)
{
	memset(recent, 0, sizeof(*recent));
	recent->keys = calloc(max, sizeof(*recent->keys));
	if (recent->keys == NULL)
		return -1;
	recent->max = max;
	return 0;
}

void recent_fini(struct recent *recent)
{
	free(recent->keys);
	memset(recent, 0, sizeof(*recent));
}

size_t recent_find(
    const struct recent *recent, const uint8_t sha256[HM_SHA256_LEN])
{
	size_t i = 0;

	while (i < recent->count &&
	       memcmp(recent->keys[i].sha256, sha256, HM_SHA256_LEN) != 0)
		i++;
	return i;
}

void recent_touch(struct recent *recent, size_t place)
{
	recent->keys[place].used = ++recent->turn;
}

static size_t make_room(struct recent *recent)
{
	size_t oldest = 0;

	if (recent->count < recent->max)
		return recent->count++;
	for (size_t i = 1; i < recent->count; i++)
		if (recent->keys[i].used < recent->keys[oldest].used)
			oldest = i;
	return oldest;
}

size_t recent_take(struct recent *recent, const uint8_t sha256[HM_SHA256_LEN])
{
	size_t place = make_room(recent);

	memcpy(recent->keys[place].sha256, sha256, HM_SHA256_LEN);
	recent_touch(recent, place);
	return place;
}
