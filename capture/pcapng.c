#include "pcapng.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_END = 0, OPT_COMMENT = 1 };
enum { SHB_HARDWARE = 2, SHB_OS = 3, SHB_APPLICATION = 4 };
enum {
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_IPV4 = 4,
	IF_IPV6 = 5,
	IF_MAC = 6,
	IF_SPEED = 8,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	IF_HARDWARE = 15,
};
enum {
	ISB_START = 2,
	ISB_END = 3,
	ISB_RECEIVED = 4,
	ISB_IFDROP = 5,
	ISB_OSDROP = 7,
	ISB_DELIVERED = 8,
};
enum { EPB_FLAGS = 2, EPB_DROPCOUNT = 4 };

static void pcapng_add_u16(struct strbuf *out, uint16_t v)
{
	strbuf_add(out, &v, sizeof(v));
}

static void pcapng_add_u32(struct strbuf *out, uint32_t v)
{
	strbuf_add(out, &v, sizeof(v));
}

static void pcapng_add_option(struct strbuf *out, uint16_t code, const void *value, size_t length)
{
	static const char zeros[4];

	if (length > UINT16_MAX)
		length = UINT16_MAX;
	pcapng_add_u16(out, code);
	pcapng_add_u16(out, (uint16_t)length);
	strbuf_add(out, value, length);
	strbuf_add(out, zeros, -length & 3U);
}

static void pcapng_add_text(struct strbuf *out, uint16_t code, const char *text)
{
	if (text && text[0])
		pcapng_add_option(out, code, text, strlen(text));
}

static void pcapng_add_u64(struct strbuf *out, uint16_t code, uint64_t v)
{
	pcapng_add_option(out, code, &v, sizeof(v));
}

/* Times in options are high word, low word (draft 4.2). */
static void pcapng_add_time(struct strbuf *out, uint16_t code, int64_t t_ns)
{
	uint32_t v[2] = {(uint32_t)((uint64_t)t_ns >> 32), (uint32_t)t_ns};

	pcapng_add_option(out, code, v, sizeof(v));
}

static void pcapng_add_comments(struct strbuf *out, const struct comments *c)
{
	size_t i, length;

	for (i = 0; c && i < c->count; i++) {
		const char *text = comments_get(c, i, &length);

		pcapng_add_option(out, OPT_COMMENT, text, length);
	}
}

static size_t pcapng_begin_block(struct strbuf *out, uint32_t type)
{
	size_t at = out->length;

	pcapng_add_u32(out, type);
	pcapng_add_u32(out, 0);
	return at;
}

static void pcapng_end_block(struct strbuf *out, size_t at)
{
	uint32_t length;

	pcapng_add_option(out, OPT_END, "", 0);
	length = (uint32_t)(out->length - at) + 4;
	pcapng_add_u32(out, length);
	memcpy(out->text + at + 4, &length, sizeof(length));
}

void pcapng_add_section(struct strbuf *out, const struct pcapng_section *s)
{
	static const int64_t length_unknown = -1;
	size_t at = pcapng_begin_block(out, PCAPNG_SECTION);

	pcapng_add_u32(out, 0x1A2B3C4D);
	pcapng_add_u16(out, 1);
	pcapng_add_u16(out, 0);
	strbuf_add(out, &length_unknown, sizeof(length_unknown));
	pcapng_add_text(out, SHB_HARDWARE, s->hardware);
	pcapng_add_text(out, SHB_OS, s->os);
	pcapng_add_text(out, SHB_APPLICATION, s->application);
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
		pcapng_add_option(out, IF_IPV4, bytes, 8);
	} else if (inet_pton(AF_INET6, address, bytes) == 1 && prefix >= 0 && prefix <= 128) {
		bytes[16] = (uint8_t)prefix;
		pcapng_add_option(out, IF_IPV6, bytes, 17);
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
	pcapng_add_option(out, IF_FILTER, option, 1 + strlen(option + 1));
}

void pcapng_add_interface(struct strbuf *out, const struct pcapng_interface *i)
{
	static const uint8_t nanoseconds = 9;
	size_t at = pcapng_begin_block(out, PCAPNG_INTERFACE);

	pcapng_add_u16(out, i->link_type);
	pcapng_add_u16(out, 0);
	pcapng_add_u32(out, i->snaplen);
	pcapng_add_text(out, IF_NAME, i->name);
	pcapng_add_text(out, IF_DESCRIPTION, i->description);
	pcapng_add_addresses(out, i->addresses);
	if (i->mac)
		pcapng_add_option(out, IF_MAC, i->mac, 6);
	if (i->speed_bits)
		pcapng_add_u64(out, IF_SPEED, i->speed_bits);
	pcapng_add_option(out, IF_TSRESOL, &nanoseconds, 1);
	pcapng_add_filter(out, i->filter);
	pcapng_add_text(out, IF_HARDWARE, i->hardware);
	pcapng_end_block(out, at);
}

void pcapng_add_statistics(struct strbuf *out, const struct pcapng_statistics *s)
{
	size_t at = pcapng_begin_block(out, PCAPNG_STATISTICS);

	pcapng_add_u32(out, s->interface);
	pcapng_add_u32(out, (uint32_t)((uint64_t)s->at_ns >> 32));
	pcapng_add_u32(out, (uint32_t)s->at_ns);
	pcapng_add_comments(out, s->comments);
	pcapng_add_time(out, ISB_START, s->start_ns);
	if (s->end_ns)
		pcapng_add_time(out, ISB_END, s->end_ns);
	pcapng_add_u64(out, ISB_RECEIVED, s->received);
	if (s->has_dropped_interface)
		pcapng_add_u64(out, ISB_IFDROP, s->dropped_interface);
	pcapng_add_u64(out, ISB_OSDROP, s->dropped_kernel);
	pcapng_add_u64(out, ISB_DELIVERED, s->delivered);
	pcapng_end_block(out, at);
}

static uint8_t *pcapng_put_u32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *pcapng_put_packet_options(uint8_t *p, uint32_t flags, uint64_t dropped)
{
	if (!flags && !dropped)
		return p;
	if (flags) {
		p = pcapng_put_u32(p, EPB_FLAGS | 4U << 16);
		p = pcapng_put_u32(p, flags);
	}
	if (dropped) {
		p = pcapng_put_u32(p, EPB_DROPCOUNT | 8U << 16);
		memcpy(p, &dropped, sizeof(dropped));
		p += sizeof(dropped);
	}
	return pcapng_put_u32(p, OPT_END);
}

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
	memcpy(p, r->data, r->cap_len);
	p += r->cap_len;
	memset(p, 0, -r->cap_len & 3U);
	p += -r->cap_len & 3U;
	p = pcapng_put_packet_options(p, r->flags, dropped);
	length = (uint32_t)(p - start) + 4;
	(void)pcapng_put_u32(p, length);
	(void)pcapng_put_u32(pcapng_put_u32(start, PCAPNG_PACKET), length);
	return length;
}
