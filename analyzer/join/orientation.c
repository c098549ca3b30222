#include "join/orientation.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

/* Who asks for an echo is the client. False where the first packet is none. */
static bool orientation_by_echo(const struct flow_vantage *f, bool *ret_client_is_b)
{
	bool v6 = f->key.protocol == IPPROTO_ICMPV6, from_b;
	const struct segment *first;
	uint32_t type;

	if ((f->key.protocol != IPPROTO_ICMP && !v6) || !f->head || !f->head->used)
		return false;
	first = f->head->slots;
	from_b = first->bits & SEGMENT_FROM_B;
	type = first->seq >> 16;
	if (type == (v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO))
		*ret_client_is_b = from_b;
	else if (type == (v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY))
		*ret_client_is_b = !from_b;
	else
		return false;
	return true;
}

bool orientation_client_is_b(const struct flow_vantage *f, bool *ret_known)
{
	const struct flow_side *a = &f->side[0], *b = &f->side[1];
	bool client_is_b;

	*ret_known = true;
	if (a->sent_syn_only || (b->has_isn && !b->sent_syn_only))
		return false;
	if (b->sent_syn_only || (a->has_isn && !a->sent_syn_only))
		return true;
	if (orientation_by_echo(f, &client_is_b))
		return client_is_b;
	*ret_known = false;
	return f->key.b_port > f->key.a_port;
}

static void orientation_turn(struct member *m)
{
	uint32_t delta = m->delta[C2S];

	m->client_is_b = !m->client_is_b;
	m->delta[C2S] = m->delta[S2C];
	m->delta[S2C] = delta;
}

void orientation_agree(const struct flows *all, struct member *m, uint32_t flow, bool is_crossed)
{
	bool known;

	if (!is_crossed)
		return;
	(void)orientation_client_is_b(m->flow, &known);
	if (!known)
		orientation_turn(m);
	if (!known || all->list[flow].client_known)
		return;
	for (uint32_t i = all->list[flow].first_member; i != MEMBER_NONE; i = all->members[i].next)
		orientation_turn(&all->members[i]);
}

void orientation_agree_with(const struct flows *all, struct member *m, uint32_t other)
{
	const struct member *o = &all->members[other];

	orientation_agree(all, m, o->flow->flow, m->client_is_b != o->client_is_b);
}
