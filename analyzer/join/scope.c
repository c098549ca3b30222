#include "join/scope.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Different services in one capture that speak against a filter by port. */
#define WIDE_SERVICES 3

struct service {
	uint32_t vantage;
	uint8_t ip[16];
	uint16_t port;
	uint8_t protocol, unused;
};

static struct service server_of(uint32_t vantage, const struct flow *f, bool server_is_b)
{
	struct service s = {.vantage = vantage, .protocol = f->key.protocol,
		.port = server_is_b ? f->key.b_port : f->key.a_port};

	memcpy(s.ip, server_is_b ? f->key.b : f->key.a, 16);
	return s;
}

static bool server_is_b(const struct flow *f)
{
	if (f->side[0].sent_syn_only || f->side[1].sent_syn_only)
		return f->side[0].sent_syn_only;
	return f->key.b_port < f->key.a_port;
}

static void learn_vantage(const struct network *net, struct scope *s, uint32_t vantage)
{
	const struct vantage *v = &net->vantages[vantage];
	uint32_t ports[WIDE_SERVICES], n = 0;

	for (uint32_t i = 0; i < v->flows.count; i++) {
		const struct flow *f = flowtab_at(&v->flows, i);
		struct service key = server_of(vantage, f, server_is_b(f));
		uint32_t port = (uint32_t)key.protocol << 16 | key.port, k = 0;
		bool fresh;

		(void)tally_at(&s->services, &key, &fresh);
		while (k < n && ports[k] != port)
			k++;
		if (k == n && n < WIDE_SERVICES)
			ports[n++] = port;
	}
	/* ARP beside IP: no filter by port, at least. */
	s->wide[vantage] = n == WIDE_SERVICES || (v->non_ip_frames && n);
}

void scope_learn(const struct network *net, struct scope *ret)
{
	tally_init(&ret->services, sizeof(struct service), 8, UINT32_MAX);
	ret->wide = mem_array(net->vantage_count + 1, sizeof(*ret->wide));
	for (uint32_t v = 0; v < net->vantage_count; v++)
		learn_vantage(net, ret, v);
}

void scope_release(struct scope *s)
{
	tally_release(&s->services);
	free(s->wide);
	*s = (struct scope){0};
}

bool scope_holds(const struct scope *s, const struct network *net, uint32_t vantage, const struct member *m)
{
	struct service key = server_of(vantage, member_flow(net, m), !m->client_is_b);

	if (tally_get(&s->services, &key))
		return true;
	return !net->vantages[vantage].filter && s->wide[vantage];
}
