#include "flow/parts.h"

#include <assert.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "flow/interfaces.h"

/* More places in one interface than anyone compares; what is beyond is not told apart. */
#define PARTS_MAX 32

static struct part_key parts_key(const struct packet *p)
{
	struct part_key k = {.ifindex = p->link.ifindex};

	if (p->outer.depth &&
		(p->outer.tunnel == TUNNEL_VXLAN || p->outer.tunnel == TUNNEL_GENEVE ||
			p->outer.tunnel == TUNNEL_ERSPAN)) {
		k.tunnel = p->outer.tunnel;
		k.network = p->outer.tunnel_id;
	}
	return k;
}

/* What a frame does not say fits; what a place has not been told yet it takes from its first frame
 * that says it. */
static bool parts_takes(struct part_key *has, const struct part_key *k)
{
	if (k->ifindex && has->ifindex && k->ifindex != has->ifindex)
		return false;
	if (k->tunnel && has->tunnel && (k->tunnel != has->tunnel || k->network != has->network))
		return false;
	has->ifindex = k->ifindex ? k->ifindex : has->ifindex;
	if (k->tunnel) {
		has->tunnel = k->tunnel;
		has->network = k->network;
	}
	return true;
}

NOINLINE struct reading_vantage *parts_vantage(
	struct host_reading *rd, struct reading_vantage *whole, const struct packet *p)
{
	struct part_key key = parts_key(p);
	struct reading_vantage *rv;

	if (parts_takes(&whole->key, &key))
		return whole;
	for (uint32_t i = whole->place + 1; i < rd->count; i++)
		if (rd->vantages[i]->whole == whole && parts_takes(&rd->vantages[i]->key, &key)) {
			rd->vantages[i]->last_capture = rd->capture_index;
			return rd->vantages[i];
		}
	if (whole->part_count == PARTS_MAX || rd->count >= rd->limit)
		return whole;
	rv = interfaces_new_vantage(rd, whole->v.kind, whole->v.link_type);
	rv->whole = whole;
	rv->key = key;
	rv->last_capture = rd->capture_index;
	whole->part_count++;
	return rv;
}

static char *parts_name(const struct part_key *k)
{
	const char *word = k->tunnel == TUNNEL_ERSPAN ? "session" : "vni";

	if (!k->tunnel)
		return mem_printf("if%u", k->ifindex);
	return k->ifindex ? mem_printf("if%u:%s%u", k->ifindex, word, k->network)
			  : mem_printf("%s%u", word, k->network);
}

void parts_finish(struct reading_vantage *rv)
{
	const struct vantage *whole = &rv->whole->v;
	struct vantage *v = &rv->v;

	assert(rv->whole->whole == rv->whole); /* parts have no parts */
	if (rv->whole->part_count)
		v->part = parts_name(&rv->key);
	if (rv->whole == rv)
		return;
	v->span = whole->span;
	steady_copy(&v->steady, &whole->steady);
	v->interface = whole->interface ? mem_strdup(whole->interface) : NULL;
	v->filter = whole->filter ? mem_strdup(whole->filter) : NULL;
	for (uint32_t i = 0; i < whole->unrecorded.drops.count; i++)
		spans_add(&v->unrecorded.drops, whole->unrecorded.drops.rows[i]);
	for (uint32_t i = 0; i < whole->unrecorded.gaps.count; i++)
		spans_add(&v->unrecorded.gaps, whole->unrecorded.gaps.rows[i]);
}
