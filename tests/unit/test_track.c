/* Packets as records of their flow: two that are equal on the wire are equal on record, whatever
 * came before them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flow/copies.h"
#include "flow/track.h"
#include "read/capfile.h"

static struct arena_budget *budget;
static struct arena arena;
static struct hashmap macs;
static uint32_t room;
static struct vantage vantage;

static int setup(void **state)
{
	(void)state;
	budget = arena_budget_new(0, "/tmp");
	arena_init(&arena, budget);
	macs_table_init(&macs);
	room = 10;
	vantage_init(&vantage, &arena, &macs, &room);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vantage_release(&vantage);
	hashmap_release(&macs);
	arena_release(&arena);
	(void)arena_budget_free(budget);
	return 0;
}

/* The record of a packet, NULL where the capture saw it before. */
static const struct segment *track_again(const struct packet *p, int64_t time_ns)
{
	struct frame frame = {.time_ns = time_ns};
	struct flow_lookup lookup = {0};
	struct observation o = {.vantage = &vantage,
		.frame = &frame,
		.packet = p,
		.lookup = &lookup,
		.src_mac = MAC_NONE,
		.dst_mac = MAC_NONE};
	struct flow_vantage *f;
	bool from_b;

	flow_lookup_of(&vantage.flows, p, &lookup);
	vantage.counts.ip_frames++;
	return track_packet(&o, &f, &from_b) == TRACK_ADDED ? f->newest : NULL;
}

static const struct segment *track(const struct packet *p, int64_t time_ns)
{
	const struct segment *s = track_again(p, time_ns);

	assert_non_null(s);
	return s;
}

/* Decoding leaves the blocks that a packet does not have as the packet before left them. */
static void sack_without_the_packet_before(void **state)
{
	struct packet p = {.disposition = PACKET_TCP,
		.version = 4,
		.protocol = 6,
		.src_port = 40000,
		.dst_port = 80,
		.tcp.flags = TCP_ACK,
		.tcp.options = TCPOPT_HAS_SACK,
		.tcp.sack_count = 1,
		.tcp.seq = 1,
		.tcp.ack = 1000,
		.tcp.sack = {{2000, 3000}, {4000, 5000}, {6000, 7000}, {8000, 9000}}};
	const struct segment_sack *first, *second;

	(void)state;
	first = segment_sack(track(&p, 0));
	memset(p.tcp.sack[1], 0, sizeof(p.tcp.sack) - sizeof(p.tcp.sack[0]));
	second = segment_sack(track(&p, 10000000));
	assert_non_null(first);
	assert_non_null(second);
	assert_int_equal(first->count, 1);
	assert_int_equal(first->edge[0][0], 2000);
	assert_int_equal(first->edge[0][1], 3000);
	assert_memory_equal(first, second, sizeof(*first));
}

#define US 1000

static const struct packet data = {.disposition = PACKET_TCP,
	.version = 4,
	.protocol = 6,
	.src_port = 40000,
	.dst_port = 80,
	.tcp.flags = TCP_ACK,
	.tcp.seq = 1,
	.tcp.ack = 1000,
	.payload_len = 1000,
	.ttl = 64,
	.tcp.window = 500,
	.link.direction = PACKET_IN};

static struct packet forwarded(struct packet p)
{
	p.link.direction = PACKET_OUT;
	p.ttl--;
	return p;
}

/* A router takes a batch in before it sends the first packet of it on. */
static void copies_with_others_in_between(void **state)
{
	struct packet p = data;

	(void)state;
	for (uint32_t i = 0; i < 8; i++, p.tcp.seq += 1000)
		(void)track(&p, i * US);
	p.tcp.seq = data.tcp.seq;
	for (uint32_t i = 0; i < 8; i++, p.tcp.seq += 1000) {
		struct packet out = forwarded(p);

		assert_null(track_again(&out, (100 + i) * US));
	}
	assert_int_equal(vantage.counts.duplicates, 8);
	assert_int_equal(vantage.counts.duplicate_segments, 0);
}

/* A SYN-ACK without ID, without payload: other hops tell. */
static void copy_of_what_has_no_id(void **state)
{
	struct packet p = data, out;

	(void)state;
	p.payload_len = 0;
	out = forwarded(p);
	(void)track(&p, 0);
	assert_null(track_again(&out, 20 * US));
}

