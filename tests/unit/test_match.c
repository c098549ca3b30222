/* Which sent datagram is which arrival: by identification, by content, by time, in any order of
 * loss. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "join/match.h"

#define OFFSET (-INT64_C(3600) * 1000000000) /* the receiver's clock is an hour behind */
#define DELAY 200000
#define SPACING 100000

/* Two half-flows under construction: what was sent, and what became of it. */
struct trial {
	struct segment *sent, *received;
	uint32_t sent_count, received_count;
	uint32_t *truth; /* by arrival: which one it is; TRANSMISSION_NONE: none */
	struct half_flow halves[2];
	struct matcher matcher;
};

static struct trial trial_of(uint32_t n)
{
	struct trial t = {.sent = mem_array(n, sizeof(*t.sent)),
		.received = mem_array(n, sizeof(*t.received)),
		.truth = mem_array(n, sizeof(*t.truth)),
		.sent_count = n};

	for (uint32_t i = 0; i < n; i++)
		t.sent[i] = (struct segment){
			.time_ns = (int64_t)i * SPACING, .length = 1200, .frame = i};
	return t;
}

static struct segment *arrive(struct trial *t, uint32_t i)
{
	struct segment *s = &t->received[t->received_count];

	*s = t->sent[i];
	/* Jitter below a quarter of what lies between two datagrams. */
	s->time_ns += OFFSET + DELAY + (int64_t)(i * 7919 % 20000);
	t->truth[t->received_count++] = i;
	return s;
}

static struct half_flow half_of(struct segment *list, uint32_t n)
{
	struct half_flow l = {
		.transmissions = mem_array(n + 1, sizeof(*l.transmissions)), .count = n};

	for (uint32_t i = 0; i < n; i++)
		l.transmissions[i] =
			(struct transmission){.seg = &list[i], .match = TRANSMISSION_NONE};
	return l;
}

static void match(struct trial *t)
{
	t->halves[0] = half_of(t->sent, t->sent_count);
	t->halves[1] = half_of(t->received, t->received_count);
	t->matcher = (struct matcher){.sent = &t->halves[0], .received = &t->halves[1]};
	match_half_flows(&t->matcher, 1448);
}

static void trial_end(struct trial *t)
{
	matcher_release(&t->matcher);
	free(t->halves[0].transmissions);
	free(t->halves[1].transmissions);
	free(t->sent);
	free(t->received);
	free(t->truth);
}

/* Matches, and holds each arrival against the truth. */
static void expect_truth(struct trial *t)
{
	match(t);
	for (uint32_t k = 0; k < t->received_count; k++)
		assert_int_equal(t->halves[1].transmissions[k].match, t->truth[k]);
	assert_int_equal(t->matcher.missing.count, t->sent_count - t->received_count);
	assert_int_equal(t->matcher.extra.count, 0);
	trial_end(t);
}

static void number(struct trial *t)
{
	for (uint32_t i = 0; i < t->sent_count; i++)
		t->sent[i].ip_id = (uint16_t)(i + 60000);
}

/* A payload's hash: both halves known, and no two alike. */
static uint32_t content(uint32_t i)
{
	return (i % UINT16_MAX + 1) | (i / UINT16_MAX + 1) << 16;
}

static void lose_bursts(struct trial *t)
{
	for (uint32_t i = 0; i < t->sent_count; i++)
		if (!(i % 20000 >= 1000 && i % 20000 < 1000 + 40 * (i / 20000 + 1)))
			arrive(t, i);
}

static void identifications_survive_any_burst(void **state)
{
	/* Each of 65,536 comes up five times. */
	struct trial t = trial_of(300000);

	(void)state;
	number(&t);
	lose_bursts(&t);
	expect_truth(&t);
}

static void a_burst_longer_than_a_round_of_identifications(void **state)
{
	struct trial t = trial_of(200000);

	(void)state;
	number(&t);
	for (uint32_t i = 0; i < t.sent_count; i++)
		if (i < 5000 || i >= 105000)
			arrive(&t, i);
	expect_truth(&t);
}

