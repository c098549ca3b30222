/* What is known of a capture before the join: each kind of evidence alone, each contradiction, and
 * what stays unknown. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/mem.h"
#include "join/owner.h"
#include "read/filter.h"
#include "join/tally.h"
#include "survey/coverage.h"
#include "survey/own_mac.h"
#include "survey/stated.h"
#include "survey/stated_scope.h"
#include "survey/two_hosts.h"

enum { HOSTS = 2 };

/* Two hosts with a capture each, in which nothing is yet. */
struct world {
	struct dataset data;
	struct arena_budget *budget;
	struct hashmap macs[HOSTS];
	struct flows flows;
	struct owners owners;
};

static struct world *world_new(void)
{
	struct world *w = mem_zalloc(sizeof(*w));

	w->budget = arena_budget_new(1 << 20, "/tmp");
	w->data.hosts = mem_array(HOSTS, sizeof(struct host));
	w->data.vantages = mem_array(HOSTS, sizeof(struct vantage));
	w->data.host_count = w->data.vantage_count = HOSTS;
	for (uint32_t i = 0; i < HOSTS; i++) {
		struct host *h = &w->data.hosts[i];

		*h = (struct host){.id = i + 1, .flow_room = 100};
		arena_init(&h->arena, w->budget);
		macs_table_init(&w->macs[i]);
		vantage_init(&w->data.vantages[i], &h->arena, &w->macs[i], &h->flow_room);
		w->data.vantages[i].host = i;
		w->data.vantages[i].id = i + 1;
	}
	return w;
}

static void world_free(struct world *w)
{
	owners_release(&w->owners);
	for (uint32_t i = 0; i < HOSTS; i++) {
		vantage_release(&w->data.vantages[i]);
		hashmap_release(&w->macs[i]);
		arena_release(&w->data.hosts[i].arena);
		free(w->data.hosts[i].addresses);
		if (w->data.hosts[i].scope) {
			(void)filter_free(w->data.hosts[i].scope->filter);
			free(w->data.hosts[i].scope->expression);
			free(w->data.hosts[i].scope);
		}
	}
	free(w->data.hosts);
	free(w->data.vantages);
	(void)arena_budget_free(w->budget);
	free(w);
}

/* 10.0.0.n, and 02:00:00:00:00:n. */
static const uint8_t *ip(uint8_t n)
{
	static uint8_t list[256][16];

	memcpy(list[n], (const uint8_t[]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, n},
		16);
	return list[n];
}

static uint16_t mac(struct vantage *v, uint8_t n)
{
	return macs_index(&v->macs, (const uint8_t[]){2, 0, 0, 0, 0, n});
}

static struct address *address(struct vantage *v, uint8_t n)
{
	bool fresh;
	struct address *a = hashmap_at(&v->addresses.by_ip, ip(n), &fresh);

	if (fresh)
		a->mac = MAC_NONE;
	return a;
}

static void use(struct vantage *v, uint8_t role, uint8_t n, uint8_t mac_of, uint8_t from_mac,
	uint64_t frames, uint8_t ttl)
{
	struct mac_use_key key = {.role = role,
		.mac = mac(v, mac_of),
		.from_mac = role ? mac(v, from_mac) : MAC_NONE,
		.binding = MAC_NONE};
	struct mac_use *u;
	bool fresh;

	memcpy(key.ip, ip(n), 16);
	u = hashmap_at(&v->macs.use, &key, &fresh);
	u->frames += frames;
	u->first_ns = 1000;
	u->last_ns = 2000;
	u->ttl_max = ttl;
}

/* Frames from one host to another, both numbered alike in address and MAC. */
static void talk(struct vantage *v, uint8_t from, uint8_t to, uint64_t frames)
{
	use(v, 0, from, from, 0, frames, 64);
	use(v, 1, to, to, from, frames, 64);
	v->counts.unicast_frames += frames;
	v->counts.answered_frames += frames;
	for (int i = 0; i < 2; i++) {
		struct address *a = address(v, i ? to : from);

		for (int view = 0; view < ADDRESS_VIEWS; view++)
			a->frames[view] += frames;
		a->ttl_max = a->ttl_max_answered = 64;
		a->sent |= !i;
	}
}

