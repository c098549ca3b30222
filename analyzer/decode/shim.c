/*
 * shim: what may stand between the link and IP: MPLS (RFC 3032, a pseudowire's control word RFC
 * 4385), PPPoE (RFC 2516), PPP (RFC 1661, 1662), and MACsec where only integrity is protected (IEEE
 * 802.1AE).
 */
#include "decode/layer.h"

#define MPLS_ENTRY_LEN 4
#define MPLS_BOTTOM 0x01
#define MPLS_DEPTH_MAX 16
#define CONTROL_WORD_LEN 4

#define PPPOE_HDR_LEN 6
#define PPPOE_VERSION_TYPE 0x11

#define PPP_IPV4 0x0021
#define PPP_IPV6 0x0057
#define PPP_MPLS 0x0281

#define MACSEC_HDR_LEN 6 /* behind the ethertype */
#define MACSEC_SCI_LEN 8
#define MACSEC_HAS_SCI 0x20
#define MACSEC_ENCRYPTED 0x0c /* E: encrypted, C: changed */
#define MACSEC_VERSION 0x80

/* Behind the last label nothing says what follows: IP by its version, or a pseudowire's control
 * word, whose first four bits are 0. */
enum packet_disposition mpls_decode(struct layer *l)
{
	const uint8_t *h;

	for (int i = 0; i < MPLS_DEPTH_MAX; i++) {
		h = layer_take(l, MPLS_ENTRY_LEN);
		if (!h)
			return layer_short(l, MPLS_ENTRY_LEN);
		if (!(h[2] & MPLS_BOTTOM))
			continue;
		h = cur_peek(&l->c, 1);
		if (!h)
			return layer_short(l, 1);
		switch (h[0] >> 4) {
		case 4:
			return ipv4_decode(l);
		case 6:
			return ipv6_decode(l);
		case 0:
			return layer_take(l, CONTROL_WORD_LEN) ? inner_ethernet_decode(l)
							       : layer_short(l, CONTROL_WORD_LEN);
		}
		return PACKET_OTHER_ETHERTYPE;
	}
	return PACKET_OTHER_ETHERTYPE;
}

/* Address and control may be left out, and so may the protocol's first byte when it is 0. */
enum packet_disposition ppp_decode(struct layer *l)
{
	const uint8_t *h = cur_peek(&l->c, 2);
	uint16_t protocol;

	if (h && be16(h) == 0xff03) {
		(void)layer_take(l, 2);
		h = cur_peek(&l->c, 2);
	}
	if (!h)
		return layer_short(l, 2);
	protocol = h[0] & 1 ? h[0] : be16(h);
	(void)layer_take(l, h[0] & 1 ? 1 : 2);
	switch (protocol) {
	case PPP_IPV4:
		return ipv4_decode(l);
	case PPP_IPV6:
		return ipv6_decode(l);
	case PPP_MPLS:
		return mpls_decode(l);
	}
	return PACKET_OTHER_ETHERTYPE;
}

/* Version and type 1, code 1, session 2, length 2 of the PPP frame, which padding may follow. */
enum packet_disposition pppoe_decode(struct layer *l)
{
	const uint8_t *h = layer_take(l, PPPOE_HDR_LEN);
	uint16_t length;

	if (!h)
		return layer_short(l, PPPOE_HDR_LEN);
	length = be16(h + 4);
	if (h[0] != PPPOE_VERSION_TYPE || h[1] != 0 || (length > l->wire && !l->wire_unknown))
		return PACKET_MALFORMED;
	if (length < l->wire)
		layer_limit(l, length);
	return ppp_decode(l);
}

/* Flags 1, short length 1, packet number 4, and the sender's identifier 8 where a flag says so; the
 * frame goes on with its ethertype. The check value at its end looks like padding. */
enum packet_disposition macsec_decode(struct layer *l)
{
	const uint8_t *h = layer_take(l, MACSEC_HDR_LEN), *type;

	if (!h)
		return layer_short(l, MACSEC_HDR_LEN);
	if (h[0] & (MACSEC_VERSION | MACSEC_ENCRYPTED))
		return PACKET_OTHER_ETHERTYPE;
	if ((h[0] & MACSEC_HAS_SCI) && !layer_take(l, MACSEC_SCI_LEN))
		return layer_short(l, MACSEC_SCI_LEN);
	type = layer_take(l, 2);
	return type ? ethertype_decode(l, be16(type)) : layer_short(l, 2);
}
