#include "hostfile/collection.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "base/strbuf.h"

/* A log's last line is rarely much older than the file, and never younger by more than a zone. */
#define QUIET_MAX_NS (31 * 86400 * NSEC_PER_SEC)
#define ZONE_MAX_NS (14 * 3600 * NSEC_PER_SEC)
/* Zones are whole quarters of an hour away from UTC. */
#define QUARTER_NS (900 * NSEC_PER_SEC)
/* syslog writes a line this much later than the kernel said it. */
#define SYSLOG_DELAY_NS (2 * NSEC_PER_SEC)
/* CPUs stamp lines out of order by far less. */
#define BOOT_MIN_NS (5 * NSEC_PER_SEC)

struct collection_part {
	char *name, *value;
	struct collection_file *file;
	uint64_t line;
};

struct collection_fact {
	char *key, *value;
	struct stamp at; /* STAMP_NONE: a state */
	uint32_t new_years, boots;
	struct collection_file *file;
	uint64_t line;
};

void collection_init(struct collection *c, const struct collection_options *options)
{
	*c = (struct collection){.options = options,
		.boot_ns = AGENTFACTS_UNDATED,
		.taken_ns = AGENTFACTS_UNDATED,
		.zone_known = options->zone_known,
		.zone_ns = options->zone_ns};
}

void collection_release(struct collection *c)
{
	for (size_t i = 0; i < c->fact_count; i++) {
		free(c->facts[i].key);
		free(c->facts[i].value);
	}
	for (size_t i = 0; i < c->file_count; i++) {
		free(c->files[i]->path);
		free(c->files[i]->name);
		free(c->files[i]->command);
		free(c->files[i]->damaged);
		free(c->files[i]);
	}
	for (size_t i = 0; i < c->part_count; i++) {
		free(c->parts[i].name);
		free(c->parts[i].value);
	}
	free(c->parts);
	free(c->facts);
	free(c->files);
	*c = (struct collection){0};
}

struct collection_file *collection_begin_file(
	struct collection *c, uint32_t id, const char *path, const char *name)
{
	struct collection_file *f = mem_zalloc(sizeof(*f));

	f->id = id;
	f->path = mem_strdup(path);
	f->name = mem_strdup(name);
	f->modified_ns = AGENTFACTS_UNDATED;
	f->at.kind = STAMP_UNSAID;
	f->first_fact = c->fact_count;
	MEM_RESERVE(c->files, c->file_count, c->file_cap);
	c->files[c->file_count++] = f;
	c->file = f;
	return f;
}

/* Takes key and value. */
static void collection_add(
	struct collection *c, uint64_t line, const struct stamp *at, char *key, char *value)
{
	assert(c->file);
	if (c->fact_count == COLLECTION_FACTS_MAX) {
		c->omitted++;
		free(key);
		free(value);
		return;
	}
	MEM_RESERVE(c->facts, c->fact_count, c->fact_cap);
	c->facts[c->fact_count++] = (struct collection_fact){.key = key,
		.value = value,
		.at = at ? *at : (struct stamp){.kind = STAMP_NONE},
		.new_years = c->file->new_years,
		.boots = c->file->boots,
		.file = c->file,
		.line = line};
	c->file->facts++;
}

static char *collection_format(const char *fmt, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		mem_exhausted(1);
	return text;
}

void collection_state(
	struct collection *c, uint64_t line, const char *value, const char *key_fmt, ...)
{
	va_list args;
	char *key;

	va_start(args, key_fmt);
	key = collection_format(key_fmt, args);
	va_end(args);
	collection_add(c, line, NULL, key, mem_strdup(value));
}

void collection_event(struct collection *c, uint64_t line, const struct stamp *at, const char *key,
	const char *value_fmt, ...)
{
	va_list args;
	char *value;

	va_start(args, value_fmt);
	value = collection_format(value_fmt, args);
	va_end(args);
	collection_add(c, line, at, mem_strdup(key), value);
}

const char *collection_word(char *out, size_t size, const char *word)
{
	size_t n = 0;

	assert(size > 0);
	for (; *word && n + 4 <= size; word++) {
		unsigned char b = (unsigned char)*word;

		if (isalnum(b) || strchr("_-:@", b))
			out[n++] = *word;
		else
			n += (size_t)snprintf(out + n, size - n, "%%%02x", b);
	}
	out[n] = '\0';
	return out;
}

void collection_log_line(struct collection *c, const struct stamp *at)
{
	struct collection_file *f = c->file;

	if (at->kind == STAMP_NONE)
		return;
	/* Lines out of order are minutes apart, not half a year. */
	if (at->kind == STAMP_YEARLESS && f->last.kind == STAMP_YEARLESS &&
		at->month + 6 < f->last.month)
		f->new_years++;
	if (at->kind == STAMP_UPTIME && f->last.kind == STAMP_UPTIME &&
		at->ns < f->last.ns - BOOT_MIN_NS)
		f->boots++;
	f->last = *at;
}

/* The year of a log's last line; 0: not known. */
static int collection_year(const struct collection *c, const struct collection_file *f)
{
	int year;

	if (c->options->year)
		return c->options->year;
	if (f->modified_ns == AGENTFACTS_UNDATED || f->last.kind != STAMP_YEARLESS)
		return 0;
	for (year = stamp_year_of(f->modified_ns) + 1; year >= stamp_year_of(f->modified_ns) - 1;
		year--) {
		int64_t quiet = f->modified_ns - stamp_in_year(&f->last, year);

		if (quiet >= -ZONE_MAX_NS && quiet <= QUIET_MAX_NS)
			return year;
	}
	return 0;
}