static const struct claim *claim_of_ip(const struct world *w, uint32_t host, uint8_t n)
{
	for (uint32_t i = 0; i < w->owners.claims.count; i++) {
		const struct claim *c = &w->owners.claims.list[i];

		if (c->host == host && c->has_ip && memcmp(c->ip, ip(n), 16) == 0)
			return c;
	}
	return NULL;
}

static const struct claim *claim_of_mac(const struct world *w, uint32_t host)
{
	for (uint32_t i = 0; i < w->owners.claims.count; i++)
		if (w->owners.claims.list[i].host == host && w->owners.claims.list[i].has_mac)
			return &w->owners.claims.list[i];
	return NULL;
}

static void infer(struct world *w)
{
	owners_infer(&w->data, &w->flows, &w->owners);
}

static void expect_claim(const struct claim *c, enum claim_ruling ruling, enum claim_evidence by)
{
	assert_non_null(c);
	assert_string_equal(claim_ruling_name(c->ruling), claim_ruling_name(ruling));
	assert_string_equal(claim_evidence_name(c->evidence), claim_evidence_name(by));
}

static void the_mac_in_all_frames_is_own(void **state)
{
	struct world *w = world_new();
	struct vantage *v = &w->data.vantages[0];

	(void)state;
	talk(v, 1, 2, 10);
	talk(v, 2, 1, 10);
	talk(v, 1, 3, 10);
	talk(v, 3, 1, 10);
	infer(w);
	expect_claim(claim_of_mac(w, 0), CLAIM_OWN, CLAIM_EVER_PRESENT);
	expect_claim(claim_of_ip(w, 0, 1), CLAIM_OWN, CLAIM_SENT_BY_MAC);
	assert_int_equal(claim_of_ip(w, 0, 1)->frames, 20);
	assert_int_equal(claim_of_ip(w, 0, 1)->first_ns, 1000);
	assert_int_equal(claim_of_ip(w, 0, 1)->last_ns, 2000);
	assert_null(claim_of_ip(w, 0, 2));
	world_free(w);
}

static void a_router_sends_what_is_not_its_own(void **state)
{
	struct world *w = world_new();
	struct vantage *v = &w->data.vantages[0];

	(void)state;
	use(v, 0, 9, 1, 0, 10, 63); /* through MAC 1, counted down */
	use(v, 1, 2, 2, 1, 10, 63);
	use(v, 0, 2, 2, 0, 10, 64);
	use(v, 1, 9, 1, 2, 10, 64);
	use(v, 0, 3, 3, 0, 10, 64);
	use(v, 1, 9, 1, 3, 10, 64);
	use(v, 1, 3, 3, 1, 10, 63);
	v->counts.unicast_frames = 40;
	infer(w);
	expect_claim(claim_of_mac(w, 0), CLAIM_OWN, CLAIM_EVER_PRESENT);
	assert_null(claim_of_ip(w, 0, 9));
	assert_string_equal(coverage_role_name(coverage_role(v)), "router");
	world_free(w);
}

static void arp(struct vantage *v, uint8_t from, uint8_t to, bool is_short)
{
	MEM_RESERVE(v->neighbors.rows, v->neighbors.count, v->neighbors.cap);
	v->neighbors.rows[v->neighbors.count++] =
		(struct neighbor_row){.ethernet_src = mac(v, from),
			.ethernet_dst = mac(v, to),
			.is_short = is_short,
			.is_padded = !is_short};
}

static void own_arp_is_not_padded(void **state)
{
	struct world *w = world_new();
	struct vantage *v = &w->data.vantages[0];
	enum claim_evidence by;

	(void)state;
	arp(v, 1, 2, true);
	arp(v, 2, 1, false);
	assert_int_equal(own_mac_find(v, &by), mac(v, 1));
	assert_int_equal(by, CLAIM_ARP_LENGTH);
	arp(v, 2, 1, true); /* now both are short: a virtual link, on which nobody pads */
	assert_int_equal(own_mac_find(v, &by), MAC_NONE);
	world_free(w);
}

static void arp_of_several_meets_at_its_host(void **state)
{
	struct world *w = world_new();
	struct vantage *v = &w->data.vantages[0];
	enum claim_evidence by;

	(void)state;
	arp(v, 1, 2, false);
	assert_int_equal(
		own_mac_find(v, &by), MAC_NONE); /* two MACs, and nothing tells them apart */
	arp(v, 3, 1, false);
	assert_int_equal(own_mac_find(v, &by), mac(v, 1));
	assert_int_equal(by, CLAIM_ARP_PEERS);
	arp(v, 3, 2, false); /* a mirror port: some are not of MAC 1 */
	assert_int_equal(own_mac_find(v, &by), MAC_NONE);
	world_free(w);
}

