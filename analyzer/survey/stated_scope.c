#include "survey/stated_scope.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "read/filter.h"

#define LINKTYPE_RAW 101

static struct host *stated_scope_host(struct dataset *data, const char *name)
{
	for (uint32_t i = 0; i < data->host_count; i++)
		if (strcmp(data->hosts[i].name, name) == 0)
			return &data->hosts[i];
	return NULL;
}

int stated_scope_take(
	struct dataset *data, const struct stated_scope *list, int count, struct error *err)
{
	for (int i = 0; i < count; i++) {
		struct host *h = stated_scope_host(data, list[i].name);
		struct error unfit = ERROR_INIT;
		int r;

		if (!h)
			return error_set(err, -EINVAL, "--scope: no capture is of a host '%s'",
				list[i].name);
		if (h->scope)
			return error_set(
				err, -EINVAL, "--scope: '%s' is given twice", list[i].name);
		h->scope = mem_zalloc(sizeof(*h->scope));
		h->scope->expression = mem_strdup(list[i].expression);
		r = filter_new(&h->scope->filter, list[i].expression, err);
		if (r)
			return r;
		/* What has no meaning for IP packets ("ether host") says nothing of them. */
		if (filter_for(h->scope->filter, LINKTYPE_RAW, &h->scope->packets, &unfit))
			h->scope->packets = NULL;
	}
	return 0;
}

const struct filter_program *stated_scope_of(const struct dataset *data, const struct vantage *v)
{
	const struct host_scope *scope = data->hosts[v->host].scope;

	return scope && !scope->outside && v->kind == VANTAGE_NIC ? scope->packets : NULL;
}

/* Headers without options; IPv6 and TCP are the largest. */
#define PACKET_MAX (40 + 20)

static void stated_scope_put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void stated_scope_put32(uint8_t *at, uint32_t v)
{
	stated_scope_put16(at, v >> 16);
	stated_scope_put16(at + 2, v & 0xffff);
}

/* Returns its length. */
static uint32_t stated_scope_put_transport(uint8_t *at, const struct stated_packet *p)
{
	const struct segment *s = p->segment;

	if (p->protocol == IPPROTO_ICMP || p->protocol == IPPROTO_ICMPV6) {
		at[0] = (uint8_t)(s->seq >> 16); /* its type */
		return 8;
	}
	stated_scope_put16(at, p->src_port);
	stated_scope_put16(at + 2, p->dst_port);
	if (p->protocol != IPPROTO_TCP) {
		stated_scope_put16(at + 4, 8 + s->length);
		return 8;
	}
	stated_scope_put32(at + 4, s->seq);
	stated_scope_put32(at + 8, s->ack);
	at[12] = 5 << 4;
	at[13] = s->flags;
	stated_scope_put16(at + 14, s->window);
	return 20;
}

/* Returns its length; behind: that of what follows. */
static uint32_t stated_scope_put_ip(uint8_t *at, const struct stated_packet *p, uint32_t behind)
{
	if (!ip_is_v4(p->src)) {
		at[0] = 6 << 4;
		stated_scope_put16(at + 4, behind);
		at[6] = p->protocol;
		at[7] = p->segment->ttl;
		memcpy(at + 8, p->src, 16);
		memcpy(at + 24, p->dst, 16);
		return 40;
	}
	at[0] = 4 << 4 | 5;
	at[1] = p->segment->tos;
	stated_scope_put16(at + 2, 20 + behind);
	stated_scope_put16(at + 4, p->segment->ip_id);
	at[8] = p->segment->ttl;
	at[9] = p->protocol;
	memcpy(at + 12, p->src + 12, 4);
	memcpy(at + 16, p->dst + 12, 4);
	return 20;
}

bool stated_scope_admits(const struct filter_program *program, const struct stated_packet *p)
{
	uint8_t transport[20] = {0}, packet[PACKET_MAX] = {0};
	uint32_t behind = stated_scope_put_transport(transport, p);
	uint32_t length = stated_scope_put_ip(packet, p, behind + p->segment->length);
	struct frame frame;

	memcpy(packet + length, transport, behind);
	frame = (struct frame){.data = packet,
		.cap_len = length + behind,
		.wire_len = length + behind + p->segment->length};
	return filter_matches(program, &frame);
}
