/*
 * Clock bounds from synthetic packets whose clocks are known: to the nanosecond where the samples
 * leave nothing open, and the true offset always within.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/nsec.h"
#include "join/clock.h"

#define MS NSEC_PER_MSEC
#define US NSEC_PER_USEC
#define SEC NSEC_PER_SEC
#define BEGIN (INT64_C(1767225600) * SEC)
#define NO_STEP INT64_MAX

/* Two clocks and the ways between them; times are true ones, from 0. */
struct world {
	int64_t offset;	       /* v minus u */
	double skew;	       /* of v */
	int64_t step_at, step; /* v's clock jumps */
	int64_t step_u_at, step_u;
	int64_t there, back; /* delays */
	struct steady steady_u, steady_v;
	struct clock_samples samples;
};

/* Frame numbers are in the order of true time, as in a file. */
static uint32_t frame_at(int64_t t)
{
	return (uint32_t)(t / (10 * US));
}

static int64_t clock_u(const struct world *w, int64_t t)
{
	return BEGIN + t + (t >= w->step_u_at ? w->step_u : 0);
}

static int64_t clock_v(const struct world *w, int64_t t)
{
	return BEGIN + t + w->offset + (int64_t)(w->skew * (double)t) +
	       (t >= w->step_at ? w->step : 0);
}

static int64_t true_offset(const struct world *w, int64_t t)
{
	return clock_v(w, t) - clock_u(w, t);
}

/* A clock that is set back shows so in its own file. */
static void init(struct world *w)
{
	if (w->step_at == 0)
		w->step_at = NO_STEP;
	if (w->step_u_at == 0)
		w->step_u_at = NO_STEP;
	steady_init(&w->steady_u);
	steady_init(&w->steady_v);
	for (int64_t t = 0; t < 200 * SEC; t += 10 * MS) {
		steady_note(&w->steady_u, frame_at(t), clock_u(w, t));
		steady_note(&w->steady_v, frame_at(t), clock_v(w, t));
	}
	clock_samples_init(&w->samples, CLOCK_STRETCHES_MAX);
}

static void add(struct world *w, bool up, int64_t t_u, int64_t t_v, int64_t late_v)
{
	struct clock_packet p = {.up = up,
		.t_u = clock_u(w, t_u),
		.t_v = clock_v(w, t_v) + late_v,
		.at_u = steady_stretch(&w->steady_u, frame_at(t_u)),
		.at_v = steady_stretch(&w->steady_v, frame_at(t_v))};

	clock_samples_add(&w->samples, &p);
}

/* One packet from u at true time t, stamped at v late by so much; one from v. */
static void up(struct world *w, int64_t t, int64_t late)
{
	add(w, true, t, t + w->there, late);
}

static void down(struct world *w, int64_t t, int64_t late)
{
	add(w, false, t + w->back, t, late);
}

/* Exchanges from one true time to another. */
static void exchange(struct world *w, int64_t from, int64_t to, int64_t every)
{
	for (int64_t t = from; t < to; t += every) {
		up(w, t, 0);
		down(w, t + every / 2, 0);
	}
}

static void fit(struct world *w, struct clock_model *m)
{
	clock_fit(&w->samples, 2, m);
	clock_samples_release(&w->samples);
}

static void done(struct world *w, struct clock_model *m)
{
	clock_model_release(m);
	steady_release(&w->steady_u);
	steady_release(&w->steady_v);
}

static struct clock_bounds at(const struct world *w, const struct clock_model *m, int64_t t)
{
	return clock_at(m, steady_time(&w->steady_u, frame_at(t), clock_u(w, t)));
}

static struct clock_bounds at_other(const struct world *w, const struct clock_model *m, int64_t t)
{
	return clock_at_other(m, steady_time(&w->steady_v, frame_at(t), clock_v(w, t)));
}

static void holds(struct clock_bounds b, int64_t offset)
{
	if (b.has_low)
		assert_true(b.low <= offset);
	if (b.has_high)
		assert_true(b.high >= offset);
}

/* The truth at all times, asked for by either clock, a stretch before and behind the samples too.
 */
static void always_holds(
	const struct world *w, const struct clock_model *m, int64_t from, int64_t to)
{
	for (int64_t t = from; t <= to; t += 50 * MS) {
		holds(at(w, m, t), true_offset(w, t));
		holds(at_other(w, m, t), true_offset(w, t));
	}
}