static void what_leaves_is_own_and_proven(void **state)
{
	struct world *w = world_new();
	struct vantage *v = &w->data.vantages[0];

	(void)state;
	talk(v, 1, 2, 10);
	talk(v, 2, 1, 10);
	address(v, 2)->sent_out = true;
	infer(w);
	expect_claim(claim_of_ip(w, 0, 2), CLAIM_OWN, CLAIM_SENT_OUT);
	assert_int_equal(claim_strength(CLAIM_SENT_OUT), STRENGTH_PROVEN);
	assert_null(claim_of_ip(w, 0, 1));
	world_free(w);
}

static void one_mac_at_two_hosts_is_neither_s(void **state)
{
	struct world *w = world_new();

	(void)state;
	for (uint32_t i = 0; i < HOSTS; i++) {
		struct vantage *v = &w->data.vantages[i];

		talk(v, 1, 2, 10);
		talk(v, 2, 1, 10);
		talk(v, 3, 1, 10);
		talk(v, 1, 3, 10);
	}
	infer(w);
	for (uint32_t i = 0; i < HOSTS; i++) {
		expect_claim(claim_of_mac(w, i), CLAIM_RULED_OUT, CLAIM_EVER_PRESENT);
		assert_int_equal(claim_of_mac(w, i)->rival, !i);
		assert_int_equal(w->data.vantages[i].inferred.own_mac, MAC_NONE);
	}
	world_free(w);
}

static void two_addresses_in_all_frames_are_open(void **state)
{
	struct world *w = world_new();

	(void)state;
	talk(&w->data.vantages[0], 1, 2, 10);
	talk(&w->data.vantages[0], 2, 1, 10);
	infer(w);
	expect_claim(claim_of_ip(w, 0, 1), CLAIM_OPEN, CLAIM_EVER_PRESENT);
	expect_claim(claim_of_ip(w, 0, 2), CLAIM_OPEN, CLAIM_EVER_PRESENT);
	assert_int_equal(owner_of(&w->owners, ip(1)), OWNER_NONE);
	world_free(w);
}

static void record(struct world *w, uint32_t host, uint8_t n, const char *source)
{
	struct host *h = &w->data.hosts[host];

	MEM_RESERVE(h->addresses, h->address_count, h->address_cap);
	h->addresses[h->address_count] =
		(struct host_address){.has_ip = true, .prefix = 255, .source = source};
	memcpy(h->addresses[h->address_count++].ip, ip(n), 16);
}

static void what_another_recorded_is_ruled_out(void **state)
{
	struct world *w = world_new();

	(void)state;
	record(w, 1, 2, "capture");
	talk(&w->data.vantages[0], 1, 2, 10);
	talk(&w->data.vantages[0], 2, 1, 10);
	infer(w);
	expect_claim(claim_of_ip(w, 1, 2), CLAIM_OWN, CLAIM_RECORDED);
	expect_claim(claim_of_ip(w, 0, 1), CLAIM_OWN, CLAIM_EVER_PRESENT);
	world_free(w);
}

static void the_user_s_word_ends_no_inference(void **state)
{
	struct world *w = world_new();
	struct vantage *v = &w->data.vantages[0];

	(void)state;
	record(w, 0, 7, "option");
	talk(v, 1, 2, 10);
	talk(v, 2, 1, 10);
	talk(v, 1, 3, 10);
	talk(v, 3, 1, 10);
	infer(w);
	expect_claim(claim_of_ip(w, 0, 7), CLAIM_OWN, CLAIM_STATED);
	expect_claim(claim_of_ip(w, 0, 1), CLAIM_OWN, CLAIM_SENT_BY_MAC);
	world_free(w);
}