static void contents_survive_any_burst(void **state)
{
	struct trial t = trial_of(100000);

	(void)state;
	for (uint32_t i = 0; i < t.sent_count; i++)
		t.sent[i].hash = content(i);
	lose_bursts(&t);
	expect_truth(&t);
}

static void time_tells_what_nothing_else_does(void **state)
{
	struct trial t = trial_of(100000);

	(void)state;
	lose_bursts(&t);
	expect_truth(&t);
}

static void one_content_many_times(void **state)
{
	/* A million times the same, as keep-alives are. */
	struct trial t = trial_of(1000000);

	(void)state;
	for (uint32_t i = 0; i < t.sent_count; i++)
		t.sent[i].hash = content(77);
	lose_bursts(&t);
	expect_truth(&t);
}

static void rewritten_identifications_do_not_mislead(void **state)
{
	struct trial t = trial_of(1000);

	(void)state;
	number(&t);
	for (uint32_t i = 0; i < t.sent_count; i++)
		t.sent[i].hash = content(i);
	for (uint32_t i = 0; i < t.sent_count; i++)
		if (i % 10)
			arrive(&t, i)->ip_id +=
				5; /* a translator numbers anew: these are the IDs of others */
	expect_truth(&t);
}

static void overtaken_far(void **state)
{
	struct trial t = trial_of(4000);

	(void)state;
	number(&t);
	for (uint32_t i = 0; i < t.sent_count; i++)
		if (i < 100 || i >= 1000)
			arrive(&t, i);
	for (uint32_t i = 100; i < 1000; i++)
		arrive(&t, i)->time_ns += INT64_C(400000000);
	expect_truth(&t);
}

static void changed_payload_keeps_its_identification(void **state)
{
	struct trial t = trial_of(500);

	(void)state;
	number(&t);
	for (uint32_t i = 0; i < t.sent_count; i++)
		t.sent[i].hash = content(i);
	for (uint32_t i = 0; i < t.sent_count; i++) {
		struct segment *s;

		if (i % 50 == 7)
			continue;
		s = arrive(&t, i);
		s->hash = content(i + 1000);
		s->length += i % 3;
	}
	expect_truth(&t);
}

static void other_contents_are_other_datagrams(void **state)
{
	/* Lost, and beside it one that was never sent: without identifications nothing makes one of
	 * the two. */
	struct trial t = trial_of(100);

	(void)state;
	for (uint32_t i = 0; i < t.sent_count; i++)
		t.sent[i].hash = content(i);
	for (uint32_t i = 0; i < t.sent_count; i++)
		arrive(&t, i);
	t.received[50].hash = content(5000);
	match(&t);
	assert_int_equal(t.halves[0].transmissions[50].match, TRANSMISSION_NONE);
	assert_int_equal(t.halves[1].transmissions[50].match, TRANSMISSION_NONE);
	assert_int_equal(t.matcher.missing.count, 1);
	assert_int_equal(t.matcher.extra.count, 1);
	trial_end(&t);
}

/* Keyed hashes of one key at each end. */
static void key_with(struct segment *list, uint32_t count, uint16_t key)
{
	for (uint32_t i = 0; i < count; i++) {
		list[i].hash_keyed = true;
		list[i].window = key;
	}
}

static void hashes_under_one_key_tell_contents(void **state)
{
	struct trial t = trial_of(1000);

	(void)state;
	for (uint32_t i = 0; i < t.sent_count; i++)
		t.sent[i].hash = content(i);
	key_with(t.sent, t.sent_count, 7);
	for (uint32_t i = 0; i < t.sent_count; i++)
		if (i % 30)
			arrive(&t, i);
	expect_truth(&t);
}

static void hashes_under_two_keys_say_nothing(void **state)
{
	/* Nor do hashes beside payload: all that was sent arrived, and nothing was changed. */
	for (uint16_t key = 0; key < 2; key++) {
		struct trial t = trial_of(1000);

		(void)state;
		for (uint32_t i = 0; i < t.sent_count; i++) {
			t.sent[i].hash = content(i);
			arrive(&t, i);
			t.received[i].hash = content(i + 5000);
		}
		key_with(t.sent, t.sent_count, 7);
		if (key)
			key_with(t.received, t.sent_count, 8);
		assert_false(segment_payload_differs(&t.sent[3], &t.received[3]));
		expect_truth(&t);
	}
}

