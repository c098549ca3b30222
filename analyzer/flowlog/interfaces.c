#include "flowlog/interfaces.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "flowlog/format/value.h"

void flowlog_interfaces_init(struct flowlog_interfaces *f, int64_t first_vantage_id)
{
	*f = (struct flowlog_interfaces){.first_id = first_vantage_id, .slot_count = 1024};
	f->slots = mem_array(f->slot_count, sizeof(*f->slots));
}

void flowlog_interfaces_release(struct flowlog_interfaces *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->list[i].name);
		free(f->list[i].host_name);
	}
	free(f->list);
	free(f->slots);
	*f = (struct flowlog_interfaces){0};
}

static bool interfaces_is_named(const struct flowlog_interface *i, struct flowlog_text name)
{
	return !strncmp(i->name, name.at, name.length) && !i->name[name.length];
}

static void interfaces_rehash(struct flowlog_interfaces *f)
{
	free(f->slots);
	f->slot_count *= 2;
	f->slots = mem_array(f->slot_count, sizeof(*f->slots));
	for (size_t i = 0; i < f->count; i++) {
		size_t at = f->list[i].hash & (f->slot_count - 1);

		while (f->slots[at])
			at = (at + 1) & (f->slot_count - 1);
		f->slots[at] = (uint32_t)i + 1;
	}
}

static struct flowlog_interface *interfaces_add(
	struct flowlog_interfaces *f, struct flowlog_text name, uint64_t hash)
{
	struct flowlog_interface *i;

	if (f->count == INTERFACES_MAX) {
		f->refused++;
		return NULL;
	}
	MEM_RESERVE(f->list, f->count, f->cap);
	i = &f->list[f->count];
	*i = (struct flowlog_interface){.name = mem_strndup(name.at, name.length),
		.hash = hash,
		.vantage_id = f->first_id + (int64_t)f->count,
		.first_ns = FLOWLOG_NONE,
		.last_ns = FLOWLOG_NONE};
	f->count++;
	return i;
}

struct flowlog_interface *flowlog_interface_of(
	struct flowlog_interfaces *f, struct flowlog_text name)
{
	uint64_t hash;
	size_t at;

	if (!name.length)
		return NULL;
	if (f->last < f->count && interfaces_is_named(&f->list[f->last], name))
		return &f->list[f->last];
	hash = XXH3_64bits(name.at, name.length);
	for (at = hash & (f->slot_count - 1); f->slots[at]; at = (at + 1) & (f->slot_count - 1)) {
		struct flowlog_interface *i = &f->list[f->slots[at] - 1];

		if (i->hash == hash && interfaces_is_named(i, name)) {
			f->last = f->slots[at] - 1;
			return i;
		}
	}
	if (!interfaces_add(f, name, hash))
		return NULL;
	f->last = f->count - 1;
	assert(f->count <= f->slot_count && !f->slots[at]); /* there is a free slot */
	if (2 * f->count > f->slot_count)
		interfaces_rehash(f);
	else
		f->slots[at] = (uint32_t)f->count;
	return &f->list[f->last];
}

struct flowlog_interface *flowlog_interface_by_id(struct flowlog_interfaces *f, int64_t vantage_id)
{
	int64_t index = vantage_id - f->first_id;

	return index >= 0 && index < (int64_t)f->count ? &f->list[index] : NULL;
}

/* Only addresses that stand in every record so far can be its own. */
static void interfaces_narrow(struct flowlog_own *own, const uint8_t *src, const uint8_t *dst)
{
	unsigned kept = 0;

	if (own->sure)
		return;
	if (!own->seen) {
		own->seen = true;
		memcpy(own->candidate[0], src, 16);
		memcpy(own->candidate[1], dst, 16);
		own->candidates = memcmp(src, dst, 16) ? 2 : 1;
		return;
	}
	if (own->candidates == 1 &&
		(!memcmp(own->candidate[0], dst, 16) || !memcmp(own->candidate[0], src, 16)))
		return;
	for (unsigned i = 0; i < own->candidates; i++)
		if (!memcmp(own->candidate[i], src, 16) || !memcmp(own->candidate[i], dst, 16))
			memmove(own->candidate[kept++], own->candidate[i], 16);
	own->candidates = (uint8_t)kept;
}

static void interfaces_settle(struct flowlog_own *own, const uint8_t *address)
{
	memcpy(own->candidate[0], address, 16);
	own->candidates = 1;
	own->seen = own->sure = true;
}

static void interfaces_learn_own(struct flowlog_interface *i, const struct flowlog_record *rec)
{
	struct flowlog_own *own = &i->own[!value_is_ipv4(&rec->src)];

	if (own->sure)
		return;
	if (rec->direction == FLOWLOG_INGRESS)
		interfaces_settle(own, rec->dst.bytes);
	else if (rec->direction == FLOWLOG_EGRESS)
		interfaces_settle(own, rec->src.bytes);
	else
		interfaces_narrow(own, rec->src.bytes, rec->dst.bytes);
}

