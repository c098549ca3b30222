#include "flow/steady.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"

/* More turns than a clock makes; a file that has more gets no more of them. */
#define STEADY_TURNS_MAX 1024
/* All turns together, so that steady times stay far from the limits of 64 bits. */
#define STEADY_SHIFT_MAX (INT64_MAX / 4)
/* A frame or a few that a queue held up are no turn: the stamps soon go on where they were. */
#define STEADY_HELD_NS (100 * NSEC_PER_MSEC)
#define STEADY_HELD_FRAMES 16

void steady_init(struct steady *s)
{
	*s = (struct steady){
		.first_ns = INT64_MAX, .high_ns = INT64_MIN / 2, .regain_ns = INT64_MIN};
}

void steady_release(struct steady *s)
{
	free(s->turns);
	steady_init(s);
}

void steady_copy(struct steady *to, const struct steady *from)
{
	*to = *from;
	to->cap = from->count;
	to->turns = mem_array(from->count + 1, sizeof(*to->turns));
	if (from->count)
		memcpy(to->turns, from->turns, from->count * sizeof(*to->turns));
}

static void steady_turn_back(struct steady *s, uint32_t frame, int64_t stamp_ns)
{
	/* A nanosecond goes by at least, so that times before and behind the turn differ. */
	int64_t shift_ns = steady_behind(s, s->count), back_ns = s->high_ns - stamp_ns + 1;

	assert(back_ns > 1);
	if (s->count == STEADY_TURNS_MAX || back_ns > STEADY_SHIFT_MAX - shift_ns)
		return;
	MEM_RESERVE(s->turns, s->count, s->cap);
	s->turns[s->count++] = (struct steady_turn){.frame = frame,
		.from_ns = s->high_ns + shift_ns + 1,
		.shift_ns = shift_ns + back_ns};
	s->regain_ns = back_ns < STEADY_HELD_NS ? s->high_ns : INT64_MAX;
	s->high_ns = stamp_ns;
}

static void steady_regained(struct steady *s, uint32_t frame)
{
	assert(s->count > 0);
	if (frame - s->turns[s->count - 1].frame <= STEADY_HELD_FRAMES) {
		s->count--;
		s->high_ns = s->regain_ns;
	}
	s->regain_ns = INT64_MAX;
}

void steady_note_other(struct steady *s, uint32_t frame, int64_t stamp_ns)
{
	if (s->regain_ns == INT64_MIN) {
		s->first_ns = stamp_ns;
		s->regain_ns = INT64_MAX;
	}
	if (stamp_ns >= s->regain_ns)
		steady_regained(s, frame);
	if (stamp_ns >= s->high_ns)
		s->high_ns = stamp_ns;
	else if (s->high_ns - stamp_ns > STEADY_DISORDER_NS)
		steady_turn_back(s, frame, stamp_ns);
}

int64_t steady_behind(const struct steady *s, uint32_t turns)
{
	turns = turns < s->count ? turns : s->count;
	return turns ? s->turns[turns - 1].shift_ns : 0;
}

struct steady_stretch steady_search(const struct steady *s, uint32_t frame)
{
	uint32_t low = 0, high = s->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->turns[middle].frame <= frame)
			low = middle + 1;
		else
			high = middle;
	}
	return (struct steady_stretch){.turns = low, .shift_ns = steady_behind(s, low)};
}

struct steady_stretch steady_at(const struct steady *s, int64_t steady_ns)
{
	uint32_t turns = 0;

	while (turns < s->count && s->turns[turns].from_ns <= steady_ns)
		turns++;
	return (struct steady_stretch){.turns = turns, .shift_ns = steady_behind(s, turns)};
}