static void more_arrivals_than_sent(void **state)
{
	/* The sender's capture lacks a burst: of equal ones, time tells which arrivals those are.
	 */
	struct trial t = trial_of(1000);
	struct half_flow *r = &t.halves[1];

	(void)state;
	for (uint32_t i = 0; i < t.sent_count; i++)
		arrive(&t, i);
	for (uint32_t i = 400; i + 60 < t.sent_count; i++)
		t.sent[i] = t.sent[i + 60];
	t.sent_count -= 60;
	match(&t);
	for (uint32_t k = 0; k < t.received_count; k++)
		assert_int_equal(r->transmissions[k].match, k < 400   ? k
							    : k < 460 ? TRANSMISSION_NONE
								      : k - 60);
	trial_end(&t);
}

/* Each has at most one mate, which is the other's. */
static void expect_one_to_one(const struct half_flow *a, const struct half_flow *b)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (a->transmissions[i].match != TRANSMISSION_NONE)
			assert_int_equal(b->transmissions[a->transmissions[i].match].match, i);
}

#define APART 60 /* more than what is looked at around a copy */

/*
 * A segment is sent four times, and nothing but time tells its copies apart. The first arrives, all
 * that is sent between it and the second is lost, the second arrives: at the receiver these two
 * stand next to each other, at the sender far apart. The first one's arrival was taken for one of
 * the others, too.
 */
static void an_arrival_is_of_one_copy(void **state)
{
	struct trial t = trial_of(APART + 5);
	const uint32_t copies[] = {0, APART + 1, APART + 3, APART + 4}, other = APART + 2;

	(void)state;
	for (uint32_t i = 0; i < t.sent_count; i++) {
		t.sent[i].seq = 1200 * i;
		t.sent[i].flags = 0x10;
	}
	for (uint32_t i = 0; i < 4; i++) {
		t.sent[copies[i]].seq = 0;
		t.sent[copies[i]].time_ns = i * INT64_C(1000000000);
	}
	t.sent[other].time_ns = t.sent[copies[1]].time_ns + SPACING;
	arrive(&t, copies[0]);
	arrive(&t, copies[1]);
	arrive(&t, other);
	t.halves[0] = half_of(t.sent, t.sent_count);
	t.halves[1] = half_of(t.received, t.received_count);
	for (int h = 0; h < 2; h++) {
		t.halves[h].tcp = true;
		for (uint32_t i = 0; i < t.halves[h].count; i++) {
			t.halves[h].transmissions[i].off = t.halves[h].transmissions[i].seg->seq;
			t.halves[h].transmissions[i].span = 1200;
		}
	}
	t.matcher = (struct matcher){
		.sent = &t.halves[0], .received = &t.halves[1], .traits = {.tcp = true}};
	match_half_flows(&t.matcher, 1448);
	expect_one_to_one(&t.halves[0], &t.halves[1]);
	expect_one_to_one(&t.halves[1], &t.halves[0]);
	for (uint32_t k = 0; k < t.received_count; k++)
		assert_int_equal(t.halves[1].transmissions[k].match, t.truth[k]);
	assert_int_equal(t.matcher.missing.count, t.sent_count - t.received_count);
	trial_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identifications_survive_any_burst),
		cmocka_unit_test(a_burst_longer_than_a_round_of_identifications),
		cmocka_unit_test(contents_survive_any_burst),
		cmocka_unit_test(time_tells_what_nothing_else_does),
		cmocka_unit_test(one_content_many_times),
		cmocka_unit_test(rewritten_identifications_do_not_mislead),
		cmocka_unit_test(overtaken_far),
		cmocka_unit_test(changed_payload_keeps_its_identification),
		cmocka_unit_test(other_contents_are_other_datagrams),
		cmocka_unit_test(hashes_under_one_key_tell_contents),
		cmocka_unit_test(hashes_under_two_keys_say_nothing),
		cmocka_unit_test(more_arrivals_than_sent),
		cmocka_unit_test(an_arrival_is_of_one_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
