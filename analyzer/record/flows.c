#include "record/flows.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "decode/packet.h"
#include "join/segment_walk.h"
#include "record/facts.h"
#include "record/flowrows.h"

/* A proven miss makes absences this near to it (either way) worthless as evidence. */
#define DOUBT_SECONDS 5
#define MISSED_LIMIT 4000000
#define PEER_SECONDS_LIMIT 1000000

struct missed_key {
	int64_t second;
	uint32_t vantage, unused;
};

/*
 * Of flows without events that ended alike, a few are kept for each pair of ends and more for each
 * server, in a part of the packets: a scan leaves no room else.
 */
#define EXAMPLES_OF_ENDS 2
#define EXAMPLES_OF_SERVER 100
#define EXAMPLES_PART 4
#define EXAMPLE_ENDS_LIMIT 65536

struct example_key {
	uint8_t server[16], client[16]; /* client: zeroes, with all of the server's */
	uint32_t port;
	char outcome[4]; /* the first letters, which differ */
};

_Static_assert(sizeof(struct missed_key) == 16 && sizeof(struct example_key) == 40,
	"hashed as bytes: no padding");

static int flows_open_trees(struct flow_writer *w, struct error *err)
{
	int r = btree_file_open(&w->file, w->db, err);

	if (r == 0)
		r = btree_file_tree(&w->trees.flows, w->file, schema_table_name[TABLE_FLOW], err);
	if (r == 0)
		r = btree_file_tree(&w->trees.flow_vantages, w->file,
			schema_table_name[TABLE_FLOW_VANTAGE], err);
	if (r == 0)
		r = btree_file_tree(&w->trees.paths, w->file, schema_table_name[TABLE_PATH], err);
	if (r == 0)
		r = btree_file_tree(
			&w->trees.events, w->file, schema_table_name[TABLE_SEGMENT_EVENT], err);
	if (r == 0)
		r = btree_file_tree(&w->trees.handshake_acks, w->file,
			schema_table_name[TABLE_HANDSHAKE_ACK], err);
	return r ? r : flowindex_init(&w->indexes, w->file, err);
}

int flow_writer_init(struct flow_writer *w, struct db *db, const struct join *j,
	uint64_t events_max, uint64_t packets_max, struct error *err)
{
	int r;

	*w = (struct flow_writer){
		.db = db, .join = j, .event_rows.max = events_max, .packet_rows.max = packets_max};
	totals_init(&w->totals);
	losstraits_init(&w->traits, j);
	untakens_init(&w->untakens, j->data);
	hashmap_init(
		&w->peer_seconds, sizeof(struct peer_key), sizeof(uint64_t), PEER_SECONDS_LIMIT);
	hashmap_init(
		&w->examples, sizeof(struct example_key), sizeof(uint64_t), EXAMPLE_ENDS_LIMIT);
	hashmap_init(
		&w->misses.by_second, sizeof(struct missed_key), sizeof(uint64_t), MISSED_LIMIT);
	w->misses.by_vantage = mem_array(j->data->vantage_count + 1, sizeof(*w->misses.by_vantage));
	r = db_run(db, "indexes", schema_flow_indexes, err);
	return r ? r : flows_open_trees(w, err);
}

void flow_writer_release(struct flow_writer *w)
{
	totals_release(&w->totals);
	losstraits_release(&w->traits);
	outages_release(&w->outages);
	untakens_release(&w->untakens);
	hashmap_release(&w->peer_seconds);
	hashmap_release(&w->misses.by_second);
	hashmap_release(&w->examples);
	flowindex_release(&w->indexes);
	free(w->pending);
	free(w->waiting);
	free(w->packets);
	free(w->windows.rows);
	free(w->misses.by_vantage);
	*w = (struct flow_writer){0};
}

