/*
 * attester_nsm: AWS Nitro. One ioctl on /dev/nsm carries a CBOR request in and
 * a CBOR answer out (nsm_message); this file is the ioctl and what each answer
 * must hold.
 *
 * Failure: the driver answers EMSGSIZE above 0x1000 bytes of request, gives up
 * after 120 s (ETIMEDOUT), and cuts an answer that does not fit without a word;
 * so the buffer is always the 0x3000 bytes that no answer exceeds, and a cut
 * one does not decode. Linux (drivers/misc/nsm.c) waits uninterruptibly, so an
 * EINTR could only come before anything was asked: it is tried again. An
 * answer "Error" is the module's refusal, whose name ("ReadOnlyIndex") goes to
 * the caller as it is.
 */
#include "oracle/attester_nsm.h"

#include "base/log.h"
#include "oracle/nsm_message.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define IOCTL_RAW _IOWR(0x0A, 0x0, struct attester_nsm_raw)

_Static_assert(sizeof(struct attester_nsm_raw) == 32, "the kernel's layout");
_Static_assert(IOCTL_RAW == 0xC0200A00, "NSM_IOCTL_RAW");
_Static_assert(ATTESTER_DOCUMENT_MAX == NSM_MESSAGE_ANSWER_MAX,
    "a document fits if its answer does");

struct attester_nsm {
	struct attester base;
	int fd;
	attester_nsm_ioctl_cb ioctl_cb;
	uint8_t request[NSM_MESSAGE_REQUEST_MAX];
	uint8_t response[NSM_MESSAGE_ANSWER_MAX]; /* answers borrow from it */
};

static int say(
    char error[ATTESTER_ERROR_MAX], const char *what, const char *why)
{
	snprintf(error, ATTESTER_ERROR_MAX, "NSM %s: %s", what, why);
	return -1;
}

int attester_nsm_ioctl(int fd, struct attester_nsm_raw *raw)
{
	return ioctl(fd, IOCTL_RAW, raw);
}

static int transact(
    struct attester_nsm *nsm, size_t request_len, size_t *response_len)
{
	struct attester_nsm_raw raw;
	int rc;

	do {
		memset(nsm->response, 0, sizeof(nsm->response));
		raw.request.addr = (uintptr_t)nsm->request;
		raw.request.len = request_len;
		raw.response.addr = (uintptr_t)nsm->response;
		raw.response.len = sizeof(nsm->response);
		rc = nsm->ioctl_cb(nsm->fd, &raw);
	} while (rc != 0 && errno == EINTR);
	if (rc != 0)
		return -errno;
	if (raw.response.len > sizeof(nsm->response))
		return -EMSGSIZE;
	*response_len = (size_t)raw.response.len;
	return 0;
}

/* One request and its answer, which borrows from nsm->response. */
static int ask(struct attester_nsm *nsm, const char *what,
    const struct nsm_message_request *request,
    struct nsm_message_answer *answer, char error[ATTESTER_ERROR_MAX])
{
	enum nsm_message_status status;
	size_t len;
	int rc;

	memset(answer, 0, sizeof(*answer));
	len = nsm_message_encode(request, nsm->request);
	if (len == 0)
		return say(error, what, "InputTooLarge");
	rc = transact(nsm, len, &len);
	if (rc != 0)
		return say(error, what, strerror(-rc));
	status = nsm_message_decode(answer, request->kind, nsm->response, len);
	if (status != NSM_MESSAGE_OK)
		return say(error, what, nsm_message_status_text(status));
	if (answer->kind == NSM_MESSAGE_ERROR)
		return say(error, what, answer->error);
	return 0;
}

static int extend_pcr(struct attester *a, unsigned index, const uint8_t *data,
    size_t len, char error[ATTESTER_ERROR_MAX])
{
	struct nsm_message_request request = {.kind = NSM_MESSAGE_EXTEND_PCR,
	    .index = (uint16_t)index,
	    .data = data,
	    .len = len};
	struct nsm_message_answer answer;

	assert(index <= UINT16_MAX);
	if (ask((struct attester_nsm *)a, "ExtendPCR", &request, &answer,
		error) != 0)
		return -1;
	if (answer.data.len != ATTESTER_PCR_LEN)
		return say(error, "ExtendPCR", "value is no SHA-384");
	return 0;
}

static int lock_pcr(
    struct attester *a, unsigned index, char error[ATTESTER_ERROR_MAX])
{
	struct nsm_message_request request = {
	    .kind = NSM_MESSAGE_LOCK_PCR, .index = (uint16_t)index};
	struct nsm_message_answer answer;

	assert(index <= UINT16_MAX);
	return ask(
	    (struct attester_nsm *)a, "LockPCR", &request, &answer, error);
}

