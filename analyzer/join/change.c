#include "join/change.h"

#include <stdio.h>

#include "decode/packet.h"

static const struct segment *change_first_syn(const struct half_flow *l)
{
	for (uint32_t i = 0; i < l->count; i++)
		if (l->transmissions[i].seg->flags & TCP_SYN)
			return l->transmissions[i].seg;
	return NULL;
}

/* A SYN's options, which only the flow's sides keep: those of its first SYN, which may be another
 * one here than there. */
static bool change_changed_syn(const struct path *path, const struct segment *sent,
	const struct segment *received, char detail[CHANGE_TEXT_SIZE])
{
	const struct flow_side *s = member_side(path->in.sent->member, path->in.direction);
	const struct flow_side *r = member_side(path->in.received->member, path->in.direction);
	uint8_t gone = s->tcp_options & (uint8_t)~r->tcp_options;

	if ((sent->flags ^ received->flags) & (TCP_ECE | TCP_CWR))
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "ecn flags of the syn");
	if (sent != change_first_syn(path->in.sent) ||
		received != change_first_syn(path->in.received) ||
		(s->tcp_options | r->tcp_options) & TCPOPT_TRUNCATED)
		return detail[0];
	if (s->mss && r->mss && s->mss != r->mss)
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "mss %u -> %u", s->mss, r->mss);
	else if (s->wscale != 255 && r->wscale != 255 && s->wscale != r->wscale)
		(void)snprintf(
			detail, CHANGE_TEXT_SIZE, "window scale %u -> %u", s->wscale, r->wscale);
	else if (gone & TCPOPT_HAS_TIMESTAMP)
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "timestamp option removed");
	else if (gone & TCPOPT_HAS_SACK_PERMITTED)
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "sack-permitted option removed");
	else if (gone & TCPOPT_HAS_WSCALE)
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "window scale option removed");
	else if (gone & TCPOPT_HAS_MSS)
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "mss option removed");
	return detail[0];
}

/*
 * Blocks count in the numbers of the other direction: where a box on the way moves those, it has to
 * move the blocks too, by as much (RFC 2018 3).
 */
static bool change_changed_sack(
	const struct path *path, const struct segment *s, const struct segment *r)
{
	const struct segment_sack *x = segment_sack(s), *y = segment_sack(r);
	uint32_t moved = path->in.received->ack_delta - path->in.sent->ack_delta;

	if (!x || !y || x->count != y->count)
		return false;
	for (uint32_t i = 0; i < x->count; i++)
		if (y->edge[i][0] - x->edge[i][0] != moved ||
			y->edge[i][1] - x->edge[i][1] != moved)
			return true;
	return false;
}

bool change_found(const struct path *path, const struct transmission *sent,
	const struct transmission *received, char detail[CHANGE_TEXT_SIZE])
{
	const struct segment *s = sent->seg, *r = received->seg;
	uint8_t ecn_sent = s->tos & 3, ecn_got = r->tos & 3;

	detail[0] = 0;
	if ((s->tos ^ r->tos) >> 2)
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "dscp %u -> %u", s->tos >> 2, r->tos >> 2);
	/* Congestion marking (RFC 3168) is what ECN is for; anything else is not. */
	else if (ecn_sent != ecn_got && !(ecn_got == 3 && ecn_sent))
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "ecn %u -> %u", ecn_sent, ecn_got);
	else if (r->ttl > s->ttl)
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "ttl %u -> %u", s->ttl, r->ttl);
	else if (s->length != r->length)
		(void)snprintf(
			detail, CHANGE_TEXT_SIZE, "payload %u -> %u bytes", s->length, r->length);
	else if (segment_payload_differs(s, r))
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "payload");
	else if (path->in.matcher->traits.tcp && s->window != r->window)
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "window %u -> %u", s->window, r->window);
	else if (path->in.matcher->traits.tcp && (sent->seg->flags & TCP_SYN))
		return change_changed_syn(path, s, r, detail);
	else if (change_changed_sack(path, s, r))
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "sack blocks");
	else if (s->bits & SEGMENT_TIMESTAMP &&
		 !(r->bits & (SEGMENT_TIMESTAMP | SEGMENT_OPTIONS_CUT)))
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "timestamp option removed");
	return detail[0];
}
