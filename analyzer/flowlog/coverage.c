/* Whose address it is, and what the log of an interface covers. */
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "flowlog/facts_impl.h"

bool facts_is_v4(const uint8_t *address)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(address, prefix, 12);
}

static int coverage_compare_ends(const struct tuple *t)
{
	int c = memcmp(t->src, t->dst, 16);

	return c ? c : (int)t->src_port - (int)t->dst_port;
}

unsigned facts_direction_of(const struct tuple *t)
{
	return coverage_compare_ends(t) > 0;
}

/* SKIPDATA of an ENI that overlaps a span. */
bool facts_skipped(
	const struct flowlog_facts_input *in, uint32_t vantage, int64_t from_s, int64_t to_s)
{
	size_t low = 0, high = in->skip_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (in->skips[middle].vantage < vantage)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < in->skip_count && in->skips[low].vantage == vantage; low++)
		if (in->skips[low].from_s <= to_s && in->skips[low].to_s >= from_s)
			return true;
	return false;
}

bool facts_shown(
	const struct flowlog_facts_input *in, uint32_t vantage, int64_t from_s, int64_t to_s)
{
	int64_t from = (from_s + 59) / 60, to = to_s / 60;

	for (int64_t word = from / 64; from >= 0 && word <= to / 64; word++) {
		const struct flowlog_presence key = {.vantage = vantage, .word = (uint32_t)word};
		const struct flowlog_presence *p = sums_find(in->presence, &key);
		uint64_t wanted = UINT64_MAX;

		if (word == from / 64)
			wanted &= UINT64_MAX << from % 64;
		if (word == to / 64)
			wanted &= UINT64_MAX >> (63 - to % 64);
		if (p && p->minutes & wanted)
			return true;
	}
	return false;
}

bool facts_at_edge(const struct flowlog_facts_input *in, uint32_t vantage, int64_t end_s)
{
	return end_s + in->edge_s > in->end_s ||
	       !facts_shown(in, vantage, end_s + WINDOW_DELAY_S, facts_settled_s(in, end_s));
}

bool facts_has_begun(const struct worker *w, const struct flowlog_interface *i, int64_t at_s)
{
	return i->first_ns != FLOWLOG_NONE &&
	       i->first_ns / NSEC_PER_SEC <= facts_settled_s(w->in, at_s);
}

bool facts_covers(
	const struct worker *w, const struct flowlog_interface *i, int64_t from_s, int64_t to_s)
{
	int64_t margin = flowlog_interface_interval_s(i) + WINDOW_DELAY_S;
	uint32_t vantage = (uint32_t)i->vantage_id;

	return i->first_ns != FLOWLOG_NONE && from_s - margin >= i->first_ns / NSEC_PER_SEC &&
	       facts_shown(w->in, vantage, to_s + margin, facts_settled_s(w->in, to_s)) &&
	       !facts_skipped(w->in, vantage, from_s - margin, to_s + margin);
}

const struct flowlog_interface *facts_owner_of(
	const struct worker *w, const uint8_t *address, uint32_t not_this)
{
	struct owner *o = w->owners;
	size_t mask = w->owner_slots - 1, at = XXH3_64bits(address, 16) & mask;

	for (; o[at].used; at = (at + 1) & mask)
		if (!memcmp(o[at].address, address, 16) && o[at].vantage != not_this)
			return flowlog_interface_by_id(
				(struct flowlog_interfaces *)w->in->interfaces, o[at].vantage);
	return NULL;
}

bool facts_owns(const struct flowlog_interface *i, const uint8_t *address)
{
	const uint8_t *own = flowlog_interface_own(i, !facts_is_v4(address));

	return own && !memcmp(own, address, 16);
}

void facts_index_owners(struct worker *w)
{
	const struct flowlog_interfaces *f = w->in->interfaces;

	w->owner_slots = 64;
	while (w->owner_slots < 4 * f->count)
		w->owner_slots *= 2;
	w->owners = mem_array(w->owner_slots, sizeof(*w->owners));
	for (size_t i = 0; i < f->count; i++) {
		for (int v6 = 0; v6 < 2; v6++) {
			const uint8_t *own = flowlog_interface_own(&f->list[i], v6);
			size_t at;

			/* What forwards for others is not where packets end. */
			if (!own || f->list[i].transit)
				continue;
			at = XXH3_64bits(own, 16) & (w->owner_slots - 1);
			while (w->owners[at].used)
				at = (at + 1) & (w->owner_slots - 1);
			w->owners[at].used = true;
			w->owners[at].vantage = (uint32_t)f->list[i].vantage_id;
			memcpy(w->owners[at].address, own, 16);
		}
	}
}
