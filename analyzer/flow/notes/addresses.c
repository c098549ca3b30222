#include "flow/notes/addresses.h"

#include "flow/notes/limits.h"

_Static_assert(sizeof(struct service) == 24 && sizeof(struct address_pair) == 8,
	"hashed as bytes: no padding");

void addresses_init(struct address_notes *n)
{
	hashmap_init(&n->by_ip, 16, sizeof(struct address), ADDRESS_LIMIT);
	hashset_init(&n->pairs, sizeof(struct address_pair), ADDRESS_LIMIT);
	hashset_init(&n->services, sizeof(struct service), UINT32_MAX);
}

void addresses_release(struct address_notes *n)
{
	hashmap_release(&n->by_ip);
	hashset_release(&n->pairs);
	hashset_release(&n->services);
}

static uint32_t addresses_index(struct address_notes *n, const uint8_t ip[16])
{
	bool fresh;
	struct address *a = hashmap_at(&n->by_ip, ip, &fresh);

	if (!a)
		return ADDRESS_NONE;
	if (fresh) {
		a->mac = MAC_NONE;
		a->as_source = a->as_destination = USE_NONE;
		a->service = SERVICE_NONE;
	}
	return hashmap_index(&n->by_ip, a);
}

void addresses_look_up(struct address_notes *n, struct flow_vantage *f)
{
	if (f->address[0] == ADDRESS_NONE)
		f->address[0] = addresses_index(n, f->key.a);
	if (f->address[1] == ADDRESS_NONE)
		f->address[1] = addresses_index(n, f->key.b);
}

void addresses_bind(struct address_notes *n, struct address *a, uint16_t mac)
{
	if (!a || mac == MAC_NONE || a->mac == mac)
		return;
	/* An address that speaks for the first time ends no run: those towards it ask again by
	 * themselves. */
	n->binding_epoch += a->mac != MAC_NONE;
	a->mac = mac;
}

void addresses_bind_ip(struct address_notes *n, const uint8_t ip[16], uint16_t mac)
{
	uint32_t i = mac == MAC_NONE ? ADDRESS_NONE : addresses_index(n, ip);

	if (i != ADDRESS_NONE)
		addresses_bind(n, hashmap_value(&n->by_ip, i), mac);
}

bool addresses_are_pair(const struct address_notes *n, const uint8_t a[16], const uint8_t b[16])
{
	void *x = hashmap_get(&n->by_ip, a), *y = hashmap_get(&n->by_ip, b);
	struct address_pair pair;
	uint32_t i, k;

	if (!x || !y)
		return false;
	i = hashmap_index(&n->by_ip, x);
	k = hashmap_index(&n->by_ip, y);
	pair = (struct address_pair){.low = i < k ? i : k, .high = i < k ? k : i};
	return hashset_has(&n->pairs, &pair);
}

bool addresses_is_sender(const struct address_notes *n, const uint8_t ip[16])
{
	const struct address *a = hashmap_get(&n->by_ip, ip);

	return a && a->sent;
}

bool addresses_any_sent_out(const struct address_notes *n)
{
	for (uint32_t i = 0; i < n->by_ip.count; i++)
		if (((const struct address *)hashmap_value(&n->by_ip, i))->sent_out)
			return true;
	return false;
}