/* Two equal ones in, two out: none comes to be a copy of a copy. */
static void as_many_copies_as_packets(void **state)
{
	struct packet p = data, out = forwarded(p);

	(void)state;
	p.payload_len = out.payload_len = 0;
	(void)track(&p, 0);
	(void)track(&p, 10 * US);
	assert_null(track_again(&out, 20 * US));
	assert_null(track_again(&out, 30 * US));
	(void)track(&out, 40 * US);
}

/* Later than any bridge or router holds a packet, it is another one. */
static void no_copy_after_a_while(void **state)
{
	struct packet p = data, out = forwarded(p);

	(void)state;
	(void)track(&p, 0);
	assert_false(track(&out, 2000 * US)->bits & SEGMENT_DUPLICATE);
}

/* Doubled by the network: equal in all, and kept, for the join to judge. */
static void twin_is_kept(void **state)
{
	struct packet p = data;

	(void)state;
	p.ip_id = 7;
	(void)track(&p, 0);
	p.tcp.seq += 1000;
	(void)track(&p, 100 * US);
	p.tcp.seq -= 1000;
	assert_true(track(&p, 200 * US)->bits & SEGMENT_DUPLICATE);
}

/* Without ID a retransmission equals what it repeats. */
static void retransmission_is_no_twin(void **state)
{
	struct packet p = data;

	(void)state;
	(void)track(&p, 0);
	p.tcp.seq += 1000;
	(void)track(&p, 100 * US);
	p.tcp.seq -= 1000;
	assert_false(track(&p, 200 * US)->bits & SEGMENT_DUPLICATE);
}

/* Where all is recorded twice, packets without ID are too, the first of them as the last, and equal
 * ACKs are still as many as were sent. */
static void no_id_in_a_doubled_capture(void **state)
{
	const struct segment *seg[8];
	struct packet p = data;

	(void)state;
	p.payload_len = 0;
	for (int i = 0; i < 4; i++)
		seg[i] = track(&p, i * US);
	p.payload_len = 1000;
	for (int i = 4; i < 8; i += 2, p.tcp.seq += 1000) {
		seg[i] = track(&p, (20 + i) * US);
		seg[i + 1] = track(&p, (21 + i) * US);
	}
	copies_mark_pairs(&vantage);
	for (int i = 0; i < 8; i++)
		assert_int_equal(seg[i]->bits & SEGMENT_DUPLICATE, i % 2 ? SEGMENT_DUPLICATE : 0);
	assert_int_equal(vantage.counts.duplicate_segments, 4);
}

/* Equal duplicate ACKs are no second records where the rest is single. */
static void equal_acks_in_a_sound_capture(void **state)
{
	struct packet p = data, ack = data;

	(void)state;
	ack.payload_len = 0;
	for (uint32_t i = 0; i < 20; i++, p.tcp.seq += 1000)
		(void)track(&p, i * US);
	for (uint32_t i = 0; i < 8; i++)
		(void)track(&ack, (30 + i) * US);
	copies_mark_pairs(&vantage);
	assert_int_equal(vantage.counts.duplicate_segments, 0);
}

/* Where a record lay before, nothing of it is left in fields that a datagram does not have. */
static void datagram_in_used_memory(void **state)
{
	struct packet p = data;
	struct frame frame = {.time_ns = US};
	struct observation o = {.vantage = &vantage,
		.frame = &frame,
		.packet = &p,
		.src_mac = MAC_NONE,
		.dst_mac = MAC_NONE};
	struct segment s;

	(void)state;
	p.disposition = PACKET_UDP;
	p.protocol = 17;
	memset(&s, 0xff, sizeof(s));
	track_segment(&s, &o, false);
	assert_int_equal(s.seq | s.ack | s.tsval | s.tsecr, 0);
	assert_int_equal(s.window | s.flags, 0);
}

/* Datagrams of which headers alone were captured are all alike; each is one, by whatever interface
 * it comes. */
static void headers_alone_are_no_copies(void **state)
{
	struct packet p = {.disposition = PACKET_UDP,
		.version = 6,
		.protocol = 17,
		.src_port = 40000,
		.dst_port = 4500,
		.payload_len = 1200,
		.ttl = 64};

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		p.link.ifindex = 2 + i % 2;
		assert_false(track(&p, i * 10 * US)->bits & SEGMENT_DUPLICATE);
	}
	assert_int_equal(vantage.counts.duplicates + vantage.counts.duplicate_segments, 0);
}

