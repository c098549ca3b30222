/* What left one interface and came in at another. */
#include <assert.h>
#include <string.h>

#include "flowlog/facts_impl.h"

static struct loss *loss_of(struct worker *w, const struct flowlog_interface *from,
	const struct flowlog_interface *to, const struct tuple *t)
{
	struct loss_key key;
	struct loss *l;
	bool is_new;

	memset(&key, 0, sizeof(key));
	key.from = (uint32_t)from->vantage_id;
	key.to = (uint32_t)to->vantage_id;
	memcpy(key.src, t->src, 16);
	memcpy(key.dst, t->dst, 16);
	l = sums_get(&w->totals[w->stage].losses, &key, &is_new);
	if (l && is_new)
		l->first_s = UINT32_MAX;
	return l;
}

/*
 * Whether both logs tell how many packets of a direction were lost. Where one has more records than
 * the other, some are late or there twice. What is answered came in, under whatever address.
 */
static bool loss_is_known(const struct worker *w, const struct flowlog_interface *from,
	const struct flowlog_interface *to, const struct half *sent, const struct half *arrived,
	bool answered)
{
	if (!facts_covers(w, from, sent->first_s, sent->last_s) ||
		!facts_covers(w, to, sent->first_s, sent->last_s))
		return false;
	if (!arrived || !(arrived->records || arrived->rejected_records))
		return !answered;
	return sent->records == arrived->records + arrived->rejected_records;
}

/* What one direction of a 5-tuple shows at the sender's and at the receiver's ENI. */
static void loss_add(struct worker *w, const struct flowlog_interface *from,
	const struct flowlog_interface *to, const struct half *sent, const struct half *arrived,
	bool answered)
{
	uint64_t came = arrived ? arrived->packets + arrived->rejected_packets : 0;
	struct loss *l = loss_of(w, from, to, sent->accepted);

	if (!l) {
		w->totals[w->stage].left_out[1]++;
		return;
	}
	if (!loss_is_known(w, from, to, sent, arrived, answered)) {
		l->unjudged += sent->packets;
		return;
	}
	l->flows++;
	l->sent += sent->packets;
	l->arrived += arrived ? arrived->packets : 0;
	l->rejected += arrived ? arrived->rejected_packets : 0;
	if (sent->packets <= came)
		return;
	l->flows_missing += came == 0;
	l->flows_short += came > 0;
	l->missing += sent->packets - came;
	l->first_s = least(l->first_s, sent->first_s);
	l->last_s = most(l->last_s, sent->last_s);
	proof_take(&l->proof, sent->accepted);
}

/*
 * The ENI on one side of the way in direction d. Of several (a gateway's ENIs on the way) the one
 * that owns the address of that end; without such a one none, because which is next is not known.
 */
static const struct at_place *loss_place_on(
	const struct at_place *places, size_t n, unsigned d, unsigned side)
{
	const struct at_place *only = NULL, *end = NULL;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		const struct half *h = &places[i].half[d];
		const struct tuple *t = h->accepted ? h->accepted : h->rejected;

		if (h->side != side || !t || places[i].interface->transit)
			continue;
		count++;
		only = &places[i];
		if (facts_owns(only->interface, side == TUPLE_EGRESS ? t->src : t->dst))
			end = only;
	}
	return count == 1 ? only : end;
}

void loss_join_places(struct worker *w, const struct at_place *places, size_t n)
{
	assert(n <= PLACES);
	for (unsigned d = 0; d < 2; d++) {
		const struct at_place *from = loss_place_on(places, n, d, TUPLE_EGRESS);
		const struct at_place *to = loss_place_on(places, n, d, TUPLE_INGRESS);
		const struct flowlog_interface *expected;

		if (!from || !from->half[d].records || from->interface->sampled ||
			!from->half[d].counted)
			continue;
		expected = to ? to->interface
			      : facts_owner_of(w, from->half[d].accepted->dst,
					(uint32_t)from->interface->vantage_id);
		if (!expected || expected->sampled || expected == from->interface)
			continue;
		loss_add(w, from->interface, expected, &from->half[d], to ? &to->half[d] : NULL,
			from->half[!d].records > 0);
	}
}
