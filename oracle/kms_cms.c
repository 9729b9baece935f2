/* kms_cms: see kms_cms.h. OpenSSL reads the BER; what may stand in it is
 * decided here. */
#include "oracle/kms_cms.h"

#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <string.h>

static void say(const char **why, const char *text)
{
	*why = text;
}

static bool is_sha256(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object;

	if (algorithm == NULL)
		return false; /* its default is SHA-1 */
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	return OBJ_obj2nid(object) == NID_sha256;
}

/* RFC 8017, A.2.1: MGF1 has its hash as its parameter. */
static bool is_mgf1_sha256(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object;
	const void *parameter;
	X509_ALGOR *hash;
	bool result;
	int type;

	if (algorithm == NULL)
		return false;
	X509_ALGOR_get0(&object, &type, &parameter, algorithm);
	if (OBJ_obj2nid(object) != NID_mgf1 || type != V_ASN1_SEQUENCE)
		return false;
	hash = ASN1_item_unpack(parameter, ASN1_ITEM_rptr(X509_ALGOR));
	result = is_sha256(hash);
	X509_ALGOR_free(hash);
	return result;
}

static bool is_oaep_sha256(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object;
	const void *parameter;
	RSA_OAEP_PARAMS *oaep;
	bool result;
	int type;

	X509_ALGOR_get0(&object, &type, &parameter, algorithm);
	if (OBJ_obj2nid(object) != NID_rsaesOaep || type != V_ASN1_SEQUENCE)
		return false;
	oaep = ASN1_item_unpack(parameter, ASN1_ITEM_rptr(RSA_OAEP_PARAMS));
	result = oaep != NULL && is_sha256(oaep->hashFunc) &&
		 is_mgf1_sha256(oaep->maskGenFunc) && oaep->pSourceFunc == NULL;
	RSA_OAEP_PARAMS_free(oaep);
	return result;
}

/* The one recipient; NULL and why. */
static CMS_RecipientInfo *the_recipient(CMS_ContentInfo *cms, const char **why)
{
	STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);
	CMS_RecipientInfo *info;
	X509_ALGOR *algorithm = NULL;
	ASN1_OCTET_STRING *key_id = NULL;

	say(why, "its recipient is not one key by its id");
	if (sk_CMS_RecipientInfo_num(all) != 1)
		return NULL;
	info = sk_CMS_RecipientInfo_value(all, 0);
	if (CMS_RecipientInfo_type(info) != CMS_RECIPINFO_TRANS ||
	    CMS_RecipientInfo_ktri_get0_signer_id(info, &key_id, NULL, NULL) !=
		1 ||
	    key_id == NULL)
		return NULL;
	say(why, "its key is not under RSAES-OAEP with SHA-256");
	if (CMS_RecipientInfo_ktri_get0_algs(info, NULL, NULL, &algorithm) !=
		1 ||
	    !is_oaep_sha256(algorithm))
		return NULL;
	return info;
}

/* As CMS_decrypt() does it, but that it looks at the cipher, and that a key
 * which does not open is said and not replaced by a random one. */
static int read_content(
    CMS_ContentInfo *cms, uint8_t *out, size_t want, const char **why)
{
	BIO *bio = CMS_dataInit(cms, NULL);
	EVP_CIPHER_CTX *cipher = NULL;
	uint8_t more;
	int result = -1;

	say(why, "its content is not under AES-256-CBC");
	if (bio == NULL || BIO_get_cipher_ctx(bio, &cipher) != 1 ||
	    EVP_CIPHER_CTX_get_nid(cipher) != NID_aes_256_cbc)
		goto out;
	say(why, "its content has another length or padding");
	if (BIO_read(bio, out, (int)want) == (int)want &&
	    BIO_read(bio, &more, 1) <= 0 && BIO_get_cipher_status(bio) == 1)
		result = 0;
out:
	BIO_free_all(bio);
	return result;
}

static int open_parsed(CMS_ContentInfo *cms, EVP_PKEY *recipient, uint8_t *out,
    size_t want, const char **why)
{
	const ASN1_OBJECT *inner;
	CMS_RecipientInfo *info;

	say(why, "it is not enveloped data");
	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_enveloped)
		return -1;
	inner = CMS_get0_eContentType(cms);
	if (inner == NULL || OBJ_obj2nid(inner) != NID_pkcs7_data)
		return -1;
	info = the_recipient(cms, why);
	if (info == NULL)
		return -1;
	say(why, "it is not for our key");
	if (EVP_PKEY_up_ref(recipient) != 1)
		return -1;
	if (CMS_RecipientInfo_set0_pkey(info, recipient) != 1) {
		EVP_PKEY_free(recipient);
		return -1;
	}
	if (CMS_RecipientInfo_decrypt(cms, info) != 1)
		return -1;
	return read_content(cms, out, want, why);
}

int kms_cms_open(const uint8_t *ber, size_t len, EVP_PKEY *recipient,
    uint8_t *out, size_t want, const char **why)
{
	const uint8_t *end = ber;
	CMS_ContentInfo *cms = NULL;
	int result = -1;

	memset(out, 0, want);
	say(why, "it is not CMS");
	if (len > 0 && len <= KMS_CMS_MAX)
		cms = d2i_CMS_ContentInfo(NULL, &end, (long)len);
	if (cms != NULL && end == ber + len)
		result = open_parsed(cms, recipient, out, want, why);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	if (result != 0)
		OPENSSL_cleanse(out, want);
	return result;
}