static void flows_put_place(
	const struct flow_writer *w, struct row *row, uint32_t vantage, const struct segment *seg)
{
	struct fileindex_place p;

	if (!seg) {
		row_null(row);
		row_null(row);
		return;
	}
	p = facts_place(w->join->data, vantage, seg->frame);
	row_int(row, p.file);
	row_int(row, p.number);
}

static void flows_put_time(struct row *row, const struct segment *seg)
{
	row_int_or_null(row, seg ? seg->time_ns : DB_NONE);
}

static void flows_insert_event(struct flow_writer *w, uint32_t number, const struct event *e)
{
	const struct dataset *data = w->join->data;
	const char *kind = event_kind_name((enum event_kind)e->kind);
	struct row *row = btree_row(w->trees.events);

	row_null(row);
	row_int(row, number);
	row_word(row, direction_name((enum direction)e->direction));
	row_word(row, kind);
	row_int(row, e->seq);
	row_int(row, e->length);
	row_int(row, e->segments);
	row_int(row, e->flags);
	row_int(row, data->vantages[e->from].id);
	flows_put_place(w, row, e->from, e->sent);
	flows_put_time(row, e->sent);
	row_int(row, data->vantages[e->to].id);
	flows_put_place(w, row, e->to, e->received);
	flows_put_time(row, e->received);
	row_word(row, e->reason);
	flows_put_place(w, row, e->proof_vantage, e->proof);
	row_text_or_null(row, e->detail, strlen(e->detail));
	if (e->kind == EVENT_CAPTURE_MISSED || e->kind == EVENT_SENDER_MISSED)
		row_int(row, !e->while_running);
	else
		row_null(row);
	w->event_rows.count = (uint64_t)btree_end_row(w->trees.events);
	flowindex_event(&w->indexes, number, (int64_t)w->event_rows.count, kind,
		data->vantages[e->from].id, data->vantages[e->to].id,
		e->sent ? e->sent->time_ns : DB_NONE, e->flags & TCP_SYN);
}

/* at_ns: that vantage point's clock; INT64_MIN: not known, so that no second becomes doubtful. */
static void flows_note_miss(
	struct flow_writer *w, uint32_t vantage, int64_t at_ns, uint32_t segments)
{
	struct missed_key key = {.vantage = vantage, .second = at_ns / NSEC_PER_SEC};
	uint64_t *n;
	bool fresh;

	w->misses.by_vantage[vantage] += segments;
	if (at_ns == INT64_MIN)
		return;
	n = hashmap_at(&w->misses.by_second, &key, &fresh);
	if (n)
		*n += segments;
}

/* The receiver's time of a missing segment; without a clock the sender's, which is better than
 * none. */
static int64_t flows_event_time(const struct event *e)
{
	if (e->judged_ns != INT64_MIN && e->judged_ns)
		return e->judged_ns;
	return e->sent ? e->sent->time_ns : e->received ? e->received->time_ns : 0;
}

static bool flows_server_sent_payload(const struct join *j, const struct flow *c)
{
	for (uint32_t i = c->first_member; i != MEMBER_NONE; i = j->all->members[i].next)
		if (member_side(&j->all->members[i], S2C)->bytes)
			return true;
	return false;
}

/*
 * Of a lost ACK without payload at the client's first byte that acknowledges the SYN-ACK alone
 * (table handshake_ack) the place that sent it; NULL: it is none. All ACKs of a client that sends
 * nothing stand at its first byte.
 */
