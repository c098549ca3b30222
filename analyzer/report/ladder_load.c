#include "report/ladder.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/query.h"

#define FLAG_FIN 0x01
#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_PSH 0x08
#define FLAG_ACK 0x10

/* Rows read before the choice of what is drawn. */
#define PACKETS_MAX 2000
#define EVENTS_MAX 500

#define FOLD_LEAST 9 /* messages that are alike in a row are folded from so many on */
#define FOLD_KEPT 4  /* and so many of them drawn, and the last */

struct seen { /* a recorded packet, or the sending end of an event without one */
	int64_t file, frame, at_ns;
	unsigned point;
	bool to_server;
	uint32_t seq, ack, length, flags;
	bool has_ack;
};

struct fate { /* an event */
	enum ladder_fate kind;
	bool to_server;
	int64_t sent_file, sent_frame, sent_ns, received_file, received_frame, received_ns;
	unsigned from, to; /* points */
	uint32_t seq, length, flags, segments;
	int64_t proof_file,
		proof_frame; /* of another transmission: shows what became of this one */
	bool used;
};

struct loading {
	struct seen *seen;
	size_t seen_count, seen_cap;
	struct fate *fates;
	size_t fate_count, fate_cap;
	struct ladder_message *messages; /* all, before the choice */
	size_t count, cap;
};

static void ladder_release(struct loading *w)
{
	free(w->seen);
	free(w->fates);
	free(w->messages);
}

static void ladder_copy_text(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from ? from : "");
}

static void ladder_endpoint(char *to, size_t size, const char *ip, int64_t port)
{
	const char *fmt = ip && strchr(ip, ':') ? "[%s]:%lld" : "%s:%lld";

	if (port > 0)
		(void)snprintf(to, size, fmt, ip ? ip : "", (long long)port);
	else
		ladder_copy_text(to, size, ip);
}

static int ladder_load_flow(struct ladder *l, struct db *db, struct error *err)
{
	struct query r;
	int result = query_open(&r, db, err, Q_LADDER_FLOW, ":flow", l->flow, NULL);

	if (result)
		return result;
	if (query_next(&r)) {
		char client[64], server[64];

		ladder_endpoint(client, sizeof(client), query_text(&r, 1), query_int(&r, 2));
		ladder_endpoint(server, sizeof(server), query_text(&r, 3), query_int(&r, 4));
		l->tcp = strcmp(query_text(&r, 0), "tcp") == 0;
		(void)snprintf(l->title, sizeof(l->title), "flow %lld: %s %s to %s",
			(long long)l->flow, query_text(&r, 0), client, server);
		l->client_isn = query_int(&r, 5) == DB_NONE ? 0 : (uint32_t)query_int(&r, 5);
		l->server_isn = query_int(&r, 6) == DB_NONE ? 0 : (uint32_t)query_int(&r, 6);
	}
	return query_close(&r, err);
}

static int ladder_load_points(struct ladder *l, struct db *db, struct error *err)
{
	struct query r;
	int result = query_open(&r, db, err, Q_LADDER_VANTAGES, ":flow", l->flow, NULL);

	if (result)
		return result;
	while (l->points < LADDER_POINTS && query_next(&r)) {
		struct ladder_point *p = &l->point[l->points++];

		p->vantage = query_int(&r, 0);
		ladder_copy_text(p->name, sizeof(p->name), query_text(&r, 1));
		ladder_endpoint(p->client, sizeof(p->client), query_text(&r, 2), query_int(&r, 3));
		ladder_endpoint(p->server, sizeof(p->server), query_text(&r, 4), query_int(&r, 5));
		p->delta[0] = (uint32_t)query_int(&r, 6);
		p->delta[1] = (uint32_t)query_int(&r, 7);
		p->is_server = query_int(&r, 8);
	}
	if (r.result == SQLITE_ROW)
		r.result = SQLITE_DONE;
	return query_close(&r, err);
}

static int ladder_point_of(const struct ladder *l, int64_t vantage)
{
	for (unsigned i = 0; i < l->points; i++)
		if (l->point[i].vantage == vantage)
			return (int)i;
	return -1;
}

