/* allowlist: see allowlist.h. */
#include "vsock-bridge/allowlist.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX         4 /* of one rule: no word twice */
#define STAR              "*."
#define WORD_ANY_PROTOCOL "any-protocol"
#define WORD_PRIVATE      "allow-private"

/* What is being read: the list so far and the line, for error texts. */
struct reader {
	struct allowlist *list;
	size_t capacity; /* rules that list->rules has room for */
	unsigned line;
};

struct word {
	const char *text;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Splits at blanks and cuts at '#'. Returns how many words there are, of which
 * at most WORDS_MAX are stored. */
static size_t split_words(
    struct word words[static WORDS_MAX], const char *line, size_t len)
{
	const char *comment = memchr(line, '#', len);
	size_t count = 0, at = 0;

	if (comment != NULL)
		len = (size_t)(comment - line);
	while (at < len) {
		size_t start = at;

		while (at < len && !is_blank(line[at]))
			at++;
		if (at > start && count < WORDS_MAX)
			words[count] = (struct word){line + start, at - start};
		count += at > start;
		while (at < len && is_blank(line[at]))
			at++;
	}
	return count;
}

static bool word_is(const struct word *word, const char *text)
{
	return word->len == strlen(text) &&
	       memcmp(word->text, text, word->len) == 0;
}

static const char *take_connect_to(
    struct allowlist_rule *rule, const struct word *word)
{
	char text[ENDPOINT_TEXT_MAX];

	if (rule->pinned)
		return "a second place to connect to";
	if (word->len >= sizeof(text))
		return "a word is too long";
	memcpy(text, word->text, word->len);
	text[word->len] = '\0';
	if (endpoint_parse(&rule->connect_to, text) != 0 ||
	    (rule->connect_to.kind != ENDPOINT_TCP &&
		rule->connect_to.kind != ENDPOINT_UNIX))
		return "a word is neither tcp://host:port, unix:///path, "
		       "any-protocol nor allow-private";
	if (rule->connect_to.kind == ENDPOINT_TCP && rule->connect_to.port == 0)
		return "the port to connect to is 0";
	rule->pinned = true;
	return NULL;
}

static const char *take_flag(bool *flag)
{
	if (*flag)
		return "the same word twice";
	*flag = true;
	return NULL;
}

static const char *take_word(
    struct allowlist_rule *rule, const struct word *word)
{
	if (word_is(word, WORD_ANY_PROTOCOL))
		return take_flag(&rule->any_protocol);
	if (word_is(word, WORD_PRIVATE))
		return take_flag(&rule->allow_private);
	return take_connect_to(rule, word);
}

/* A star below one label only ("*.com") would let out nearly everywhere. */
static const char *take_target(
    struct allowlist_rule *rule, const struct word *word)
{
	size_t skip = strlen(STAR);
	const char *why = NULL;

	rule->star = word->len > skip && memcmp(word->text, STAR, skip) == 0;
	if (!rule->star)
		skip = 0;
	if (authority_parse(
		&rule->target, word->text + skip, word->len - skip, &why) != 0)
		return why;
	if (!authority_is_name(&rule->target))
		return "the host is an address, not a name";
	if (rule->star && strchr(rule->target.host, '.') == NULL)
		return "a star needs two labels or more behind it";
	return NULL;
}

static const char *take_rule(
    struct allowlist_rule *rule, const struct word *words, size_t count)
{
	const char *why;

	if (count > WORDS_MAX)
		return "more than four words";
	why = take_target(rule, &words[0]);
	for (size_t i = 1; i < count && why == NULL; i++)
		why = take_word(rule, &words[i]);
	if (why == NULL && rule->pinned && rule->allow_private)
		return "allow-private, and a place to connect to: no name is "
		       "looked up";
	return why;
}

static struct allowlist_rule *add_rule(struct reader *reader)
{
	struct allowlist *list = reader->list;
	struct allowlist_rule *grown;

	if (list->count == reader->capacity) {
		size_t capacity = reader->capacity * 2 + 16;

		grown = realloc(list->rules, capacity * sizeof(*grown));
		if (grown == NULL)
			return NULL;
		list->rules = grown;
		reader->capacity = capacity;
	}
	grown = &list->rules[list->count++];
	*grown = (struct allowlist_rule){.line = reader->line};
	return grown;
}

/* Comments may be in any language, so bytes above 127 pass here; outside of
 * comments the words' own rules refuse them. */
static bool has_control(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)line[i] < 0x20 && line[i] != '\t') ||
		    line[i] == 0x7f)
			return true;
	return false;
}