static const struct member *flows_handshake_ack_sender(const struct flow_writer *w,
	const struct flow *c, const struct flow_summary *sum, const struct event *e)
{
	const struct member *m;
	bool ends;

	if (c->pairing == PAIRED_AMBIGUOUS || c->pairing == PAIRED_PROXY)
		return NULL;
	if ((e->kind != EVENT_LOST && e->kind != EVENT_MISADDRESSED) || e->direction != C2S ||
		e->length || !e->sent ||
		(e->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK ||
		!sum->has_isn[C2S])
		return NULL;
	m = flow_member_seen_from(w->join->all, (uint32_t)(c - w->join->all->list), e->from);
	if (!m || !sum->tcp || e->seq != sum->isn[C2S] + m->delta[C2S] + 1)
		return NULL;
	ends = sum->has_isn[S2C] ? e->sent->ack == sum->isn[S2C] + m->delta[S2C] + 1
				 : !flows_server_sent_payload(w->join, c);
	return ends ? m : NULL;
}

/* Of the event just inserted. */
static void flows_insert_handshake_ack(
	struct flow_writer *w, const struct member *from, const struct flow_summary *sum)
{
	struct row *row = btree_row(w->trees.handshake_acks);

	row_null(row); /* the rowid */
	row_ip(row, member_ip(from, true));
	row_ip(row, member_ip(from, false));
	row_int(row, member_port(from, false));
	row_int(row, strcmp(sum->outcome, "half_open") == 0);
	btree_skip_to(w->trees.handshake_acks, (int64_t)w->event_rows.count);
	(void)btree_end_row(w->trees.handshake_acks);
}

static void flows_take_event(struct flow_writer *w, uint32_t row, const struct flow *c,
	const struct flow_summary *sum, uint32_t leg, const struct event *e)
{
	const struct member *sender = flows_handshake_ack_sender(w, c, sum, e);
	bool kept = w->event_rows.total++ < w->event_rows.max;

	if (kept)
		flows_insert_event(w, row, e);
	if (kept && sender)
		flows_insert_handshake_ack(w, sender, sum);
	if (e->kind == EVENT_CAPTURE_MISSED && e->while_running)
		flows_note_miss(w, e->to, flows_event_time(e), e->segments);
	/* What a place in the middle lacks though its neighbours have it was noted with the path
	 * before it. */
	if (e->kind == EVENT_SENDER_MISSED && e->while_running && e->proof)
		flows_note_miss(w, e->from, e->sender_ns, e->segments);
	if (e->kind == EVENT_BOTH_MISSED && e->while_running)
		flows_note_miss(w, e->to, e->judged_ns, e->segments);
	if (e->kind == EVENT_BOTH_MISSED && e->sender_running)
		flows_note_miss(w, e->from, e->sender_ns, e->segments);
	if (!e->pending)
		return;
	MEM_RESERVE(w->pending, w->pending_count, w->pending_cap);
	w->pending[w->pending_count++] =
		(struct pending){.event_row = kept ? w->event_rows.count : 0,
			.flow = row,
			.leg = (uint8_t)leg,
			.direction = e->direction,
			.waiting = w->waiting_count,
			.vantage = e->to,
			.segments = e->segments,
			.bytes = e->length,
			.syn = e->flags & TCP_SYN,
			.at_ns = flows_event_time(e),
			.from = e->from,
			.sent = e->sent};
}

static char *flows_append(char *at, const char *text)
{
	size_t n = strlen(text);

	memcpy(at, text, n);
	return at + n;
}

static char *flows_append_number(char *at, const char *name, uint32_t v)
{
	char digits[10];
	int n = 0;

	at = flows_append(at, name);
	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (n)
		*at++ = digits[--n];
	return at;
}

static char *flows_append_flags(char *at, uint8_t flags)
{
	static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
	const char *between = "";

	for (int i = 0; i < 8; i++) {
		if (!(flags & 1 << i))
			continue;
		at = flows_append(flows_append(at, between), names[i]);
		between = ",";
	}
	return at;
}

/* The packet in words; printf() would take as long as all the rest of its row. Returns the length.
 */
static size_t flows_describe_packet(const struct packet_pick *p, bool tcp, char buf[128])
{
	const struct segment *s = p->segment;
	char *at = buf;

	if (!tcp) {
		at = flows_append(flows_append_number(at, "datagram, ", s->length), " bytes");
	} else {
		at = flows_append(flows_append_flags(flows_append(at, "["), s->flags), "]");
		at = flows_append_number(flows_append_number(at, " seq ", s->seq), " ack ", s->ack);
		at = flows_append_number(
			flows_append_number(at, " win ", s->window), " len ", s->length);
	}
	assert(at - buf < 128);
	return (size_t)(at - buf);
}

static void flows_put_packet_ends(struct row *row, const struct flow_vantage *f, bool from_b)
{
	bool ports = f->key.protocol == 6 || f->key.protocol == 17;

	row_ip(row, from_b ? f->key.b : f->key.a);
	row_int_or_null(row, ports ? (from_b ? f->key.b_port : f->key.a_port) : DB_NONE);
	row_ip(row, from_b ? f->key.a : f->key.b);
	row_int_or_null(row, ports ? (from_b ? f->key.a_port : f->key.b_port) : DB_NONE);
}

static void flows_put_mac(struct row *row, const uint8_t *mac)
{
	char text[MAC_TEXT_SIZE];

	if (mac)
		row_word(row, mac_text(mac, text));
	else
		row_null(row);
}

static void flows_insert_packet(struct flow_writer *w, struct btree *t, uint32_t number,
	const struct packet_pick *p, const struct fileindex_place *place)
{
	const struct join *j = w->join;
	const struct vantage *v = &j->data->vantages[p->vantage];
	const struct segment *seg = p->segment;
	const struct member *m = flow_member_seen_from(j->all, p->flow, p->vantage);
	const struct flow_vantage *f = m->flow;
	bool tcp = f->key.protocol == 6;
	struct row *row = btree_row(t);
	char info[128];

	row_int(row, place->file);
	row_int(row, place->number);
	row_int(row, seg->time_ns);
	row_int(row, (int64_t)facts_offset(j->data, p->vantage, p->frame));
	row_int(row, number);
	row_word(row, direction_name(segment_direction(m, seg)));
	flows_put_mac(row, vantage_mac(v, seg->src_mac));
	flows_put_mac(row, vantage_mac(v, seg->dst_mac));
	flows_put_packet_ends(row, f, seg->bits & SEGMENT_FROM_B);
	row_int_or_null(row, tcp ? seg->seq : DB_NONE);
	row_int_or_null(row, tcp ? seg->ack : DB_NONE);
	row_int(row, seg->length);
	row_int_or_null(row, tcp ? seg->flags : DB_NONE);
	row_int_or_null(row, seg->bits & SEGMENT_NO_ID ? DB_NONE : seg->ip_id);
	row_int(row, seg->ttl);
	row_text(row, info, flows_describe_packet(p, tcp, info));
	row_int(row, v->id);
	btree_end_entry(t);
}

/* Rows wait: they are written in the order of frames. */
static void flows_take_packet(struct flow_writer *w, uint32_t row, const struct packet_pick *p)
{
	if (w->packet_rows.total++ >= w->packet_rows.max && w->join->options.packets != PACKETS_ALL)
		return;
	MEM_RESERVE(w->packets, w->packet_rows.count, w->packet_cap);
	w->packets[w->packet_rows.count++] = (struct waiting_packet){.pick = *p, .row = row};
}

static bool flows_take_example(
	struct hashmap *examples, const struct example_key *key, uint64_t limit)
{
	bool fresh;
	uint64_t *n = hashmap_at(examples, key, &fresh);

	if (!n || *n >= limit)
		return false;
	++*n;
	return true;
}

/* Whether the packets of a flow without events are kept. */
static bool flows_is_example_kept(
	struct flow_writer *w, const struct flow *c, const struct flow_summary *sum)
{
	struct example_key server = {.port = 0}, ends;

	if (w->example_count >= w->packet_rows.max / EXAMPLES_PART)
		return false;
	memcpy(server.server, sum->server, 16);
	memcpy(server.outcome, sum->outcome, sizeof(server.outcome));
	ends = server;
	memcpy(ends.client, sum->client, 16);
	ends.port = 1 + member_port(&w->join->all->members[c->first_member], false);
	return flows_take_example(&w->examples, &ends, EXAMPLES_OF_ENDS) &&
	       flows_take_example(&w->examples, &server, EXAMPLES_OF_SERVER);
}

/* Of one flow, up to end. */
static void flows_take_packets(struct flow_writer *w, uint32_t row, const struct flow *c,
	const struct flow_summary *sum, const struct packet_pick *from,
	const struct packet_pick *end)
{
	bool is_example = from < end && from->is_example;

	if (is_example && !flows_is_example_kept(w, c, sum))
		return;
	for (const struct packet_pick *p = from; p < end; p++)
		flows_take_packet(w, row, p);
	w->example_count += is_example ? (uint64_t)(end - from) : 0;
}

struct placed {
	struct fileindex_place place;
	uint64_t waiting; /* index */
};

static int flows_by_frame(const void *a, const void *b)
{
	const struct fileindex_place *x = &((const struct placed *)a)->place,
				     *y = &((const struct placed *)b)->place;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (((const struct placed *)a)->waiting > ((const struct placed *)b)->waiting) -
	       (((const struct placed *)a)->waiting < ((const struct placed *)b)->waiting);
}

static bool flows_same_frame(const struct placed *a, const struct placed *b)
{
	return a->place.file == b->place.file && a->place.number == b->place.number;
}

/* How many rows ahead their segments and frames are asked for. */
#define PACKETS_AHEAD 12

static void flows_packet_prefetch(const struct dataset *data, const struct packet_pick *p)
{
	prefetch_line(p->segment);
	fileindex_prefetch(&data->hosts[data->vantages[p->vantage].host].frames, p->frame);
}

/* The key of packet is the frame, once though picked far apart; flows interleave in a file. */
static int flows_insert_packets(struct flow_writer *w, struct error *err)
{
	struct placed *list = mem_array(w->packet_rows.count + 1, sizeof(*list));
	struct btree *t = NULL;
	int r = btree_file_tree(&t, w->file, schema_table_name[TABLE_PACKET], err);

	for (uint64_t i = 0; i < w->packet_rows.count; i++) {
		const struct packet_pick *p = &w->packets[i].pick;

		list[i] = (struct placed){facts_place(w->join->data, p->vantage, p->frame), i};
	}
	qsort(list, w->packet_rows.count, sizeof(*list), flows_by_frame);
	for (uint64_t i = 0; i < w->packet_rows.count && r == 0; i++) {
		const struct waiting_packet *p = &w->packets[list[i].waiting];

		if (i + PACKETS_AHEAD < w->packet_rows.count)
			flows_packet_prefetch(
				w->join->data, &w->packets[list[i + PACKETS_AHEAD].waiting].pick);
		if (i && flows_same_frame(&list[i], &list[i - 1]))
			continue;
		flows_insert_packet(w, t, p->row, &p->pick, &list[i].place);
	}
	btree_finish(t);
	free(list);
	return r;
}

static void flows_insert_window(
	struct flow_writer *w, uint32_t row, const struct zero_window_row *z)
{
	sqlite3_stmt *s = db_insert(w->db, TABLE_ZERO_WINDOW);
	struct fileindex_place p;

	db_int(s, 1, row);
	db_int(s, 2, w->join->data->vantages[z->vantage].id);
	db_text(s, 3, direction_name((enum direction)z->direction));
	db_int(s, 4, z->from_ns);
	db_int(s, 5, z->to_ns);
	db_int(s, 6, z->probes);
	p = facts_place(w->join->data, z->vantage, z->first->frame);
	db_int(s, 7, p.file);
	db_int(s, 8, p.number);
	db_step(w->db, s);
}

static void flows_take_window(struct flow_writer *w, uint32_t row, const struct zero_window_row *z)
{
	MEM_RESERVE(w->windows.rows, w->windows.count, w->windows.cap);
	w->windows.rows[w->windows.count++] = (struct waiting_window){.window = *z, .row = row};
}

static void flows_take_seconds(struct flow_writer *w, const struct join_batch *b)
{
	for (uint32_t i = 0; i < b->second_count; i++) {
		uint64_t *frames;
		bool fresh;

		frames = hashmap_at(&w->peer_seconds, &b->seconds[i].key, &fresh);
		if (frames)
			*frames += b->seconds[i].frames;
	}
}

static void flows_insert_peer_seconds(struct flow_writer *w)
{
	sqlite3_stmt *s = db_insert(w->db, TABLE_PEER_ACTIVITY);
	char ip[2][IP_TEXT_SIZE];

	for (uint32_t i = 0; i < w->peer_seconds.count; i++) {
		const struct peer_key *k = hashmap_key(&w->peer_seconds, i);

		db_int(s, 1, w->join->data->vantages[k->vantage].id);
		db_text(s, 2, ip_text(k->src, ip[0]));
		db_text(s, 3, ip_text(k->dst, ip[1]));
		db_int(s, 4, k->second_ns);
		db_int(s, 5, (int64_t) * (const uint64_t *)hashmap_value(&w->peer_seconds, i));
		db_step(w->db, s);
	}
}

static bool flows_is_broken(const char *outcome)
{
	return strcmp(outcome, "unanswered") == 0 || strcmp(outcome, "half_open") == 0;
}

static struct totals_flow flows_totals_flow(const struct flow_summary *sum)
{
	return (struct totals_flow){.client = sum->client,
		.server = sum->server,
		.first_ns = sum->first_ns,
		.last_ns = sum->last_ns,
		.tcp = sum->tcp};
}

static bool flows_is_certain(const struct flow *c)
{
	return c->pairing != PAIRED_AMBIGUOUS && c->pairing != PAIRED_PROXY;
}

static void flows_add_loss(struct flow_writer *w, const struct flow *c,
	const struct flow_summary *sum, struct totals_flow *f, const struct totals_loss *l)
{
	const struct member *from;

	if (l->segments == 0 || !flows_is_certain(c))
		return;
	from = flow_member_seen_from(w->join->all, (uint32_t)(c - w->join->all->list), l->from);
	if (!from)
		return;
	f->src = member_ip(from, l->direction == C2S);
	f->dst = member_ip(from, l->direction != C2S);
	f->server_port = member_port(from, false);
	f->broken = flows_is_broken(sum->outcome);
	totals_add_loss(&w->totals, f, l);
}

static void flows_add_syns(struct flow_writer *w, uint32_t flow, const struct totals_flow *f,
	const struct path_counts *p)
{
	const struct member *from = flow_member_seen_from(w->join->all, flow, p->from);

	if (from)
		totals_add_syns(&w->totals, f, p, member_port(from, false));
}

/* pending: what it lost is not settled. */
static void flows_add_totals(struct flow_writer *w, uint32_t flow, const struct flow_summary *sum,
	const struct path_counts *p, bool pending)
{
	const struct flow *c = &w->join->all->list[flow];
	struct totals_flow f = flows_totals_flow(sum);
	struct totals_loss l = totals_loss_of(p);

	totals_add(&w->totals, &f, p);
	if (p->syn_sent)
		flows_add_syns(w, flow, &f, p);
	if (!pending) {
		flows_add_loss(w, c, sum, &f, &l);
		return;
	}
	MEM_RESERVE(w->waiting, w->waiting_count, w->waiting_cap);
	w->waiting[w->waiting_count++] = (struct waiting_loss){.loss = l, .flow = flow};
}

static void flows_add_waiting(struct flow_writer *w)
{
	for (uint32_t i = 0; i < w->waiting_count; i++) {
		const struct waiting_loss *p = &w->waiting[i];
		const struct flow *c = &w->join->all->list[p->flow];
		struct flow_summary sum;
		struct totals_flow f;

		if (i + FLOWS_AHEAD < w->waiting_count)
			flow_prefetch(w->join->all, p[FLOWS_AHEAD].flow);
		sum = flowrows_summary(w->join, c);
		f = flows_totals_flow(&sum);
		if (p->unjudged)
			totals_unjudge(&w->totals, &f, &p->loss, p->unjudged, p->unjudged_syn);
		flows_add_loss(w, c, &sum, &f, &p->loss);
	}
}

int flow_writer_batch(void *writer, struct join_batch *b)
{
	struct flow_writer *w = writer;
	const struct join *j = w->join;
	uint32_t path = 0, event = 0, window = 0, packet = 0, first_packet, outage = 0, untaken = 0;

	flowrows_write(b, w->trees.flows, w->trees.flow_vantages, w->trees.paths);
	for (uint32_t place = b->begin; place < b->end; place++) {
		uint32_t flow = j->order[place], row = place + 1;
		const struct flow *c = &j->all->list[flow];
		const struct flow_summary *sum = flowrows_of(b, place);

		flowindex_flow(&w->indexes, row, sum->client, sum->server, sum->outcome,
			pairing_name((enum pairing_evidence)c->pairing));
		for (; path < b->path_count && b->paths[path].flow == flow; path++) {
			const struct path_result *p = &b->paths[path];
			uint32_t pending = w->pending_count;

			flowindex_path(&w->indexes, row, p->leg, &p->counts);
			if (flows_is_certain(c))
				losstraits_add_path(&w->traits, flow, &p->counts);
			for (; event < p->event_end; event++) {
				const struct event *e = &b->events.events[event];

				flows_take_event(w, row, c, sum, p->leg, e);
				if (flows_is_certain(c))
					losstraits_add_event(&w->traits, flow, e);
			}
			flows_add_totals(w, flow, sum, &p->counts, w->pending_count > pending);
		}
		for (; window < b->window_count && b->window_flow[window] == flow; window++)
			flows_take_window(w, row, &b->windows[window]);
		for (; outage < b->outages.count && b->outages.rows[outage].flow == flow; outage++)
			outages_add(&w->outages, row, &b->outages.rows[outage]);
		for (; untaken < b->untaken.count && b->untaken.rows[untaken].flow == flow;
			untaken++)
			untakens_add(&w->untakens, row, &b->untaken.rows[untaken]);
		for (first_packet = packet;
			packet < b->packet_count && b->packets[packet].flow == flow; packet++)
			;
		if (packet > first_packet)
			flows_take_packets(
				w, row, c, sum, &b->packets[first_packet], &b->packets[packet]);
	}
	/* Each row of the batch is of one of its flows. */
	assert(path == b->path_count && event == b->events.count && packet == b->packet_count);
	assert(window == b->window_count && outage == b->outages.count);
	assert(untaken == b->untaken.count);
	flows_take_seconds(w, b);
	return w->db->failed ? -1 : 0;
}

static bool flows_doubtful(const struct flow_writer *w, const struct pending *p)
{
	if (!w->misses.by_vantage[p->vantage])
		return false;
	/* Misses all over a capture (more than one in ten thousand) make every absence doubtful. */
	if (w->misses.by_vantage[p->vantage] * 10000 >
		w->join->data->vantages[p->vantage].counts.frames)
		return true;
	for (int64_t d = -DOUBT_SECONDS; d <= DOUBT_SECONDS; d++) {
		struct missed_key key = {
			.vantage = p->vantage, .second = p->at_ns / NSEC_PER_SEC + d};

		if (hashmap_get(&w->misses.by_second, &key))
			return true;
	}
	return false;
}

static sqlite3_stmt *flows_prepare(struct flow_writer *w, const char *sql)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(w->db->handle, sql, -1, &s, NULL) != SQLITE_OK) {
		(void)fprintf(stderr, "bug: %s: %s\n", sql, sqlite3_errmsg(w->db->handle));
		abort();
	}
	return s;
}

