#include "record/observations.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/strbuf.h"
#include "record/facts.h"
#include "record/kernel_drops.h"

/* Rows differ by whether the frames left from here, not by which other MAC they came from. */
struct mac_row_key {
	uint8_t ip[16];
	uint16_t mac, binding;
	uint8_t role, outgoing, unused[2];
};

static void observations_gather_mac_use(const struct vantage *v, struct hashmap *rows)
{
	hashmap_init(rows, sizeof(struct mac_row_key), sizeof(struct mac_use), UINT32_MAX);
	for (uint32_t i = 0; i < v->macs.use.count; i++) {
		const struct mac_use_key *k = hashmap_key(&v->macs.use, i);
		const struct mac_use *u = hashmap_value(&v->macs.use, i);
		uint16_t sender = k->role ? k->from_mac : k->mac;
		struct mac_row_key key = {.mac = k->mac,
			.binding = k->binding,
			.role = k->role,
			.outgoing =
				v->inferred.own_mac != MAC_NONE && sender == v->inferred.own_mac};
		struct mac_use *row;
		bool fresh;

		memcpy(key.ip, k->ip, 16);
		row = hashmap_at(rows, &key, &fresh);
		if (fresh || u->first_ns < row->first_ns) {
			row->first_ns = u->first_ns;
			row->first_frame = u->first_frame;
		}
		row->last_ns = fresh || u->last_ns > row->last_ns ? u->last_ns : row->last_ns;
		row->ttl_max = u->ttl_max > row->ttl_max ? u->ttl_max : row->ttl_max;
		row->frames += u->frames;
	}
}

static void observations_insert_mac_use(struct db *db, const struct dataset *data, uint32_t vantage)
{
	const struct vantage *v = &data->vantages[vantage];
	sqlite3_stmt *s = db_insert(db, TABLE_MAC_USE);
	char ip[IP_TEXT_SIZE], mac[2][MAC_TEXT_SIZE];
	struct hashmap rows;

	observations_gather_mac_use(v, &rows);
	for (uint32_t i = 0; i < rows.count; i++) {
		const struct mac_row_key *k = hashmap_key(&rows, i);
		const struct mac_use *u = hashmap_value(&rows, i);

		db_int(s, 1, v->id);
		db_text(s, 2, ip_text(k->ip, ip));
		facts_bind_mac(s, 3, vantage_mac(v, k->mac), mac[0]);
		db_text(s, 4, k->role ? "destination" : "source");
		db_int(s, 5, (int64_t)u->frames);
		db_int(s, 6, u->first_ns);
		db_int(s, 7, u->last_ns);
		facts_put_frame(s, 8, data, vantage, u->first_frame);
		db_int(s, 10, u->ttl_max);
		db_int(s, 11, k->outgoing);
		facts_bind_mac(s, 12, vantage_mac(v, k->binding), mac[1]);
		db_step(db, s);
	}
	hashmap_release(&rows);
}

