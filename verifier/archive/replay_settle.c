/* replay_settle: see replay_settle.h. */
#include "verifier/archive/replay_settle.h"

#include "feeds/hex.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOT_ID_LEN 16

static const char *const kind_names[] = {
#define KIND_NAME(c, name, verdict) [REPLAY_##c] = (name),
    REPLAY_KINDS(KIND_NAME)
#undef KIND_NAME
};

static const enum hm_verdict kind_verdicts[] = {
#define KIND_VERDICT(c, name, verdict) [REPLAY_##c] = (verdict),
    REPLAY_KINDS(KIND_VERDICT)
#undef KIND_VERDICT
};

const char *replay_kind_name(enum replay_kind kind)
{
	return kind < REPLAY_KIND_COUNT ? kind_names[kind] : "";
}

/* By class, the gravest first; what is not in here counts as nothing. */
static int gravity(enum hm_verdict verdict)
{
	static const int classes[] = {3, 4, 2, 7, 5, 6, 8};
	const int count = sizeof(classes) / sizeof(classes[0]);

	for (int i = 0; i < count; i++)
		if (classes[i] == hm_verdict_class(verdict))
			return count - i;
	return 0;
}

enum hm_verdict replay_worse(enum hm_verdict a, enum hm_verdict b)
{
	return gravity(b) > gravity(a) ? b : a;
}

/* ---- findings ---- */

static void found(struct replay_settle *s, struct replay_finding *finding)
{
	struct replay_report *report = &s->report;

	report->findings[finding->kind]++;
	report->worst = replay_worse(report->worst, finding->verdict);
	if (s->with->finding)
		s->with->finding(finding, s->with->data);
}

/* Of an entry; named by its signature where that is good, else by its row, or
 * by what its content claims. */
static void name(struct replay_settle *s, struct replay_finding *f,
    const struct replay_task *task)
{
	const struct hm_envelope *e = &task->entry.envelope;
	const struct archive_stated *row = &task->entry.stated;
	struct item *claimed = &s->claimed;

	if (task->entry.kind == ARCHIVE_ENTRY_ITEM &&
	    task->verdict == HM_VALID) {
		snprintf(f->feed, sizeof(f->feed), "%s", task->feed);
		hex_encode(task->boot_id, BOOT_ID_LEN, f->boot_id);
		f->sequence = task->sequence;
		f->published_ms = task->published_ms;
	} else if (row->has) {
		snprintf(f->feed, sizeof(f->feed), "%s", row->feed);
		snprintf(f->boot_id, sizeof(f->boot_id), "%.32s", row->boot_id);
		f->sequence = row->sequence;
		f->published_ms = row->published_ms;
	} else if (task->entry.kind == ARCHIVE_ENTRY_ITEM && e->content &&
		   item_decode(claimed, e->content, e->content_len) == 0) {
		snprintf(f->feed, sizeof(f->feed), "%s", claimed->feed);
		hex_encode(claimed->boot_id, BOOT_ID_LEN, f->boot_id);
		f->sequence = claimed->sequence;
		f->published_ms = claimed->published_ms;
	}
	f->has_sequence = f->feed[0] != '\0';
}

__attribute__((format(printf, 5, 6))) static void tell(struct replay_settle *s,
    const struct replay_task *task, enum replay_kind kind,
    enum hm_verdict verdict, const char *format, ...)
{
	struct replay_finding f = {.kind = kind, .verdict = verdict};
	va_list args;

	archive_entry_where(&task->entry, f.where);
	name(s, &f, task);
	va_start(args, format);
	vsnprintf(f.text, sizeof(f.text), format, args);
	va_end(args);
	found(s, &f);
}

/* ---- prices ---- */

static void judge_jump(struct replay_settle *s, const struct replay_task *task,
    const struct replay_step *step)
{
	const struct replay_price *price = &task->price;
	char to[DECIMAL_STRMAX], from[DECIMAL_STRMAX];
	bool published = price->after.has_price;
	bool may;

	if (!price->asks_past || task->config->max_jump_bps == 0)
		return;
	if (!step->past_known) {
		s->report.jump_open++;
		return;
	}
	may = aggregate_may_publish(task->config, &step->past,
	    task->published_ms, price->price, price->used);
	if (may == published)
		return;
	decimal_format(price->price, to);
	decimal_format(step->past.price, from);
	tell(s, task, REPLAY_PRICE_MISMATCH,
	    kind_verdicts[REPLAY_PRICE_MISMATCH],
	    "after %s, %s is%s a jump, and the item says that it is%s", from,
	    to, may ? " not" : "", may ? "" : " not");
}