static void addresses_and_macs_are_parsed(void **state)
{
	struct stated_host s;

	(void)state;
	assert_true(stated_parse("10.0.0.7", &s) && s.has_ip && !s.has_mac);
	assert_memory_equal(s.ip, ip(7), 16);
	assert_true(stated_parse("2001:db8::1", &s) && s.has_ip);
	assert_true(stated_parse("02:00:00:00:00:0A", &s) && s.has_mac && !s.has_ip);
	assert_int_equal(s.mac[5], 10);
	assert_true(stated_parse("02-00-00-00-00-0a", &s) && s.has_mac);
	assert_false(stated_parse("eni-0aaa1111bbbb2222c", &s));
	assert_false(stated_parse("10.0.0.7/24", &s));
	assert_false(stated_parse("02:00:00:00:00:0g", &s));
	assert_false(stated_parse("02:00:00:00:00", &s));
	assert_false(stated_parse("", &s));
}

/* A conversation of which one side's packets are marked and have a TTL. */
static void flow(struct vantage *v, uint8_t from, uint8_t to, uint8_t bits, uint8_t ttl)
{
	struct packet p = {.version = 4, .protocol = 6, .src_port = 40000, .dst_port = 80};
	struct flow_lookup look;
	struct flow_vantage *f;

	memcpy(p.src, ip(from), 16);
	memcpy(p.dst, ip(to), 16);
	flow_lookup_of(&v->flows, &p, &look);
	f = flowtab_find(&v->flows, &p, &look);
	*flow_vantage_reserve(&v->flows, f, 1) = (struct segment){.ttl = ttl,
		.bits = (uint8_t)(bits | (look.from_b ? SEGMENT_FROM_B : 0)),
		.src_mac = mac(v, from)};
	flow_vantage_append(f, 1);
	(void)address(v, to);
	address(v, from)->ttl_max = ttl;
}

static void stated_and_arriving_is_wrong(void **state)
{
	struct world *w = world_new();

	(void)state;
	record(w, 0, 1, "option");
	flow(&w->data.vantages[0], 1, 2, SEGMENT_IN, 64);
	infer(w);
	expect_claim(claim_of_ip(w, 0, 1), CLAIM_RULED_OUT, CLAIM_STATED);
	assert_int_equal(claim_of_ip(w, 0, 1)->against, AGAINST_ARRIVING);
	assert_non_null(claim_of_ip(w, 0, 1)->proof);
	assert_int_equal(owner_of(&w->owners, ip(1)), OWNER_NONE);
	assert_int_equal(w->data.hosts[0].address_count, 0);
	world_free(w);
}

/* A bridge or router with all its interfaces captured sees its own packets come back. */
static void stated_that_arrives_and_leaves_holds(void **state)
{
	struct world *w = world_new();

	(void)state;
	record(w, 0, 1, "option");
	flow(&w->data.vantages[0], 1, 2, SEGMENT_IN, 64);
	flow(&w->data.vantages[0], 1, 3, SEGMENT_OUT, 64);
	infer(w);
	expect_claim(claim_of_ip(w, 0, 1), CLAIM_OWN, CLAIM_STATED);
	assert_int_equal(claim_of_ip(w, 0, 1)->against, AGAINST_NOTHING);
	assert_int_equal(owner_of(&w->owners, ip(1)), 0);
	world_free(w);
}

static void stated_with_an_odd_ttl(void **state)
{
	struct world *w = world_new();

	(void)state;
	record(w, 0, 1, "option");
	flow(&w->data.vantages[0], 1, 2, 0, 60);
	infer(w); /* a system may be set to begin with 60 */
	expect_claim(claim_of_ip(w, 0, 1), CLAIM_OWN, CLAIM_STATED);
	assert_int_equal(claim_of_ip(w, 0, 1)->against, AGAINST_TTL);
	world_free(w);

	w = world_new();
	record(w, 0, 1, "option");
	flow(&w->data.vantages[0], 1, 2, 0, 60);
	flow(&w->data.vantages[1], 1, 2, 0, 61);
	infer(w); /* not where another place has them before a router did */
	expect_claim(claim_of_ip(w, 0, 1), CLAIM_RULED_OUT, CLAIM_STATED);
	assert_int_equal(claim_of_ip(w, 0, 1)->against, AGAINST_HANDED_ON);
	world_free(w);
}

static void stated_and_recorded_elsewhere_is_wrong(void **state)
{
	struct world *w = world_new();

	(void)state;
	record(w, 0, 1, "option");
	record(w, 1, 1, "capture");
	flow(&w->data.vantages[0], 1, 2, 0, 64);
	infer(w);
	expect_claim(claim_of_ip(w, 0, 1), CLAIM_RULED_OUT, CLAIM_STATED);
	assert_int_equal(claim_of_ip(w, 0, 1)->against, AGAINST_RECORDED);
	assert_int_equal(owner_of(&w->owners, ip(1)), 1);
	world_free(w);
}