static void test_offset(void **state)
{
	struct world w = {.offset = -7 * SEC, .there = 3 * MS, .back = 2 * MS};
	struct clock_model m;
	struct clock_bounds b;

	(void)state;
	init(&w);
	exchange(&w, SEC, 100 * SEC, 200 * MS);
	fit(&w, &m);
	assert_int_equal(m.count, 1);
	assert_false(m.stepped);
	/* No step follows: the last packet of either direction is within the piece. */
	assert_int_equal(m.pieces[0].to_ns, BEGIN + 99900 * MS + w.back);
	/* In the middle, where every rate that the samples allow meets. */
	b = at(&w, &m, 50 * SEC);
	assert_true(b.has_low && b.has_high);
	assert_in_range(b.high - true_offset(&w, 50 * SEC), 3 * MS + 2, 3 * MS + 60 * US);
	assert_in_range(true_offset(&w, 50 * SEC) - b.low, 2 * MS + 2, 2 * MS + 60 * US);
	always_holds(&w, &m, 0, 150 * SEC);
	done(&w, &m);
}

/* Bounds that touch leave one offset: the resolution of the stamps is all that is open. */
static void test_to_the_nanosecond(void **state)
{
	struct world w = {.offset = 123456789};
	struct clock_model m;
	struct clock_bounds b;

	(void)state;
	init(&w);
	exchange(&w, SEC, 100 * SEC, 200 * MS);
	fit(&w, &m);
	b = at(&w, &m, 50 * SEC);
	assert_in_range(b.high, 123456789 + 2, 123456789 + 3);
	assert_in_range(b.low, 123456789 - 3, 123456789 - 2);
	assert_true(m.noise_ns < 1);
	done(&w, &m);
}

static void test_drift(void **state)
{
	static const double skews[] = {80e-6, -80e-6, 500e-6, -500e-6};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct world w = {
			.offset = 40 * SEC, .skew = skews[i], .there = 100 * US, .back = 100 * US};
		struct clock_model m;

		init(&w);
		exchange(&w, 0, 100 * SEC, 200 * MS);
		fit(&w, &m);
		assert_int_equal(m.count, 1);
		assert_true(
			m.pieces[0].slope > skews[i] - 3e-6 && m.pieces[0].slope < skews[i] + 3e-6);
		assert_true(
			m.pieces[0].slope_low <= skews[i] && m.pieces[0].slope_high >= skews[i]);
		assert_in_range(
			at(&w, &m, 50 * SEC).high - at(&w, &m, 50 * SEC).low, 200 * US, 500 * US);
		always_holds(&w, &m, 0, 200 * SEC - MS);
		done(&w, &m);
	}
}

/* Bounds that lie apart contradict each other by what the clock drifted, which is no jitter of the
 * stamps. */
static void test_drift_is_no_noise(void **state)
{
	struct world w = {.skew = 500e-6};
	struct clock_model m;

	(void)state;
	init(&w);
	exchange(&w, 0, 100 * SEC, 300 * MS);
	fit(&w, &m);
	assert_int_equal(m.count, 1);
	assert_true(m.noise_ns < 100);
	always_holds(&w, &m, 0, 100 * SEC);
	done(&w, &m);
}

/* v's or u's clock jumps either way: the same pieces, and nothing between them is claimed. */
static void test_steps(void **state)
{
	static const int64_t steps[] = {
		2 * SEC, -2 * SEC, 30 * SEC, -30 * SEC, -5100 * MS, 300 * MS, -300 * MS};

	(void)state;
	for (int i = 0; i < 14; i++) {
		int64_t step = steps[i / 2];
		struct world w = {.offset = SEC, .there = 3 * MS, .back = 3 * MS};
		struct clock_model m;

		if (i % 2) {
			w.step_at = 50 * SEC + 10 * MS;
			w.step = step;
		} else {
			w.step_u_at = 50 * SEC + 10 * MS;
			w.step_u = -step;
		}
		init(&w);
		exchange(&w, SEC, 100 * SEC, 200 * MS);
		fit(&w, &m);
		assert_int_equal(m.count, 2);
		assert_true(m.stepped && m.pieces[1].step_before && !m.pieces[0].step_before);
		assert_true(m.pieces[1].low - m.pieces[0].low > (double)step - 7e6);
		assert_true(m.pieces[1].low - m.pieces[0].low < (double)step + 7e6);
		always_holds(&w, &m, SEC, 100 * SEC);
		/* A little later all is known again. */
		assert_true(at(&w, &m, 52 * SEC).high - at(&w, &m, 52 * SEC).low < 7 * MS);
		assert_true(
			at_other(&w, &m, 52 * SEC).high - at_other(&w, &m, 52 * SEC).low < 7 * MS);
		done(&w, &m);
	}
}

