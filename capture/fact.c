#include "fact.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* One state, sample or set. A set's value is its entries, each ended by a newline. */
struct entry {
	char *key, *value;
	int64_t at_ns;
	uint64_t identity; /* sets: sum of the hashes of their entries */
	uint64_t members;  /* sets: number of entries */
	uint64_t omitted;
	uint32_t round; /* of the last put; 0: outside rounds */
	bool is_set, changed;
};

struct facts {
	struct entry *entries; /* in the order they were first put */
	size_t count, cap;
	uint32_t *slots; /* hash to entry index + 1 */
	size_t slot_count;
	int64_t now_ns;
	uint32_t round;
	bool in_round;
	struct strbuf events; /* at_ns (8 bytes), key NUL value NUL */
	uint64_t events_dropped;
	struct strbuf set; /* being built */
	char set_key[FACT_KEY_SIZE];
	uint64_t set_identity, set_members;
};

static uint64_t fact_hash_text(const char *s)
{
	uint64_t h = 0xcbf29ce484222325U; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3U;
	return h ^ h >> 29;
}

struct facts *fact_new(void)
{
	struct facts *f = mem_zalloc(sizeof(*f));

	f->slot_count = 1024;
	f->slots = mem_array(f->slot_count, sizeof(*f->slots));
	return f;
}

void fact_free(struct facts *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->count; i++) {
		free(f->entries[i].key);
		free(f->entries[i].value);
	}
	free(f->entries);
	free(f->slots);
	strbuf_release(&f->events);
	strbuf_release(&f->set);
	free(f);
}

static uint32_t *fact_slot_of(const struct facts *f, const char *key)
{
	size_t i = fact_hash_text(key) & (f->slot_count - 1);

	while (f->slots[i] && strcmp(f->entries[f->slots[i] - 1].key, key))
		i = (i + 1) & (f->slot_count - 1);
	return &f->slots[i];
}

static void fact_grow_slots(struct facts *f)
{
	size_t i;

	free(f->slots);
	f->slot_count *= 2;
	f->slots = mem_array(f->slot_count, sizeof(*f->slots));
	for (i = 0; i < f->count; i++)
		*fact_slot_of(f, f->entries[i].key) = (uint32_t)i + 1;
}

static struct entry *fact_entry_of(struct facts *f, const char *key)
{
	uint32_t *slot = fact_slot_of(f, key);

	if (*slot)
		return &f->entries[*slot - 1];
	if (2 * (f->count + 1) > f->slot_count) {
		fact_grow_slots(f);
		slot = fact_slot_of(f, key);
	}
	assert(!*slot && 2 * (f->count + 1) <= f->slot_count);
	MEM_RESERVE(f->entries, f->count, f->cap);
	f->entries[f->count] = (struct entry){.key = mem_strdup(key)};
	*slot = (uint32_t)++f->count;
	return &f->entries[f->count - 1];
}

void fact_begin(struct facts *f, int64_t now_ns)
{
	assert(!f->in_round);
	f->now_ns = now_ns;
	f->round++;
	f->in_round = true;
}

void fact_end(struct facts *f)
{
	assert(f->in_round);
	f->in_round = false;
}

void fact_time(struct facts *f, int64_t now_ns)
{
	f->now_ns = now_ns;
}

static bool fact_known(const struct facts *f, const struct entry *e)
{
	/* During a round, facts from the previous round are still valid. */
	return e->value && (!e->round || e->round + f->in_round >= f->round);
}

static void fact_set_value(struct entry *e, const char *value, size_t length)
{
	e->value = mem_realloc(e->value, length + 1);
	memcpy(e->value, value, length);
	e->value[length] = '\0';
}

static void fact_put_text(struct facts *f, const char *key, const char *value)
{
	struct entry *e = fact_entry_of(f, key);
	size_t length = strnlen(value, FACT_VALUE_MAX);
	bool was_known = fact_known(f, e);

	e->round = f->in_round ? f->round : 0;
	e->is_set = false;
	if (was_known && strlen(e->value) == length && !memcmp(e->value, value, length))
		return;
	fact_set_value(e, value, length);
	e->at_ns = f->now_ns;
	e->changed = true;
}

void fact_put(struct facts *f, const char *value, const char *key_fmt, ...)
{
	char key[FACT_KEY_SIZE];
	va_list ap;

	va_start(ap, key_fmt);
	vsnprintf(key, sizeof(key), key_fmt, ap);
	va_end(ap);
	fact_put_text(f, key, value);
}

