/*
 * pairing: items and their documents. The happy path: the stream's attestation
 * event came first, so each item finds its document at once. Else it is asked
 * for by hash, and what came meanwhile waits in a queue; if there is none, the
 * items that name it are handed over without, once.
 */
#include "verifier/daemon/pairing.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/daemon/oracle_get.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pairing {
	struct pairing_options options;
	struct kept_documents documents;
	struct record_queue waiting; /* the head's document is being fetched */
	struct oracle_get fetch;
	bool fetching;
	/* An answer came for `wanted`, whatever it was, and those that waited
	 * are being handed over. */
	bool asked;
	uint8_t wanted[HM_SHA256_LEN];
};

static void drain(struct pairing *p);

/* The envelope's own document, or one that came before; with a reference. */
static struct kept_document *find_document(
    struct pairing *p, const struct hm_envelope *e)
{
	struct kept_document *found = kept_documents_find(
	    &p->documents, e->attestation_sha256);

	if (found)
		return kept_document_ref(found);
	if (e->document && e->document_len <= HM_DOCUMENT_MAX) {
		found = kept_document_new(e->document, e->document_len);
		kept_documents_add(&p->documents, found);
	}
	return found;
}

/* The hash of a document that this one names and we have not, or NULL. Of those
 * that were asked for in vain: the one asked for last is not lacked again by
 * those that waited for it. */
static const uint8_t *lacks(struct pairing *p, struct record *r)
{
	struct hm_envelope *e = &r->envelope;
	const uint8_t *hash;

	if (r->parsed != HM_VALID)
		return NULL;
	if (!r->document)
		r->document = find_document(p, e);
	hash = r->document ? record_supply(r, &p->documents)
			   : e->attestation_sha256;
	if (hash && p->asked && memcmp(hash, p->wanted, HM_SHA256_LEN) == 0)
		return NULL;
	return hash;
}

static void on_document(
    struct oracle_get *get, const char *error, const uint8_t *body, size_t len)
{
	struct pairing *p = get->data;
	struct kept_document *document;

	p->fetching = false;
	p->asked = true;
	if (body) {
		document = kept_document_new(body, len);
		kept_documents_add(&p->documents, document);
		kept_document_unref(document);
	} else {
		p->options.missing(error, p->options.data);
	}
	drain(p);
	p->options.fetched(p->options.data);
}

static void fetch_document(struct pairing *p, const uint8_t *sha256)
{
	char target[ORACLE_TARGET_MAX];
	char hex[2 * HM_SHA256_LEN + 1];

	memcpy(p->wanted, sha256, HM_SHA256_LEN);
	hex_encode(sha256, HM_SHA256_LEN, hex);
	snprintf(target, sizeof(target), "/attestations/%s", hex);
	p->fetching = true;
	p->asked = false;
	p->fetch.data = p;
	oracle_get_start(&p->fetch, p->options.curl, p->options.address, target,
	    "application/cbor", HM_DOCUMENT_MAX, on_document);
}

/* Hands over from the head on until one has to wait. With or without the
 * document that was fetched last: all that wait for it go on now. Without it
 * the library says attestation_missing, or counts one co-signature less. */
static void drain(struct pairing *p)
{
	struct record *r;

	while (!p->fetching && (r = p->waiting.head)) {
		const uint8_t *hash = lacks(p, r);

		if (hash) {
			fetch_document(p, hash);
			break;
		}
		record_queue_pop(&p->waiting);
		p->options.ready(r, p->options.data);
	}
	if (!p->fetching)
		p->asked = false; /* the next ones ask again */
}

/* {"attestation_doc_b64": "...", ...}. Advice only: whatever it is, it will be
 * found by the hash of its bytes alone, and verified with the first item. */
static void take_attestation(struct pairing *p, const char *json, size_t len)
{
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *text = json_object_get(root, "attestation_doc_b64");
	struct kept_document *document;
	uint8_t *bytes = NULL;
	size_t bytes_len;

	if (json_is_string(text) &&
	    base64_decode(&bytes, &bytes_len, json_string_value(text),
		json_string_length(text)) == 0 &&
	    bytes_len <= HM_DOCUMENT_MAX) {
		document = kept_document_new(bytes, bytes_len);
		kept_documents_add(&p->documents, document);
		kept_document_unref(document);
	}
	free(bytes);
	json_decref(root);
}

struct pairing *pairing_new(const struct pairing_options *options)
{
	struct pairing *p = calloc(1, sizeof(*p));

	if (!p)
		log_die("pairing", "out of memory");
	p->options = *options;
	return p;
}

void pairing_event(struct pairing *pairing, const struct sse_event *event)
{
	bool is_head = strcmp(event->name, "tree_head") == 0;
	struct record *r;

	if (strcmp(event->name, "attestation") == 0) {
		take_attestation(pairing, event->data, event->len);
	} else if (strcmp(event->name, "price") == 0 ||
		   strcmp(event->name, "status") == 0 ||
		   strcmp(event->name, "late") == 0 ||
		   (is_head && pairing->options.heads)) {
		r = record_new(pairing->options.address->text, event->id,
		    event->data, event->len, now_unix_ms());
		r->is_head = is_head;
		record_queue_push(&pairing->waiting, r);
		drain(pairing);
	}
}

size_t pairing_waiting(const struct pairing *pairing)
{
	return pairing->waiting.count;
}

size_t pairing_bytes(const struct pairing *pairing)
{
	return pairing->waiting.bytes;
}

void pairing_free(struct pairing *pairing)
{
	if (!pairing)
		return;
	oracle_get_cancel(&pairing->fetch);
	record_queue_fini(&pairing->waiting);
	kept_documents_fini(&pairing->documents);
	free(pairing);
}
