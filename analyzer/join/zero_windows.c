#include "join/zero_windows.h"

#include "base/mem.h"
#include "decode/packet.h"

static void zero_windows_add(struct join_batch *b, uint32_t flow, const struct zero_window_row *row)
{
	MEM_RESERVE(b->windows, b->window_count, b->window_cap);
	if (b->window_flow_cap < b->window_cap) {
		b->window_flow_cap = b->window_cap;
		b->window_flow = mem_grow(b->window_flow, b->window_cap, sizeof(uint32_t));
	}
	b->window_flow[b->window_count] = flow;
	b->windows[b->window_count++] = *row;
}

/* Probes of the other side while the window is shut: at most one byte, at or below what is
 * acknowledged. */
static uint32_t zero_windows_probes(const struct half_flow *other, int64_t from_ns, int64_t to_ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < other->count; i++) {
		const struct segment *s = other->transmissions[i].seg;

		n += s->time_ns > from_ns && s->time_ns <= to_ns && s->length <= 1;
	}
	return n;
}

/* Spans in which one side announced window 0, as one place saw them. */
static void zero_windows_of_half(
	const struct flow_join *f, struct join_batch *b, uint32_t place, enum direction d)
{
	const struct half_flow *l = &f->sent[place][d];
	struct zero_window_row row = {
		.vantage = f->places[place].member.vantage, .direction = (uint8_t)d};

	for (uint32_t i = 0; i < l->count; i++) {
		const struct segment *s = l->transmissions[i].seg;
		bool shut = !s->window && !(s->flags & (TCP_SYN | TCP_RST));

		if (shut && !row.first) {
			row.first = s;
			row.from_ns = s->time_ns;
		}
		if (!row.first || (shut && i + 1 < l->count))
			continue;
		row.to_ns = s->time_ns;
		row.probes = zero_windows_probes(&f->sent[place][!d], row.from_ns, row.to_ns);
		zero_windows_add(b, f->flow, &row);
		row.first = NULL;
	}
}

void zero_windows_find(const struct flow_join *f, struct join_batch *b)
{
	for (uint32_t i = 0; i < f->place_count; i++)
		for (int d = 0; d < 2; d++)
			if (!f->places[i].absent &&
				member_side(shown_member(&f->places[i].shown, (enum direction)d),
					(enum direction)d)
					->zero_windows)
				zero_windows_of_half(f, b, i, (enum direction)d);
}
