/* Saved neighbour, route and address tables (--root), and the words of a neighbour entry. */
#include "facts_neighbor.h"

#include <assert.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "comments.h"
#include "collector.h"

static const struct {
	uint16_t bit;
	const char *name;
} states[] = {
	{NUD_INCOMPLETE, "INCOMPLETE"},
	{NUD_REACHABLE, "REACHABLE"},
	{NUD_STALE, "STALE"},
	{NUD_DELAY, "DELAY"},
	{NUD_PROBE, "PROBE"},
	{NUD_FAILED, "FAILED"},
	{NUD_NOARP, "NOARP"},
	{NUD_PERMANENT, "PERMANENT"},
};

const char *neighbor_state(uint16_t state)
{
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(*states); i++) {
		if (state & states[i].bit)
			return states[i].name;
	}
	return "NONE";
}

static void neighbor_add(char *text, size_t size, const char *name, const char *value)
{
	size_t n = strlen(text);

	assert(n < size);
	snprintf(text + n, size - n, "%s%s=%s", n ? " " : "", name, value);
}

static void neighbor_add_age(char *text, size_t size, const char *name, int64_t value)
{
	char number[32];

	if (value < 0)
		return;
	snprintf(number, sizeof(number), "%lld", (long long)value);
	neighbor_add(text, size, name, number);
}

void neighbor_words(const struct neighbor *n, char *identity, char *words, size_t size)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} flags[] = {{NTF_ROUTER, "router"}, {NTF_PROXY, "proxy"},
		{NTF_EXT_LEARNED, "extern_learn"}, {NTF_OFFLOADED, "offload"}};
	char dev[200], list[64] = "";
	size_t i;

	identity[0] = '\0';
	neighbor_add(identity, size, "ip", n->ip);
	neighbor_add(identity, size, "dev", comments_word(dev, sizeof(dev), n->dev));
	if (n->mac[0])
		neighbor_add(identity, size, "mac", n->mac);
	neighbor_add(identity, size, "state", neighbor_state(n->state));
	snprintf(words, size, "%s", identity);
	neighbor_add_age(words, size, "confirmed_ms", n->confirmed_ms);
	neighbor_add_age(words, size, "used_ms", n->used_ms);
	neighbor_add_age(words, size, "updated_ms", n->updated_ms);
	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (n->flags & flags[i].bit)
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
				list[0] ? "," : "", flags[i].name);
	}
	if (list[0])
		neighbor_add(words, size, "flags", list);
	neighbor_add_age(words, size, "probes", n->probes);
}

/* "used 412/412/409": seconds since used, confirmed, updated, in this order. */
static void neighbor_saved_ages(struct neighbor *n, const char *text)
{
	long long used, confirmed, updated;

	if (sscanf(text, "%lld/%lld/%lld", &used, &confirmed, &updated) != 3)
		return;
	n->used_ms = used * 1000;
	n->confirmed_ms = confirmed * 1000;
	n->updated_ms = updated * 1000;
}

/* "10.0.1.90 dev eth0 lladdr 00:.. ref 1 used 3/412/409 probes 1 STALE" */
static bool neighbor_saved_entry(char *line, struct neighbor *n)
{
	char *save = NULL, *word = strtok_r(line, " \t", &save), *next;
	size_t i;

	*n = (struct neighbor){.confirmed_ms = -1, .used_ms = -1, .updated_ms = -1, .probes = -1};
	if (!word || strlen(word) >= sizeof(n->ip))
		return false;
	strcpy(n->ip, word);
	for (word = strtok_r(NULL, " \t", &save); word; word = next) {
		next = strtok_r(NULL, " \t", &save);
		if (!strcmp(word, "dev") && next)
			snprintf(n->dev, sizeof(n->dev), "%s", next);
		else if (!strcmp(word, "lladdr") && next)
			snprintf(n->mac, sizeof(n->mac), "%s", next);
		else if (!strcmp(word, "used") && next)
			neighbor_saved_ages(n, next);
		else if (!strcmp(word, "probes") && next)
			n->probes = atoll(next);
		else if (!strcmp(word, "router"))
			n->flags |= NTF_ROUTER;
		for (i = 0; i < sizeof(states) / sizeof(*states); i++) {
			if (!strcmp(word, states[i].name))
				n->state = states[i].bit;
		}
	}
	return n->state != 0;
}

static void neighbor_saved_neighbors(struct host *h)
{
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char *line, *save = NULL, identity[512], words[512];
	struct neighbor n;

	if (!rootfs_read(&h->root, "bothends/ip-neigh", 4 << 20, &text))
		return;
	fact_set_begin(h->facts, "neighbor");
	for (line = strtok_r(text.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!neighbor_saved_entry(line, &n))
			continue;
		neighbor_words(&n, identity, words, sizeof(words));
		fact_set_add(h->facts, identity, words);
	}
	fact_set_end(h->facts, 0, false);
}

static void neighbor_saved_routes(struct host *h)
{
	static const char *const names[][2] = {{"via", "via"}, {"dev", "dev"}, {"src", "src"},
		{"metric", "metric"}, {"scope", "scope"}, {"table", "table"}};
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char *line, *save = NULL, *word_save, *word, *next, words[512];
	size_t i;

	if (!rootfs_read(&h->root, "bothends/ip-route", 1 << 20, &text))
		return;
	fact_set_begin(h->facts, "route");
	for (line = strtok_r(text.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		word = strtok_r(line, " \t", &word_save);
		if (!word)
			continue;
		words[0] = '\0';
		neighbor_add(words, sizeof(words), "dst", word);
		for (word = strtok_r(NULL, " \t", &word_save); word; word = next) {
			next = strtok_r(NULL, " \t", &word_save);
			for (i = 0; next && i < sizeof(names) / sizeof(*names); i++) {
				if (!strcmp(word, names[i][0]))
					neighbor_add(words, sizeof(words), names[i][1], next);
			}
		}
		if (!strstr(words, " table="))
			neighbor_add(words, sizeof(words), "table", "254");
		neighbor_add(words, sizeof(words), "type", "unicast");
		fact_set_add(h->facts, words, words);
	}
	fact_set_end(h->facts, 0, false);
}

/* "2: eth0    inet 10.0.1.20/24 brd ..."; lines of one interface are adjacent. */
static void neighbor_saved_addresses(struct host *h)
{
	struct strbuf text CLEANUP_STRBUF = STRBUF_INIT;
	char *line, *save = NULL, name[64], family[16], address[64], last[64] = "", list[1024] = "";
	char word[200];

	if (!rootfs_read(&h->root, "bothends/ip-addr", 1 << 20, &text))
		return;
	for (line = strtok_r(text.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%*d: %63s %15s %63s", name, family, address) != 3 ||
			strncmp(family, "inet", 4))
			continue;
		if (strcmp(name, last)) {
			snprintf(last, sizeof(last), "%s", name);
			list[0] = '\0';
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			list[0] ? " " : "", address);
		fact_put(h->facts, list, "nic.%s.addresses",
			comments_word(word, sizeof(word), name));
	}
}

void facts_saved_tables(struct host *h)
{
	neighbor_saved_addresses(h);
	neighbor_saved_routes(h);
	neighbor_saved_neighbors(h);
}