static bool observations_is_unspecified(const uint8_t ip[16])
{
	static const uint8_t none[16];

	return memcmp(ip, none, 16) == 0 ||
	       memcmp(ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\0", 16) == 0;
}

static void observations_insert_neighbor_messages(
	struct db *db, const struct dataset *data, uint32_t vantage)
{
	const struct vantage *v = &data->vantages[vantage];
	sqlite3_stmt *s = db_insert(db, TABLE_ARP);
	char sip[IP_TEXT_SIZE], tip[IP_TEXT_SIZE], mac[4][MAC_TEXT_SIZE];

	for (uint32_t i = 0; i < v->neighbors.count; i++) {
		const struct neighbor_row *r = &v->neighbors.rows[i];
		const struct neighbor_message *m = &r->message;

		db_int(s, 1, v->id);
		db_int(s, 2, r->at_ns);
		facts_put_frame(s, 3, data, vantage, r->frame);
		db_text(s, 5, neighbor_operation_name(m->operation));
		facts_bind_mac(s, 6, m->has_sender_mac ? m->sender_mac : NULL, mac[0]);
		db_text(s, 7,
			observations_is_unspecified(m->sender_ip) ? NULL
								  : ip_text(m->sender_ip, sip));
		facts_bind_mac(s, 8, m->has_target_mac ? m->target_mac : NULL, mac[1]);
		db_text(s, 9,
			observations_is_unspecified(m->target_ip) ? NULL
								  : ip_text(m->target_ip, tip));
		facts_bind_mac(s, 10, vantage_mac(v, r->ethernet_src), mac[2]);
		facts_bind_mac(s, 11, vantage_mac(v, r->ethernet_dst), mac[3]);
		db_step(db, s);
	}
}

static const char *observations_checksum_name(enum vrrp_checksum c)
{
	static const char *const names[] = {"unknown", "message", "pseudo", "bad"};

	assert(c < sizeof(names) / sizeof(names[0]));
	return names[c];
}

static void observations_join_addresses(struct strbuf *sb, const struct vrrp_message *m)
{
	char ip[IP_TEXT_SIZE];

	strbuf_reset(sb);
	for (int i = 0; i < m->address_kept; i++)
		strbuf_printf(sb, "%s%s", i ? "," : "", ip_text(m->addresses[i], ip));
}

static void observations_bind_auth(sqlite3_stmt *s, const struct vrrp_message *m, char hex[17])
{
	if (m->version != 2) {
		db_null(s, 16);
		db_null(s, 17);
		return;
	}
	for (int i = 0; i < 8; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", m->auth_data[i]);
	db_int(s, 16, m->auth_type);
	db_text(s, 17, m->has_auth_data ? hex : NULL);
}

static void observations_insert_vrrp(struct db *db, const struct dataset *data, uint32_t vantage)
{
	const struct vantage *v = &data->vantages[vantage];
	sqlite3_stmt *s = db_insert(db, TABLE_VRRP_ADVERT);
	struct strbuf addresses CLEANUP_STRBUF = STRBUF_INIT;
	char src[IP_TEXT_SIZE], dst[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE], hex[17];

	for (uint32_t i = 0; i < v->vrrps.count; i++) {
		const struct vrrp_row *r = &v->vrrps.rows[i];
		const struct vrrp_message *m = &r->message;
		bool own = v->inferred.own_mac != MAC_NONE && r->src_mac == v->inferred.own_mac;

		observations_join_addresses(&addresses, m);
		db_int(s, 1, v->id);
		db_int(s, 2, r->at_ns);
		facts_put_frame(s, 3, data, vantage, r->frame);
		db_int(s, 5, m->version);
		db_int(s, 6, m->vrid);
		db_text(s, 7, ip_text(r->src, src));
		db_int(s, 8, m->priority);
		db_int(s, 9, m->interval_ns);
		db_text(s, 10, addresses.text ? addresses.text : "");
		db_text(s, 11, ip_text(r->dst, dst));
		facts_bind_mac(s, 12, vantage_mac(v, r->src_mac), mac);
		db_int_or_null(s, 13, r->vlan < 0 ? DB_NONE : r->vlan);
		db_int(s, 14, r->ip_id);
		db_int(s, 15, r->ttl);
		observations_bind_auth(s, m, hex);
		db_text(s, 18, observations_checksum_name(m->checksum));
		db_int_or_null(s, 19,
			r->direction == PACKET_OUT || own			       ? 1
			: r->direction == PACKET_IN || v->inferred.own_mac != MAC_NONE ? 0
										       : DB_NONE);
		db_step(db, s);
	}
}

static void observations_bind_quote(
	sqlite3_stmt *s, const struct icmp_row *r, char src[IP_TEXT_SIZE], char dst[IP_TEXT_SIZE])
{
	bool ports = r->has_quote && (r->quote.protocol == 6 || r->quote.protocol == 17);

	db_int_or_null(s, 11, r->has_quote ? r->quote.protocol : DB_NONE);
	db_text(s, 12, r->has_quote ? ip_text(r->quote.src, src) : NULL);
	db_int_or_null(s, 13, ports ? r->quote.src_port : DB_NONE);
	db_text(s, 14, r->has_quote ? ip_text(r->quote.dst, dst) : NULL);
	db_int_or_null(s, 15, ports ? r->quote.dst_port : DB_NONE);
	db_int_or_null(s, 16, r->has_quote && r->quote.protocol == 6 ? r->quote.seq : DB_NONE);
}

/* RFC 1191: the low half of the second word; RFC 4443 3.2: all of it. */
static int64_t observations_next_hop_mtu(const struct icmp_row *r)
{
	if (r->version == 6)
		return r->type == 2 ? (int64_t)r->rest : DB_NONE;
	return r->type == 3 && r->code == 4 ? (int64_t)(r->rest & 0xffff) : DB_NONE;
}

static void observations_insert_icmp(struct db *db, const struct dataset *data, uint32_t vantage)
{
	const struct vantage *v = &data->vantages[vantage];
	sqlite3_stmt *s = db_insert(db, TABLE_ICMP_ERROR);
	char ip[4][IP_TEXT_SIZE];

	for (uint32_t i = 0; i < v->icmps.count; i++) {
		const struct icmp_row *r = &v->icmps.rows[i];

		db_int(s, 1, v->id);
		db_int(s, 2, r->at_ns);
		facts_put_frame(s, 3, data, vantage, r->frame);
		db_int(s, 5, r->version);
		db_int(s, 6, r->type);
		db_int(s, 7, r->code);
		db_int_or_null(s, 8, observations_next_hop_mtu(r));
		db_text(s, 9, ip_text(r->src, ip[0]));
		db_text(s, 10, ip_text(r->dst, ip[1]));
		observations_bind_quote(s, r, ip[2], ip[3]);
		db_step(db, s);
	}
}

static void observations_insert_activity(struct db *db, const struct vantage *v)
{
	sqlite3_stmt *s = db_insert(db, TABLE_ACTIVITY);

	for (uint32_t i = 0; i < v->activity.count; i++) {
		const struct activity *a = &v->activity.rows[i];

		db_int(s, 1, v->id);
		db_int(s, 2, a->second_ns);
		db_int(s, 3, a->rx_frames);
		db_int(s, 4, a->tx_frames);
		db_int(s, 5, (int64_t)a->rx_bytes);
		db_int(s, 6, (int64_t)a->tx_bytes);
		db_step(db, s);
	}
}

static const char *observations_hook_name(uint8_t hook)
{
	static const char *const names[] = {
		"prerouting", "input", "forward", "output", "postrouting"};

	return hook < 5 ? names[hook] : "unknown";
}

static void observations_insert_netfilter(struct db *db, const struct dataset *data,
	const struct flows *all, const uint32_t *flow_row, uint32_t vantage)
{
	const struct vantage *v = &data->vantages[vantage];
	sqlite3_stmt *s = db_insert(db, TABLE_NETFILTER_LOG);

	for (uint32_t i = 0; i < v->netfilter.use.count; i++) {
		const struct netfilter_key *k = hashmap_key(&v->netfilter.use, i);
		const struct netfilter_use *u = hashmap_value(&v->netfilter.use, i);
		const struct flow_vantage *f = flowtab_at(&v->flows, k->flow);
		const struct member *m = flow_member_at(all, f);

		db_int(s, 1, v->id);
		db_int(s, 2, flow_row[f->flow]);
		db_text(s, 3, direction_name(k->from_b == m->client_is_b ? C2S : S2C));
		db_text(s, 4, observations_hook_name(k->hook));
		db_text(s, 5, k->prefix);
		db_int(s, 6, (int64_t)u->packets);
		db_int(s, 7, u->first_ns);
		db_int(s, 8, u->last_ns);
		facts_put_frame(s, 9, data, vantage, u->first_frame);
		db_step(db, s);
	}
}

/* Notes beyond the limits of their tables, of all vantage points. */
static void observations_insert_limits(struct db *db, const struct dataset *data)
{
	enum { LIMITED = 5 };
	uint64_t kept[LIMITED] = {0}, refused[LIMITED] = {0};
	static const char *const tables[] = {
		"activity", "arp", "vrrp_advert", "icmp_error", "kernel_drop"};

	for (uint32_t i = 0; i < data->vantage_count; i++) {
		const struct vantage *v = &data->vantages[i];
		const uint64_t count[] = {v->activity.count, v->neighbors.count, v->vrrps.count,
			v->icmps.count, v->kernel_drops.count};
		const uint64_t more[] = {v->activity.refused, v->neighbors.refused,
			v->vrrps.refused, v->icmps.refused, v->kernel_drops.refused};

		for (int k = 0; k < LIMITED; k++) {
			kept[k] += count[k];
			refused[k] += more[k];
		}
	}
	for (int k = 0; k < LIMITED; k++)
		facts_limit_reached(db, tables[k], kept[k], kept[k] + refused[k]);
}

void observations_store(struct db *db, const struct dataset *data, const struct flows *all,
	const uint32_t *flow_row)
{
	observations_insert_limits(db, data);
	for (uint32_t i = 0; i < data->vantage_count; i++) {
		observations_insert_mac_use(db, data, i);
		observations_insert_neighbor_messages(db, data, i);
		observations_insert_vrrp(db, data, i);
		observations_insert_icmp(db, data, i);
		observations_insert_activity(db, &data->vantages[i]);
		observations_insert_netfilter(db, data, all, flow_row, i);
		kernel_drops_store(db, data, all, flow_row, i);
	}
}
