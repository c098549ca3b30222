#include "hostfile/ruleset.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hostfile/counters.h"

#define PLACE_SIZE 160
#define RULE_SIZE 400
#define RULES_MAX                                                                                  \
	20000u /* with counters, of one listing; chains of thousands are lists of addresses */

/* Rules that were seen in the chain being read, to number equal ones. */
struct ruleset {
	char table[PLACE_SIZE], chain[PLACE_SIZE];
	char **seen;
	size_t seen_count, seen_cap;
	uint32_t rules;
};

static void ruleset_forget(struct ruleset *s)
{
	for (size_t i = 0; i < s->seen_count; i++)
		free(s->seen[i]);
	s->seen_count = 0;
}

static void ruleset_release(struct ruleset *s)
{
	ruleset_forget(s);
	free(s->seen);
}

/* How often this text stood in the chain before; long chains are not searched: their rules differ.
 */
static size_t ruleset_before(struct ruleset *s, const char *rule)
{
	size_t n = 0;

	if (s->seen_count >= 256)
		return 0;
	for (size_t i = 0; i < s->seen_count; i++)
		n += strcmp(s->seen[i], rule) == 0;
	MEM_RESERVE(s->seen, s->seen_count, s->seen_cap);
	s->seen[s->seen_count++] = mem_strdup(rule);
	return n;
}

static void ruleset_put(struct ruleset *s, struct collection *c, uint64_t line, const char *rule,
	int64_t packets, int64_t bytes)
{
	const struct stamp at = counters_time(c);
	char table[3 * PLACE_SIZE], chain[3 * PLACE_SIZE], word[3 * RULE_SIZE],
		text[RULE_SIZE + 24];
	size_t before = ruleset_before(s, rule);
	char *key;

	if (s->rules++ >= RULES_MAX)
		return;
	(void)snprintf(text, sizeof(text), before ? "%s #%zu" : "%s", rule, before + 1);
	(void)collection_word(table, sizeof(table), s->table);
	(void)collection_word(chain, sizeof(chain), s->chain);
	(void)collection_word(word, sizeof(word), text);
	key = mem_printf("firewall.%s.%s.%s.packets", table, chain, word);
	counters_sample(c, line, &at, NULL, key, packets);
	free(key);
	key = mem_printf("firewall.%s.%s.%s.bytes", table, chain, word);
	counters_sample(c, line, &at, NULL, key, bytes);
	free(key);
}

bool ruleset_nft_recognise(const struct hostfile_head *head)
{
	const char *p = head->bytes;

	/* a line of its own at the end of a table's first line */
	while (*p == '#' || *p == '\n')
		p += strcspn(p, "\n") + (p[strcspn(p, "\n")] == '\n');
	return strncmp(p, "table ", 6) == 0 && strchr(p, '{');
}

/* " counter packets 3 bytes 99" out of a rule. false: it counts nothing of its own. */
static bool ruleset_take_counter(char *rule, int64_t *ret_packets, int64_t *ret_bytes)
{
	static const char mark[] = "counter packets ";
	char *at = strstr(rule, mark), *end, *bytes;

	if (!at || (at != rule && at[-1] != ' '))
		return false;
	*ret_packets = strtoll(at + sizeof(mark) - 1, &end, 10);
	if (strncmp(end, " bytes ", 7) != 0)
		return false;
	*ret_bytes = strtoll(end + 7, &bytes, 10);
	if (bytes == end + 7 || *ret_packets < 0 || *ret_bytes < 0)
		return false;
	bytes += *bytes == ' ';
	memmove(at, bytes, strlen(bytes) + 1);
	end = rule + strlen(rule);
	while (end > rule && end[-1] == ' ')
		*--end = '\0';
	return true;
}

/* "chain input {": the name. */
static bool ruleset_block(const char *line, const char *word, char ret_name[PLACE_SIZE])
{
	size_t n = strlen(word), length;

	if (strncmp(line, word, n) != 0 || line[n] != ' ')
		return false;
	line += n + 1;
	length = strcspn(line, "{");
	while (length && line[length - 1] == ' ')
		length--;
	(void)snprintf(ret_name, PLACE_SIZE, "%.*s",
		(int)(length < PLACE_SIZE ? length : PLACE_SIZE - 1), line);
	return length > 0;
}