static void stated_and_not_seen_is_said(void **state)
{
	struct world *w = world_new();

	(void)state;
	record(w, 0, 9, "option");
	flow(&w->data.vantages[0], 1, 2, 0, 64);
	infer(w);
	expect_claim(claim_of_ip(w, 0, 9), CLAIM_OWN, CLAIM_STATED);
	assert_int_equal(claim_of_ip(w, 0, 9)->against, AGAINST_UNSEEN);
	world_free(w);
}

/* A stated MAC is not given up for one that another's capture seems to have as well. */
static void a_stated_mac_stands_against_a_guess(void **state)
{
	struct world *w = world_new();
	struct host *h = &w->data.hosts[0];

	(void)state;
	MEM_RESERVE(h->addresses, h->address_count, h->address_cap);
	h->addresses[h->address_count++] = (struct host_address){
		.has_mac = true, .mac = {2, 0, 0, 0, 0, 1}, .prefix = 255, .source = "option"};
	for (uint32_t i = 0; i < HOSTS; i++) {
		struct vantage *v = &w->data.vantages[i];

		talk(v, 1, 2, 10);
		talk(v, 2, 1, 10);
		talk(v, 3, 1, 10);
		talk(v, 1, 3, 10);
	}
	infer(w);
	expect_claim(claim_of_mac(w, 0), CLAIM_OWN, CLAIM_STATED);
	expect_claim(claim_of_mac(w, 1), CLAIM_RULED_OUT, CLAIM_EVER_PRESENT);
	expect_claim(claim_of_ip(w, 0, 1), CLAIM_OWN, CLAIM_SENT_BY_MAC);
	world_free(w);
}

/* Does a scope admit a packet from 10.0.0.1 (2001:db8::1) to .2 (::2), port 40000 to 443? */
static bool admits(const char *expression, uint8_t protocol, bool v6, const struct segment *s)
{
	static const uint8_t client6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
			     server6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};
	struct world *w = world_new();
	struct stated_packet p = {.src = v6 ? client6 : ip(1),
		.dst = v6 ? server6 : ip(2),
		.src_port = 40000,
		.dst_port = 443,
		.protocol = protocol,
		.segment = s};
	struct error err = ERROR_INIT;
	char name[] = "a";
	bool r;

	w->data.hosts[0].name = w->data.hosts[1].name = name;
	assert_int_equal(
		stated_scope_take(&w->data,
			&(struct stated_scope){.name = name, .expression = expression}, 1, &err),
		0);
	assert_non_null(stated_scope_of(&w->data, &w->data.vantages[0]));
	assert_null(stated_scope_of(&w->data, &w->data.vantages[1]));
	r = stated_scope_admits(stated_scope_of(&w->data, &w->data.vantages[0]), &p);
	w->data.hosts[0].scope->outside = 1; /* a frame that it would have left out */
	assert_null(stated_scope_of(&w->data, &w->data.vantages[0]));
	world_free(w);
	return r;
}