/* A tunnel's headers leave less of a packet within the snap length: the copy has no payload, and of
 * TCP not all options. */
static void copy_cut_by_a_tunnel(void **state)
{
	struct packet p = {.disposition = PACKET_UDP,
		.version = 4,
		.protocol = 17,
		.src_port = 40000,
		.dst_port = 53,
		.ip_id = 0x5941,
		.payload_len = 40,
		.ttl = 64};

	(void)state;
	p.outer.depth = 1;
	assert_int_equal(track(&p, 0)->hash, 0);
	p.outer.depth = 0;
	p.payload = (const uint8_t *)"a question of which twenty and more bytes";
	p.payload_cap = 28;
	assert_null(track_again(&p, US));
	assert_int_not_equal(flowtab_at(&vantage.flows, 0)->newest->hash, 0);

	p = data;
	p.tcp.options = TCPOPT_HAS_TIMESTAMP;
	p.tcp.tsval = 7;
	track(&p, 100 * US);
	p.outer.depth = 1;
	p.tcp.options = TCPOPT_TRUNCATED;
	p.tcp.tsval = 0;
	assert_null(track_again(&p, 101 * US));
	assert_int_equal(vantage.counts.duplicates, 2);
	assert_int_equal(vantage.counts.duplicate_segments, 0);
}

/* What both records hold has to be the same: another payload is another packet. */
static void no_copy_of_another_payload(void **state)
{
	struct packet p = {.disposition = PACKET_UDP,
		.version = 4,
		.protocol = 17,
		.src_port = 40000,
		.dst_port = 53,
		.ip_id = 0x5941,
		.payload_len = 40,
		.payload_cap = 20,
		.payload = (const uint8_t *)"a question of twenty",
		.ttl = 64};

	(void)state;
	track(&p, 0);
	p.payload = (const uint8_t *)"an answer in twenty.";
	p.ttl--;
	assert_false(track(&p, US)->bits & SEGMENT_DUPLICATE);
	assert_int_equal(vantage.counts.duplicates, 0);
}

/* Errors about several datagrams of one flow differ in the checksum alone. */
static void errors_with_other_checksums(void **state)
{
	struct packet p = {.disposition = PACKET_ICMP,
		.version = 6,
		.protocol = 58,
		.icmp.type = 1,
		.icmp.code = 3,
		.payload_len = 100,
		.ttl = 64};

	(void)state;
	for (uint16_t i = 0; i < 6; i++) {
		p.icmp.checksum = i;
		assert_false(track(&p, i * 400)->bits & SEGMENT_DUPLICATE);
	}
}

/* Cut behind the ICMP header no hash of the payload is known, and none is made of what is known. */
static void no_hash_of_a_cut_echo(void **state)
{
	struct packet p = {.disposition = PACKET_ICMP,
		.version = 6,
		.protocol = 58,
		.icmp.type = 128,
		.icmp.rest = 5,
		.payload_len = 56,
		.ttl = 64};

	(void)state;
	assert_int_equal(track(&p, 0)->hash, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copies_with_others_in_between, setup, teardown),
		cmocka_unit_test_setup_teardown(copy_of_what_has_no_id, setup, teardown),
		cmocka_unit_test_setup_teardown(as_many_copies_as_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(no_copy_after_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(twin_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(retransmission_is_no_twin, setup, teardown),
		cmocka_unit_test_setup_teardown(no_id_in_a_doubled_capture, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_acks_in_a_sound_capture, setup, teardown),
		cmocka_unit_test_setup_teardown(datagram_in_used_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(headers_alone_are_no_copies, setup, teardown),
		cmocka_unit_test_setup_teardown(copy_cut_by_a_tunnel, setup, teardown),
		cmocka_unit_test_setup_teardown(no_copy_of_another_payload, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_with_other_checksums, setup, teardown),
		cmocka_unit_test_setup_teardown(no_hash_of_a_cut_echo, setup, teardown),
		cmocka_unit_test_setup_teardown(sack_without_the_packet_before, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