static uint32_t ladder_number(const struct query *r, int column)
{
	int64_t v = query_int(r, column);

	return v == DB_NONE ? 0 : (uint32_t)v;
}

static int ladder_load_packets(struct ladder *l, struct db *db, const struct ref_clock *clocks,
	struct loading *w, struct error *err)
{
	struct query r;
	int result = query_open(&r, db, err, Q_LADDER_PACKETS, ":flow", l->flow, ":limit",
		(int64_t)PACKETS_MAX, NULL);

	if (result)
		return result;
	while (query_next(&r)) {
		int point = ladder_point_of(l, query_int(&r, 0));
		bool to_server = strcmp(query_text(&r, 4), "c2s") == 0;

		if (point < 0)
			continue;
		MEM_RESERVE(w->seen, w->seen_count, w->seen_cap);
		w->seen[w->seen_count++] = (struct seen){
			.file = query_int(&r, 1),
			.frame = query_int(&r, 2),
			.at_ns = ref_clock_ns(clocks, query_int(&r, 0), query_int(&r, 3)),
			.point = (unsigned)point,
			.to_server = to_server,
			.seq = ladder_number(&r, 5) - l->point[point].delta[to_server ? 0 : 1],
			.has_ack = query_int(&r, 6) != DB_NONE,
			.ack = ladder_number(&r, 6) - l->point[point].delta[to_server ? 1 : 0],
			.length = ladder_number(&r, 7),
			.flags = ladder_number(&r, 8),
		};
	}
	return query_close(&r, err);
}

static bool ladder_fate_kind(const char *kind, enum ladder_fate *ret_kind)
{
	static const struct {
		const char *name;
		enum ladder_fate kind;
	} kinds[] = {
		{"lost", LADDER_LOST},
		{"misaddressed", LADDER_MISADDRESSED},
		{"capture_missed", LADDER_CAPTURE_MISSED},
		{"unjudged", LADDER_UNJUDGED},
		{"injected", LADDER_INJECTED},
		{"sender_missed", LADDER_SENDER_MISSED},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, kind) == 0) {
			*ret_kind = kinds[i].kind;
			return true;
		}
	return false;
}

static int ladder_load_events(struct ladder *l, struct db *db, const struct ref_clock *clocks,
	struct loading *w, struct error *err)
{
	struct query r;
	int result = query_open(&r, db, err, Q_LADDER_EVENTS, ":flow", l->flow, ":limit",
		(int64_t)EVENTS_MAX, NULL);

	if (result)
		return result;
	while (query_next(&r)) {
		int from = ladder_point_of(l, query_int(&r, 5)),
		    to = ladder_point_of(l, query_int(&r, 9));
		enum ladder_fate kind;

		if (!ladder_fate_kind(query_text(&r, 0), &kind) || (from < 0 && to < 0))
			continue;
		MEM_RESERVE(w->fates, w->fate_count, w->fate_cap);
		w->fates[w->fate_count++] = (struct fate){
			.kind = kind,
			.to_server = strcmp(query_text(&r, 1), "c2s") == 0,
			.seq = ladder_number(&r, 2),
			.length = ladder_number(&r, 3),
			.flags = ladder_number(&r, 4),
			.from = (unsigned)(from < 0 ? to : from),
			.to = (unsigned)(to < 0 ? from : to),
			.sent_file = query_int(&r, 6),
			.sent_frame = query_int(&r, 7),
			.sent_ns = ref_clock_ns(clocks, query_int(&r, 5), query_int(&r, 8)),
			.received_file = query_int(&r, 10),
			.received_frame = query_int(&r, 11),
			.received_ns = ref_clock_ns(clocks, query_int(&r, 9), query_int(&r, 12)),
			.segments = ladder_number(&r, 14),
			.proof_file = query_int(&r, 15),
			.proof_frame = query_int(&r, 16),
		};
	}
	return query_close(&r, err);
}

static struct fate *ladder_fate_of(struct loading *w, int64_t file, int64_t frame)
{
	for (size_t i = 0; i < w->fate_count; i++) {
		struct fate *f = &w->fates[i];

		if ((f->sent_file == file && f->sent_frame == frame) ||
			(f->received_file == file && f->received_frame == frame))
			return f;
	}
	return NULL;
}