static void packets_are_held_against_a_scope(void **state)
{
	const struct segment syn = {.flags = 2, .ttl = 64}, data = {.flags = 0x18, .length = 1000},
			     echo = {.seq = 8U << 16 | 1};
	static const struct {
		const char *expression;
		bool syn, data;
	} cases[] = {
		{"host 10.0.0.1 and not port 80", true, true},
		{"host 10.0.0.1 and not port 443", false, false},
		{"src host 10.0.0.2", false, false},
		{"tcp src port 40000 and dst net 10.0.0.0/24", true, true},
		{"tcp[tcpflags] & tcp-syn != 0", true, false},
		{"greater 1000", false, true},
		{"ip[8] = 64", true, false},
		{"udp or arp", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (admits(cases[i].expression, 6, false, &syn) != cases[i].syn ||
			admits(cases[i].expression, 6, false, &data) != cases[i].data)
			fail_msg("%s", cases[i].expression);
	assert_true(admits("ip6 and tcp dst port 443", 6, true, &syn));
	assert_true(admits("host 2001:db8::2", 17, true, &data));
	assert_false(admits("ip", 6, true, &syn));
	assert_true(admits("udp port 443", 17, false, &data));
	assert_false(admits("tcp", 17, false, &data));
	assert_true(admits("icmp[icmptype] = icmp-echo", 1, false, &echo));
	assert_false(admits("icmp[icmptype] = icmp-echoreply", 1, false, &echo));
}

/* What has no meaning for an IP packet ("ether host") says nothing of it. */
static void a_scope_of_macs_says_nothing_of_packets(void **state)
{
	struct world *w = world_new();
	const struct stated_scope scope = {.name = "a", .expression = "ether host 2:0:0:0:0:1"};
	struct error err = ERROR_INIT;
	char name[] = "a";

	(void)state;
	w->data.hosts[0].name = w->data.hosts[1].name = name;
	assert_int_equal(stated_scope_take(&w->data, &scope, 1, &err), 0);
	assert_null(stated_scope_of(&w->data, &w->data.vantages[0]));
	world_free(w);
}

/* Both captures under one name. */
static void who_receives_what_the_other_sent_is_another_host(void **state)
{
	struct world *w = world_new();
	struct two_hosts found;

	(void)state;
	hashmap_release(&w->macs[1]);
	macs_table_init(&w->macs[1]);
	w->data.vantages[1].host = 0;
	w->data.vantages[1].macs.table = w->data.vantages[0].macs.table;
	for (uint8_t i = 0; i < HOSTS; i++) {
		struct vantage *v = &w->data.vantages[i];
		uint8_t self = i + 1;

		talk(v, self, 3, 5); /* a third, so that the own MAC stands out */
		talk(v, 3, self, 5);
		talk(v, 1, 2, 5);
		assert_false(two_hosts_find(&w->data, &found));
	}
	talk(&w->data.vantages[0], 2, 1, 5);
	talk(&w->data.vantages[1], 2, 1, 5);
	assert_true(two_hosts_find(&w->data, &found));
	w->data.vantages[1].host = 1;
	assert_false(two_hosts_find(&w->data, &found));
	world_free(w);
}

static void nothing_seen_claims_nothing(void **state)
{
	struct world *w = world_new();
	struct coverage rows[2];
	int64_t from_ns, to_ns;
	bool recorded;

	(void)state;
	infer(w);
	assert_int_equal(w->owners.claims.count, 0);
	assert_int_equal(coverage_of(&w->data.vantages[0], rows), 1);
	assert_int_equal(rows[0].direction, COVERAGE_ANY);
	assert_int_equal(rows[0].shown, SHOWN_NOTHING);
	assert_false(coverage_span(&w->data.vantages[0], &from_ns, &to_ns, &recorded));
	assert_string_equal(coverage_role_name(coverage_role(&w->data.vantages[0])), "unknown");
	world_free(w);
}

static void second(struct vantage *v, uint32_t in, uint32_t out)
{
	MEM_RESERVE(v->activity.rows, v->activity.count, v->activity.cap);
	v->activity.rows[v->activity.count++] =
		(struct activity){.rx_frames = in, .tx_frames = out};
}

static void a_direction_that_is_proven_and_never_shown_is_left_out(void **state)
{
	struct world *w = world_new();
	struct vantage *v = &w->data.vantages[0];
	struct coverage rows[2];

	(void)state;
	talk(v, 1, 2, 10);
	address(v, 1)->sent_out = true;
	second(v, 0, 10);
	infer(w);
	assert_int_equal(coverage_of(v, rows), 2);
	assert_int_equal(rows[0].direction, COVERAGE_IN);
	assert_int_equal(rows[0].shown, SHOWN_NOTHING);
	v->addresses.one_way = true;
	(void)coverage_of(v, rows);
	assert_int_equal(rows[0].shown, SHOWN_NEVER);
	assert_int_equal(rows[1].shown, SHOWN_YES);
	assert_int_equal(rows[1].frames, 10);
	world_free(w);
}

static void roles(void **state)
{
	struct world *w = world_new();
	struct vantage *v = &w->data.vantages[0];

	(void)state;
	talk(v, 1, 2, 10);
	v->inferred.own_mac = mac(v, 1);
	v->inferred.sees_its_own = true;
	assert_int_equal(coverage_role(v), ROLE_HOST);
	v->inferred.sees_its_own = false;
	assert_int_equal(coverage_role(v), ROLE_MIRROR);
	v->inferred.own_mac = MAC_NONE;
	assert_int_equal(coverage_role(v), ROLE_UNKNOWN);
	v->part = mem_strdup("vni7");
	assert_int_equal(coverage_role(v), ROLE_MIRROR);
	v->kind = VANTAGE_NETFILTER;
	assert_int_equal(coverage_role(v), ROLE_HOOK);
	world_free(w);
}

static void without_a_record_the_end_is_not_known(void **state)
{
	struct world *w = world_new();
	struct vantage *v = &w->data.vantages[0];
	int64_t from_ns, to_ns;
	bool recorded;

	(void)state;
	v->span.first_ns = 100;
	v->span.last_ns = 200;
	assert_true(coverage_span(v, &from_ns, &to_ns, &recorded));
	assert_false(recorded);
	assert_int_equal(from_ns, 100);
	assert_int_equal(to_ns, 200);
	v->span.start_ns = 50;
	v->span.end_ns = 300;
	assert_true(coverage_span(v, &from_ns, &to_ns, &recorded));
	assert_true(recorded);
	assert_int_equal(from_ns, 50);
	assert_int_equal(to_ns, 300);
	world_free(w);
}

/* Three conversations through places 0 and 1, as counted by two threads. */
static void orders_are_counted_by_evidence(void **state)
{
	struct member members[] = {
		{.vantage = 0, .next = 1, .next_by = ORDER_TTL},
		{.vantage = 1, .next = MEMBER_NONE},
		{.vantage = 1, .next = 3, .next_by = ORDER_UNKNOWN},
		{.vantage = 0, .next = MEMBER_NONE},
	};
	struct flows all = {.members = members, .member_count = 4};
	struct tally tallies[2];
	struct order_row *rows;
	uint32_t count;

	(void)state;
	tally_init(&tallies[0]);
	tally_init(&tallies[1]);
	tally_add(&tallies[0], &all, &members[0]);
	tally_add(&tallies[0], &all, &members[1]);
	tally_add(&tallies[1], &all, &members[0]);
	tally_add(&tallies[1], &all, &members[2]);
	rows = tally_rows(tallies, 2, &count);
	assert_int_equal(count, 2);
	assert_int_equal(rows[0].key.nearer, 0);
	assert_int_equal(rows[0].flows, 2);
	assert_true(order_is_known(rows[0].key.evidence));
	assert_int_equal(rows[1].key.nearer, 1);
	assert_int_equal(rows[1].flows, 1);
	assert_false(order_is_known(rows[1].key.evidence));
	free(rows);
	tally_release(&tallies[0]);
	tally_release(&tallies[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mac_in_all_frames_is_own),
		cmocka_unit_test(a_router_sends_what_is_not_its_own),
		cmocka_unit_test(own_arp_is_not_padded),
		cmocka_unit_test(arp_of_several_meets_at_its_host),
		cmocka_unit_test(what_leaves_is_own_and_proven),
		cmocka_unit_test(one_mac_at_two_hosts_is_neither_s),
		cmocka_unit_test(two_addresses_in_all_frames_are_open),
		cmocka_unit_test(what_another_recorded_is_ruled_out),
		cmocka_unit_test(the_user_s_word_ends_no_inference),
		cmocka_unit_test(addresses_and_macs_are_parsed),
		cmocka_unit_test(stated_and_arriving_is_wrong),
		cmocka_unit_test(stated_that_arrives_and_leaves_holds),
		cmocka_unit_test(stated_with_an_odd_ttl),
		cmocka_unit_test(stated_and_recorded_elsewhere_is_wrong),
		cmocka_unit_test(stated_and_not_seen_is_said),
		cmocka_unit_test(a_stated_mac_stands_against_a_guess),
		cmocka_unit_test(packets_are_held_against_a_scope),
		cmocka_unit_test(a_scope_of_macs_says_nothing_of_packets),
		cmocka_unit_test(who_receives_what_the_other_sent_is_another_host),
		cmocka_unit_test(nothing_seen_claims_nothing),
		cmocka_unit_test(a_direction_that_is_proven_and_never_shown_is_left_out),
		cmocka_unit_test(roles),
		cmocka_unit_test(without_a_record_the_end_is_not_known),
		cmocka_unit_test(orders_are_counted_by_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
