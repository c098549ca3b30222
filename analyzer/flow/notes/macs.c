#include "flow/notes/macs.h"

#include <string.h>

#include "base/compiler.h"
#include "base/cursor.h"
#include "flow/notes/addresses.h"
#include "flow/notes/limits.h"

_Static_assert(MAC_LIMIT < MAC_NONE, "each MAC has an index");

void macs_table_init(struct hashmap *table)
{
	hashmap_init(table, 6, 8, MAC_LIMIT);
}

void macs_init(struct mac_notes *n, struct hashmap *table)
{
	n->table = table;
	hashmap_init(&n->use, sizeof(struct mac_use_key), sizeof(struct mac_use), ADDRESS_LIMIT);
}

void macs_release(struct mac_notes *n)
{
	hashmap_release(&n->use);
}

NOINLINE uint16_t macs_index(struct mac_notes *n, const uint8_t mac[6])
{
	bool fresh;
	void *value = hashmap_at(n->table, mac, &fresh);

	return value ? (uint16_t)hashmap_index(n->table, value) : MAC_NONE;
}

/* All of a key but the address. */
static uint64_t macs_role(const struct mac_use_key *k)
{
	return le64((const uint8_t *)k + sizeof(k->ip));
}

_Static_assert(sizeof(struct mac_use_key) == 16 + sizeof(uint64_t),
	"macs_role() reads everything behind the address");

/* The row of a key and an address; *last is that address's one that was counted in last, which it
 * mostly is again. */
static struct mac_use *macs_use_of(struct mac_notes *n, struct mac_use_key *key,
	const uint8_t ip[16], uint32_t *last, bool *ret_fresh)
{
	struct mac_use *use;

	*ret_fresh = false;
	if (*last != USE_NONE && macs_role(hashmap_key(&n->use, *last)) == macs_role(key))
		return hashmap_value(&n->use, *last);
	memcpy(key->ip, ip, 16);
	use = hashmap_at(&n->use, key, ret_fresh);
	if (use)
		*last = hashmap_index(&n->use, use);
	return use;
}

/* Counts the run of a side for the address of its sender, or its receiver. */
static void macs_add_use(struct mac_notes *n, struct mac_use_key *key, const struct flow_vantage *f,
	bool from_b, uint32_t *last)
{
	const struct flow_side *side = &f->side[from_b];
	struct mac_use *use;
	bool fresh;

	if (key->mac == MAC_NONE)
		return;
	use = macs_use_of(n, key, from_b == (key->role == 0) ? f->key.b : f->key.a, last, &fresh);
	if (!use)
		return;
	if (fresh || side->run.first_ns < use->first_ns) {
		use->first_ns = side->run.first_ns;
		use->first_frame = side->run.first_frame;
	}
	if (fresh || f->last_ns > use->last_ns)
		use->last_ns = f->last_ns;
	if (side->ttl > use->ttl_max)
		use->ttl_max = side->ttl;
	use->frames += side->run.frames;
}

/* The last frame of the run was the flow's last but for the one that closes it: its time is near
 * enough. */
void macs_close_run(
	struct mac_notes *n, struct address_notes *addresses, struct flow_vantage *f, bool from_b)
{
	struct flow_side *side = &f->side[from_b];
	struct mac_use_key source = {
		.mac = side->run.src_mac, .from_mac = MAC_NONE, .binding = MAC_NONE};
	struct mac_use_key destination = {.mac = side->run.dst_mac,
		.from_mac = side->run.src_mac,
		.binding = side->run.binding,
		.role = 1};

	if (side->run.frames) {
		struct address *from = addresses_of(addresses, f, from_b),
			       *to = addresses_of(addresses, f, !from_b);
		uint32_t none[2] = {USE_NONE, USE_NONE};

		macs_add_use(n, &source, f, from_b, from ? &from->as_source : &none[0]);
		macs_add_use(n, &destination, f, from_b, to ? &to->as_destination : &none[1]);
	}
	side->run.frames = 0;
}

static void macs_open_run(struct address_notes *addresses, struct flow_vantage *f, bool from_b,
	const struct frame_macs *frame)
{
	struct flow_side *side = &f->side[from_b];

	addresses_bind(addresses, addresses_of(addresses, f, from_b), frame->src);
	side->run.src_mac = frame->src;
	side->run.dst_mac = frame->dst;
	side->run.first_ns = frame->at_ns;
	side->run.first_frame = frame->ordinal;
	side->run.binding = addresses_binding(addresses, f, !from_b);
	side->run.epoch = addresses->binding_epoch;
}

NOINLINE void macs_new_run(struct mac_notes *n, struct address_notes *addresses,
	struct flow_vantage *f, bool from_b, const struct frame_macs *frame)
{
	struct flow_side *side = &f->side[from_b];

	if (frame->src == MAC_NONE && frame->dst == MAC_NONE)
		return;
	addresses_look_up(addresses, f);
	if (side->run.frames &&
		(side->run.src_mac != frame->src || side->run.dst_mac != frame->dst ||
			side->run.epoch != addresses->binding_epoch ||
			(side->run.binding == MAC_NONE &&
				addresses_binding(addresses, f, !from_b) != MAC_NONE)))
		macs_close_run(n, addresses, f, from_b);
	if (!side->run.frames)
		macs_open_run(addresses, f, from_b, frame);
	side->run.frames++;
}
