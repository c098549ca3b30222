/* icmp: ICMP and ICMPv6 messages, neighbour discovery (RFC 4861) and quoted packets. */
#include "anonymise/layers.h"

#define HDR_LEN 8

enum { UNREACHABLE = 3, QUENCH = 4, REDIRECT = 5, TIME_EXCEEDED = 11, PARAMETER = 12 };
enum {
	ECHO_REQUEST6 = 128,
	ECHO_REPLY6 = 129,
	LISTENER_QUERY = 130,
	LISTENER_REPORT = 131,
	LISTENER_DONE = 132,
	ROUTER_SOLICITATION = 133,
	ROUTER_ADVERTISEMENT = 134,
	NEIGHBOR_SOLICITATION = 135,
	NEIGHBOR_ADVERTISEMENT = 136,
	REDIRECT6 = 137
};

void layers_icmp(struct rewriting *r, struct extent x)
{
	uint8_t type = extent_left(x) ? r->old[x.at] : 0;

	if (!extent_skip(&x, HDR_LEN)) {
		if (extent_left(x) > 4)
			layers_zero(r, (struct extent){x.at + 4, x.end});
		return;
	}
	switch (type) {
	case REDIRECT:
		disguise_ipv4(r->d, r->new + x.at - 4);
		layers_ip(r, 4, x);
		return;
	case UNREACHABLE:
	case QUENCH:
	case TIME_EXCEEDED:
	case PARAMETER:
		layers_ip(r, 4, x);
		return;
	default:
		layers_payload(r, x);
	}
}

/* An address of ND that was captured whole; what was not is cleared. */
static bool icmp_address(struct rewriting *r, struct extent *x)
{
	if (extent_left(*x) < 16) {
		layers_zero(r, *x);
		return false;
	}
	disguise_ipv6(r->d, r->new + x->at);
	x->at += 16;
	return true;
}

/* Options of ND: type 1, length in 8 bytes 1. What is not known is cleared but for these two. */
static void icmp_options(struct rewriting *r, struct extent x)
{
	enum { SOURCE = 1, TARGET = 2, PREFIX = 3, MTU = 5 };

	while (extent_left(x) >= 2 && r->old[x.at + 1]) {
		size_t length = r->old[x.at + 1] * 8u;
		uint8_t type = r->old[x.at];
		struct extent o = {x.at + 2, x.end};

		if (length <= extent_left(x))
			o.end = x.at + length;
		if ((type == SOURCE || type == TARGET) && extent_left(o) >= 6)
			disguise_mac(r->d, r->new + o.at);
		else if (type == PREFIX && extent_left(o) == 30)
			disguise_ipv6(r->d, r->new + o.at + 14);
		else if (type != MTU)
			layers_zero(r, o);
		if ((type == SOURCE || type == TARGET) && extent_left(o) > 6)
			layers_zero(r, (struct extent){o.at + 6, o.end});
		x.at = o.end;
	}
	layers_zero(r, x);
}

void layers_icmp6(struct rewriting *r, struct extent x)
{
	uint8_t type = extent_left(x) ? r->old[x.at] : 0;

	if (!extent_skip(&x, HDR_LEN)) {
		if (extent_left(x) > 4)
			layers_zero(r, (struct extent){x.at + 4, x.end});
		return;
	}
	if (type < ECHO_REQUEST6) {
		layers_ip(r, 6, x);
		return;
	}
	switch (type) {
	case ROUTER_SOLICITATION:
		icmp_options(r, x);
		return;
	case ROUTER_ADVERTISEMENT:
		if (extent_skip(&x, 8))
			icmp_options(r, x);
		else
			layers_zero(r, x);
		return;
	case NEIGHBOR_SOLICITATION:
	case NEIGHBOR_ADVERTISEMENT:
		if (icmp_address(r, &x))
			icmp_options(r, x);
		return;
	case REDIRECT6:
		if (icmp_address(r, &x) && icmp_address(r, &x))
			icmp_options(r, x);
		return;
	case LISTENER_QUERY:
	case LISTENER_REPORT:
	case LISTENER_DONE:
		if (icmp_address(r, &x))
			layers_zero(r, x);
		return;
	default:
		layers_payload(r, x);
	}
}