/* The times of a log's lines: from no year to one, where that is known. */
static void collection_settle_year(const struct collection *c, struct collection_fact *fact)
{
	int last = collection_year(c, fact->file), year;

	if (!last)
		return;
	assert(fact->new_years <= fact->file->new_years);
	year = last - (int)(fact->file->new_years - fact->new_years);
	fact->at.ns = stamp_in_year(&fact->at, year);
	fact->at.kind = STAMP_LOCAL;
}

/*
 * A line of syslog that also has the kernel's own time is of the boot that is known when the two
 * differ by a zone: then it needs neither year nor zone.
 */
static bool collection_by_uptime(const struct collection *c, const struct collection_fact *fact)
{
	int64_t at_ns, local, off;

	if (!fact->at.has_uptime || c->boot_ns == AGENTFACTS_UNDATED)
		return false;
	at_ns = c->boot_ns + fact->at.uptime_ns;
	local = fact->at.kind == STAMP_YEARLESS ? stamp_in_year(&fact->at, stamp_year_of(at_ns))
						: fact->at.ns;
	off = local - at_ns;
	if (off > ZONE_MAX_NS || off < -ZONE_MAX_NS)
		return false;
	off = ((off % QUARTER_NS) + QUARTER_NS) % QUARTER_NS;
	return off <= SYSLOG_DELAY_NS || off >= QUARTER_NS - SYSLOG_DELAY_NS;
}

/* The time of a fact. Where it has one that cannot be told, *ret_written is what its source says.
 */
static int64_t collection_time(const struct collection *c, struct collection_fact *fact,
	int64_t *ret_within, const char **ret_written)
{
	*ret_within = fact->at.within_ns;
	*ret_written = NULL;
	if (fact->at.kind == STAMP_YEARLESS)
		collection_settle_year(c, fact);
	if ((fact->at.kind == STAMP_YEARLESS || (fact->at.kind == STAMP_LOCAL && !c->zone_known)) &&
		collection_by_uptime(c, fact)) {
		*ret_within = c->boot_within_ns;
		return c->boot_ns + fact->at.uptime_ns;
	}
	switch (fact->at.kind) {
	case STAMP_NONE:
		*ret_within = 0;
		return c->taken_ns;
	case STAMP_ABSOLUTE:
		return fact->at.ns;
	case STAMP_LOCAL:
		if (c->zone_known)
			return fact->at.ns - c->zone_ns;
		break;
	case STAMP_UPTIME:
		if (c->boot_ns != AGENTFACTS_UNDATED && fact->boots == fact->file->boots) {
			*ret_within += c->boot_within_ns;
			return c->boot_ns + fact->at.ns;
		}
		break;
	case STAMP_UNSAID:
		return AGENTFACTS_UNDATED;
	case STAMP_YEARLESS:
		break;
	}
	*ret_within = 0;
	*ret_written = fact->at.written;
	fact->file->undated++;
	return AGENTFACTS_UNDATED;
}

void collection_taken(struct collection *c, const struct stamp *at)
{
	if (at->kind == STAMP_ABSOLUTE && c->taken_ns == AGENTFACTS_UNDATED)
		c->taken_ns = at->ns;
}

void collection_zone(struct collection *c, const char *name)
{
	static const char *const utc[] = {
		"UTC", "Etc/UTC", "Etc/UCT", "Etc/Zulu", "Universal", "Zulu"};

	for (size_t i = 0; i < sizeof(utc) / sizeof(utc[0]) && !c->zone_known; i++)
		if (strcmp(name, utc[i]) == 0) {
			c->zone_known = true;
			c->zone_ns = 0;
		}
}

static struct collection_part *collection_part(struct collection *c, const char *name)
{
	for (size_t i = 0; i < c->part_count; i++)
		if (strcmp(c->parts[i].name, name) == 0)
			return &c->parts[i];
	return NULL;
}

void collection_keep(struct collection *c, uint64_t line, const char *name, const char *value)
{
	struct collection_part *p = collection_part(c, name);

	if (!p) {
		MEM_RESERVE(c->parts, c->part_count, c->part_cap);
		p = &c->parts[c->part_count++];
		*p = (struct collection_part){.name = mem_strdup(name)};
	}
	free(p->value);
	p->value = mem_strdup(value);
	p->file = c->file;
	p->line = line;
}

void collection_count(struct collection *c, uint64_t line, const char *name, uint64_t more)
{
	const struct collection_part *p = collection_part(c, name);
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu",
		(p ? strtoull(p->value, NULL, 10) : 0) + (unsigned long long)more);
	collection_keep(c, line, name, text);
}

const char *collection_kept(struct collection *c, const char *name, uint64_t *ret_line)
{
	const struct collection_part *p = collection_part(c, name);

	if (!p)
		return NULL;
	c->file = p->file;
	if (ret_line)
		*ret_line = p->line;
	return p->value;
}

void collection_finish(struct collection *c, agentfacts_sink *sink, void *context)
{
	for (size_t i = 0; i < c->fact_count; i++) {
		struct collection_fact *fact = &c->facts[i];
		struct agent_fact f = {.key = fact->key,
			.value = fact->value,
			.file = fact->file->id,
			.line = fact->line};

		f.at_ns = collection_time(c, fact, &f.within_ns, &f.written);
		sink(context, &f);
	}
}
