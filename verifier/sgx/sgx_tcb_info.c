/* sgx_tcb_info: what the levels of a platform family are (sgx_tcb.h). */
#include "verifier/sgx/sgx_tcb.h"

#include "feeds/check.h"
#include "verifier/sgx/sgx_json.h"
#include "verifier/sgx/sgx_level.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULE_NAME_MAX 32

/* Which TDX modules are genuine: (SEAMATTRIBUTES & mask) == attributes. */
struct module {
	uint8_t mrsigner[48], attributes[8], mask[8];
	char id[MODULE_NAME_MAX]; /* "TDX_01" */
	struct sgx_levels levels; /* of its isvsvn */
};

struct sgx_tcb_info {
	struct sgx_tcb_about about;
	json_t *json; /* owned; the levels borrow from it */
	struct sgx_levels levels;
	struct module module; /* TDX: one that has no id */
	struct module modules[SGX_TCB_MODULES_MAX];
	size_t module_count;
};

static int read_module(struct module *out, const json_t *json)
{
	if (sgx_json_hex(
		json, "mrsigner", out->mrsigner, sizeof(out->mrsigner)) != 0 ||
	    sgx_json_hex(json, "attributes", out->attributes,
		sizeof(out->attributes)) != 0)
		return -1;
	return sgx_json_hex(
	    json, "attributesMask", out->mask, sizeof(out->mask));
}

static int read_identity(struct module *out, const json_t *json)
{
	const char *id = json_string_value(json_object_get(json, "id"));

	if (REFUSE(module_id, id == NULL) ||
	    REFUSE(module_id_max, strlen(id) >= MODULE_NAME_MAX))
		return -1;
	memcpy(out->id, id, strlen(id) + 1);
	if (read_module(out, json) != 0)
		return -1;
	return sgx_levels_read(&out->levels, json, SGX_NEED_ISVSVN);
}

/* "tdxModuleIdentities" is there since there is more than one version. */
static int read_modules(struct sgx_tcb_info *info)
{
	const json_t *list = json_object_get(info->json, "tdxModuleIdentities");
	size_t count = json_array_size(list);

	if (read_module(
		&info->module, json_object_get(info->json, "tdxModule")) != 0)
		return -1;
	if (REFUSE(modules_array, list != NULL && !json_is_array(list)) ||
	    REFUSE(modules_max, count > SGX_TCB_MODULES_MAX))
		return -1;
	for (size_t i = 0; i < count; i++) {
		/* Counted first: what it owns is freed with the rest. */
		info->module_count++;
		if (read_identity(&info->modules[i], json_array_get(list, i)) !=
		    0)
			return -1;
	}
	return 0;
}

/* Version 2 knew only SGX, and had no "id". */
static int read_kind(struct sgx_tcb_info *info, enum sgx_need *need)
{
	const char *id = json_string_value(json_object_get(info->json, "id"));
	int64_t version, type;

	if (sgx_json_number(info->json, "version", 3, &version) != 0 ||
	    sgx_json_number(info->json, "tcbType", 0, &type) != 0 ||
	    REFUSE(info_version, version < 2))
		return -1;
	*need = SGX_NEED_COMPONENTS_V2;
	if (version == 2)
		return 0;
	if (REFUSE(info_id_string, id == NULL))
		return -1;
	info->about.is_td = strcmp(id, "TDX") == 0;
	*need = info->about.is_td ? SGX_NEED_TDX : SGX_NEED_COMPONENTS;
	if (REFUSE(info_id, !info->about.is_td && strcmp(id, "SGX") != 0))
		return -1;
	return 0;
}

static int read_info(struct sgx_tcb_info *info)
{
	struct sgx_tcb_about *about = &info->about;
	const json_t *json = info->json;
	enum sgx_need need;

	if (read_kind(info, &need) != 0 ||
	    sgx_json_hex(json, "fmspc", about->fmspc, SGX_FMSPC_LEN) != 0 ||
	    sgx_json_hex(json, "pceId", about->pceid, SGX_PCEID_LEN) != 0 ||
	    sgx_json_time(json, "issueDate", &about->issued_ms) != 0 ||
	    sgx_json_time(json, "nextUpdate", &about->next_ms) != 0 ||
	    sgx_json_number(json, "tcbEvaluationDataNumber", INT32_MAX,
		&about->evaluation) != 0)
		return -1;
	if (about->is_td)
		if (read_modules(info) != 0)
			return -1;
	return sgx_levels_read(&info->levels, json, need);
}