static struct ladder_message *ladder_new_message(struct loading *w, bool to_server)
{
	struct ladder_message *m;

	MEM_RESERVE(w->messages, w->count, w->cap);
	m = &w->messages[w->count++];
	*m = (struct ladder_message){
		.to_server = to_server, .retransmission_of = -1, .segments = 1};
	for (unsigned i = 0; i < LADDER_POINTS; i++)
		m->at_ns[i] = DB_NONE;
	return m;
}

static void ladder_set_fate(struct ladder_message *m, struct fate *f)
{
	f->used = true;
	m->fate = f->kind;
	m->fate_from = f->from;
	m->fate_to = f->to;
	m->segments = f->segments;
}

static void ladder_flags_text(char *to, size_t size, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {{FLAG_SYN, "SYN"}, {FLAG_FIN, "FIN"}, {FLAG_RST, "RST"}, {FLAG_PSH, "PSH"},
		{FLAG_ACK, "ACK"}};
	size_t n = 0;

	to[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag && n < size)
			n += (size_t)snprintf(
				to + n, size - n, "%s%s", n ? "-" : "", names[i].name);
}

/* "SYN-ACK", "1:1449 (1448)", "ACK 2897"; numbers relative to the initial ones where those are
 * known. */
static void ladder_label(
	const struct ladder *l, struct ladder_message *m, uint32_t ack, bool has_ack)
{
	uint32_t own = m->to_server ? l->client_isn : l->server_isn;
	uint32_t other = m->to_server ? l->server_isn : l->client_isn;
	char flags[32];

	ladder_flags_text(flags, sizeof(flags), m->flags);
	if (!l->tcp)
		(void)snprintf(m->label, sizeof(m->label), "%u bytes", m->length);
	else if (m->length)
		(void)snprintf(m->label, sizeof(m->label), "%u:%u (%u)%s", m->seq - own,
			m->seq - own + m->length, m->length, m->flags & FLAG_FIN ? " FIN" : "");
	else if (m->flags & (FLAG_SYN | FLAG_FIN | FLAG_RST) || !has_ack)
		ladder_copy_text(m->label, sizeof(m->label), flags);
	else
		(void)snprintf(m->label, sizeof(m->label), "ACK %u", ack - other);
}

/*
 * The message that s is another sighting of: same content, not yet seen here, seen at a point
 * before this one. Of several the earliest wins: copies on one path arrive in order unless they
 * were reordered, and then only labels of equal packets are swapped. One whose fate says that it
 * did not get here is out.
 */
static struct ladder_message *ladder_same_message(struct loading *w, const struct seen *s)
{
	for (size_t i = 0; i < w->count; i++) {
		struct ladder_message *m = &w->messages[i];
		bool gone = m->fate == LADDER_LOST || m->fate == LADDER_CAPTURE_MISSED;

		if (m->to_server != s->to_server || m->seq != s->seq || m->length != s->length ||
			m->flags != s->flags || m->at_ns[s->point] != DB_NONE)
			continue;
		if (gone && (s->to_server ? s->point >= m->fate_to : s->point <= m->fate_to))
			continue;
		return m;
	}
	return NULL;
}

/* In words of a label: a lost one is proven by what was sent again, one that arrived by what
 * acknowledges it. */
static const char *ladder_proves(const struct loading *w, const struct seen *s)
{
	for (size_t i = 0; i < w->fate_count; i++) {
		const struct fate *f = &w->fates[i];

		if (f->proof_file != s->file || f->proof_frame != s->frame)
			continue;
		return f->kind == LADDER_LOST || f->kind == LADDER_MISADDRESSED ? "proves that loss"
		       : f->kind == LADDER_CAPTURE_MISSED ? "proves that it arrived"
		       : f->kind == LADDER_SENDER_MISSED  ? "proves that it was sent"
							  : NULL;
	}
	return NULL;
}

