#include "flow/observe.h"

#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/nsec.h"

/* Most rows of each list a vantage point; beyond it they are counted in refused_rows. */
#define ROW_LIMIT 1000000
/* IEEE 802.3 4.2.3.3, without the checksum. The sender's tap stands before the padding. */
#define ETHERNET_LEAST 60

/* The row of a second; time mostly goes forward, so the search starts at the end. */
static struct activity *activity_of(struct vantage *v, int64_t second_ns)
{
	uint32_t i = v->activity_count;

	while (i && v->activity[i - 1].second_ns > second_ns)
		i--;
	if (i && v->activity[i - 1].second_ns == second_ns)
		return &v->activity[i - 1];
	MEM_RESERVE(v->activity, v->activity_count, v->activity_cap);
	memmove(&v->activity[i + 1], &v->activity[i], (v->activity_count - i) * sizeof(*v->activity));
	v->activity_count++;
	v->activity[i] = (struct activity){.second_ns = second_ns};
	return &v->activity[i];
}

/* One row for a MAC and a second, however many it spoke to: the newest rows are looked through. */
static void keep_mac_seconds(struct vantage *v, const struct mac_pair *p)
{
	int64_t second_ns = v->now->second_ns;
	struct mac_second *s;

	if (p->src_index == MAC_NONE)
		return;
	for (uint32_t i = v->mac_second_count; i-- && v->mac_seconds[i].second_ns == second_ns && v->mac_second_count - i <= MAC_PAIRS;) {
		s = &v->mac_seconds[i];
		if (s->mac != p->src_index)
			continue;
		s->frames += p->frames;
		s->bytes += p->bytes;
		return;
	}
	v->mac_second_cut |= v->mac_second_count == ROW_LIMIT;
	if (v->mac_second_cut)
		return;
	MEM_RESERVE(v->mac_seconds, v->mac_second_count, v->mac_second_cap);
	v->mac_seconds[v->mac_second_count++] = (struct mac_second){
		.second_ns = second_ns, .mac = p->src_index, .frames = p->frames, .bytes = p->bytes};
}

static void close_pair(struct vantage *v, struct mac_pair *p)
{
	if (!p->frames)
		return;
	v->now->rx_frames += p->frames;
	v->now->rx_bytes += p->bytes;
	keep_mac_seconds(v, p);
	p->frames = 0;
	p->bytes = 0;
}

void observe_close_activity(struct vantage *v)
{
	for (size_t i = 0; i < MAC_PAIRS; i++)
		close_pair(v, &v->mac_pairs[i]);
}

NOINLINE void observe_new_second(struct vantage *v, int64_t time_ns)
{
	int64_t second = time_ns / NSEC_PER_SEC;

	observe_close_activity(v);
	second -= time_ns % NSEC_PER_SEC < 0;
	v->now = activity_of(v, second * NSEC_PER_SEC);
}

NOINLINE void observe_new_pair(struct vantage *v, const uint8_t src[6], const uint8_t dst[6], struct mac_pair *place)
{
	close_pair(v, place);
	*place = (struct mac_pair){
		.dst = (uint64_t)le32(dst) | (uint64_t)le16(dst + 4) << 32 | UINT64_C(1) << 63,
		.src = (uint64_t)le32(src) | (uint64_t)le16(src + 4) << 32};
	/* In this order: the indexes of a new pair are the same on every run. */
	place->src_index = vantage_mac_index(v, src);
	place->dst_index = vantage_mac_index(v, dst);
}

