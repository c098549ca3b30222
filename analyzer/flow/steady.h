/*
 * steady: the monotonic time of a vantage point.
 *
 * A clock that is set back shows some seconds twice; the order of the frames in the file says which
 * of the two a frame belongs to. Steady time is the stamp plus all that the clock was set back
 * before the frame, so that it only grows (but for the disorder of a capture on several CPUs), by a
 * nanosecond at least where the clock turned.
 * Where nothing turned back it is the stamp. It says nothing of how long a step took, and so orders
 * and measures stretches of time only.
 */
#pragma once

#include <stdint.h>

struct steady {
	/* Where stamps turned back; they are shift_ns below steady time from then on. */
	struct steady_turn {
		uint32_t frame;	 /* ordinal of the first frame behind it */
		int64_t from_ns; /* steady time then */
		int64_t shift_ns;
	} * turns;
	uint32_t count, cap;
	int64_t first_ns;  /* of the first frame; INT64_MAX: there was none */
	int64_t high_ns;   /* highest stamp since the last turn */
	int64_t regain_ns; /* if a stamp reaches this within a few frames, the last turn was only a
			      delayed frame; INT64_MAX: unused; INT64_MIN: before the first frame */
};

/* Stamps of frames on several CPUs are out of order by less. */
#define STEADY_DISORDER_NS 1000000

void steady_init(struct steady *s);
void steady_release(struct steady *s);

/* For another vantage point of the same file; to is initialised. */
void steady_copy(struct steady *to, const struct steady *from);

/* For the first stamp, one that is not the highest, and one that reaches regain_ns. */
void steady_note_other(struct steady *s, uint32_t frame, int64_t stamp_ns);

/* Takes notice of a frame; they come in the order of the file, and most stamps are the highest. */
static inline void steady_note(struct steady *s, uint32_t frame, int64_t stamp_ns)
{
	if (stamp_ns >= s->high_ns && stamp_ns < s->regain_ns)
		s->high_ns = stamp_ns;
	else
		steady_note_other(s, frame, stamp_ns);
}

/* The stretch between two turns that a frame lies in, and how far stamps there lie below steady
 * time. */
struct steady_stretch {
	uint32_t turns;
	int64_t shift_ns;
};

struct steady_stretch steady_search(const struct steady *s, uint32_t frame);

/* The stretch at a steady time; how far stamps lie below it behind the first so many turns. */
struct steady_stretch steady_at(const struct steady *s, int64_t steady_ns);
int64_t steady_behind(const struct steady *s, uint32_t turns);

static inline struct steady_stretch steady_stretch(const struct steady *s, uint32_t frame)
{
	return s->count ? steady_search(s, frame) : (struct steady_stretch){0};
}

static inline int64_t steady_time(const struct steady *s, uint32_t frame, int64_t stamp_ns)
{
	return stamp_ns + steady_stretch(s, frame).shift_ns;
}