static void ladder_place(const struct ladder *l, struct loading *w, const struct seen *s)
{
	struct fate *f = ladder_fate_of(w, s->file, s->frame);
	struct ladder_message *m =
		f && f->received_frame == s->frame && f->received_file == s->file &&
				(f->kind == LADDER_INJECTED || f->kind == LADDER_SENDER_MISSED)
			? NULL
			: ladder_same_message(w, s);

	if (!m) {
		m = ladder_new_message(w, s->to_server);
		m->seq = s->seq;
		m->length = s->length;
		m->flags = s->flags;
		ladder_label(l, m, s->ack, s->has_ack);
	}
	m->at_ns[s->point] = s->at_ns;
	m->frame[s->point] = s->frame;
	if (!m->proves)
		m->proves = ladder_proves(w, s);
	if (f)
		ladder_set_fate(m, f);
}

/* Sightings in the order of travel, each point's by time, so that copies pair up in order. */
static void ladder_join_points(const struct ladder *l, struct loading *w)
{
	for (unsigned step = 0; step < l->points; step++)
		for (size_t i = 0; i < w->seen_count; i++) {
			const struct seen *s = &w->seen[i];

			if (s->point == (s->to_server ? step : l->points - 1 - step))
				ladder_place(l, w, s);
		}
}

/* Events whose packets were not kept as rows still are transmissions. */
static void ladder_add_events(const struct ladder *l, struct loading *w)
{
	for (size_t i = 0; i < w->fate_count; i++) {
		struct fate *f = &w->fates[i];
		struct ladder_message *m;

		if (f->used || (f->sent_ns == DB_NONE && f->received_ns == DB_NONE))
			continue;
		m = ladder_new_message(w, f->to_server);
		m->seq = f->seq - l->point[f->from].delta[f->to_server ? 0 : 1];
		m->length = f->length;
		m->flags = f->flags;
		if (f->sent_ns != DB_NONE) {
			m->at_ns[f->from] = f->sent_ns;
			m->frame[f->from] = f->sent_frame;
		}
		if (f->received_ns != DB_NONE && f->to != f->from) {
			m->at_ns[f->to] = f->received_ns;
			m->frame[f->to] = f->received_frame;
		}
		ladder_label(l, m, 0, false);
		ladder_set_fate(m, f);
	}
}

static int64_t ladder_first_ns(const struct ladder_message *m)
{
	int64_t first = DB_NONE;

	for (unsigned i = 0; i < LADDER_POINTS; i++)
		if (m->at_ns[i] != DB_NONE && (first == DB_NONE || m->at_ns[i] < first))
			first = m->at_ns[i];
	return first;
}

static int ladder_by_time(const void *a, const void *b)
{
	int64_t x = ladder_first_ns(a), y = ladder_first_ns(b);

	return x < y ? -1 : x > y;
}

/* Records that offload merged have no like at the other end: without an event they say nothing. */
static bool ladder_is_leftover(const struct ladder *l, const struct ladder_message *m)
{
	unsigned sender = m->to_server ? 0 : l->points - 1;

	return l->points > 1 && m->fate == LADDER_DELIVERED && m->at_ns[sender] == DB_NONE &&
	       m->length > 0;
}

static void ladder_drop_leftovers(const struct ladder *l, struct loading *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->count; i++)
		if (!ladder_is_leftover(l, &w->messages[i]))
			w->messages[kept++] = w->messages[i];
	w->count = kept;
}

/* Trouble repeats itself: what a dark host missed for a minute is told by the first and the last of
 * it. */
static bool ladder_alike(const struct ladder_message *a, const struct ladder_message *b)
{
	return a->fate != LADDER_DELIVERED && a->fate == b->fate && a->to_server == b->to_server &&
	       a->length == b->length && a->flags == b->flags && a->fate_from == b->fate_from &&
	       a->fate_to == b->fate_to;
}