struct sgx_tcb_info *sgx_tcb_info_parse(
    const char *json, size_t len, char error[HM_TEXT_MAX])
{
	struct sgx_tcb_info *info = calloc(1, sizeof(*info));
	json_error_t why = {.text = "too long"};

	error[0] = '\0';
	if (info != NULL && REQUIRE(info_max, len <= SGX_TCB_JSON_MAX))
		info->json = json_loadb(
		    json, len, JSON_REJECT_DUPLICATES, &why);
	if (info == NULL || info->json == NULL)
		snprintf(error, HM_TEXT_MAX, "TCB info: %.100s",
		    info == NULL ? "no memory" : why.text);
	else if (read_info(info) != 0)
		snprintf(error, HM_TEXT_MAX,
		    "TCB info: a member is missing or malformed");
	if (error[0] == '\0')
		return info;
	sgx_tcb_info_free(info);
	return NULL;
}

void sgx_tcb_info_free(struct sgx_tcb_info *info)
{
	if (info == NULL)
		return;
	for (size_t i = 0; i < info->module_count; i++)
		sgx_levels_fini(&info->modules[i].levels);
	sgx_levels_fini(&info->levels);
	json_decref(info->json);
	free(info);
}

const struct sgx_tcb_about *sgx_tcb_info_about(const struct sgx_tcb_info *info)
{
	return &info->about;
}

static bool all_reach(const uint8_t *found, const uint8_t *needed, size_t from)
{
	for (size_t i = from; i < SGX_SVN_COUNT; i++)
		if (REFUSE(level_component, found[i] < needed[i]))
			return false;
	return true;
}

/* The first two SVNs of a domain are its module's; where the second names a
 * version (1.5 and later), the module has levels of its own, and they do not
 * count here. */
static bool row_reached(const struct sgx_level_row *row,
    const struct sgx_platform *platform, const struct sgx_td *td)
{
	size_t from = td != NULL && td->tee_tcb_svn[1] > 0 ? 2 : 0;

	if (REFUSE(level_pcesvn, platform->pcesvn < row->pcesvn) ||
	    !all_reach(platform->components, row->components, 0))
		return false;
	/* unnamed: all_reach() names it */
	return td == NULL ||
	       all_reach(td->tee_tcb_svn, row->td_components, from);
}

void sgx_tcb_info_platform(const struct sgx_tcb_info *info,
    const struct sgx_platform *platform, const struct sgx_td *td,
    struct sgx_level *out)
{
	const struct sgx_level_row *row = NULL;

	for (size_t i = 0; i < info->levels.count && row == NULL; i++)
		if (row_reached(&info->levels.rows[i], platform, td))
			row = &info->levels.rows[i];
	sgx_level_of(row, out);
}

static bool is_genuine(const struct module *module, const struct sgx_td *td)
{
	int order = memcmp(
	    module->mrsigner, td->mrsignerseam, sizeof(module->mrsigner));

	if (REFUSE(module_mrsigner, order != 0))
		return false;
	for (size_t i = 0; i < sizeof(module->mask); i++)
		if (REFUSE(module_attributes,
			(td->seam_attributes[i] & module->mask[i]) !=
			    module->attributes[i]))
			return false;
	return true;
}

static const struct module *find_module(
    const struct sgx_tcb_info *info, const char *id)
{
	for (size_t i = 0; i < info->module_count; i++)
		if (strcmp(info->modules[i].id, id) == 0)
			return &info->modules[i];
	return NULL;
}

enum hm_verdict sgx_tcb_info_module(const struct sgx_tcb_info *info,
    const struct sgx_td *td, struct sgx_level *out, char name[32])
{
	const struct module *module = &info->module;
	unsigned version = td->tee_tcb_svn[1];

	memset(out, 0, sizeof(*out));
	out->status = SGX_UNKNOWN;
	snprintf(
	    name, MODULE_NAME_MAX, version == 0 ? "TDX" : "TDX_%02X", version);
	if (version > 0)
		module = find_module(info, name);
	if (REFUSE(module_known, module == NULL) || !is_genuine(module, td))
		return HM_TDX_MODULE;
	if (version > 0)
		sgx_levels_isvsvn(&module->levels, td->tee_tcb_svn[0], out);
	else
		out->status = SGX_UP_TO_DATE; /* the platform's level has it */
	return HM_VALID;
}
