#include "flow/summary.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "flow/notes/addresses.h"

/* Different services in one capture that speak against a filter by port. */
#define WIDE_SERVICES 3

struct service summary_service(const struct flow_vantage *f, bool server_is_b)
{
	struct service s = {
		.protocol = f->key.protocol, .port = server_is_b ? f->key.b_port : f->key.a_port};

	memcpy(s.ip, server_is_b ? f->key.b : f->key.a, 16);
	return s;
}

static bool summary_server_is_b(const struct flow_vantage *f)
{
	if (f->side[0].sent_syn_only || f->side[1].sent_syn_only)
		return f->side[0].sent_syn_only;
	return f->key.b_port < f->key.a_port;
}

/* Ports of services that the vantage point saw, as many as tell. */
struct ports {
	uint32_t seen[WIDE_SERVICES], count;
};

static void summary_note_service(
	struct vantage *v, const struct flow_vantage *f, struct ports *ports)
{
	bool b = summary_server_is_b(f);
	struct address *server = addresses_of(&v->addresses, f, b);
	uint32_t port = (uint32_t)f->key.protocol << 16 | (b ? f->key.b_port : f->key.a_port),
		 k = 0;
	struct service key;

	/* An address mostly has few services, and very many flows to them. */
	if (server && server->service == port)
		return;
	if (server)
		server->service = port;
	key = summary_service(f, b);
	(void)hashset_add(&v->addresses.services, &key);
	while (k < ports->count && ports->seen[k] != port)
		k++;
	if (k == ports->count && k < WIDE_SERVICES)
		ports->seen[ports->count++] = port;
}

static void summary_use_address(
	struct address *a, const struct flow_side *side, uint64_t frames, bool answered)
{
	uint8_t ttl = side->seen ? side->ttl : 0;

	a->frames[VIEW_ALL] += frames;
	/* Of a flow seen one way only, just the sender. */
	a->frames[VIEW_SENDER] += side->packets ? frames : 0;
	a->frames[VIEW_ANSWERED] += answered ? frames : 0;
	a->ttl_max = ttl > a->ttl_max ? ttl : a->ttl_max;
	a->ttl_max_answered = answered && ttl > a->ttl_max_answered ? ttl : a->ttl_max_answered;
}

static void summary_note_sent_out(const struct vantage *v, const struct flow_vantage *f, bool b)
{
	const struct flow_side *side = &f->side[b];

	if (side->directions & PACKET_OUT && summary_is_initial_ttl(side->ttl) &&
		ip_is_unicast(b ? f->key.b : f->key.a) && f->address[b] != ADDRESS_NONE)
		addresses_of(&v->addresses, f, b)->sent_out = true;
}

static void summary_note_addresses(struct vantage *v, const struct flow_vantage *f)
{
	uint64_t frames = (uint64_t)f->side[0].packets + f->side[1].packets;
	bool answered = f->side[0].packets && f->side[1].packets;

	summary_note_sent_out(v, f, false);
	summary_note_sent_out(v, f, true);
	if (!ip_is_unicast(f->key.a) || !ip_is_unicast(f->key.b))
		return;
	v->counts.unicast_frames += frames;
	v->counts.answered_frames += answered ? frames : 0;
	if (f->address[0] != ADDRESS_NONE)
		summary_use_address(
			addresses_of(&v->addresses, f, false), &f->side[0], frames, answered);
	if (f->address[1] != ADDRESS_NONE && f->address[1] != f->address[0])
		summary_use_address(
			addresses_of(&v->addresses, f, true), &f->side[1], frames, answered);
}

/* Many flows in a row are between the same two addresses. */
static void summary_note_pair(
	struct vantage *v, const struct flow_vantage *f, struct address_pair *last)
{
	uint32_t a = f->address[0], b = f->address[1];
	struct address_pair pair = {.low = a < b ? a : b, .high = a < b ? b : a};

	if (a == ADDRESS_NONE || b == ADDRESS_NONE ||
		(pair.low == last->low && pair.high == last->high))
		return;
	(void)hashset_add(&v->addresses.pairs, &pair);
	*last = pair;
}

/* Packets of one side alone that show what a connection answers: the other side was there. */
#define ONE_WAY_PACKETS 3

static bool summary_is_answered_unseen(const struct flow_vantage *f)
{
	const struct flow_side *a = &f->side[0], *b = &f->side[1], *only = a->packets ? a : b;

	if (f->key.protocol != IPPROTO_TCP || (a->packets && b->packets) || only->rsts)
		return false;
	/* A SYN-ACK answers a SYN, and an ACK behind a SYN a SYN-ACK. */
	return (only->has_isn && (!only->sent_syn_only || only->acked)) ||
	       (only->packets >= ONE_WAY_PACKETS && only->acked && only->bytes);
}

static void summary_note_senders(struct vantage *v, const struct flow_vantage *f)
{
	for (int side = 0; side < 2; side++)
		if (f->address[side] != ADDRESS_NONE && f->side[side].packets)
			addresses_of(&v->addresses, f, side)->sent = true;
}

static void summary_note_silent(struct flowtab *t, uint32_t flow)
{
	MEM_RESERVE(t->silent, t->silent_count, t->silent_cap);
	t->silent[t->silent_count++] = flow;
}

void summary_make(struct vantage *v)
{
	struct address_pair last = {ADDRESS_NONE, ADDRESS_NONE};
	struct ports ports = {.count = 0};
	bool unseen_answers = false;

	for (uint32_t i = 0; i < v->flows.count; i++) {
		struct flow_vantage *f = flowtab_at(&v->flows, i);

		macs_close_run(&v->macs, &v->addresses, f, false);
		macs_close_run(&v->macs, &v->addresses, f, true);
		addresses_look_up(&v->addresses, f);
		summary_note_addresses(v, f);
		summary_note_service(v, f, &ports);
		summary_note_pair(v, f, &last);
		summary_note_senders(v, f);
		unseen_answers |= summary_is_answered_unseen(f);
		if (f->was_silent)
			summary_note_silent(&v->flows, i);
		v->addresses.protocols[f->key.protocol] = true;
	}
	assert(ports.count <= WIDE_SERVICES);
	/* ARP beside IP: no filter by port, at least. */
	v->addresses.wide =
		ports.count == WIDE_SERVICES || (v->counts.non_ip_frames && ports.count);
	v->addresses.one_way = unseen_answers && !v->counts.answered_frames;
}
