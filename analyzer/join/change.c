#include "join/change.h"

#include <stdio.h>

#include "decode/packet.h"

/* A SYN's options, which only the flow's sides keep: those of its first SYN. */
static bool changed_syn(const struct path *path, const struct transmission *sent, char detail[CHANGE_TEXT_SIZE])
{
	const struct flow_side *s = member_side(path->in.sent->member, path->in.direction);
	const struct flow_side *r = member_side(path->in.received->member, path->in.direction);
	uint8_t gone = s->tcp_options & (uint8_t)~r->tcp_options;

	if (!(sent->seg->flags & TCP_SYN) || (s->tcp_options | r->tcp_options) & TCPOPT_TRUNCATED)
		return false;
	if (s->mss && r->mss && s->mss != r->mss)
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "mss %u -> %u", s->mss, r->mss);
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

bool change_found(const struct path *path, const struct transmission *sent, const struct transmission *received,
	char detail[CHANGE_TEXT_SIZE])
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
	else if (s->hash && r->hash && s->hash != r->hash)
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "payload");
	else if (path->in.matcher->traits.tcp && s->window != r->window)
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "window %u -> %u", s->window, r->window);
	else if (path->in.matcher->traits.tcp && (sent->seg->flags & TCP_SYN))
		return changed_syn(path, sent, detail);
	else if (s->bits & SEGMENT_TIMESTAMP && !(r->bits & (SEGMENT_TIMESTAMP | SEGMENT_OPTIONS_CUT)))
		(void)snprintf(detail, CHANGE_TEXT_SIZE, "timestamp option removed");
	return detail[0];
}