/* From lost to unjudged: as unjudge_path.sql does with the row. */
static void flows_unjudge(struct waiting_loss *p, const struct pending *e)
{
	uint32_t syn = e->syn ? e->segments : 0;

	assert(p->loss.segments >= e->segments && p->loss.syn_segments >= syn &&
		p->loss.bytes >= e->bytes);
	p->loss.segments -= e->segments;
	p->loss.syn_segments -= syn;
	p->loss.bytes -= e->bytes;
	p->unjudged += e->segments;
	p->unjudged_syn += syn;
}

static void flows_settle_pending(struct flow_writer *w)
{
	sqlite3_stmt *event = flows_prepare(w, schema_statement_unjudge_event);
	sqlite3_stmt *path = flows_prepare(w, schema_statement_unjudge_path);

	for (uint32_t i = 0; i < w->pending_count; i++) {
		const struct pending *p = &w->pending[i];

		if (!flows_doubtful(w, p))
			continue;
		assert(p->waiting < w->waiting_count);
		flows_unjudge(&w->waiting[p->waiting], p);
		losstraits_unjudge(&w->traits, w->waiting[p->waiting].flow, p->from, p->vantage,
			p->sent, p->segments);
		db_int(path, 1, p->flow);
		db_int(path, 2, p->segments);
		db_int(path, 3, p->bytes);
		db_int(path, 4, p->syn ? p->segments : 0);
		db_int(path, 5, p->leg);
		db_text(path, 6, direction_name((enum direction)p->direction));
		db_step(w->db, path);
		if (!p->event_row)
			continue;
		db_int(event, 1, (int64_t)p->event_row);
		db_step(w->db, event);
	}
	(void)sqlite3_finalize(event);
	(void)sqlite3_finalize(path);
}

