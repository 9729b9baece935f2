/* record: items on their way, and queues of them. */
#include "verifier/daemon/record.h"

#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record *record_new(const char *origin, const char *event_id,
    const char *text, size_t len, int64_t received_ms)
{
	struct record *r = calloc(1, sizeof(*r));

	if (!r)
		log_die("record", "out of memory");
	r->len = len < RECORD_TEXT_MAX ? len : RECORD_TEXT_MAX;
	r->text = malloc(r->len + 1);
	if (!r->text)
		log_die("record", "out of memory");
	memcpy(r->text, text, r->len);
	r->text[r->len] = '\0';
	r->origin = origin;
	r->received_ms = received_ms;
	snprintf(r->event_id, sizeof(r->event_id), "%s", event_id);
	r->parsed = hm_envelope_parse(&r->envelope, text, len);
	return r;
}

void record_free(struct record *record)
{
	if (!record)
		return;
	hm_envelope_fini(&record->envelope);
	kept_document_unref(record->document);
	free(record->text);
	free(record->head);
	free(record);
}

void record_drop_text(struct record *record)
{
	free(record->text);
	record->text = NULL;
	record->len = 0;
}

const uint8_t *record_supply(
    struct record *record, const struct kept_documents *documents)
{
	struct hm_envelope *e = &record->envelope;
	const uint8_t *lacks = NULL;

	for (size_t i = 0; i < e->cosignature_count; i++) {
		struct hm_envelope *c = &e->cosignatures[i];
		const struct kept_document *found;

		if (c->document)
			continue;
		found = kept_documents_find(documents, c->attestation_sha256);
		if (!found)
			lacks = c->attestation_sha256;
		else if (hm_envelope_supply(e, found->bytes, found->len) < 0)
			log_die("record", "out of memory");
	}
	return lacks;
}

void record_keep_cosigned(
    struct record *record, const bool holds[static HM_COSIGNATURES_MAX])
{
	struct hm_envelope *e = &record->envelope;
	size_t kept = 0;

	for (size_t i = 0; i < e->cosignature_count; i++)
		if (i < HM_COSIGNATURES_MAX && holds[i])
			e->cosignatures[kept++] = e->cosignatures[i];
		else
			hm_envelope_fini(&e->cosignatures[i]);
	e->cosignature_count = kept;
}

size_t record_bytes(const struct record *record)
{
	const struct hm_envelope *e = &record->envelope;

	return sizeof(*record) + record->len + e->content_len +
	       e->signature_len + e->document_len +
	       e->cosignature_count * RECORD_COSIGNATURE_BYTES +
	       (record->is_head ? sizeof(*record->head) : 0);
}

void record_queue_push(struct record_queue *queue, struct record *record)
{
	assert(!record->next);
	if (queue->last)
		queue->last->next = record;
	else
		queue->head = record;
	queue->last = record;
	queue->count++;
	queue->bytes += record_bytes(record);
}

struct record *record_queue_pop(struct record_queue *queue)
{
	struct record *record = queue->head;

	if (!record)
		return NULL;
	queue->head = record->next;
	if (!queue->head)
		queue->last = NULL;
	record->next = NULL;
	queue->count--;
	queue->bytes -= record_bytes(record);
	return record;
}

void record_queue_fini(struct record_queue *queue)
{
	struct record *record;

	while ((record = record_queue_pop(queue)))
		record_free(record);
}
