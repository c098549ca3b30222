/* What one interface shows of a 5-tuple: its halves, minutes, and what it let in for its host. */
#include <string.h>
#include <xxhash.h>

#include "base/nsec.h"
#include "flowlog/facts_impl.h"

/* Which side of the ENI a record is of: TUPLE_INGRESS, TUPLE_EGRESS or 0. */
static unsigned place_side_of(const struct flowlog_interface *i, const struct tuple *t)
{
	unsigned said = t->bits & (TUPLE_INGRESS | TUPLE_EGRESS);
	const uint8_t *own;

	if (said)
		return said;
	own = flowlog_interface_own(i, !facts_is_v4(t->src));
	if (!own)
		return 0;
	if (!memcmp(own, t->dst, 16))
		return TUPLE_INGRESS;
	return memcmp(own, t->src, 16) ? 0 : TUPLE_EGRESS;
}

static void place_keep_first(const struct tuple **kept, const struct tuple *t)
{
	if (!*kept || t->file < (*kept)->file ||
		(t->file == (*kept)->file && t->line < (*kept)->line))
		*kept = t;
}

static void place_half_add(struct half *h, const struct tuple *t, unsigned side)
{
	h->first_s = least(h->first_s, t->start_s);
	h->last_s = most(h->last_s, t->end_s);
	h->side |= side;
	h->client |= (t->bits & (TUPLE_CLIENT_KNOWN | TUPLE_FROM_SERVER)) == TUPLE_CLIENT_KNOWN;
	h->server |= (t->bits & TUPLE_FROM_SERVER) != 0;
	if (t->flags != TUPLE_NO_FLAGS) {
		h->flags = (h->flags == TUPLE_NO_FLAGS ? 0 : h->flags) | t->flags;
		h->syn |= (t->flags & 18) == 2;
		h->syn_ack |= (t->flags & 18) == 18;
	}
	if (t->bits & TUPLE_REJECTED) {
		h->rejected_records += 1 + t->more;
		h->rejected_packets += t->packets;
		h->rejected_first_s = least(h->rejected_first_s, t->start_s);
		h->rejected_last_s = most(h->rejected_last_s, t->end_s);
		place_keep_first(&h->rejected, t);
		return;
	}
	h->records += 1 + t->more;
	h->packets += t->packets;
	h->bytes += t->bytes;
	h->counted |= !(t->bits & TUPLE_BEGINS);
	h->accepted_first_s = least(h->accepted_first_s, t->start_s);
	place_keep_first(&h->accepted, t);
}

/* The minutes that a window touches, 16 at most (an aggregation interval is 10 minutes at most). */
static void place_add_minutes(struct worker *w, const struct tuple *t, unsigned side)
{
	uint32_t first = t->start_s / 60, last = t->end_s / 60;

	if (last - first > 15)
		last = first + 15;
	for (uint32_t minute = first; minute <= last; minute++) {
		struct window_key key = {t->vantage, minute};
		bool is_new;
		struct window *m;

		m = sums_get(&w->totals[SETTLED].windows, &key, &is_new);
		if (!m) {
			w->totals[SETTLED].left_out[0]++;
			return;
		}
		if (t->bits & TUPLE_REJECTED) {
			m->rejected++;
		} else if (side == TUPLE_INGRESS) {
			m->in_records++;
			m->in_packets += minute == first ? t->packets : 0;
		} else if (side == TUPLE_EGRESS) {
			m->out_records++;
			m->out_packets += minute == first ? t->packets : 0;
		}
	}
}

/* What the ENI accepted for its host, in windows that the host's capture covers whole. */
static void place_add_delivery(struct worker *w, const struct tuple *t)
{
	const struct flowlog_facts_input *in = w->in;
	int64_t from = ((int64_t)t->start_s - WINDOW_DELAY_S - in->clock_s) * NSEC_PER_SEC;
	int64_t to = ((int64_t)t->end_s + in->clock_s) * NSEC_PER_SEC;
	struct delivery_key key;
	struct delivery *d;
	bool is_new, covered = false;

	for (size_t i = 0; i < in->span_count && !covered; i++)
		covered = in->spans[i].vantage_id == t->vantage && in->spans[i].from_ns <= from &&
			  in->spans[i].to_ns >= to;
	if (!covered)
		return;
	memset(&key, 0, sizeof(key));
	key.vantage = t->vantage;
	memcpy(key.src, t->src, 16);
	memcpy(key.dst, t->dst, 16);
	key.src_port = t->src_port;
	key.dst_port = t->dst_port;
	key.protocol = t->protocol;
	key.protocol_none = t->protocol_none;
	key.has_port = (t->bits & TUPLE_PORTS) != 0;
	d = sums_get(&w->totals[SETTLED].deliveries, &key, &is_new);
	if (!d) {
		w->totals[SETTLED].left_out[2]++;
		return;
	}
	if (is_new)
		d->first_s = UINT32_MAX;
	d->records++;
	d->packets += t->packets;
	d->bytes += t->bytes;
	d->first_s = least(d->first_s, t->start_s);
	d->last_s = most(d->last_s, t->end_s);
	proof_take(&d->proof, t);
}

/* The records of one 5-tuple at one ENI, in order of start. */
void place_sum(struct worker *w, struct at_place *p)
{
	const struct flowlog_interface *i = p->interface;

	for (unsigned d = 0; d < 2; d++)
		p->half[d] = (struct half){.first_s = UINT32_MAX,
			.accepted_first_s = UINT32_MAX,
			.rejected_first_s = UINT32_MAX,
			.flags = TUPLE_NO_FLAGS};
	for (size_t k = 0; k < p->count; k++) {
		const struct tuple *t = p->list[k];
		unsigned side = place_side_of(i, t);

		place_half_add(&p->half[facts_direction_of(t)], t, side);
		if (t->carried)
			continue;
		if (side && !i->sampled)
			place_add_minutes(w, t, side);
		if (side == TUPLE_INGRESS && !(t->bits & TUPLE_REJECTED) && w->in->span_count)
			place_add_delivery(w, t);
	}
}