/* Packets of one direction alone behind a step: between the pieces their bound lacks the other one,
 * which may then be that of before. */
static void test_bound_beside_step_is_no_offset(void **state)
{
	struct world w = {.offset = SEC,
		.there = 3 * MS,
		.back = 3 * MS,
		.step_at = 55 * SEC + 10 * MS,
		.step = -30 * SEC};
	struct clock_model m;
	struct clock_bounds b;

	(void)state;
	init(&w);
	exchange(&w, SEC, 50 * SEC, 200 * MS);
	for (int64_t t = 60 * SEC; t < 70 * SEC; t += 200 * MS)
		down(&w, t, 0);
	fit(&w, &m);
	b = at(&w, &m, 52 * SEC);
	assert_true(b.turned && !(b.has_low && b.has_high));
	assert_false(at(&w, &m, 40 * SEC).turned);
	always_holds(&w, &m, SEC, 70 * SEC);
	done(&w, &m);
}

/* A step below the round trip contradicts no bound; that both directions move alike tells it. */
static void test_step_within_round_trip(void **state)
{
	struct world w = {
		.there = 25 * MS, .back = 25 * MS, .step_at = 50 * SEC + 10 * MS, .step = 40 * MS};
	struct clock_model m;

	(void)state;
	init(&w);
	exchange(&w, SEC, 100 * SEC, 200 * MS);
	fit(&w, &m);
	assert_int_equal(m.count, 2);
	always_holds(&w, &m, SEC, 100 * SEC);
	done(&w, &m);
}

static void test_longer_way_is_no_step(void **state)
{
	struct world w = {.there = 5 * MS, .back = 5 * MS};
	struct clock_model m;

	(void)state;
	init(&w);
	exchange(&w, SEC, 50 * SEC, 200 * MS);
	w.there = 35 * MS;
	exchange(&w, 50 * SEC, 100 * SEC, 200 * MS);
	fit(&w, &m);
	assert_int_equal(m.count, 1);
	assert_false(m.stepped);
	always_holds(&w, &m, SEC, 100 * SEC);
	done(&w, &m);
}

/* One wrong stamp decides nothing, first, last or in the midst, however wrong. */
static void test_outlier(void **state)
{
	static const int64_t places[] = {0, 50 * SEC, 110 * SEC},
			     sizes[] = {-24 * US, -5 * MS, -3 * SEC, 3 * SEC};

	(void)state;
	for (int i = 0; i < 24; i++) {
		struct world w = {.offset = SEC, .there = 50 * US, .back = 50 * US};
		struct clock_model m;
		struct clock_bounds b;

		init(&w);
		if (i % 2)
			up(&w, places[i / 2 % 3], sizes[i / 6]);
		else
			down(&w, places[i / 2 % 3], -sizes[i / 6]);
		exchange(&w, SEC, 100 * SEC, 210 * MS);
		fit(&w, &m);
		assert_int_equal(m.count, 1);
		assert_false(m.stepped);
		b = at(&w, &m, 70 * SEC);
		assert_true(b.has_low && b.has_high && b.high - b.low < 200 * US);
		always_holds(&w, &m, SEC, 100 * SEC);
		done(&w, &m);
	}
}

/* Stamps that jitter in either order: the interval is as wide as they do, and nothing stepped. */
static void test_jitter(void **state)
{
	static const int64_t late[] = {-1, 3, -4, 5, 0, -23, 2, -2, 4, -5};
	struct world w = {.offset = 5 * SEC};
	struct clock_model m;
	struct clock_bounds b;

	(void)state;
	init(&w);
	for (int i = 0; i < 200; i++) {
		up(&w, i * 7 * MS, late[i % 10] * US);
		down(&w, i * 7 * MS + 3 * MS, late[i * 7 / 10 % 10] * US);
	}
	fit(&w, &m);
	assert_int_equal(m.count, 1);
	assert_false(m.stepped);
	b = at(&w, &m, 700 * MS);
	assert_in_range(b.high - b.low, 10 * US, 80 * US);
	always_holds(&w, &m, 0, 1400 * MS);
	done(&w, &m);
}

/* Datagrams that nobody answers bound the offset from above, and a jump of their delay ends that
 * bound. */