/* "# handle 4" behind a rule, of nft -a. */
static void ruleset_cut_handle(char *line)
{
	char *handle = strstr(line, " # handle ");

	if (handle)
		*handle = '\0';
}

void ruleset_nft_parse(struct reader *r, struct collection *c)
{
	struct ruleset s = {0};
	int64_t packets, bytes;
	char *line;
	size_t size;

	while (reader_line(r, &line, &size)) {
		char *p = line + strspn(line, " \t");

		ruleset_cut_handle(p);
		if (ruleset_block(p, "table", s.table)) {
			s.chain[0] = '\0';
		} else if (ruleset_block(p, "chain", s.chain)) {
			ruleset_forget(&s);
		} else if (*s.chain && strlen(p) < RULE_SIZE &&
			   ruleset_take_counter(p, &packets, &bytes)) {
			ruleset_put(&s, c, r->line, p, packets, bytes);
		}
	}
	ruleset_release(&s);
}

bool ruleset_iptables_recognise(const struct hostfile_head *head)
{
	const char *p = head->bytes;

	while (*p == '#' || *p == '\n')
		p += strcspn(p, "\n") + (p[strcspn(p, "\n")] == '\n');
	return *p == '*' && islower((unsigned char)p[1]) && strstr(p, "\n:");
}

/* "[12:720]" and the blank behind it. */
static const char *ruleset_brackets(const char *p, int64_t *ret_packets, int64_t *ret_bytes)
{
	char *end;

	if (*p != '[')
		return NULL;
	*ret_packets = strtoll(p + 1, &end, 10);
	if (end == p + 1 || *end != ':' || *ret_packets < 0)
		return NULL;
	p = end + 1;
	*ret_bytes = strtoll(p, &end, 10);
	if (end == p || *end != ']' || *ret_bytes < 0)
		return NULL;
	return end + 1 + strspn(end + 1, " ");
}

static void ruleset_iptables_line(struct ruleset *s, struct collection *c, uint64_t line, char *p)
{
	int64_t packets, bytes;
	const char *rule;
	size_t n;

	/* ":INPUT DROP [12:720]": what the chain's policy took; "-" of chains without one */
	if (*p == ':') {
		rule = strrchr(p, '[');
		n = strcspn(p, " ");
		if (!rule || !ruleset_brackets(rule, &packets, &bytes) || n >= PLACE_SIZE)
			return;
		(void)snprintf(s->chain, PLACE_SIZE, "%.*s", (int)n - 1, p + 1);
		if (strncmp(p + n, " - ", 3) != 0) {
			char policy[32];

			(void)snprintf(policy, sizeof(policy), "policy %.*s",
				(int)strcspn(p + n + 1, " "), p + n + 1);
			ruleset_put(s, c, line, policy, packets, bytes);
		}
		return;
	}
	rule = ruleset_brackets(p, &packets, &bytes);
	if (!rule || strncmp(rule, "-A ", 3) != 0 || strlen(rule) >= RULE_SIZE)
		return;
	n = strcspn(rule + 3, " ");
	if (n >= PLACE_SIZE)
		return;
	if (strncmp(s->chain, rule + 3, n) != 0 || s->chain[n])
		ruleset_forget(s);
	(void)snprintf(s->chain, PLACE_SIZE, "%.*s", (int)n, rule + 3);
	ruleset_put(s, c, line, rule + 3 + n + (rule[3 + n] == ' '), packets, bytes);
}

void ruleset_iptables_parse(struct reader *r, struct collection *c)
{
	struct ruleset s = {0};
	char *line;
	size_t size;

	while (reader_line(r, &line, &size)) {
		if (*line == '*')
			(void)snprintf(s.table, PLACE_SIZE, "iptables %.100s", line + 1);
		else
			ruleset_iptables_line(&s, c, r->line, line);
	}
	ruleset_release(&s);
}