static void settle_price(struct replay_settle *s,
    const struct replay_task *task, const struct replay_step *step)
{
	if (task->answer_differs)
		tell(s, task, REPLAY_RAW_MISMATCH,
		    kind_verdicts[REPLAY_RAW_MISMATCH], "%s", task->answer);
	s->report.answers += task->answers;
	if (!task->priced)
		return;
	if (!task->price.same) {
		tell(s, task, REPLAY_PRICE_MISMATCH,
		    kind_verdicts[REPLAY_PRICE_MISMATCH], "%s",
		    task->price.other);
		return;
	}
	if (task->config)
		s->report.whole++;
	else
		s->report.part++;
	if (task->config && !step->twice)
		judge_jump(s, task, step);
}

/* ---- items ---- */

/* Found while this one was added, perhaps about another of its line. */
static void tell_told(struct replay_settle *s, const struct replay_task *task,
    const struct replay_told *told)
{
	struct replay_finding f = {
	    .kind = told->kind, .verdict = kind_verdicts[told->kind]};

	if (told->kind == REPLAY_OUT_OF_ORDER && !task->entry.stated.has)
		f.verdict = HM_VALID;
	name(s, &f, task);
	if (task->entry.kind != ARCHIVE_ENTRY_ITEM ||
	    told->sequence == task->sequence)
		archive_entry_where(&task->entry, f.where);
	else
		f.published_ms = 0;
	f.sequence = told->sequence;
	snprintf(f.text, sizeof(f.text), "%s", told->text);
	found(s, &f);
}

static void widen(struct replay_report *report, int64_t published_ms)
{
	if (report->valid == 0 || published_ms < report->first_ms)
		report->first_ms = published_ms;
	if (report->valid == 0 || published_ms > report->last_ms)
		report->last_ms = published_ms;
	report->valid++;
}

static void settle_valid(struct replay_settle *s, struct replay_task *task)
{
	const struct replay_seen seen = {
	    .feed = task->feed,
	    .boot_id = task->boot_id,
	    .sequence = task->sequence,
	    .published_ms = task->published_ms,
	    .previous_sha256 = task->previous_sha256,
	    .content_sha256 = task->content_sha256,
	    .late = task->entry.stated.late,
	    .after = task->priced && task->config && task->price.same
			 ? &task->price.after
			 : NULL,
	};
	struct replay_step step;

	widen(&s->report, task->published_ms);
	s->report.late += task->entry.stated.late;
	if (task->row_differs)
		tell(s, task, REPLAY_ROW_MISMATCH,
		    kind_verdicts[REPLAY_ROW_MISMATCH],
		    "its row has another %s than the item in it",
		    task->row_differs);
	if (task->not_cosigned)
		tell(s, task, REPLAY_COSIGNATURE,
		    kind_verdicts[REPLAY_COSIGNATURE],
		    "%zu of its %zu co-signatures do not hold",
		    task->not_cosigned, task->entry.envelope.cosignature_count);
	if (replay_order_add(s->order, &seen, &step)) {
		s->failed = true;
		return;
	}
	s->report.twice += step.twice;
	for (size_t i = 0; i < step.count; i++)
		tell_told(s, task, &step.told[i]);
	settle_price(s, task, &step);
}

static void settle_item(struct replay_settle *s, struct replay_task *task)
{
	s->report.items++;
	s->report.verdicts[task->verdict]++;
	if (task->verdict == HM_VALID)
		settle_valid(s, task);
	else
		tell(s, task, REPLAY_REFUSED, task->verdict, "%s",
		    hm_verdict_name(task->verdict));
}

/* ---- what an archive says of its end ---- */

/* Its record of an item that went into another file before this one began says
 * nothing of this one. */
static void settle_newest(struct replay_settle *s, struct replay_task *task)
{
	const struct archive_stated *row = &task->entry.stated;
	uint8_t boot_id[BOOT_ID_LEN], sha256[HM_SHA256_LEN];
	struct replay_told told;

	if (hex_decode(
		boot_id, BOOT_ID_LEN, row->boot_id, strlen(row->boot_id)) ||
	    hex_decode(sha256, HM_SHA256_LEN, row->content_sha256,
		strlen(row->content_sha256))) {
		tell(s, task, REPLAY_DAMAGED, kind_verdicts[REPLAY_DAMAGED],
		    "a boot_id or hash that is none");
		return;
	}
	if (s->report.valid == 0 || row->published_ms < s->report.first_ms ||
	    !replay_order_lacks(s->order, row->feed, boot_id, row->sequence,
		"the archive's own record of newest items", sha256, &told))
		return;
	tell_told(s, task, &told);
}

/* ---- tree heads ---- */

static struct replay_boot_head *find_head(
    struct replay_settle *s, const uint8_t *boot_id)
{
	struct replay_boot_head *boot = s->heads;