static void ladder_fold(struct loading *w)
{
	size_t kept = 0;

	for (size_t i = 0, n; i < w->count; i += n) {
		struct ladder_message *run = &w->messages[i];

		for (n = 1; i + n < w->count && ladder_alike(run, &run[n]);)
			n++;
		if (n < FOLD_LEAST) {
			memmove(&w->messages[kept], run, n * sizeof(*run));
			kept += n;
			continue;
		}
		run[FOLD_KEPT - 1].folded = (unsigned)(n - FOLD_KEPT - 1);
		run[FOLD_KEPT - 1].folded_ns =
			ladder_first_ns(&run[n - 2]) - ladder_first_ns(&run[FOLD_KEPT - 1]);
		run[FOLD_KEPT] = run[n - 1];
		memmove(&w->messages[kept], run, (FOLD_KEPT + 1) * sizeof(*run));
		kept += FOLD_KEPT + 1;
	}
	w->count = kept;
}

/* What is drawn when there is more than fits: from a little before the first trouble on. */
static size_t ladder_choose_start(const struct loading *w)
{
	size_t trouble = 0;

	if (w->count <= LADDER_MESSAGES)
		return 0;
	while (trouble < w->count && w->messages[trouble].fate == LADDER_DELIVERED)
		trouble++;
	if (trouble == w->count || trouble < 8)
		return 0;
	trouble -= 8;
	return trouble + LADDER_MESSAGES > w->count ? w->count - LADDER_MESSAGES : trouble;
}

static void ladder_link_retransmissions(struct ladder *l)
{
	for (unsigned i = 1; i < l->messages; i++) {
		struct ladder_message *m = &l->message[i];

		for (int j = (int)i - 1; l->tcp && j >= 0 && m->retransmission_of < 0; j--) {
			const struct ladder_message *e = &l->message[j];
			bool has_space = m->length || m->flags & (FLAG_SYN | FLAG_FIN);

			if (has_space && e->to_server == m->to_server && e->seq == m->seq &&
				(e->length == m->length) && e->flags == m->flags)
				m->retransmission_of = j;
		}
	}
}

static void ladder_take(struct ladder *l, struct loading *w)
{
	size_t start;

	if (w->count)
		qsort(w->messages, w->count, sizeof(*w->messages), ladder_by_time);
	ladder_fold(w);
	start = ladder_choose_start(w);
	l->messages =
		(unsigned)(w->count - start < LADDER_MESSAGES ? w->count - start : LADDER_MESSAGES);
	l->left_out = (unsigned)(w->count - l->messages);
	for (unsigned i = 0; i < l->messages; i++)
		l->message[i] = w->messages[start + i];
	ladder_link_retransmissions(l);
	if (l->messages)
		l->start_ns = ladder_first_ns(&l->message[0]);
}

/* With one capture alone the other end is drawn as a life line that nobody watched. */
static void ladder_add_ghost(struct ladder *l)
{
	const struct ladder_point ghost = {.ghost = true, .vantage = -1, .name = "not captured"};

	if (l->points != 1 || l->messages == 0)
		return;
	l->points = 2;
	if (!l->point[0].is_server) {
		l->point[1] = ghost;
		return;
	}
	l->point[1] = l->point[0];
	l->point[0] = ghost;
	for (unsigned i = 0; i < l->messages; i++) {
		struct ladder_message *m = &l->message[i];

		m->at_ns[1] = m->at_ns[0];
		m->frame[1] = m->frame[0];
		m->at_ns[0] = DB_NONE;
		m->frame[0] = 0;
	}
}

int ladder_load(struct ladder *l, struct db *db, const struct ref_clock *clocks, int64_t flow,
	bool *ret_any, struct error *err)
{
	struct loading w = {0};
	int result;

	*l = (struct ladder){.flow = flow};
	result = ladder_load_flow(l, db, err);
	if (result == 0)
		result = ladder_load_points(l, db, err);
	if (result == 0)
		result = ladder_load_packets(l, db, clocks, &w, err);
	if (result == 0)
		result = ladder_load_events(l, db, clocks, &w, err);
	if (result == 0) {
		ladder_join_points(l, &w);
		ladder_add_events(l, &w);
		ladder_drop_leftovers(l, &w);
		ladder_take(l, &w);
		ladder_add_ghost(l);
		*ret_any = l->messages > 0;
	}
	ladder_release(&w);
	return result;
}
