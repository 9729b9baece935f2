/*
 * nsm_device: the Nitro Security Module of an emulated enclave: a vhost-user
 * back end (virtio device 33) for QEMU's vhost-user-test-device, which QEMU 11
 * and later let users make. The guest's kernel finds it with its own driver.
 *
 *   nsm_device SOCKET ROOT_PEM_OUT PCR0 PCR1 PCR2 [PCR8]
 *
 * The PCRs (96 hexadecimal digits each) are those of the image that is going to
 * boot, and locked; PCR16 and above are the guest's, for as long as it runs.
 * Documents lead to a root that is made here and written to ROOT_PEM_OUT
 * before SOCKET is there. Its name is none that a verifier takes for a
 * simulated one: so the oracle speaks as on Nitro, and whoever has not named
 * this root believes nothing.
 *
 *   qemu-system-x86_64 ... -chardev socket,id=n,path=SOCKET
 *       -device vhost-user-test-device,chardev=n,virtio-id=33,num_vqs=1
 *
 * Ends when QEMU does, or at SIGTERM.
 */
#include "base/file.h"
#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "oracle/attester_simulated.h"
#include "oracle/simulated_root.h"
#include "tests/vm/nsm_queue.h"
#include "tests/vm/vhost_user.h"

#include <errno.h>
#include <openssl/pem.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT_NAME "test.nitro-enclaves"
#define PATH_LEN  64 /* of a directory under /tmp and a file in it */

/* ---- the root ---- */

/* The simulated root with another name, signed anew. */
static void make_root(struct simulated_chain_link *root)
{
	X509_NAME *name;
	int at;

	if (simulated_chain_make_root(root, now_unix_ms() / 1000) != 0)
		log_die("nsm_device", "no root: out of memory or randomness");
	name = X509_get_subject_name(root->cert);
	at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
	if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
		(const uint8_t *)ROOT_NAME, -1, -1, 0) != 1 ||
	    X509_set_issuer_name(root->cert, name) != 1 ||
	    X509_sign(root->cert, root->key, EVP_sha384()) <= 0)
		log_die("nsm_device", "no root");
}

static void write_pem(const char *path, BIO *pem)
{
	char *bytes;
	long len = BIO_get_mem_data(pem, &bytes);
	int rc = file_write(path, bytes, (size_t)len, 0600);

	if (rc != 0)
		log_die("nsm_device", "%s: %s", path, strerror(-rc));
}

/* In a directory, where the attester looks for it; a file each. */
static void save_root(const struct simulated_chain_link *root,
    const char *cert_path, const char *key_path)
{
	BIO *cert = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());

	if (cert == NULL || key == NULL ||
	    PEM_write_bio_X509(cert, root->cert) != 1 ||
	    PEM_write_bio_PrivateKey(
		key, root->key, NULL, NULL, 0, NULL, NULL) != 1)
		log_die("nsm_device", "no root");
	write_pem(key_path, key);
	write_pem(cert_path, cert);
	BIO_free(cert);
	BIO_free(key);
}

/* An attester under a root that nobody else has: the key is gone from the
 * disk when this returns. */
static struct attester *open_attester(void)
{
	char directory[] = "/tmp/nsm_device.XXXXXX";
	char cert[PATH_LEN], key[PATH_LEN], error[ATTESTER_ERROR_MAX];
	struct simulated_chain_link root;
	struct attester *attester;

	if (mkdtemp(directory) == NULL)
		log_die("nsm_device", "%s: %s", directory, strerror(errno));
	snprintf(cert, sizeof(cert), "%s/" SIMULATED_ROOT_CERT, directory);
	snprintf(key, sizeof(key), "%s/" SIMULATED_ROOT_KEY, directory);
	make_root(&root);
	save_root(&root, cert, key);
	simulated_chain_link_fini(&root);
	attester = attester_simulated_open(directory, error);
	unlink(cert);
	unlink(key);
	rmdir(directory);
	if (attester == NULL)
		log_die("nsm_device", "%s", error);
	return attester;
}

/* ---- the device ---- */

static int measure(struct attester *attester, char **values, int count)
{
	static const unsigned indices[] = {0, 1, 2, 8};
	uint8_t value[ATTESTER_PCR_LEN];

	for (int i = 0; i < count; i++) {
		if (hex_decode(value, sizeof(value), values[i],
			strlen(values[i])) != 0) {
			log_error(
			    "nsm_device", "no PCR", LOG_S("value", values[i]));
			return -1;
		}
		attester_simulated_set_pcr(attester, indices[i], value);
	}
	return 0;
}

static int serve(struct vhost_user *vu, struct nsm_core *core)
{
	struct pollfd fd = {vu->events, POLLIN, 0};

	for (;;) {
		struct virtqueue *queue;
		int rc, count;

		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			log_die("nsm_device", "poll: %s", strerror(errno));
		rc = vhost_user_work(vu);
		if (rc != 0)
			return rc;
		queue = vhost_user_queue(vu, 0);
		count = queue != NULL ? nsm_queue_serve(queue, core) : 0;
		if (count < 0)
			log_die("nsm_device",
			    "the guest broke a rule of virtqueues");
		if (count > 0)
			vhost_user_call(vu, 0);
	}
}

static int run(struct attester *attester, char **argv)
{
	static const struct vhost_user_device device = {.queues = 1};
	const char *pem = attester->ops->root_pem(attester);
	char error[ATTESTER_ERROR_MAX];
	struct nsm_core core;
	struct vhost_user vu;
	int rc = file_write(argv[2], pem, strlen(pem), 0644);

	if (rc != 0)
		log_die("nsm_device", "%s: %s", argv[2], strerror(-rc));
	if (nsm_core_init(&core, attester, error) != 0)
		log_die("nsm_device", "%s", error);
	rc = vhost_user_accept(argv[1]);
	if (rc < 0)
		return rc;
	vhost_user_init(&vu, rc, &device);
	rc = serve(&vu, &core);
	vhost_user_fini(&vu);
	return rc;
}

int main(int argc, char **argv)
{
	struct attester *attester;
	int rc;

	if (argc != 6 && argc != 7) {
		fprintf(stderr, "usage: nsm_device SOCKET ROOT_PEM_OUT "
				"PCR0 PCR1 PCR2 [PCR8]\n");
		return 2;
	}
	attester = open_attester();
	rc = measure(attester, argv + 3, argc - 3);
	if (rc == 0)
		rc = run(attester, argv);
	attester->ops->close(attester);
	return rc < 0 ? 1 : 0;
}