static void test_one_direction(void **state)
{
	static const int64_t steps[] = {0, 2 * SEC, -2 * SEC, 300 * MS};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct world w = {.offset = 4 * SEC,
			.skew = 60e-6,
			.there = MS,
			.step_at = 50 * SEC + 10 * MS,
			.step = steps[i]};
		struct clock_model m;
		struct clock_bounds b;

		init(&w);
		for (int64_t t = 0; t < 100 * SEC; t += 200 * MS)
			up(&w, t, 0);
		fit(&w, &m);
		b = at(&w, &m, 80 * SEC);
		assert_true(b.has_high && !b.has_low);
		for (int64_t t = 0; t < 100 * SEC; t += 200 * MS)
			holds(at(&w, &m, t), true_offset(&w, t));
		done(&w, &m);
	}
}

/* 60 ms tell no rate: what the samples say at one end is no fact at the other, and less so later.
 */
static void test_short_capture(void **state)
{
	static const double skews[] = {0, 400e-6, -400e-6};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct world w = {.offset = SEC, .skew = skews[i], .there = US, .back = US};
		struct clock_model m;

		init(&w);
		up(&w, 0, 0);
		down(&w, 20 * US, 0);
		fit(&w, &m);
		assert_int_equal(m.count, 1);
		assert_true(m.pieces[0].slope == 0);
		always_holds(&w, &m, 0, 10 * SEC);
		assert_true(at(&w, &m, 10 * SEC).high - at(&w, &m, 10 * SEC).low > 2 * MS);
		done(&w, &m);
	}
}

/* Two exchanges half a minute apart, each stamped a few microseconds off: no rate, no step. */
static void test_pause(void **state)
{
	struct world w = {.offset = 0};
	struct clock_model m;

	(void)state;
	init(&w);
	for (int i = 0; i < 5; i++) {
		up(&w, SEC + i * 10 * MS, i % 2 ? 4 * US : -4 * US);
		down(&w, SEC + i * 10 * MS + 5 * MS, i % 2 ? -3 * US : 3 * US);
		up(&w, 36 * SEC + i * 10 * MS, i % 2 ? 5 * US : -2 * US);
		down(&w, 36 * SEC + i * 10 * MS + 5 * MS, i % 2 ? -3 * US : 3 * US);
	}
	fit(&w, &m);
	assert_int_equal(m.count, 1);
	assert_false(m.stepped);
	always_holds(&w, &m, SEC, 36 * SEC);
	done(&w, &m);
}

/* What threads sampled apart is what one thread would have. */
static void test_nothing_holds_before_a_pause(void **state)
{
	/* Two packets that contradict each other, and no witness: both are left out. The piece
	 * that they would have been spoiled those behind it, by the other clock's time. */
	struct world w = {.offset = 3 * SEC, .there = 2 * MS, .back = 3 * MS};
	struct clock_model m;

	(void)state;
	init(&w);
	up(&w, 1 * SEC, 0);
	down(&w, 1500 * MS, 50 * MS);
	exchange(&w, 700 * SEC, 760 * SEC, 100 * MS);
	fit(&w, &m);
	assert_int_equal(m.outliers, 2);
	assert_int_equal(m.count, 1);
	assert_false(m.stepped);
	for (int64_t t = 700 * SEC; t < 760 * SEC; t += SEC) {
		struct clock_bounds b = clock_at_other(&m, clock_v(&w, t));

		assert_true(b.has_low && b.has_high);
		holds(b, w.offset);
	}
	done(&w, &m);
}

static void test_merge(void **state)
{
	struct world one = {.there = MS, .back = MS}, parts[2] = {one, one};
	struct clock_model a, b;

	(void)state;
	init(&one);
	init(&parts[0]);
	init(&parts[1]);
	exchange(&one, 0, 100 * SEC, 30 * MS);
	exchange(&parts[1], 0, 40 * SEC, 30 * MS);
	exchange(&parts[0], 1334 * 30 * MS, 100 * SEC, 30 * MS);
	clock_samples_merge(&parts[0].samples, &parts[1].samples);
	fit(&one, &a);
	fit(&parts[0], &b);
	assert_int_equal(a.count, b.count);
	assert_true(a.pieces[0].low == b.pieces[0].low && a.pieces[0].high == b.pieces[0].high);
	assert_int_equal(a.pieces[0].samples, b.pieces[0].samples);
	clock_samples_release(&parts[1].samples);
	done(&one, &a);
	done(&parts[0], &b);
	steady_release(&parts[1].steady_u);
	steady_release(&parts[1].steady_v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_to_the_nanosecond),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_drift_is_no_noise),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_bound_beside_step_is_no_offset),
		cmocka_unit_test(test_step_within_round_trip),
		cmocka_unit_test(test_longer_way_is_no_step),
		cmocka_unit_test(test_outlier),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_one_direction),
		cmocka_unit_test(test_short_capture),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_nothing_holds_before_a_pause),
		cmocka_unit_test(test_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
