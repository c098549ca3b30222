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

static void add_u16(struct strbuf *out, uint16_t v)
{
	strbuf_add(out, &v, sizeof(v));
}

static void add_u32(struct strbuf *out, uint32_t v)
{
	strbuf_add(out, &v, sizeof(v));
}

static void add_option(struct strbuf *out, uint16_t code, const void *value, size_t length)
{
	static const char zeros[4];

	if (length > UINT16_MAX)
		length = UINT16_MAX;
	add_u16(out, code);
	add_u16(out, (uint16_t)length);
	strbuf_add(out, value, length);
	strbuf_add(out, zeros, -length & 3U);
}

static void add_text(struct strbuf *out, uint16_t code, const char *text)
{
	if (text && text[0])
		add_option(out, code, text, strlen(text));
}

static void add_u64(struct strbuf *out, uint16_t code, uint64_t v)
{
	add_option(out, code, &v, sizeof(v));
}

/* Times in options are high word, low word (draft 4.2). */
static void add_time(struct strbuf *out, uint16_t code, int64_t t_ns)
{
	uint32_t v[2] = {(uint32_t)((uint64_t)t_ns >> 32), (uint32_t)t_ns};

	add_option(out, code, v, sizeof(v));
}

static void add_comments(struct strbuf *out, const struct comments *c)
{
	size_t i, length;

	for (i = 0; c && i < c->count; i++) {
		const char *text = comments_get(c, i, &length);

		add_option(out, OPT_COMMENT, text, length);
	}
}

static size_t begin_block(struct strbuf *out, uint32_t type)
{
	size_t at = out->length;

	add_u32(out, type);
	add_u32(out, 0);
	return at;
}

static void end_block(struct strbuf *out, size_t at)
{
	uint32_t length;

	add_option(out, OPT_END, "", 0);
	length = (uint32_t)(out->length - at) + 4;
	add_u32(out, length);
	memcpy(out->text + at + 4, &length, sizeof(length));
}

void pcapng_add_section(struct strbuf *out, const struct pcapng_section *s)
{
	static const int64_t length_unknown = -1;
	size_t at = begin_block(out, PCAPNG_SECTION);

	add_u32(out, 0x1A2B3C4D);
	add_u16(out, 1);
	add_u16(out, 0);
	strbuf_add(out, &length_unknown, sizeof(length_unknown));
	add_text(out, SHB_HARDWARE, s->hardware);
	add_text(out, SHB_OS, s->os);
	add_text(out, SHB_APPLICATION, s->application);
	add_comments(out, s->comments);
	end_block(out, at);
}

/* "10.0.1.20/24" or "fe80::1/64" as the option's bytes: address, then mask (IPv4) or length. */
static void add_address(struct strbuf *out, const char *text, size_t length)
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
		add_option(out, IF_IPV4, bytes, 8);
	} else if (inet_pton(AF_INET6, address, bytes) == 1 && prefix >= 0 && prefix <= 128) {
		bytes[16] = (uint8_t)prefix;
		add_option(out, IF_IPV6, bytes, 17);
	}
}

static void add_addresses(struct strbuf *out, const char *addresses)
{
	size_t n;

	for (; addresses && *addresses; addresses += n + (addresses[n] == ' ')) {
		n = strcspn(addresses, " ");
		add_address(out, addresses, n);
	}
}

static void add_filter(struct strbuf *out, const char *filter)
{
	char option[4096];

	/* The first byte 0 says that a text follows (draft 4.2, if_filter). */
	if (!filter || !filter[0])
		return;
	option[0] = 0;
	snprintf(option + 1, sizeof(option) - 1, "%s", filter);
	add_option(out, IF_FILTER, option, 1 + strlen(option + 1));
}

void pcapng_add_interface(struct strbuf *out, const struct pcapng_interface *i)
{
	static const uint8_t nanoseconds = 9;
	size_t at = begin_block(out, PCAPNG_INTERFACE);

	add_u16(out, i->link_type);
	add_u16(out, 0);
	add_u32(out, i->snaplen);
	add_text(out, IF_NAME, i->name);
	add_text(out, IF_DESCRIPTION, i->description);
	add_addresses(out, i->addresses);
	if (i->mac)
		add_option(out, IF_MAC, i->mac, 6);
	if (i->speed_bits)
		add_u64(out, IF_SPEED, i->speed_bits);
	add_option(out, IF_TSRESOL, &nanoseconds, 1);
	add_filter(out, i->filter);
	add_text(out, IF_HARDWARE, i->hardware);
	end_block(out, at);
}

void pcapng_add_statistics(struct strbuf *out, const struct pcapng_statistics *s)
{
	size_t at = begin_block(out, PCAPNG_STATISTICS);

	add_u32(out, s->interface);
	add_u32(out, (uint32_t)((uint64_t)s->at_ns >> 32));
	add_u32(out, (uint32_t)s->at_ns);
	add_comments(out, s->comments);
	add_time(out, ISB_START, s->start_ns);
	if (s->end_ns)
		add_time(out, ISB_END, s->end_ns);
	add_u64(out, ISB_RECEIVED, s->received);
	if (s->has_dropped_interface)
		add_u64(out, ISB_IFDROP, s->dropped_interface);
	add_u64(out, ISB_OSDROP, s->dropped_kernel);
	add_u64(out, ISB_DELIVERED, s->delivered);
	end_block(out, at);
}

static uint8_t *put_u32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *put_packet_options(uint8_t *p, uint32_t flags, uint64_t dropped)
{
	if (!flags && !dropped)
		return p;
	if (flags) {
		p = put_u32(p, EPB_FLAGS | 4U << 16);
		p = put_u32(p, flags);
	}
	if (dropped) {
		p = put_u32(p, EPB_DROPCOUNT | 8U << 16);
		memcpy(p, &dropped, sizeof(dropped));
		p += sizeof(dropped);
	}
	return put_u32(p, OPT_END);
}

uint32_t pcapng_put_packet(
	uint8_t *start, uint32_t interface, const struct record *r, uint64_t dropped)
{
	uint8_t *p = start + 8;
	uint32_t length;

	p = put_u32(p, interface);
	p = put_u32(p, (uint32_t)((uint64_t)r->time_ns >> 32));
	p = put_u32(p, (uint32_t)r->time_ns);
	p = put_u32(p, r->cap_len);
	p = put_u32(p, r->wire_len);
	memcpy(p, r->data, r->cap_len);
	p += r->cap_len;
	memset(p, 0, -r->cap_len & 3U);
	p += -r->cap_len & 3U;
	p = put_packet_options(p, r->flags, dropped);
	length = (uint32_t)(p - start) + 4;
	(void)put_u32(p, length);
	(void)put_u32(put_u32(start, PCAPNG_PACKET), length);
	return length;
}