static struct activity *find_second(struct vantage *v, int64_t second_ns)
{
	uint32_t low = 0, high = v->activity_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (v->activity[middle].second_ns < second_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low < v->activity_count && v->activity[low].second_ns == second_ns ? &v->activity[low] : NULL;
}

static bool tells_direction(const struct vantage *v)
{
	for (uint32_t i = 0; i < v->activity_count; i++)
		if (v->activity[i].tx_frames)
			return true;
	return false;
}

void observe_own_activity(struct vantage *v)
{
	if (v->own_mac == MAC_NONE || v->mac_second_cut || tells_direction(v))
		return;
	for (uint32_t i = 0; i < v->mac_second_count; i++) {
		const struct mac_second *s = &v->mac_seconds[i];
		struct activity *a = s->mac == v->own_mac ? find_second(v, s->second_ns) : NULL;

		if (!a || a->rx_frames < s->frames || a->rx_bytes < s->bytes)
			continue;
		a->rx_frames -= s->frames;
		a->rx_bytes -= s->bytes;
		a->tx_frames += s->frames;
		a->tx_bytes += s->bytes;
	}
}

void observe_neighbor(const struct observation *o)
{
	struct vantage *v = o->vantage;
	struct neighbor_row row = {.at_ns = o->frame->time_ns, .frame = o->ordinal,
		.ethernet_src = o->src_mac, .ethernet_dst = o->dst_mac,
		.is_short = o->frame->wire_len < ETHERNET_LEAST,
		.is_padded = !o->packet->version && o->frame->wire_len >= ETHERNET_LEAST};

	if (!neighbor_decode(o->packet, &row.message))
		return;
	if (row.message.has_sender_mac && row.message.operation != NEIGHBOR_PROBE)
		observe_binding(v, row.message.sender_ip, vantage_mac_index(v, row.message.sender_mac));
	if (v->neighbor_count == ROW_LIMIT) {
		v->refused_rows++;
		return;
	}
	MEM_RESERVE(v->neighbors, v->neighbor_count, v->neighbor_cap);
	v->neighbors[v->neighbor_count++] = row;
}

void observe_vrrp(const struct observation *o)
{
	const struct packet *p = o->packet;
	struct vantage *v = o->vantage;
	struct vrrp_row row = {.at_ns = o->frame->time_ns, .frame = o->ordinal, .src_mac = o->src_mac,
		.vlan = p->vlan_count ? p->vlan_id : -1, .ip_id = (uint16_t)p->ip_id, .ttl = p->ttl,
		.direction = p->direction};

	if (!vrrp_decode(p, &row.message))
		return;
	if (v->vrrp_count == ROW_LIMIT) {
		v->refused_rows++;
		return;
	}
	memcpy(row.src, p->src, 16);
	memcpy(row.dst, p->dst, 16);
	MEM_RESERVE(v->vrrps, v->vrrp_count, v->vrrp_cap);
	v->vrrps[v->vrrp_count++] = row;
}

static bool is_icmp_error(const struct packet *p)
{
	if (p->version == 6)
		return p->icmp_type < 128;
	return p->icmp_type == 3 || p->icmp_type == 5 || p->icmp_type == 11 || p->icmp_type == 12;
}

void observe_icmp(const struct observation *o)
{
	const struct packet *p = o->packet;
	struct vantage *v = o->vantage;
	struct icmp_row row = {.at_ns = o->frame->time_ns, .frame = o->ordinal, .version = p->version,
		.type = p->icmp_type, .code = p->icmp_code, .rest = p->icmp_rest,
		.has_quote = p->has_quote};

	if (!is_icmp_error(p))
		return;
	if (v->icmp_count == ROW_LIMIT) {
		v->refused_rows++;
		return;
	}
	memcpy(row.src, p->src, 16);
	memcpy(row.dst, p->dst, 16);
	if (p->has_quote)
		row.quote = p->quote;
	MEM_RESERVE(v->icmps, v->icmp_count, v->icmp_cap);
	v->icmps[v->icmp_count++] = row;
}

NOINLINE void observe_netfilter(const struct observation *o, uint32_t flow, bool from_b)
{
	struct netfilter_key key = {.flow = flow, .from_b = from_b, .hook = o->packet->nflog_hook};
	struct netfilter_use *use;
	bool fresh;

	memcpy(key.prefix, o->packet->nflog_prefix,
		strnlen(o->packet->nflog_prefix, sizeof(key.prefix) - 1));
	use = hashmap_at(&o->vantage->netfilter, &key, &fresh);
	if (!use)
		return;
	if (fresh) {
		use->first_ns = o->frame->time_ns;
		use->first_frame = o->ordinal;
	}
	use->last_ns = o->frame->time_ns;
	use->packets++;
}

/* What the key of a row of mac_use is beside the address. */
static uint64_t role_of(const struct mac_use_key *k)
{
	return le64((const uint8_t *)k + sizeof(k->ip));
}

_Static_assert(sizeof(struct mac_use_key) == 16 + sizeof(uint64_t), "role_of() reads all that is behind the address");

/* The row of a key and an address; *last is that address's one that was counted in last, which it mostly is again. */
static struct mac_use *mac_use_of(struct vantage *v, struct mac_use_key *key, const uint8_t ip[16], uint32_t *last,
	bool *ret_fresh)
{
	struct mac_use *use;

	*ret_fresh = false;
	if (*last && role_of(hashmap_key(&v->mac_use, *last - 1)) == role_of(key))
		return hashmap_value(&v->mac_use, *last - 1);
	memcpy(key->ip, ip, 16);
	use = hashmap_at(&v->mac_use, key, ret_fresh);
	if (use)
		*last = hashmap_index(&v->mac_use, use) + 1;
	return use;
}

/* Counts the run of a side for the address of its sender, or its receiver. */
static void add_mac_use(struct vantage *v, struct mac_use_key *key, const struct flow_vantage *f, bool from_b, uint32_t *last)
{
	const struct flow_side *side = &f->side[from_b];
	struct mac_use *use;
	bool fresh;

	if (key->mac == MAC_NONE)
		return;
	use = mac_use_of(v, key, from_b == (key->role == 0) ? f->key.b : f->key.a, last, &fresh);
	if (!use)
		return;
	if (fresh || side->run_first_ns < use->first_ns) {
		use->first_ns = side->run_first_ns;
		use->first_frame = side->run_first_frame;
	}
	if (fresh || f->last_ns > use->last_ns)
		use->last_ns = f->last_ns;
	if (side->ttl > use->ttl_max)
		use->ttl_max = side->ttl;
	use->frames += side->run_frames;
}

static uint32_t address_index(struct vantage *v, const uint8_t ip[16])
{
	bool fresh;
	struct address *a = hashmap_at(&v->addresses, ip, &fresh);

	if (!a)
		return 0;
	if (fresh)
		a->mac = MAC_NONE;
	return hashmap_index(&v->addresses, a) + 1;
}

void observe_look_up(struct vantage *v, struct flow_vantage *f)
{
	if (!f->address[0])
		f->address[0] = address_index(v, f->key.a);
	if (!f->address[1])
		f->address[1] = address_index(v, f->key.b);
}

/* The last frame of the run was the flow's last but for the one that closes it: its time is near enough. */
void observe_close_run(struct vantage *v, struct flow_vantage *f, bool from_b)
{
	struct flow_side *side = &f->side[from_b];
	struct mac_use_key source = {.mac = side->run_src_mac, .from_mac = MAC_NONE, .binding = MAC_NONE};
	struct mac_use_key destination = {.mac = side->run_dst_mac, .from_mac = side->run_src_mac,
		.binding = side->run_binding, .role = 1};

	if (side->run_frames) {
		struct address *from = observe_address(v, f, from_b), *to = observe_address(v, f, !from_b);
		uint32_t unknown[2] = {0};

		add_mac_use(v, &source, f, from_b, from ? &from->as_source : &unknown[0]);
		add_mac_use(v, &destination, f, from_b, to ? &to->as_destination : &unknown[1]);
	}
	side->run_frames = 0;
}

static void bind(struct vantage *v, struct address *a, uint16_t mac)
{
	if (!a || mac == MAC_NONE || a->mac == mac)
		return;
	/* An address that speaks for the first time ends no run: those towards it ask again by themselves. */
	v->binding_epoch += a->mac != MAC_NONE;
	a->mac = mac;
}

void observe_binding(struct vantage *v, const uint8_t ip[16], uint16_t mac)
{
	uint32_t i = mac == MAC_NONE ? 0 : address_index(v, ip);

	if (i)
		bind(v, hashmap_value(&v->addresses, i - 1), mac);
}

static uint16_t binding_of(const struct vantage *v, const struct flow_vantage *f, bool b)
{
	const struct address *a = observe_address(v, f, b);

	return a ? a->mac : MAC_NONE;
}

static void open_run(const struct observation *o, struct flow_vantage *f, bool from_b)
{
	struct flow_side *side = &f->side[from_b];
	struct vantage *v = o->vantage;

	bind(v, observe_address(v, f, from_b), o->src_mac);
	side->run_src_mac = o->src_mac;
	side->run_dst_mac = o->dst_mac;
	side->run_first_ns = o->frame->time_ns;
	side->run_first_frame = o->ordinal;
	side->run_binding = binding_of(v, f, !from_b);
	side->run_epoch = v->binding_epoch;
}

NOINLINE void observe_new_run(const struct observation *o, struct flow_vantage *f, bool from_b)
{
	struct flow_side *side = &f->side[from_b];

	if (o->src_mac == MAC_NONE && o->dst_mac == MAC_NONE)
		return;
	observe_look_up(o->vantage, f);
	if (side->run_frames &&
		(side->run_src_mac != o->src_mac || side->run_dst_mac != o->dst_mac ||
			side->run_epoch != o->vantage->binding_epoch ||
			(side->run_binding == MAC_NONE && binding_of(o->vantage, f, !from_b) != MAC_NONE)))
		observe_close_run(o->vantage, f, from_b);
	if (!side->run_frames)
		open_run(o, f, from_b);
	side->run_frames++;
}