void fact_put_u64(struct facts *f, uint64_t value, const char *key_fmt, ...)
{
	char key[FACT_KEY_SIZE], text[32];
	va_list ap;

	va_start(ap, key_fmt);
	vsnprintf(key, sizeof(key), key_fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	fact_put_text(f, key, text);
}

void fact_event(struct facts *f, int64_t at_ns, const char *key, const char *fmt, ...)
{
	char value[FACT_VALUE_MAX];
	va_list ap;

	if (f->events.length > FACT_EVENT_BYTES) {
		f->events_dropped++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	strbuf_add(&f->events, &at_ns, sizeof(at_ns));
	strbuf_add(&f->events, key, strlen(key) + 1);
	strbuf_add(&f->events, value, strlen(value) + 1);
}

void fact_set_begin(struct facts *f, const char *key)
{
	snprintf(f->set_key, sizeof(f->set_key), "%s", key);
	strbuf_reset(&f->set);
	f->set_identity = f->set_members = 0;
}

void fact_set_add(struct facts *f, const char *identity, const char *value)
{
	/* A sum: the kernel's order of entries does not matter. */
	f->set_identity += fact_hash_text(identity);
	f->set_members++;
	strbuf_adds(&f->set, value);
	strbuf_addc(&f->set, '\n');
}

void fact_set_end(struct facts *f, uint64_t omitted, bool force)
{
	struct entry *e = fact_entry_of(f, f->set_key);
	bool same =
		fact_known(f, e) && e->identity == f->set_identity && e->members == f->set_members;

	e->round = f->in_round ? f->round : 0;
	e->is_set = true;
	fact_set_value(e, f->set.text ? f->set.text : "", f->set.length);
	e->at_ns = f->now_ns;
	e->identity = f->set_identity;
	e->members = f->set_members;
	e->omitted = omitted;
	e->changed |= force || !same;
}

static void fact_write_fact(
	const struct fact_out *out, int64_t at_ns, const char *key, const char *value)
{
	if (out->comments)
		comments_add(out->comments, at_ns, key, value);
	if (out->json)
		comments_json(out->json, at_ns, key, value);
}

static void fact_write_number(
	const struct fact_out *out, const struct entry *e, const char *what, uint64_t n)
{
	char key[FACT_KEY_SIZE + 16], value[32];

	snprintf(key, sizeof(key), "%s.%s", e->key, what);
	snprintf(value, sizeof(value), "%llu", (unsigned long long)n);
	fact_write_fact(out, e->at_ns, key, value);
}

static void fact_write_set(const struct fact_out *out, struct entry *e)
{
	char *line = e->value, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		fact_write_fact(out, e->at_ns, e->key, line);
		*end = '\n';
	}
	fact_write_number(out, e, "count", e->members);
	if (e->omitted)
		fact_write_number(out, e, "omitted", e->omitted);
}

static void fact_write_entries(struct facts *f, const struct fact_out *out, bool all)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		struct entry *e = &f->entries[i];

		if (!fact_known(f, e) || (!all && !e->changed))
			continue;
		if (e->is_set)
			fact_write_set(out, e);
		else
			fact_write_fact(out, e->at_ns, e->key, e->value);
		e->changed = false;
	}
}

static void fact_write_events(struct facts *f, const struct fact_out *out)
{
	const char *at = f->events.text, *end = at + f->events.length;

	while (at < end) {
		const char *key = at + sizeof(int64_t), *value = key + strlen(key) + 1;
		int64_t at_ns;

		memcpy(&at_ns, at, sizeof(at_ns));
		fact_write_fact(out, at_ns, key, value);
		at = value + strlen(value) + 1;
	}
	assert(at == end); /* an event is there as a whole */
	strbuf_reset(&f->events);
}

void fact_drain(struct facts *f, const struct fact_out *out)
{
	fact_write_events(f, out);
	fact_write_entries(f, out, false);
}

void fact_write_all(struct facts *f, const struct fact_out *out)
{
	fact_write_entries(f, out, true);
	fact_write_events(f, out);
}

const char *fact_get(const struct facts *f, const char *key)
{
	uint32_t slot = *fact_slot_of(f, key);

	return slot && fact_known(f, &f->entries[slot - 1]) ? f->entries[slot - 1].value : NULL;
}

uint64_t fact_events_dropped(const struct facts *f)
{
	return f->events_dropped;
}
