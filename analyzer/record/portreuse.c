#include "record/portreuse.h"

#include "decode/packet.h"
#include "record/facts.h"

/* Rows; beyond them limit_reached says so. */
#define ROWS_MAX 100000
/* More than a handshake that does not succeed takes. */
#define SEGMENTS_MAX 256
/* Beyond what a connection is known to have sent its numbers may still lie. */
#define NUMBERS_SLACK 65536

/* How a SYN was met before its own SYN-ACK came. */
struct meeting {
	const struct flow_vantage *flow,
		*older; /* older: used the ports before; NULL: not captured */
	const struct flow_side *client, *old_server; /* old_server: NULL without older */
	uint8_t client_bit;			     /* SEGMENT_FROM_B or 0 */
	uint32_t syns;
	uint32_t challenges, challenge_ack; /* ACKs without SYN of other numbers; of the newest */
	uint32_t client_resets;		    /* in answer to a challenge */
	uint32_t server_resets;		    /* with the older one's numbers */
	int64_t syn_ns;			    /* first SYN */
	int64_t opened_ns;		    /* SYN-ACK; 0: none */
	uint32_t syn_frame, answer_frame; /* answer: the first challenge, or reset of the server */
	bool went_on;			  /* it opened, though no SYN-ACK was captured */
};

struct portreuse {
	struct db *db;
	const struct dataset *data;
	const uint32_t *flow_row;
	uint64_t found;
};

/* Does a number lie in what that side of the older connection sent, or just behind it? */
static bool portreuse_is_of(const struct flow_side *side, uint32_t number)
{
	uint32_t from = side->has_isn ? side->isn : side->first_seq;

	return side->seen && number - from <= (uint32_t)side->bytes + NUMBERS_SLACK;
}

/* All that the client sent is a SYN: an ACK of anything else is of another connection. */
static bool portreuse_is_foreign(const struct flow_side *client, uint32_t ack)
{
	return ack - client->isn > NUMBERS_SLACK;
}

/* By its summary. Almost no flow has an answer to its SYN before its SYN-ACK. */
static bool portreuse_may_be_met(const struct flow_vantage *f)
{
	bool b = f->side[1].sent_syn_only;
	const struct flow_side *client = &f->side[b], *server = &f->side[!b];

	if (f->key.protocol != 6 || !client->sent_syn_only || server->sent_syn_only ||
		!server->seen)
		return false;
	return server->has_isn ? server->first_seq != server->isn
			       : !server->acked || portreuse_is_foreign(client, server->first_ack);
}

static void portreuse_take_reset(struct meeting *m, const struct segment *s)
{
	/* A reset that answers the SYN by the rules acknowledges it. */
	if (!m->old_server || !portreuse_is_of(m->old_server, s->seq) ||
		(s->flags & TCP_ACK && !portreuse_is_foreign(m->client, s->ack)))
		return;
	m->server_resets++;
	if (m->answer_frame == FRAME_NONE)
		m->answer_frame = s->frame;
}

static void portreuse_take_ack(struct meeting *m, const struct segment *s)
{
	if (!(s->flags & TCP_ACK) || s->flags & TCP_FIN || s->length ||
		!portreuse_is_foreign(m->client, s->ack) ||
		(m->old_server && !portreuse_is_of(m->old_server, s->seq)))
		return;
	m->challenges++;
	m->challenge_ack = s->ack;
	if (m->answer_frame == FRAME_NONE)
		m->answer_frame = s->frame;
}

static void portreuse_take_client(struct meeting *m, const struct segment *s)
{
	if (s->flags & TCP_RST)
		m->client_resets += m->challenges && s->seq == m->challenge_ack;
	else if (!(s->flags & TCP_SYN))
		m->went_on = true;
	else if (!m->syns++) {
		m->syn_ns = s->time_ns;
		m->syn_frame = s->frame;
	}
}