static int describe_pcr(struct attester *a, unsigned index,
    uint8_t out[ATTESTER_PCR_LEN], int *locked, char error[ATTESTER_ERROR_MAX])
{
	struct nsm_message_request request = {
	    .kind = NSM_MESSAGE_DESCRIBE_PCR, .index = (uint16_t)index};
	struct nsm_message_answer answer;

	assert(index <= UINT16_MAX);
	memset(out, 0, ATTESTER_PCR_LEN);
	*locked = 0;
	if (ask((struct attester_nsm *)a, "DescribePCR", &request, &answer,
		error) != 0)
		return -1;
	if (answer.data.len != ATTESTER_PCR_LEN)
		return say(error, "DescribePCR", "value is no SHA-384");
	memcpy(out, answer.data.at, ATTESTER_PCR_LEN);
	*locked = answer.lock;
	return 0;
}

static int attest(struct attester *a, const struct attester_request *req,
    uint8_t *out, size_t *out_len, char error[ATTESTER_ERROR_MAX])
{
	struct nsm_message_request request = {
	    .kind = NSM_MESSAGE_ATTESTATION, .attest = *req};
	struct nsm_message_answer answer;

	*out_len = 0;
	if (ask((struct attester_nsm *)a, "Attestation", &request, &answer,
		error) != 0)
		return -1;
	if (answer.data.len == 0)
		return say(error, "Attestation", "empty document");
	memcpy(out, answer.data.at, answer.data.len);
	*out_len = answer.data.len;
	return 0;
}

int attester_nsm_random(struct attester *a,
    uint8_t out[static ATTESTER_NSM_RANDOM_MAX], size_t *len,
    char error[ATTESTER_ERROR_MAX])
{
	struct attester_nsm *nsm = (struct attester_nsm *)a;
	struct nsm_message_request request = {.kind = NSM_MESSAGE_GET_RANDOM};
	struct nsm_message_answer answer;
	int result = -1;

	*len = 0;
	if (ask(nsm, "GetRandom", &request, &answer, error) != 0)
		goto out;
	if (answer.data.len == 0 || answer.data.len > ATTESTER_NSM_RANDOM_MAX) {
		say(error, "GetRandom", "no bytes, or too many");
		goto out;
	}
	memcpy(out, answer.data.at, answer.data.len);
	*len = answer.data.len;
	result = 0;
out:
	OPENSSL_cleanse(nsm->response, sizeof(nsm->response));
	return result;
}

static const char *root_pem(struct attester *a)
{
	(void)a;
	return NULL;
}

static void nsm_close(struct attester *a)
{
	struct attester_nsm *nsm = (struct attester_nsm *)a;

	close(nsm->fd);
	free(nsm);
}

static const struct attester_ops ops = {
    .platform = "aws-nitro",
    .extend_pcr = extend_pcr,
    .lock_pcr = lock_pcr,
    .describe_pcr = describe_pcr,
    .attest = attest,
    .root_pem = root_pem,
    .close = nsm_close,
};

/* A device that is no NSM, or one whose PCRs are no SHA-384, is found out
 * here and not at the first document. */
static int introduce(struct attester_nsm *nsm, char error[ATTESTER_ERROR_MAX])
{
	struct nsm_message_request request = {.kind = NSM_MESSAGE_DESCRIBE_NSM};
	struct nsm_message_answer answer;

	if (ask(nsm, "DescribeNSM", &request, &answer, error) != 0)
		return -1;
	if (strcmp(answer.digest, "SHA384") != 0)
		return say(error, "DescribeNSM", "its digest is not SHA384");
	log_info("attester_nsm", "opened", LOG_S("module_id", answer.module_id),
	    LOG_D("version_major", answer.version_major),
	    LOG_D("version_minor", answer.version_minor),
	    LOG_D("version_patch", answer.version_patch));
	return 0;
}

struct attester *attester_nsm_open_with(const char *device,
    attester_nsm_ioctl_cb ioctl_cb, char error[ATTESTER_ERROR_MAX])
{
	struct attester_nsm *nsm = calloc(1, sizeof(*nsm));

	if (nsm == NULL)
		log_die("attester_nsm", "out of memory");
	error[0] = '\0';
	nsm->base.ops = &ops;
	nsm->ioctl_cb = ioctl_cb;
	nsm->fd = open(device, O_RDWR | O_CLOEXEC);
	if (nsm->fd < 0) {
		say(error, device, strerror(errno));
		free(nsm);
		return NULL;
	}
	if (introduce(nsm, error) != 0) {
		nsm_close(&nsm->base);
		return NULL;
	}
	return &nsm->base;
}

struct attester *attester_nsm_open(
    const char *device, char error[ATTESTER_ERROR_MAX])
{
	return attester_nsm_open_with(device, attester_nsm_ioctl, error);
}
