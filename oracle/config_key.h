/* config_key: "key" of the configuration: where the signing key comes from when
 * it is to survive a restart (kms_key.h). */
#ifndef HALLMARK_ORACLE_CONFIG_KEY_H
#define HALLMARK_ORACLE_CONFIG_KEY_H

#include "base/endpoint.h"

#include <stdbool.h>

#define CONFIG_KEY_ID_MAX     2048 /* AWS KMS API Reference, KeyId */
#define CONFIG_KEY_REGION_MAX 32
/* A key that ends sooner than that would be all rotation. */
#define CONFIG_KEY_ROTATE_MIN_S  10
#define CONFIG_KEY_ROTATE_MAX_S  (10 * 365 * 86400)
#define CONFIG_KEY_OVERLAP_S     600
#define CONFIG_KEY_OVERLAP_MAX_S 3600 /* a document lasts three hours */
#define CONFIG_KEY_WAIT_S        300
#define CONFIG_KEY_WAIT_MAX_S    86400

struct config_key {
	bool kms;                           /* else a new key at each start */
	char key_id[CONFIG_KEY_ID_MAX + 1]; /* id, ARN or alias */
	char region[CONFIG_KEY_REGION_MAX];
	struct endpoint blob, credentials; /* the bridge's */
	char host[ENDPOINT_HOST_MAX];      /* kms.REGION.amazonaws.com */
	unsigned port;                     /* 443 */
	int64_t rotate_s;                  /* 0: the key is kept for ever */
	int64_t overlap_s; /* the next one is attested so long before */
	int64_t wait_s;    /* at the start, for what is away */
};

#endif