static void interfaces_add_times(struct flowlog_interface *i, const struct flowlog_record *rec)
{
	if (rec->start_ns == FLOWLOG_NONE || rec->end_ns == FLOWLOG_NONE)
		return;
	if (i->first_ns == FLOWLOG_NONE || rec->start_ns < i->first_ns)
		i->first_ns = rec->start_ns;
	if (i->last_ns == FLOWLOG_NONE || rec->end_ns > i->last_ns)
		i->last_ns = rec->end_ns;
	if (rec->end_ns - rec->start_ns > i->interval_ns)
		i->interval_ns = rec->end_ns - rec->start_ns;
}

static void interfaces_add_source(
	struct flowlog_interface *i, const struct flowlog_record *rec, uint32_t id)
{
	struct flowlog_source *s = i->sources;

	for (unsigned k = 0; k < i->source_count; k++, s++)
		if (s->id == id)
			break;
	if (s == i->sources + i->source_count) {
		if (i->source_count == INTERFACE_SOURCES)
			return;
		*s = (struct flowlog_source){.id = id, .first_ns = INT64_MAX, .last_ns = INT64_MIN};
		i->source_count++;
	}
	s->records++;
	if (rec->start_ns == FLOWLOG_NONE || rec->end_ns == FLOWLOG_NONE)
		return;
	if (rec->start_ns < s->first_ns)
		s->first_ns = rec->start_ns;
	if (rec->end_ns > s->last_ns)
		s->last_ns = rec->end_ns;
}

void flowlog_interface_add(
	struct flowlog_interface *i, const struct flowlog_record *rec, uint32_t source)
{
	interfaces_add_times(i, rec);
	i->sampled |= rec->sampled;
	i->transit |= rec->transit;
	i->nodata += rec->status == FLOWLOG_NODATA;
	i->skipdata += rec->status == FLOWLOG_SKIPDATA;
	if (rec->status != FLOWLOG_OK)
		return;
	i->records++;
	i->accepted += rec->action == FLOWLOG_ACCEPT;
	i->rejected += rec->action == FLOWLOG_REJECT;
	i->has_flags |= rec->tcp_flags >= 0;
	interfaces_add_source(i, rec, source);
	interfaces_learn_own(i, rec);
}

const uint8_t *flowlog_interface_own(const struct flowlog_interface *i, bool v6)
{
	const struct flowlog_own *own = &i->own[v6];

	return own->candidates == 1 ? own->candidate[0] : NULL;
}

int64_t flowlog_interface_interval_s(const struct flowlog_interface *i)
{
	int64_t minutes = (i->interval_ns / NSEC_PER_SEC + 59) / 60;

	return 60 * (minutes < 1 ? 1 : minutes);
}

/* An address that another interface surely owns is not this one's. */
static void interfaces_exclude_owned(
	struct flowlog_interfaces *f, struct flowlog_interface *i, bool v6)
{
	struct flowlog_own *own = &i->own[v6];
	bool taken[2] = {false, false};

	for (size_t k = 0; k < f->count && own->candidates == 2; k++) {
		const uint8_t *other =
			&f->list[k] == i ? NULL : flowlog_interface_own(&f->list[k], v6);

		for (unsigned c = 0; other && c < 2; c++)
			taken[c] |= !memcmp(other, own->candidate[c], 16);
	}
	if (own->candidates != 2 || taken[0] == taken[1])
		return;
	if (taken[0])
		memcpy(own->candidate[0], own->candidate[1], 16);
	own->candidates = 1;
}

/*
 * Of flow logs that cover the same time the one with most records is summed: the others hold the
 * same packets again. Logs that follow each other (deleted and made anew) are all summed.
 */
static void interfaces_choose_sources(struct flowlog_interface *i)
{
	assert(i->source_count <= INTERFACE_SOURCES);
	for (unsigned a = 0; a < i->source_count; a++) {
		for (unsigned b = 0; b < i->source_count; b++) {
			const struct flowlog_source *x = &i->sources[a], *y = &i->sources[b];
			bool larger = y->records > x->records ||
				      (y->records == x->records && (y->id < x->id));

			if (a != b && larger && x->first_ns + i->interval_ns < y->last_ns &&
				y->first_ns + i->interval_ns < x->last_ns)
				i->sources[a].left_out = true;
		}
	}
}

void flowlog_interfaces_resolve(struct flowlog_interfaces *f)
{
	size_t ambiguous = 0;

	for (size_t k = 0; k < f->count; k++) {
		interfaces_choose_sources(&f->list[k]);
		for (int v6 = 0; v6 < 2; v6++) {
			if (f->list[k].own[v6].candidates != 2)
				continue;
			/* Each looks at all others: kept to a number that stays quick. */
			if (++ambiguous <= 1000)
				interfaces_exclude_owned(f, &f->list[k], v6);
		}
	}
}
