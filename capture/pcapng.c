#include "pcapng.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void pcapng_add_comments(struct strbuf *out, const struct comments *c)
{
	size_t i, length;

	for (i = 0; c && i < c->count; i++) {
		const char *text = comments_get(c, i, &length);

		pcapng_add_option(out, PCAPNG_OPT_COMMENT, text, length);
	}
}

void pcapng_add_section(struct strbuf *out, const struct pcapng_section *s)
{
	size_t at = pcapng_begin_section(out);

	pcapng_add_option_text(out, PCAPNG_SHB_HARDWARE, s->hardware);
	pcapng_add_option_text(out, PCAPNG_SHB_OS, s->os);
	pcapng_add_option_text(out, PCAPNG_SHB_APPLICATION, s->application);
	pcapng_add_comments(out, s->comments);
	pcapng_end_block(out, at);
}

/* "10.0.1.20/24" or "fe80::1/64" as the option's bytes: address, then mask (IPv4) or length. */
static void pcapng_add_address(struct strbuf *out, const char *text, size_t length)
{
	char address[64], *slash;
	uint8_t bytes[17];
	uint32_t mask;
	int prefix;

	if (length >= sizeof(address))
		return;
	memcpy(address, text, length);
	address[length] = '\0';
	slash = strchr(address, '/');
	if (!slash)
		return;
	*slash = '\0';
	prefix = atoi(slash + 1);
	if (inet_pton(AF_INET, address, bytes) == 1 && prefix >= 0 && prefix <= 32) {
		mask = prefix ? htonl(UINT32_MAX << (32 - prefix)) : 0;
		memcpy(bytes + 4, &mask, sizeof(mask));
		pcapng_add_option(out, PCAPNG_IF_IPV4, bytes, 8);
	} else if (inet_pton(AF_INET6, address, bytes) == 1 && prefix >= 0 && prefix <= 128) {
		bytes[16] = (uint8_t)prefix;
		pcapng_add_option(out, PCAPNG_IF_IPV6, bytes, 17);
	}
}

static void pcapng_add_addresses(struct strbuf *out, const char *addresses)
{
	size_t n;

	for (; addresses && *addresses; addresses += n + (addresses[n] == ' ')) {
		n = strcspn(addresses, " ");
		pcapng_add_address(out, addresses, n);
	}
}

static void pcapng_add_filter(struct strbuf *out, const char *filter)
{
	char option[4096];

	/* First byte 0: a filter string follows (draft 4.2, if_filter). */
	if (!filter || !filter[0])
		return;
	option[0] = 0;
	snprintf(option + 1, sizeof(option) - 1, "%s", filter);
	pcapng_add_option(out, PCAPNG_IF_FILTER, option, 1 + strlen(option + 1));
}

void pcapng_add_interface(struct strbuf *out, const struct pcapng_interface *i)
{
	size_t at = pcapng_begin_interface(out, i->link_type, i->snaplen);

	pcapng_add_option_text(out, PCAPNG_IF_NAME, i->name);
	pcapng_add_option_text(out, PCAPNG_IF_DESCRIPTION, i->description);
	pcapng_add_addresses(out, i->addresses);
	if (i->mac)
		pcapng_add_option(out, PCAPNG_IF_MAC, i->mac, 6);
	if (i->speed_bits)
		pcapng_add_option_u64(out, PCAPNG_IF_SPEED, i->speed_bits);
	pcapng_add_resolution(out);
	pcapng_add_filter(out, i->filter);
	pcapng_add_option_text(out, PCAPNG_IF_HARDWARE, i->hardware);
	pcapng_end_block(out, at);
}

void pcapng_add_statistics(struct strbuf *out, const struct pcapng_statistics *s)
{
	size_t at = pcapng_begin_block(out, PCAPNG_STATISTICS);

	pcapng_add_u32(out, s->interface);
	pcapng_add_time(out, s->at_ns);
	pcapng_add_comments(out, s->comments);
	pcapng_add_option_time(out, PCAPNG_ISB_START, s->start_ns);
	if (s->end_ns)
		pcapng_add_option_time(out, PCAPNG_ISB_END, s->end_ns);
	pcapng_add_option_u64(out, PCAPNG_ISB_RECEIVED, s->received);
	if (s->has_dropped_interface)
		pcapng_add_option_u64(out, PCAPNG_ISB_IFDROP, s->dropped_interface);
	pcapng_add_option_u64(out, PCAPNG_ISB_OSDROP, s->dropped_kernel);
	pcapng_add_option_u64(out, PCAPNG_ISB_DELIVERED, s->delivered);
	pcapng_end_block(out, at);
}

static uint8_t *pcapng_put_u32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *pcapng_put_padded(uint8_t *p, const void *bytes, uint32_t n)
{
	memcpy(p, bytes, n);
	memset(p + n, 0, -n & 3U);
	return p + n + (-n & 3U);
}

static uint8_t *pcapng_put_hash(uint8_t *p, const struct payload_hash *h)
{
	char text[PAYLOAD_HASH_LENGTH];

	payload_hash_text(text, h);
	p = pcapng_put_u32(p, PCAPNG_OPT_COMMENT | (uint32_t)sizeof(text) << 16);
	return pcapng_put_padded(p, text, sizeof(text));
}

static uint8_t *pcapng_put_packet_options(uint8_t *p, const struct record *r, uint64_t dropped)
{
	if (!r->flags && !dropped && !r->comment && !r->hash)
		return p;
	if (r->flags) {
		p = pcapng_put_u32(p, PCAPNG_EPB_FLAGS | 4U << 16);
		p = pcapng_put_u32(p, r->flags);
	}
	if (r->comment) {
		p = pcapng_put_u32(p, PCAPNG_OPT_COMMENT | r->comment_length << 16);
		p = pcapng_put_padded(p, r->comment, r->comment_length);
	}
	if (r->hash)
		p = pcapng_put_hash(p, r->hash);
	if (dropped) {
		p = pcapng_put_u32(p, PCAPNG_EPB_DROPCOUNT | 8U << 16);
		memcpy(p, &dropped, sizeof(dropped));
		p += sizeof(dropped);
	}
	return pcapng_put_u32(p, PCAPNG_OPT_END);
}

_Static_assert(PCAPNG_PACKET_EXTRA >= 28 + 3 + 8 + 12 + 4 + 3 + 4 + PAYLOAD_HASH_LENGTH + 3 + 4 + 4,
	"header, padding, flags, drops, head and padding of a comment, hash, end, length");

uint32_t pcapng_put_packet(
	uint8_t *start, uint32_t interface, const struct record *r, uint64_t dropped)
{
	uint8_t *p = start + 8;
	uint32_t length;

	p = pcapng_put_u32(p, interface);
	p = pcapng_put_u32(p, (uint32_t)((uint64_t)r->time_ns >> 32));
	p = pcapng_put_u32(p, (uint32_t)r->time_ns);
	p = pcapng_put_u32(p, r->cap_len);
	p = pcapng_put_u32(p, r->wire_len);
	p = pcapng_put_padded(p, r->data, r->cap_len);
	p = pcapng_put_packet_options(p, r, dropped);
	length = (uint32_t)(p - start) + 4;
	(void)pcapng_put_u32(p, length);
	(void)pcapng_put_u32(pcapng_put_u32(start, PCAPNG_PACKET), length);
	return length;
}