	while (boot && memcmp(boot->head->boot_id, boot_id, BOOT_ID_LEN) != 0)
		boot = boot->next;
	return boot;
}

static void keep_head(struct replay_settle *s, struct replay_task *task)
{
	struct replay_boot_head *boot = find_head(s, task->head->boot_id);
	struct hm_head *older = task->head;

	if (!boot) {
		boot = calloc(1, sizeof(*boot));
		if (!boot) {
			s->failed = true;
			return;
		}
		boot->next = s->heads;
		s->heads = boot;
		boot->head = task->head;
		task->head = NULL;
		return;
	}
	if (hm_head_compare(boot->head, task->head) != HM_VALID)
		tell(s, task, REPLAY_LOG_MISMATCH,
		    kind_verdicts[REPLAY_LOG_MISMATCH],
		    "heads %" PRIu64 " and %" PRIu64
		    " of one boot contradict each other",
		    boot->head->number, task->head->number);
	if (task->head->tree_size > boot->head->tree_size) {
		older = boot->head;
		boot->head = task->head;
	}
	task->head = NULL;
	free(older);
}

static void settle_head(struct replay_settle *s, struct replay_task *task)
{
	s->report.heads++;
	if (task->verdict != HM_VALID) {
		tell(s, task, REPLAY_REFUSED, task->verdict, "tree head: %s",
		    hm_verdict_name(task->verdict));
		return;
	}
	s->report.heads_valid++;
	keep_head(s, task);
}

/* ---- public ---- */

int replay_settle_init(
    struct replay_settle *settle, const struct replay_options *options)
{
	memset(settle, 0, sizeof(*settle));
	settle->with = options;
	settle->order = replay_order_new();
	return settle->order ? 0 : -1;
}

void replay_settle_fini(struct replay_settle *settle)
{
	struct replay_boot_head *next;

	for (struct replay_boot_head *b = settle->heads; b; b = next) {
		next = b->next;
		free(b->head);
		free(b);
	}
	replay_order_free(settle->order);
}

void replay_settle_next_file(struct replay_settle *settle)
{
	replay_order_next_file(settle->order);
}

void replay_settle_batch(
    struct replay_settle *settle, struct replay_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct replay_task *task = &batch->tasks[i];

		if (task->entry.kind == ARCHIVE_ENTRY_ITEM)
			settle_item(settle, task);
		else if (task->entry.kind == ARCHIVE_ENTRY_HEAD)
			settle_head(settle, task);
		else if (task->entry.kind == ARCHIVE_ENTRY_NEWEST)
			settle_newest(settle, task);
		else if (task->entry.kind == ARCHIVE_ENTRY_DAMAGED)
			tell(settle, task, REPLAY_DAMAGED,
			    kind_verdicts[REPLAY_DAMAGED], "%s",
			    task->entry.problem);
	}
}

/* ---- the end ---- */

static void on_told(
    const struct replay_told *told, const struct replay_line *line, void *data)
{
	struct replay_settle *s = data;
	struct replay_finding f = {.kind = told->kind,
	    .verdict = kind_verdicts[told->kind],
	    .has_sequence = true,
	    .sequence = told->sequence};

	snprintf(f.feed, sizeof(f.feed), "%s", line->feed);
	memcpy(f.boot_id, line->boot_id, sizeof(f.boot_id));
	snprintf(f.text, sizeof(f.text), "%s", told->text);
	found(s, &f);
}

static void on_line(const struct replay_line *line, void *data)
{
	const struct replay_settle *s = data;

	if (s->with->line)
		s->with->line(line, s->with->data);
}

/* A signed head says of each feed how many items there are. */
static void count_by_head(struct replay_settle *s, const struct hm_head *head)
{
	struct replay_line line = {0};
	struct replay_told told;

	hex_encode(head->boot_id, BOOT_ID_LEN, line.boot_id);
	for (size_t i = 0; i < head->feed_count; i++) {
		const struct hm_head_feed *feed = &head->feeds[i];

		line.feed = feed->feed;
		if (replay_order_lacks(s->order, feed->feed, head->boot_id,
			feed->next_sequence - 1, "a signed tree head", NULL,
			&told))
			on_told(&told, &line, s);
	}
}

void replay_settle_end(struct replay_settle *settle)
{
	struct replay_boot_head *boot;

	for (boot = settle->heads; boot; boot = boot->next)
		count_by_head(settle, boot->head);
	if (replay_order_end(settle->order, on_told, on_line, settle))
		settle->failed = true;
	if (settle->failed)
		settle->report.worst = replay_worse(
		    settle->report.worst, HM_NO_MEMORY);
}
