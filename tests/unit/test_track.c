/* Packets as records of their flow: two that are equal on the wire are equal on record, whatever came before them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flow/track.h"
#include "read/capfile.h"

static struct arena_budget *budget;
static struct arena arena;
static struct vantage vantage;

static int setup(void **state)
{
	(void)state;
	budget = arena_budget_new(0, "/tmp");
	arena_init(&arena, budget);
	vantage_init(&vantage, &arena, 10);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vantage_release(&vantage);
	arena_release(&arena);
	(void)arena_budget_free(budget);
	return 0;
}

static const struct segment *track(const struct packet *p, int64_t time_ns)
{
	struct frame frame = {.time_ns = time_ns};
	struct flow_lookup lookup = {0};
	struct observation o = {.vantage = &vantage, .frame = &frame, .packet = p, .lookup = &lookup, .src_mac = MAC_NONE,
		.dst_mac = MAC_NONE};
	struct flow_vantage *f;
	bool from_b;

	flow_lookup_of(p, &lookup);
	assert_int_equal(track_packet(&o, &f, &from_b), TRACK_ADDED);
	return f->newest;
}

/* Decoding leaves the blocks that a packet does not have as the packet before left them. */
static void sack_without_the_packet_before(void **state)
{
	struct packet p = {.disposition = PACKET_TCP, .version = 4, .protocol = 6, .src_port = 40000, .dst_port = 80,
		.tcp_flags = TCP_ACK, .tcp_options = TCPOPT_HAS_SACK, .sack_count = 1, .seq = 1, .ack = 1000,
		.sack = {{2000, 3000}, {4000, 5000}, {6000, 7000}, {8000, 9000}}};
	const struct segment_sack *first, *second;

	(void)state;
	first = segment_sack(track(&p, 0));
	memset(p.sack[1], 0, sizeof(p.sack) - sizeof(p.sack[0]));
	second = segment_sack(track(&p, 10000000));
	assert_non_null(first);
	assert_non_null(second);
	assert_int_equal(first->count, 1);
	assert_int_equal(first->edge[0][0], 2000);
	assert_int_equal(first->edge[0][1], 3000);
	assert_memory_equal(first, second, sizeof(*first));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sack_without_the_packet_before, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
