/* config_gramine: what a configuration says of an oracle in an SGX enclave
 * under Gramine (attester_gramine.h). */
#include "oracle/config_parts.h"

int config_read_gramine(struct config *out, const char *dir, const char *root,
    const char *directory, char error[static CONFIG_ERROR_MAX])
{
	bool chosen = out->attester == CONFIG_GRAMINE;

	if (!chosen && (dir != NULL || root != NULL))
		return config_refuse(error,
		    "%s: only with \"attester\": \"gramine\"",
		    dir != NULL ? "gramine_dir" : "gramine_root");
	if (!chosen)
		return 0;
	if (config_read_path(out->gramine_dir, "gramine_dir", directory,
		dir != NULL ? dir : "/dev/attestation", error) != 0)
		return -1;
	return root == NULL ? 0
			    : config_read_path(out->gramine_root,
				  "gramine_root", directory, root, error);
}

int config_check_gramine(
    const struct config *config, char error[static CONFIG_ERROR_MAX])
{
	const char *part = NULL;

	if (config->attester != CONFIG_GRAMINE)
		return 0;
	if (config->attested_tls)
		part = "tls";
	else if (config->key.kms)
		part = "key";
	else if (config->secrets.count > 0)
		part = "secrets";
	else if (config->peers.connect_count > 0)
		part = "peers";
	if (part == NULL)
		return 0;
	return config_refuse(error,
	    "%s: not with \"attester\": \"gramine\": an SGX quote vouches for "
	    "one key, that of the items",
	    part);
}