static const char *take_line(
    struct reader *reader, const char *line, size_t len)
{
	struct word words[WORDS_MAX] = {{0}};
	struct allowlist_rule *rule;
	size_t count;

	if (has_control(line, len))
		return "a control character (a line ends with a bare LF)";
	count = split_words(words, line, len);
	if (count == 0)
		return NULL;
	if (reader->list->count == ALLOWLIST_RULES_MAX)
		return "too many rules";
	rule = add_rule(reader);
	return rule != NULL ? take_rule(rule, words, count) : "out of memory";
}

static const char *take_lines(
    struct reader *reader, const char *text, size_t len)
{
	const char *why;

	if (len > ALLOWLIST_BYTES_MAX)
		return "the file is too long";
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line_len = end != NULL ? (size_t)(end - text) : len;
		size_t used = end != NULL ? line_len + 1 : len;

		reader->line++;
		why = take_line(reader, text, line_len);
		if (why != NULL)
			return why;
		text += used;
		len -= used;
	}
	return NULL;
}

static int compare_rules(const void *a, const void *b)
{
	const struct allowlist_rule *x = a, *y = b;

	if (x->star != y->star)
		return x->star ? 1 : -1;
	return authority_compare(&x->target, &y->target);
}

/* Sorts, and finds what now stands side by side. */
static const char *sort_unique(struct reader *reader)
{
	struct allowlist *list = reader->list;

	if (list->count > 0)
		qsort(list->rules, list->count, sizeof(list->rules[0]),
		    compare_rules);
	for (size_t i = 1; i < list->count; i++) {
		const struct allowlist_rule *a = &list->rules[i - 1];
		const struct allowlist_rule *b = &list->rules[i];

		if (compare_rules(a, b) != 0)
			continue;
		reader->line = a->line > b->line ? a->line : b->line;
		return "a second rule for the same destination";
	}
	return NULL;
}

int allowlist_parse(struct allowlist **out, const void *bytes, size_t len,
    char error[static ALLOWLIST_ERROR_MAX])
{
	struct reader reader = {0};
	const char *why = "out of memory";

	*out = NULL;
	error[0] = '\0';
	reader.list = calloc(1, sizeof(*reader.list));
	if (reader.list == NULL)
		goto out;
	why = take_lines(&reader, bytes, len);
	if (why == NULL)
		why = sort_unique(&reader);
	if (why != NULL)
		goto out;
	*out = reader.list;
	return 0;
out:
	snprintf(error, ALLOWLIST_ERROR_MAX, "line %u: %s", reader.line, why);
	allowlist_free(reader.list);
	return -1;
}

int allowlist_load(struct allowlist **out, const char *path,
    char error[static ALLOWLIST_ERROR_MAX])
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int err = file_read(path, ALLOWLIST_BYTES_MAX, &bytes, &len);

	*out = NULL;
	if (err != 0)
		snprintf(error, ALLOWLIST_ERROR_MAX, "%s", strerror(-err));
	else
		err = allowlist_parse(out, bytes, len, error);
	free(bytes);
	return err == 0 ? 0 : -1;
}

static const struct allowlist_rule *find(
    const struct allowlist *list, const struct allowlist_rule *key)
{
	if (list->count == 0)
		return NULL;
	return bsearch(
	    key, list->rules, list->count, sizeof(*key), compare_rules);
}

const struct allowlist_rule *allowlist_find(
    const struct allowlist *list, const struct authority *target)
{
	struct allowlist_rule key = {.target = *target};
	const struct allowlist_rule *rule = find(list, &key);
	const char *dot = strchr(target->host, '.');

	/* Label by label off the front: the longest suffix comes first. */
	key.star = true;
	for (; rule == NULL && dot != NULL; dot = strchr(dot + 1, '.')) {
		snprintf(
		    key.target.host, sizeof(key.target.host), "%s", dot + 1);
		rule = find(list, &key);
	}
	return rule;
}

void allowlist_format(
    const struct allowlist_rule *rule, char out[static ALLOWLIST_RULE_TEXT_MAX])
{
	char target[AUTHORITY_TEXT_MAX], where[ENDPOINT_TEXT_MAX] = "";

	authority_format(&rule->target, target);
	if (rule->pinned)
		endpoint_format(&rule->connect_to, where);
	snprintf(out, ALLOWLIST_RULE_TEXT_MAX, "%s%s%s%s%s%s",
	    rule->star ? STAR : "", target, rule->pinned ? " " : "", where,
	    rule->any_protocol ? " " WORD_ANY_PROTOCOL : "",
	    rule->allow_private ? " " WORD_PRIVATE : "");
}

void allowlist_free(struct allowlist *list)
{
	if (list == NULL)
		return;
	free(list->rules);
	free(list);
}
