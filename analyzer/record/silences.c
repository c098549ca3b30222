#include "record/silences.h"

#include <netinet/in.h>

#include "decode/packet.h"
#include "join/segment_walk.h"
#include "record/facts.h"

#define ROWS_MAX 1000000

/* A silence while it is not known how it ended, and what was said after it. */
struct silence {
	int64_t survived_ns; /* the longest before; 0: none */
	int64_t ns;	     /* this one; 0: none is open */
	enum direction speaker;
	uint32_t packets, resets; /* of the speaker; of the other side */
	const struct segment *first, *first_reset;
	bool heard[2]; /* that side has spoken, other than by a SYN or a reset */
	bool closed;   /* some side has ended the connection */
};

static void silences_survive(struct silence *s)
{
	s->survived_ns = s->ns > s->survived_ns ? s->ns : s->survived_ns;
	s->ns = 0;
}

/* Who ends the connection after a silence expects nothing of it; a reset answers for nobody. */
static bool silences_ask(const struct silence *s, const struct segment *segment)
{
	return !s->closed && s->heard[C2S] && s->heard[S2C] && !(segment->flags & TCP_RST);
}

static void silences_begin(
	struct silence *s, const struct segment *segment, enum direction d, int64_t ns)
{
	*s = (struct silence){.survived_ns = s->survived_ns,
		.ns = ns,
		.speaker = d,
		.first = segment,
		.heard = {s->heard[C2S], s->heard[S2C]}};
}

static void silences_see(
	struct silence *s, const struct segment *segment, enum direction d, int64_t since_ns)
{
	bool reset = segment->flags & TCP_RST;

	if (since_ns >= FLOW_SILENCE_NS && silences_ask(s, segment) && !s->packets)
		silences_begin(s, segment, d, since_ns);
	if (s->ns && d == s->speaker) {
		s->packets++;
	} else if (s->ns && reset) {
		s->first_reset = s->resets++ ? s->first_reset : segment;
	} else if (s->ns) {
		silences_survive(s);
		s->packets = 0;
	}
	s->heard[d] |= !reset && !(segment->flags & TCP_SYN);
	s->closed |= segment->flags & (TCP_FIN | TCP_RST);
}

static struct silence silences_of(const struct member *m)
{
	struct segment_walk walk = walk_flow(m);
	const struct segment *segment;
	struct silence s = {0};
	int64_t last_ns = INT64_MAX;

	while ((segment = walk_any(&walk))) {
		int64_t since_ns = last_ns == INT64_MAX ? 0 : segment->time_ns - last_ns;

		silences_see(&s, segment, segment_direction(m, segment), since_ns);
		last_ns = segment->time_ns;
	}
	return s;
}

static void silences_insert(struct db *db, const struct dataset *data, uint32_t vantage,
	uint32_t flow_row, const struct silence *silence)
{
	sqlite3_stmt *s = db_insert(db, TABLE_FLOW_SILENCE);

	db_int(s, 1, flow_row);
	db_int(s, 2, data->vantages[vantage].id);
	db_int(s, 3, silence->survived_ns);
	db_int_or_null(s, 4, silence->ns ? silence->ns : DB_NONE);
	db_text(s, 5, !silence->ns ? NULL : direction_name(silence->speaker));
	db_int_or_null(s, 6, silence->ns ? silence->first->time_ns : DB_NONE);
	facts_put_frame(s, 9, data, vantage, silence->ns ? silence->first->frame : FRAME_NONE);
	facts_put_frame(s, 11, data, vantage,
		silence->ns && silence->first_reset ? silence->first_reset->frame : FRAME_NONE);
	db_int(s, 7, silence->ns ? silence->packets : 0);
	db_int(s, 8, silence->ns ? silence->resets : 0);
	db_step(db, s);
}

void silences_store(struct db *db, const struct dataset *data, const struct flows *all,
	const uint32_t *flow_row)
{
	uint64_t kept = 0, total = 0;

	for (uint32_t v = 0; v < data->vantage_count; v++) {
		const struct flowtab *t = &data->vantages[v].flows;

		for (uint32_t i = 0; i < t->silent_count; i++) {
			const struct flow_vantage *f = flowtab_at(t, t->silent[i]);
			struct silence s;

			if (f->key.protocol != IPPROTO_TCP || data->vantages[v].kind != VANTAGE_NIC)
				continue;
			s = silences_of(flow_member_at(all, f));
			if (!s.ns && !s.survived_ns)
				continue;
			if (kept < ROWS_MAX) {
				silences_insert(db, data, v, flow_row[f->flow], &s);
				kept++;
			}
			total++;
		}
	}
	facts_limit_reached(db, "flow_silence", kept, total);
}