int flow_writer_finish(struct flow_writer *w, struct error *err)
{
	struct btree **all[] = {&w->trees.flows, &w->trees.flow_vantages, &w->trees.paths,
		&w->trees.events, &w->trees.handshake_acks};
	struct btree_file *file = w->file;
	int result, r;

	if (!file)
		return 0;
	result = flows_insert_packets(w, err);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		btree_finish(*all[i]);
		*all[i] = NULL;
	}
	flowindex_finish(&w->indexes);
	w->file = NULL;
	r = btree_file_close(file, result ? NULL : err);
	return result ? result : r;
}

void flow_writer_settle(struct flow_writer *w)
{
	sqlite3_stmt *missed = flows_prepare(w, schema_statement_vantage_missed);
	uint64_t kept, total;

	for (uint32_t i = 0; i < w->windows.count; i++)
		flows_insert_window(w, w->windows.rows[i].row, &w->windows.rows[i].window);
	flows_settle_pending(w);
	flows_add_waiting(w);
	losstraits_store(&w->traits, w->db);
	totals_store(&w->totals, w->db, w->join->data);
	for (uint32_t i = 0; i < w->join->data->vantage_count; i++) {
		db_int(missed, 1, w->join->data->vantages[i].id);
		db_int(missed, 2, (int64_t)w->misses.by_vantage[i]);
		db_step(w->db, missed);
	}
	(void)sqlite3_finalize(missed);
	flows_insert_peer_seconds(w);
	outages_store(&w->outages, w->join, w->db, &kept, &total);
	untakens_store(&w->untakens, w->join->data, w->db);
	facts_limit_reached(w->db, "flow_activity", kept, total);
	facts_limit_reached(w->db, "peer_activity", w->peer_seconds.count,
		w->peer_seconds.count + w->peer_seconds.refused);
	facts_limit_reached(w->db, "segment_event", w->event_rows.count, w->event_rows.total);
	facts_limit_reached(w->db, "packet", w->packet_rows.count, w->packet_rows.total);
}