/* False where it has opened: from there on it is a connection like any other. */
static bool portreuse_take(struct meeting *m, const struct segment *s)
{
	if (s->bits & SEGMENT_DUPLICATE)
		return true;
	if ((s->bits & SEGMENT_FROM_B) == m->client_bit) {
		portreuse_take_client(m, s);
		return !m->went_on;
	}
	if (s->flags & TCP_SYN) {
		m->opened_ns = s->time_ns;
		return false;
	} else if (m->syns && s->flags & TCP_RST) {
		portreuse_take_reset(m, s);
	} else if (m->syns) {
		portreuse_take_ack(m, s);
	}
	return true;
}

static struct meeting portreuse_meet(const struct flow_vantage *f, const struct flow_vantage *older)
{
	bool b = f->side[1].sent_syn_only;
	struct meeting m = {.flow = f,
		.older = older,
		.client = &f->side[b],
		.old_server = older ? &older->side[!b] : NULL,
		.client_bit = b ? SEGMENT_FROM_B : 0,
		.syn_frame = FRAME_NONE,
		.answer_frame = FRAME_NONE};
	uint32_t taken = 0;

	for (const struct segment_chunk *c = f->head; c; c = c->next)
		for (uint32_t i = 0; i < c->used; i += segment_slots(&c->slots[i]))
			if (++taken > SEGMENTS_MAX || !portreuse_take(&m, &c->slots[i]))
				return m;
	return m;
}

/* An ACK of the older connection that was still under way delays nothing, and answers no SYN. */
static bool portreuse_was_met(const struct meeting *m)
{
	if (m->went_on)
		return false;
	if (m->server_resets)
		return true;
	if (!m->challenges || (m->opened_ns && m->syns < 2))
		return false;
	/* Without the older one: its client says that it knows no such number, or each try is met
	 * alike. */
	return m->older || m->client_resets || m->challenges >= 2;
}

static void portreuse_put(struct portreuse *p, uint32_t vantage, const struct meeting *m)
{
	const struct flow_vantage *older = m->older;
	sqlite3_stmt *s;

	if (p->found++ >= ROWS_MAX)
		return;
	s = db_insert(p->db, TABLE_PORT_REUSE);
	db_int(s, 1, p->flow_row[m->flow->flow]);
	db_int(s, 2, p->data->vantages[vantage].id);
	db_int_or_null(
		s, 3, older && older->flow != FLOW_NONE ? p->flow_row[older->flow] : DB_NONE);
	db_int_or_null(s, 4, older ? m->syn_ns - older->last_ns : DB_NONE);
	db_int(s, 5, m->syns);
	db_int(s, 6, m->challenges);
	db_int(s, 7, m->client_resets);
	db_int(s, 8, m->server_resets);
	db_int(s, 9, m->syn_ns);
	db_int_or_null(s, 10, m->opened_ns ? m->opened_ns - m->syn_ns : DB_NONE);
	facts_put_frame(s, 11, p->data, vantage, m->syn_frame);
	facts_put_frame(s, 13, p->data, vantage, m->answer_frame);
	db_step(p->db, s);
}

static void portreuse_of_vantage(struct portreuse *p, uint32_t vantage)
{
	const struct flowtab *flows = &p->data->vantages[vantage].flows;

	for (uint32_t i = 0; i < flows->count; i++) {
		const struct flow_vantage *f = flowtab_at(flows, i);
		struct meeting m;

		if (!portreuse_may_be_met(f) || f->flow == FLOW_NONE)
			continue;
		m = portreuse_meet(f, f->older == FLOW_NONE ? NULL : flowtab_at(flows, f->older));
		if (portreuse_was_met(&m))
			portreuse_put(p, vantage, &m);
	}
}

void portreuse_store(struct db *db, const struct dataset *data, const uint32_t *flow_row)
{
	struct portreuse p = {.db = db, .data = data, .flow_row = flow_row};

	for (uint32_t v = 0; v < data->vantage_count; v++)
		portreuse_of_vantage(&p, v);
	facts_limit_reached(db, "port_reuse", p.found < ROWS_MAX ? p.found : ROWS_MAX, p.found);
}
