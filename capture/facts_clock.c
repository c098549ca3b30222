/* The clock that timestamps packets, compared to CLOCK_MONOTONIC_RAW, which nothing adjusts. */
#include <stdio.h>
#include <sys/timex.h>
#include <time.h>

#include "base/nsec.h"
#include "collector.h"

#define STEP_NS (10 * NSEC_PER_MSEC)

static int64_t facts_clock_read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static void facts_clock_adjustment(struct host *h)
{
	struct timex t = {.modes = 0};
	int state = adjtimex(&t);
	char text[256];
	int64_t offset;

	if (state < 0)
		return;
	offset = t.status & STA_NANO ? t.offset : t.offset * NSEC_PER_USEC;
	/* freq is in units of 2^-16 ppm. */
	snprintf(text, sizeof(text),
		"state=%d unsync=%d offset_ns=%lld freq_ppb=%lld maxerror_us=%ld esterror_us=%ld "
		"tai_s=%d tick_us=%ld",
		state, !!(t.status & STA_UNSYNC), (long long)offset,
		(long long)t.freq * 1000 / 65536, t.maxerror, t.esterror, t.tai, t.tick);
	fact_put(h->facts, text, "clock.adjtimex");
}

void facts_clock(struct host *h)
{
	int64_t before = facts_clock_read_clock(CLOCK_REALTIME),
		raw = facts_clock_read_clock(CLOCK_MONOTONIC_RAW);
	int64_t boot = facts_clock_read_clock(CLOCK_BOOTTIME),
		after = facts_clock_read_clock(CLOCK_REALTIME);
	char text[192];

	/* The middle of the bracket is closest to the time the other clocks were read. */
	snprintf(text, sizeof(text),
		"realtime_ns=%lld monotonic_raw_ns=%lld boottime_ns=%lld bracket_ns=%lld",
		(long long)(before + (after - before) / 2), (long long)raw, (long long)boot,
		(long long)(after - before));
	fact_put(h->facts, text, "clock.sample");
	facts_clock_adjustment(h);
}

void facts_clock_check(struct host *h)
{
	int64_t now = facts_clock_read_clock(CLOCK_REALTIME),
		raw = facts_clock_read_clock(CLOCK_MONOTONIC_RAW);
	int64_t between = raw - h->last_raw_ns, step = now - h->last_realtime_ns - between;
	int64_t size = step < 0 ? -step : step;

	/* The kernel slews by at most 500 ppm: beyond that, the clock was set. */
	if (h->last_raw_ns && size > STEP_NS && size > between / 2000)
		fact_event(h->facts, now, "clock.step", "step_ns=%lld between_ns=%lld",
			(long long)step, (long long)between);
	h->last_realtime_ns = now;
	h->last_raw_ns = raw;
}
