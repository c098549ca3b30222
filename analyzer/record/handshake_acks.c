#include "record/handshake_acks.h"

#include <string.h>

#include "decode/packet.h"

static bool handshake_acks_server_sent_payload(const struct join *j, const struct flow *c)
{
	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = j->all->members[i].next)
		if (member_side(&j->all->members[i], S2C)->bytes)
			return true;
	return false;
}

const struct member *handshake_acks_sender(const struct join *j, const struct flow *c,
	const struct flow_summary *sum, const struct event *e)
{
	const struct member *m;
	bool ends;

	if (c->pairing == PAIRED_AMBIGUOUS || c->pairing == PAIRED_PROXY)
		return NULL;
	if ((e->kind != EVENT_LOST && e->kind != EVENT_MISADDRESSED) || e->direction != C2S ||
		e->length || !e->sent ||
		(e->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK ||
		!sum->has_isn[C2S])
		return NULL;
	m = flow_member_seen_from(j->all, (uint32_t)(c - j->all->list), e->from);
	if (!m || !sum->tcp || e->seq != sum->isn[C2S] + m->delta[C2S] + 1)
		return NULL;
	ends = sum->has_isn[S2C] ? e->sent->ack == sum->isn[S2C] + m->delta[S2C] + 1
				 : !handshake_acks_server_sent_payload(j, c);
	return ends ? m : NULL;
}

void handshake_acks_insert(struct btree *t, uint64_t event_row, const struct member *from,
	const struct flow_summary *sum)
{
	struct row *row = btree_row(t);

	row_null(row); /* the rowid */
	row_ip(row, member_ip(from, true));
	row_ip(row, member_ip(from, false));
	row_int(row, member_port(from, false));
	row_int(row, strcmp(sum->outcome, "half_open") == 0);
	btree_skip_to(t, (int64_t)event_row);
	(void)btree_end_row(t);
}
